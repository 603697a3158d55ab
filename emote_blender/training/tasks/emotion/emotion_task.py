"""Training of the emotion networks, per frame and over frames: `train emotion --config emotion_open`."""

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

# Valence and arousal at full intensity. Which side of the circle an emotion is on follows Russell (1980), A Circumplex
# Model of Affect; the amounts are ours. A lower intensity is nearer to the middle.
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
    """`[model]`.

    frames: the network per frame; None: that of `[start] emotion_network`. video: the network over frames; its
    `feature_dim` is that of the former.
    """

    video: VideoEmotionConfig
    frames: EmotionNetworkConfig | None = None


@dataclass(frozen=True)
class EmotionStart:
    """`[start] emotion_network`: a folder of this project's, or the checkpoint of the authors' ResNet-50. It is then
    frozen and only the network over frames is trained, as published."""

    emotion_network: Path | None = None


@dataclass(frozen=True)
class EmotionSettings:
    """A config file of `train emotion`."""

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
    """Both networks and the film that they are trained on."""

    def __init__(self, frames: EmotionNetwork, video: VideoEmotionNetwork, film: FaceFilm, settings: EmotionSettings):
        super().__init__(film, settings.data)
        self.frames, self.video = frames, video
        self.frames_are_frozen = settings.start.emotion_network is not None
        self.frames.requires_grad_(not self.frames_are_frozen)

    def train(self, mode: bool = True) -> EmotionParts:
        """Self, in training mode but for a frozen network."""
        super().train(mode)
        if self.frames_are_frozen:
            self.frames.eval()
        return self

    def pictures(self, batch: FilmBatch) -> Tensor:
        """(B, T, 3, S, S) of a training batch, or in eval mode of one to validate on, at the size of `frames`."""
        return self.look(batch, self._film)

    def _film(self, motion: Tensor) -> Tensor:
        size = self.frames.config.image_size
        images = self.film(motion).flatten(0, 1)
        if images.shape[-1] != size:  # as the network itself does it
            images = F.interpolate(images, (size, size), mode="bilinear", align_corners=False, antialias=True)
        return images.unflatten(0, motion.shape[:2])


class EmotionTask(FilmTask):
    """The network per frame learns expression, valence and arousal; the one over frames, on its features as they are at
    that step and without a gradient into it, expression and intensity of the clip."""

    name = "emotion"
    settings_class = EmotionSettings
    settings: EmotionSettings

    def modules(self) -> EmotionParts:
        """New networks and the film."""
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
        """The sum of all terms; those per frame are absent where that network is frozen."""
        assert isinstance(module, EmotionParts)
        pictures = varied(module.pictures(batch), self.settings.view.brightness, self.settings.view.shift)
        terms = _terms(module, pictures, batch)
        return torch.stack(list(terms.values())).sum(), terms

    def validate(self, module: nn.Module) -> dict[str, float]:
        """`video_loss`, the cross-entropies over frames, which goes on falling when no clip is mistaken any more.

        `video_error`: share of clips whose emotion is not recognised; the same per frame, at the highest intensity, for
        each emotion, and of the intensity; CCC of valence and arousal.
        """
        assert isinstance(module, EmotionParts)
        device = next(module.parameters()).device
        found: dict[str, list[Tensor]] = {}

        def note(name: str, values: Tensor) -> None:
            found.setdefault(name, []).append(values.float().flatten().cpu())

        for batch in (batch.to(device) for batch in self.data.validation()):
            features = _features(module, module.pictures(batch))
            seen = module.video(features)
            note("video_loss", sum(video_emotion_loss(seen, batch.emotion, batch.intensity)).expand(len(batch.emotion)))
            wrong = seen.expression.argmax(-1) != batch.emotion
            note("video_error", wrong)
            note("video_error_high", wrong[batch.intensity == NUM_INTENSITIES - 1])
            for index, name in enumerate(EMOTIONS):
                note(f"video_error_{name}", wrong[batch.emotion == index])
            feels = batch.emotion != EMOTIONS.index("neutral")
            note("intensity_error", (seen.intensity.argmax(-1) != batch.intensity)[feels])
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
        """The first clips to validate on."""
        assert isinstance(module, EmotionParts)
        batch = next(iter(self.data.validation())).to(next(module.parameters()).device)
        names = [f"{EMOTIONS[e]}_{i}" for e, i in zip(batch.emotion.tolist(), batch.intensity.tolist(), strict=True)]
        return dict(zip(names[:4], module.pictures(batch)[:4], strict=False))

    def export(self, module: nn.Module, folder: Path) -> None:
        """Writes the folders `emotion_network` and `video_emotion`, which EMOTE's `[perceptual]` names."""
        assert isinstance(module, EmotionParts)
        save_network(module.frames, folder / EMOTION_FOLDER)
        save_network(module.video, folder / VIDEO_FOLDER)


def _features(module: EmotionParts, pictures: Tensor) -> Tensor:
    """(B, T, D) of pictures (B, T, 3, S, S)."""
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
    seen = module.video(features.detach())
    terms["video_expression"], terms["video_intensity"] = video_emotion_loss(seen, batch.emotion, batch.intensity)
    return terms


def _circumplex(batch: FilmBatch) -> tuple[Tensor, Tensor]:
    """Valence (B,) and arousal (B,) of the clips."""
    places = torch.tensor([CIRCUMPLEX[name] for name in EMOTIONS], device=batch.emotion.device)[batch.emotion]
    levels = torch.tensor(LEVELS, device=batch.emotion.device)[batch.intensity]
    valence, arousal = (places * levels[:, None]).unbind(-1)
    return valence, arousal


def _per_frame(values: Tensor, features: Tensor) -> Tensor:
    """(B * T,) of values (B,) per clip."""
    return values.repeat_interleave(features.shape[1])
