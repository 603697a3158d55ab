"""The perceptual terms of EMOTE's second stage: what networks see in rendered motion (spec/EMOTE.md 6, stage 2).

Four terms, by who is compared with what; clip `i` of the second half has the emotion of clip `permutation[i]`:

    emotion_video                  own half          the clip's own reference
    emotion_video_disentangled     exchanged clip i  the reference of clip permutation[i], which gave the emotion
    lip_reading                    own half          the mouth of the clip's own true motion, rendered
    lip_reading_disentangled       exchanged clip i  the mouth of clip i's true motion: the speech is the same
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ...errors import InputError
from ...flame.model import FaceModel
from ..networks.emotion_network import EmotionNetwork, load_official_emotion_network
from ..networks.folder import load_network
from ..networks.lip_reading import LipReader
from ..networks.video_emotion import VideoEmotionNetwork
from ..networks.visual_front_end import VisualFrontEnd, load_visual_speech_front_end
from ..rendering.face_film import FaceFilm
from ..rendering.posed_face import full_precision
from .masked_errors import emotion_error, lip_reading_error
from .perceptual_settings import PerceptualSettings


@dataclass(frozen=True, eq=False)
class View:
    """What the networks saw: emotion (B, 256) of a whole clip, lips (B, T, D) per frame; None where nobody looked."""

    emotion: Tensor | None
    lips: Tensor | None


class PerceptualNetworks(nn.Module):
    """A filmed head and the networks that watch it. They are frozen and stay in eval mode.

    Args:
        film: makes the pictures; the networks were trained on such.
        emotion: the network per frame and the one over frames; None where no emotion term is wanted.
        lip_reader: anything with `features`; None where no lip term is wanted.
    """

    def __init__(
        self,
        film: FaceFilm,
        emotion: tuple[EmotionNetwork, VideoEmotionNetwork] | None,
        lip_reader: LipReader | VisualFrontEnd | None,
    ) -> None:
        super().__init__()
        self.film = film
        self.emotion_network: EmotionNetwork | None = emotion[0] if emotion else None
        self.video_emotion: VideoEmotionNetwork | None = emotion[1] if emotion else None
        self.lip_reader = lip_reader
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> PerceptualNetworks:
        """Self, in eval mode whatever is asked."""
        return super().train(False)

    def view(self, motion: Tensor, shape: Tensor | None = None, within: Tensor | None = None) -> View:
        """What the networks see in motion (B, T, E + 3) of heads with shape (B, S); `within` as in `video_feature`."""
        with full_precision(motion):
            vertices = self.film.face(motion.float(), shape)  # (B, T, V, 3)
            pictures = self.film.pictures(vertices)  # (B, T, 3, H, W)
            crops = None if self.lip_reader is None else self.film.crops(pictures, vertices)
        emotion, lips = None, None
        if self.emotion_network is not None:
            features = self.emotion_network.features(pictures.flatten(0, 1))  # (B * T, D)
            emotion = self.video_feature(features.unflatten(0, pictures.shape[:2]), within)
        if self.lip_reader is not None:
            lips = self.lip_reader.features(crops).float()
        return View(emotion, lips)

    def video_feature(self, features: Tensor, within: Tensor | None = None) -> Tensor:
        """Video emotion feature (B, 256) of features per frame (B, T, D); within: (B, T) bool, False where a clip was
        padded."""
        if self.video_emotion is None:
            raise ValueError("these networks do not watch emotion")
        return self.video_emotion(features, within).feature.float()


def build_networks(
    face_model: FaceModel, settings: PerceptualSettings, emotion: bool, lips: bool
) -> PerceptualNetworks | None:
    """The networks that are wanted, from their files; None where neither emotion nor lips are watched.

    Raises:
        EmoteError: a file is missing, damaged or of another kind.
    """
    if not emotion and not lips:
        return None
    return PerceptualNetworks(
        FaceFilm(face_model, settings.image_size, settings.camera, settings.renderer),
        _load_emotion(settings) if emotion else None,
        _load_lip_reader(settings.lip_reader) if lips else None,
    )


def _load_emotion(settings: PerceptualSettings) -> tuple[EmotionNetwork, VideoEmotionNetwork]:
    path, video_path = settings.emotion_network, settings.video_emotion
    if path is None or video_path is None:
        raise InputError("[perceptual] emotion_network and video_emotion: missing; an emotion term needs both")
    official = path.is_file()
    network: EmotionNetwork = load_official_emotion_network(path) if official else load_network(path, EmotionNetwork)
    video: VideoEmotionNetwork = load_network(video_path, VideoEmotionNetwork)
    given, taken = network.config.feature_dim, video.config.feature_dim
    if given != taken:
        raise InputError(
            f"{video_path} takes {taken} features per frame, but {path} gives {given}; give two networks that were "
            "trained together"
        )
    return network, video


def _load_lip_reader(path: Path | None) -> LipReader | VisualFrontEnd:
    if path is None:
        raise InputError("[perceptual] lip_reader: missing; a lip-reading term needs it")
    return load_visual_speech_front_end(path) if path.is_file() else load_network(path, LipReader)


def frames_before_padding(valid: Tensor, run: slice) -> Tensor:
    """(B, length of run) bool: the frames of the run that are not after their clip's last valid one in valid (B, T).

    A clip of which the run holds none, or that was never seen, keeps all: the network needs a frame to look at.
    """
    before = valid.flip(1).cummax(1).values.flip(1)[:, run]
    return before | ~before.any(1, keepdim=True)


def perceptual_terms(
    networks: PerceptualNetworks,
    own: Tensor,
    exchanged: Tensor | None,
    wanted: Tensor,
    permutation: Tensor | None,
    valid: Tensor,
    shape: Tensor | None = None,
    emotion_features: Tensor | None = None,
    within: Tensor | None = None,
) -> dict[str, Tensor]:
    """The terms that the networks at hand allow, by name (see the module's docstring).

    Args:
        own: (B, T, E + 3) motion under the clips' own conditions.
        exchanged: the same speech under the conditions of clip permutation[i]; None where nothing was exchanged.
        wanted: (B, T, E + 3) true motion.
        permutation: (B,) which clip gave its emotion; None where nothing was exchanged.
        valid: (B, T) bool frames that the lip terms count.
        shape: (B, S) identity coefficients.
        emotion_features: (B, T, D) of the real videos; the reference of emotion is the rendered true motion without.
        within: (B, T) bool from `frames_before_padding`, those that the emotion terms count; None: all.
    """
    with torch.no_grad():
        truth = networks.view(wanted, shape, within)
        reference = truth.emotion
        if emotion_features is not None and networks.video_emotion is not None:
            reference = networks.video_feature(emotion_features, within)
    terms: dict[str, Tensor | None] = {}
    halves = {"": own} | ({} if exchanged is None else {"_disentangled": exchanged})
    for suffix, motion in halves.items():
        seen = networks.view(motion, shape, within)
        if seen.emotion is not None and reference is not None:
            donors = reference[permutation] if suffix else reference
            terms["emotion_video" + suffix] = emotion_error(seen.emotion, donors)
        if seen.lips is not None and truth.lips is not None:
            terms["lip_reading" + suffix] = lip_reading_error(seen.lips, truth.lips, valid)
    return {name: term for name, term in terms.items() if term is not None}
