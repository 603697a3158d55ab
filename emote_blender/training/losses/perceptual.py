"""The perceptual terms of EMOTE's second stage, computed by networks on rendered motion (spec/EMOTE.md 6, stage 2).

There are four terms, each of which compares a prediction with a reference. Clip `i` of the exchanged half has the
emotion of clip `permutation[i]`:

    term                           prediction        reference
    emotion_video                  own half          the same clip
    emotion_video_disentangled     exchanged clip i  clip permutation[i], whose emotion it has
    lip_reading                    own half          the rendered mouth of the same clip's true motion
    lip_reading_disentangled       exchanged clip i  the rendered mouth of clip i's true motion: the speech is the same
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
class PerceptualFeatures:
    """The features of rendered clips.

    Attributes:
        emotion: (B, 256) video emotion feature of each clip; None without emotion networks.
        lips: (B, T, D) lip-reading features of each frame; None without a lip reader.
    """

    emotion: Tensor | None
    lips: Tensor | None


class PerceptualNetworks(nn.Module):
    """A rendered head and the perceptual networks, which are frozen and stay in eval mode.

    Args:
        film: renders the pictures, as it did for the training of the networks.
        emotion: the network per frame and the network over frames; None for no emotion terms.
        lip_reader: the lip-reading network; None for no lip terms.
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
        """Self, always in eval mode; `mode` is ignored."""
        return super().train(False)

    def perceive(self, motion: Tensor, shape: Tensor | None = None, within: Tensor | None = None) -> PerceptualFeatures:
        """The features of motion (B, T, E + 3), rendered on heads with shape (B, S); `within` as in `video_feature`."""
        with full_precision(motion):
            vertices = self.film.face(motion.float(), shape)  # (B, T, V, 3)
            pictures = None if self.emotion_network is None else self.film.pictures(vertices)  # (B, T, 3, H, W)
            crops = None if self.lip_reader is None else self.film.crops(vertices, pictures)
        emotion, lips = None, None
        if self.emotion_network is not None and pictures is not None:
            features = self.emotion_network.features(pictures.flatten(0, 1))  # (B * T, D)
            emotion = self.video_feature(features.unflatten(0, pictures.shape[:2]), within)
        if self.lip_reader is not None and crops is not None:
            lips = self.lip_reader.features(crops).float()
        return PerceptualFeatures(emotion, lips)

    def video_feature(self, features: Tensor, within: Tensor | None = None) -> Tensor:
        """(B, 256) video emotion features.

        Args:
            features: (B, T, D) emotion features of each frame.
            within: (B, T) bool, False at padded frames; None if there are none.
        """
        if self.video_emotion is None:
            raise ValueError("no emotion networks were given")
        return self.video_emotion(features, within).feature.float()


def build_networks(
    face_model: FaceModel, settings: PerceptualSettings, emotion: bool, lips: bool
) -> PerceptualNetworks | None:
    """The requested networks, loaded from their files; None if neither is requested.

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
    """(B, length of run) bool: False at the frames of the run after their clip's last valid frame in valid (B, T).

    A clip for which that would be every frame keeps all of them, because the network needs at least one.
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
    """The terms of the given networks by name; the module's docstring lists them.

    Args:
        networks: the perceptual networks.
        own: (B, T, E + 3) motion under the clips' own conditions.
        exchanged: (B, T, E + 3) the same speech with the emotion of clip permutation[i]; None without an exchange.
        wanted: (B, T, E + 3) true motion.
        permutation: (B,) int64 clip whose emotion clip i got; None without an exchange.
        valid: (B, T) bool frames that count in the lip terms.
        shape: (B, S) identity coefficients; None for the mean head.
        emotion_features: (B, T, D) features of the real videos, as reference of the emotion terms. None: the reference
            is the rendered true motion.
        within: (B, T) bool frames that count in the emotion terms, from `frames_before_padding`; None for all.
    """
    with torch.no_grad():
        truth = networks.perceive(wanted, shape, within)
        reference = truth.emotion
        if emotion_features is not None and networks.video_emotion is not None:
            reference = networks.video_feature(emotion_features, within)
    terms: dict[str, Tensor | None] = {}
    halves = {"": own} | ({} if exchanged is None else {"_disentangled": exchanged})
    for suffix, motion in halves.items():
        found = networks.perceive(motion, shape, within)
        if found.emotion is not None and reference is not None:
            donors = reference[permutation] if suffix else reference
            terms["emotion_video" + suffix] = emotion_error(found.emotion, donors)
        if found.lips is not None and truth.lips is not None:
            terms["lip_reading" + suffix] = lip_reading_error(found.lips, truth.lips, valid)
    return {name: term for name, term in terms.items() if term is not None}
