"""The emotion recognition network for single images of a face. The losses of EMOTE use its features only."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import InputError
from ...files.named_tensors import listed
from .external_weights import common_prefix, fill, read_state_dict
from .resnet import RESNETS, ResidualNetwork, torchvision_name

logger = logging.getLogger(__name__)

NUM_EXPRESSIONS = 8
_ANCHOR = "layer1.0.conv1.weight"


@dataclass(frozen=True)
class EmotionNetworkConfig:
    """Sizes of the emotion network.

    Attributes:
        layers: a key of `resnet.RESNETS`.
        image_size: height and width of the images in pixels; other images are resized.
        heads: False if the network has features only.
    """

    layers: str = "resnet50"
    image_size: int = 224
    heads: bool = True

    def __post_init__(self) -> None:
        if self.layers not in RESNETS:
            raise ValueError(f"layers {self.layers!r} is none of {', '.join(RESNETS)}")
        if self.image_size < 32:
            raise ValueError(f"image_size {self.image_size} is smaller than 32, the network's stride")

    @property
    def feature_dim(self) -> int:
        """D, the width of the features."""
        return RESNETS[self.layers].dim


@dataclass(frozen=True, eq=False)
class EmotionReading:
    """The emotion in N images.

    Attributes:
        expression: (N, 8) logits in AffectNet's order (`emotion.EMOTIONS`).
        valence: (N,) in -1..1.
        arousal: (N,) in -1..1.
    """

    expression: Tensor
    valence: Tensor
    arousal: Tensor


class EmotionNetwork(nn.Module):
    """A residual network with linear heads; EMOCA's is a ResNet-50 (spec 7)."""

    def __init__(self, config: EmotionNetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = ResidualNetwork(RESNETS[config.layers])
        if config.heads:
            self.expression = nn.Linear(config.feature_dim, NUM_EXPRESSIONS)
            self.circumplex = nn.Linear(config.feature_dim, 2)  # valence, arousal

    def features(self, images: Tensor) -> Tensor:
        """The features (N, D) of images; D is 2048 for a ResNet-50.

        Args:
            images: (N, 3, H, W) RGB in [0, 1]; they are not normalised further (spec 7).

        Raises:
            ValueError: the images have another shape.
        """
        if images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"expected images (N, 3, H, W), found {tuple(images.shape)}")
        size = self.config.image_size
        if images.shape[-2:] != (size, size):
            images = F.interpolate(images, (size, size), mode="bilinear", align_corners=False, antialias=True)
        return self.backbone(images)

    def forward(self, images: Tensor) -> EmotionReading:
        """The emotion in images (N, 3, H, W); see `features`.

        Raises:
            ValueError: the network has no heads, or the images have another shape.
        """
        return self.read(self.features(images))

    def read(self, features: Tensor) -> EmotionReading:
        """The emotion for features (N, D) of this network.

        Raises:
            ValueError: the network has no heads.
        """
        if not self.config.heads:
            raise ValueError("this network was loaded without heads; only its features can be used")
        valence, arousal = self.circumplex(features).tanh().unbind(-1)
        return EmotionReading(self.expression(features), valence, arousal)


def emotion_loss(
    found: EmotionReading, expression: Tensor, valence: Tensor, arousal: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The three terms of the loss, for expression, valence and arousal; the loss is their sum.

    They are the cross-entropy of the class, and 1 - CCC of valence and arousal. AffectNet's authors evaluate with the
    CCC (Mollahosseini et al. 2017), and Toisoul et al. (2021) train with it.

    Args:
        found: the network's output for N images.
        expression: (N,) int64 classes.
        valence: (N,) in -1..1.
        arousal: (N,) in -1..1.
    """
    return (
        F.cross_entropy(found.expression, expression),
        1 - concordance(found.valence, valence),
        1 - concordance(found.arousal, arousal),
    )


def concordance(found: Tensor, wanted: Tensor) -> Tensor:
    """The concordance correlation coefficient (CCC), a scalar, of two vectors (N,) (Lin 1989, equation 3).

    2 cov / (var + var' + (mean - mean')²) with biased variances: 1 if the vectors are equal, 0 if both are constant.
    """
    a, b = found - found.mean(), wanted - wanted.mean()
    spread = a.square().mean() + b.square().mean() + (found.mean() - wanted.mean()).square()
    return 2 * (a * b).mean() / (spread + 1e-8)


def load_official_emotion_network(path: str | Path) -> EmotionNetwork:
    """The ResNet-50 of EMOCA's authors without its heads, in eval mode.

    The weights are found by torchvision's names (conv1, bn1, layer1.0.conv1 ... layer4.2.bn3) after any prefix. The
    heads, linear layers on the features, are left out: EMOTE uses the features only. The names have not been verified
    on a released file. Nor has the layout (VGGFace2's, see `ResNetSizes.caffe`), which the shapes of the weights do
    not reveal.

    Raises:
        InputError: the file cannot be read or is malicious, lacks a weight, or has an unknown one.
    """
    path = Path(path)
    state = read_state_dict(path)
    prefix = common_prefix(state, _ANCHOR, path)
    with torch.device("meta"):
        network = EmotionNetwork(EmotionNetworkConfig(heads=False))
    left = fill(network.backbone.model, state, lambda name: f"{prefix}{torchvision_name(name, 3)}", path)
    heads = {key.rpartition(".")[0] for key, value in left.items() if value.shape[1:] == (network.config.feature_dim,)}
    unknown = [key for key in left if key.rpartition(".")[0] not in heads]
    if unknown:
        raise InputError(
            f"{path} has weights that no ResNet-50 has: {listed(unknown)}; give the checkpoint of the emotion network"
        )
    logger.info("%s: ResNet-50 without its heads (%s)", path.name, listed(sorted(heads)) or "none")
    return network.eval()
