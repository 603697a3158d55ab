"""The video emotion network: emotion, intensity and a feature of a clip, from features of its frames.

EMOTE's emotion losses compare the clip's feature. Parameter names are those of the official checkpoint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from ...emote.attention import TransformerEncoder


@dataclass(frozen=True)
class VideoEmotionConfig:
    """Sizes of the video emotion network; the defaults are those of the released one (spec 7).

    Attributes:
        feature_dim: D, width of a frame's features.
        dim: width of the transformer and of the clip's feature.
        num_layers: layers of the transformer.
        num_heads: attention heads.
        intermediate_size: width of its feed-forward layers.
        dropout: probability in training.
        num_expressions: classes of the expression.
        num_intensities: classes of the intensity.
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
    """The emotion of B clips.

    Attributes:
        expression: (B, 8) logits.
        intensity: (B, 3) logits.
        feature: (B, dim) in -1..1.
    """

    expression: Tensor
    intensity: Tensor
    feature: Tensor


class VideoEmotionNetwork(nn.Module):
    """The emotion of clips of any length.

    The released network uses neither a mask nor a positional encoding: it is configured for ALiBi, but its code
    replaces the result by that of an unmasked call. The output is pooled from the first frame (spec 7), so the order of
    the other frames has no effect.
    """

    def __init__(self, config: VideoEmotionConfig) -> None:
        super().__init__()
        self.config = config
        self.sequence_encoder = _SequenceEncoder(config)
        self.classification_head = _ClassificationHead(config)

    def forward(self, features: Tensor, valid: Tensor | None = None) -> VideoEmotion:
        """The emotion of clips.

        Args:
            features: (B, T, D) of the frames. Frames of zeros are not masked by themselves.
            valid: (B, T) bool, False in padding. Padding is masked, so that a padded clip has the same result as alone.
                The first frame of each clip must be valid. None: all frames are valid.
        """
        feature = self.sequence_encoder(features, valid)
        heads = self.classification_head.classification_heads
        return VideoEmotion(heads["expression"](feature), heads["intensity"](feature), feature)


class _SequenceEncoder(nn.Module):
    """Features (B, T, D) of frames to pooled features (B, dim) of clips."""

    def __init__(self, config: VideoEmotionConfig) -> None:
        super().__init__()
        self.transformer_encoder = _UnmaskedEncoder(config)
        self.pooler = _Pooler(config.dim)

    def forward(self, features: Tensor, valid: Tensor | None = None) -> Tensor:
        return self.pooler(self.transformer_encoder(features, valid))


class _UnmaskedEncoder(nn.Module):
    """Features (B, T, D) to (B, T, dim): bottleneck, then transformer layers without positional bias."""

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
    """Features (B, T, dim) to (B, dim): tanh of a projection of the first frame."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dense = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.dense(x[:, 0]).tanh()


class _Classifier(nn.Module):
    """A linear layer; the released network has a dropout here that is never applied."""

    def __init__(self, dim: int, num_classes: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(dim, num_classes)

    def forward(self, feature: Tensor) -> Tensor:
        return self.classifier(feature)


class _ClassificationHead(nn.Module):
    """The heads, under the names of the checkpoint."""

    def __init__(self, config: VideoEmotionConfig) -> None:
        super().__init__()
        self.classification_heads = nn.ModuleDict(
            {
                "expression": _Classifier(config.dim, config.num_expressions),
                "intensity": _Classifier(config.dim, config.num_intensities),
            }
        )


def video_emotion_loss(found: VideoEmotion, expression: Tensor, intensity: Tensor) -> tuple[Tensor, Tensor]:
    """The cross-entropies of expression and intensity; the loss of the released network is their sum (spec 7).

    Args:
        found: the network's output for B clips.
        expression: (B,) int64 classes.
        intensity: (B,) int64, counted from 0 (MEAD's level minus 1).
    """
    return F.cross_entropy(found.expression, expression), F.cross_entropy(found.intensity, intensity)
