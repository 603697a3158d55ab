"""The training of the emotion networks, per frame and over frames: `train emotion --config emotion_open`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....emotion import NUM_INTENSITIES
from ....errors import InputError
from ...corpus.motion.emotion_styles import LEVELS
from ...data.corpus.film_data import FilmBatch, FilmSettings
from ...data.corpus.speech_batches import EMOTIONS
from ...networks.emotion_network import (
    EmotionNetwork,
    EmotionNetworkConfig,
    concordance,
    emotion_loss,
    load_official_emotion_network,
)
from ...networks.folder import load_network, save_network
from ...networks.video_emotion import VideoEmotionConfig, VideoEmotionNetwork, video_emotion_loss
from ...rendering.face_film import FaceFilm
from ...run.folder import load_weights
from ..film_task import FilmParts, FilmTask, FilmViewSettings, varied

EMOTION_FOLDER, VIDEO_FOLDER = "emotion_network", "video_emotion"

# Valence and arousal at full intensity. The signs follow Russell (1980), A Circumplex Model of Affect; the amounts are
# ours. A lower intensity is nearer to the centre.
CIRCUMPLEX = {
    "neutral": (0.0, 0.0),
    "happy": (0.9, 0.3),
    "sad": (-0.8, -0.5),
    "surprise": (0.2, 0.9),
    "fear": (-0.5, 0.8),
    "disgust": (-0.8, 0.3),
    "anger": (-0.6, 0.7),
    "contempt": (-0.5, -0.1),
}


@dataclass(frozen=True)
class EmotionModelSettings:
    """`[model]`: the architectures.

    Attributes:
        video: the network over frames; its `feature_dim` is that of the network per frame.
        frames: the network per frame; None to use that of `[start] emotion_network`.
    """

    video: VideoEmotionConfig
    frames: EmotionNetworkConfig | None = None


@dataclass(frozen=True)
class EmotionStart:
    """`[start]`: the initial weights.

    Attributes:
        emotion_network: a trained network per frame: a folder of this project, or the checkpoint of the authors'
            ResNet-50. It is frozen, and only the network over frames is trained, as published.
    """

    emotion_network: Path | None = None


@dataclass(frozen=True)
class EmotionSettings:
    """A config file of `train emotion` on the generated corpus.

    Attributes:
        model: see its class, as for `data`, `view` and `start`.
        data: the clips.
        view: the pictures.
        start: initial weights.
        face: name or folder of the head to render.
    """

    model: EmotionModelSettings
    data: FilmSettings
    view: FilmViewSettings = FilmViewSettings()
    start: EmotionStart = EmotionStart()
    face: str = "open_head"

    def __post_init__(self) -> None:
        if (self.model.frames is None) == (self.start.emotion_network is None):
            raise ValueError("model.frames: give either it or start.emotion_network")
        frames = self.model.frames
        if frames is not None and frames.feature_dim != self.model.video.feature_dim:
            raise ValueError(f"model.video.feature_dim: must be {frames.feature_dim}, as model.frames gives")
        if frames is not None and not frames.heads:
            raise ValueError("model.frames.heads: a network without heads cannot be trained")


class EmotionParts(FilmParts):
    """Both networks, and the renderer of their pictures."""

    def __init__(self, frames: EmotionNetwork, video: VideoEmotionNetwork, film: FaceFilm, settings: EmotionSettings):
        super().__init__(film, settings.data)
        self.frames, self.video = frames, video
        self.frames_are_frozen = settings.start.emotion_network is not None
        self.frames.requires_grad_(not self.frames_are_frozen)

    def train(self, mode: bool = True) -> EmotionParts:
        """Self, in training mode except a frozen network."""
        super().train(mode)
        if self.frames_are_frozen:
            self.frames.eval()
        return self

    def pictures(self, batch: FilmBatch) -> Tensor:
        """(B, T, 3, S, S) pictures of a training batch (in eval mode: a validation batch), at the size of `frames`."""
        return self.rendered(batch, self._film)

    def _film(self, motion: Tensor) -> Tensor:
        size = self.frames.config.image_size
        images = self.film(motion).flatten(0, 1)
        if images.shape[-1] != size:  # the same resampling as in the network itself
            images = F.interpolate(images, (size, size), mode="bilinear", align_corners=False, antialias=True)
        return images.unflatten(0, motion.shape[:2])


class EmotionTask(FilmTask):
    """Trains both networks at once.

    The network per frame learns expression, valence and arousal. The network over frames learns expression and
    intensity of the clip from the features of the former at that step, without a gradient into it.
    """

    name = "emotion"
    settings_class = EmotionSettings
    settings: EmotionSettings

    def modules(self) -> EmotionParts:
        """New networks and the renderer."""
        settings = self.settings
        source = settings.start.emotion_network
        if settings.model.frames is not None:
            frames = EmotionNetwork(settings.model.frames)
        elif source is not None and source.is_file():
            frames = load_official_emotion_network(source)
        else:
            frames = load_network(source or Path(), EmotionNetwork)
        if frames.config.feature_dim != settings.model.video.feature_dim:
            raise InputError(
                f"{source} gives {frames.config.feature_dim} features, [model.video] feature_dim is "
                f"{settings.model.video.feature_dim}; correct the config file"
            )
        parts = EmotionParts(frames, VideoEmotionNetwork(settings.model.video), self.make_film(), settings)
        if self.initial is not None:
            load_weights(parts, self.initial)
        return parts

    def loss(self, module: nn.Module, batch: FilmBatch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum of all terms, and the terms by name; a frozen network per frame has none."""
        assert isinstance(module, EmotionParts)
        pictures = varied(module.pictures(batch), self.settings.view.brightness, self.settings.view.shift)
        terms = _terms(module, pictures, batch)
        return torch.stack(list(terms.values())).sum(), terms

    def validate(self, module: nn.Module) -> dict[str, float]:
        """Figures over the held-out clips.

        `video_loss`: cross-entropies of the network over frames, which still fall when every clip is recognised.
        `video_error`: fraction of clips whose emotion is not recognised, also at the highest intensity (`_high`) and
            for
        each emotion; `intensity_error` and `frame_error` the same for the intensity and for single frames.
        `valence_ccc`, `arousal_ccc`: concordance correlation coefficients.
        """
        assert isinstance(module, EmotionParts)
        device = next(module.parameters()).device
        found: dict[str, list[Tensor]] = {}

        def note(name: str, values: Tensor) -> None:
            found.setdefault(name, []).append(values.float().flatten().cpu())

        for batch in (batch.to(device) for batch in self.data.validation()):
            features = _features(module, module.pictures(batch))
            video = module.video(features)
            losses = video_emotion_loss(video, batch.emotion, batch.intensity)
            note("video_loss", torch.stack(losses).sum().expand(len(batch.emotion)))
            wrong = video.expression.argmax(-1) != batch.emotion
            note("video_error", wrong)
            note("video_error_high", wrong[batch.intensity == NUM_INTENSITIES - 1])
            for index, name in enumerate(EMOTIONS):
                note(f"video_error_{name}", wrong[batch.emotion == index])
            emotional = batch.emotion != EMOTIONS.index("neutral")
            note("intensity_error", (video.intensity.argmax(-1) != batch.intensity)[emotional])
            if module.frames.config.heads:
                reading = module.frames.read(features.flatten(0, 1))
                note("frame_error", reading.expression.argmax(-1) != _per_frame(batch.emotion, features))
                for name, value, wanted in zip(
                    ("valence", "arousal"), (reading.valence, reading.arousal), _circumplex(batch)
                ):
                    note(name, value)
                    note(f"{name}_wanted", _per_frame(wanted, features))
        values = {name: torch.cat(parts) for name, parts in found.items()}
        figures = {
            name: float(value.mean())
            for name, value in values.items()
            if "_wanted" not in name and name not in ("valence", "arousal") and len(value)
        }
        for name in ("valence", "arousal"):
            if name in values:
                figures[f"{name}_ccc"] = float(concordance(values[name], values[f"{name}_wanted"]))
        return figures

    def clips(self, module: nn.Module) -> dict[str, Tensor]:
        """The first held-out clips."""
        assert isinstance(module, EmotionParts)
        batch = next(iter(self.data.validation())).to(next(module.parameters()).device)
        names = [f"{EMOTIONS[e]}_{i}" for e, i in zip(batch.emotion.tolist(), batch.intensity.tolist(), strict=True)]
        return dict(zip(names[:4], module.pictures(batch)[:4], strict=False))

    def export(self, module: nn.Module, folder: Path) -> None:
        """Write the folders `emotion_network` and `video_emotion`, as EMOTE's `[perceptual]` reads them."""
        assert isinstance(module, EmotionParts)
        save_network(module.frames, folder / EMOTION_FOLDER)
        save_network(module.video, folder / VIDEO_FOLDER)


def _features(module: EmotionParts, pictures: Tensor) -> Tensor:
    """(B, T, D) features of each frame of pictures (B, T, 3, S, S)."""
    return module.frames.features(pictures.flatten(0, 1)).unflatten(0, pictures.shape[:2])


def _terms(module: EmotionParts, pictures: Tensor, batch: FilmBatch) -> dict[str, Tensor]:
    """The loss's terms by name."""
    terms: dict[str, Tensor] = {}
    with torch.set_grad_enabled(torch.is_grad_enabled() and not module.frames_are_frozen):
        features = _features(module, pictures)
    if not module.frames_are_frozen:
        valence, arousal = _circumplex(batch)
        expression, valence_error, arousal_error = emotion_loss(
            module.frames.read(features.flatten(0, 1)),
            _per_frame(batch.emotion, features),
            _per_frame(valence, features),
            _per_frame(arousal, features),
        )
        terms |= {"expression": expression, "valence": valence_error, "arousal": arousal_error}
    video = module.video(features.detach())
    terms["video_expression"], terms["video_intensity"] = video_emotion_loss(video, batch.emotion, batch.intensity)
    return terms


def _circumplex(batch: FilmBatch) -> tuple[Tensor, Tensor]:
    """(B,) valence and (B,) arousal of the clips."""
    places = torch.tensor([CIRCUMPLEX[name] for name in EMOTIONS], device=batch.emotion.device)[batch.emotion]
    levels = torch.tensor(LEVELS, device=batch.emotion.device)[batch.intensity]
    valence, arousal = (places * levels[:, None]).unbind(-1)
    return valence, arousal


def _per_frame(values: Tensor, features: Tensor) -> Tensor:
    """(B * T,) values (B,) per clip, repeated for each frame."""
    return values.repeat_interleave(features.shape[1])
