"""The video emotion network: features of frames to the emotion and intensity of a clip, and a feature of the clip.

The feature is what EMOTE's emotion losses compare. Parameter names are those of the official checkpoint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from ...emote.attention import TransformerEncoder


@dataclass(frozen=True)
class VideoEmotionConfig:
    """Sizes; the defaults are the released network's (spec 7).

    feature_dim: D, of a frame's features. dim: of the transformer and of the clip's feature.
    """

    feature_dim: int = 2048
    dim: int = 256
    num_layers: int = 1
    num_heads: int = 8
    intermediate_size: int = 256
    dropout: float = 0.25
    num_expressions: int = 8
    num_intensities: int = 3


@dataclass(frozen=True, eq=False)
class VideoEmotion:
    """What a clip shows. expression: (B, 8) logits; intensity: (B, 3) logits; feature: (B, dim) in -1..1."""

    expression: Tensor
    intensity: Tensor
    feature: Tensor


class VideoEmotionNetwork(nn.Module):
    """Emotion of clips of any length.

    There is neither a mask nor a positional encoding: the released code asks for ALiBi and then overwrites its result
    with that of an unmasked call. So the order of all frames but the first does not count; the first is pooled (spec
    7).
    """

    def __init__(self, config: VideoEmotionConfig) -> None:
        super().__init__()
        self.config = config
        self.sequence_encoder = _SequenceEncoder(config)
        self.classification_head = _ClassificationHead(config)

    def forward(self, features: Tensor, valid: Tensor | None = None) -> VideoEmotion:
        """Emotion of features (B, T, D) of the frames of clips.

        Args:
            features: of a frame each. Frames of zeros count like all others: they are not silently left out.
            valid: (B, T) bool, False where a shorter clip was padded; those frames are seen by none, so that a padded
                clip gives what it gives alone. The first frame of a clip must be valid. None: all are.
        """
        feature = self.sequence_encoder(features, valid)
        heads = self.classification_head.classification_heads
        return VideoEmotion(heads["expression"](feature), heads["intensity"](feature), feature)


class _SequenceEncoder(nn.Module):
    """(B, dim) pooled clips of (B, T, D)."""

    def __init__(self, config: VideoEmotionConfig) -> None:
        super().__init__()
        self.transformer_encoder = _UnmaskedEncoder(config)
        self.pooler = _Pooler(config.dim)

    def forward(self, features: Tensor, valid: Tensor | None = None) -> Tensor:
        return self.pooler(self.transformer_encoder(features, valid))


class _UnmaskedEncoder(nn.Module):
    """(B, T, dim) of (B, T, D): bottleneck, then transformer layers that know of no distance."""

    def __init__(self, config: VideoEmotionConfig) -> None:
        super().__init__()
        self.bottleneck = nn.Linear(config.feature_dim, config.dim)
        self.encoder = TransformerEncoder(
            config.num_layers, config.dim, config.num_heads, config.intermediate_size, config.dropout
        )

    def forward(self, features: Tensor, valid: Tensor | None = None) -> Tensor:
        x = self.bottleneck(features)
        bias = x.new_zeros(x.shape[1], x.shape[1])
        if valid is not None:
            bias = x.new_zeros(valid.shape).masked_fill(~valid, -math.inf)[:, None, None]  # (B, 1, 1, T)
        for layer in self.encoder.layers:
            x = layer(x, bias)
        return x


class _Pooler(nn.Module):
    """(B, dim) of (B, T, dim): the first frame, projected and squashed."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dense = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.dense(x[:, 0]).tanh()


class _Classifier(nn.Module):
    """A linear layer; the released one's dropout is never applied."""

    def __init__(self, dim: int, num_classes: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(dim, num_classes)

    def forward(self, feature: Tensor) -> Tensor:
        return self.classifier(feature)


class _ClassificationHead(nn.Module):
    """Holds the heads under the names of the checkpoint."""

    def __init__(self, config: VideoEmotionConfig) -> None:
        super().__init__()
        self.classification_heads = nn.ModuleDict(
            {
                "expression": _Classifier(config.dim, config.num_expressions),
                "intensity": _Classifier(config.dim, config.num_intensities),
            }
        )


def video_emotion_loss(found: VideoEmotion, expression: Tensor, intensity: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropies of the expression and of the intensity; the released network's loss is their sum (spec 7).

    Args:
        found: of B clips.
        expression: (B,) int64 classes. intensity: (B,) int64, counted from 0 (MEAD's level minus 1).
    """
    return F.cross_entropy(found.expression, expression), F.cross_entropy(found.intensity, intensity)
