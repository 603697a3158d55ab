"""The visual front end of a lip reader, which turns mouth crops into a feature per frame.

EMOTE's lip-reading losses compare these features. The network is a 3D convolution over five frames, then a residual
network on each frame (Stafylakis & Tzimiropoulos 2017; spec 8).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ...errors import InputError
from ...files.named_tensors import listed
from .external_weights import fill, read_state_dict
from .resnet import ACTIVATIONS, RESNETS, ResidualTrunk, ResNetSizes, activation_module, torchvision_name

CROP_SIZE = 88
MEAN, DEVIATION = 0.421, 0.165  # spec 6, mouth crop

FRONT_ENDS = {
    "resnet18": RESNETS["resnet18"],
    "tiny": ResNetSizes("basic", 16, (16, 32, 64, 64), (1, 1, 1, 1)),
}


@dataclass(frozen=True)
class VisualFrontEndConfig:
    """Sizes of the front end.

    Attributes:
        layers: a key of `FRONT_ENDS`.
        activation: one of `resnet.ACTIVATIONS`.
    """

    layers: str = "resnet18"
    activation: str = "relu"

    def __post_init__(self) -> None:
        if self.layers not in FRONT_ENDS:
            raise ValueError(f"layers {self.layers!r} is none of {', '.join(FRONT_ENDS)}")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation {self.activation!r} is none of {', '.join(ACTIVATIONS)}")

    @property
    def feature_dim(self) -> int:
        """D, the width of the features."""
        return FRONT_ENDS[self.layers].dim


class VisualFrontEnd(nn.Module):
    """A 3D convolution (5 frames x 7 x 7), pooling, and residual stages."""

    def __init__(self, config: VisualFrontEndConfig) -> None:
        super().__init__()
        self.config = config
        sizes = FRONT_ENDS[config.layers]
        self.convolution = nn.Conv3d(1, sizes.stem, (5, 7, 7), (1, 2, 2), (2, 3, 3), bias=False)
        self.normalization = nn.BatchNorm3d(sizes.stem)
        self.activation = activation_module(config.activation, sizes.stem)
        self.pooling = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))
        self.trunk = ResidualTrunk(sizes, config.activation)

    def features(self, crops: Tensor) -> Tensor:
        """The features (B, T, D) of mouth crops.

        Args:
            crops: (B, T, H, W) grey in [0, 1]. The centre of 88 x 88 pixels is cut out and normalised by mean 0.421 and
                standard deviation 0.165 (spec 6).

        Raises:
            ValueError: the crops have another number of axes or are smaller.
        """
        if crops.ndim != 4 or min(crops.shape[-2:]) < CROP_SIZE:
            raise ValueError(f"expected crops (B, T, H, W) of at least {CROP_SIZE} pixels, found {tuple(crops.shape)}")
        top, left = ((size - CROP_SIZE) // 2 for size in crops.shape[-2:])
        centre = crops[..., top : top + CROP_SIZE, left : left + CROP_SIZE]
        return self((centre - MEAN) / DEVIATION)

    def forward(self, normalised: Tensor) -> Tensor:
        """The features (B, T, D) of normalised crops (B, T, 88, 88)."""
        x = self.activation(self.normalization(self.convolution(normalised.unsqueeze(1))))
        x = self.pooling(x).transpose(1, 2)  # (B, T, C, 22, 22)
        return self.trunk(x.flatten(0, 1)).unflatten(0, x.shape[:2])


def load_visual_speech_front_end(path: str | Path, activation: str | None = None) -> VisualFrontEnd:
    """The front end of another project's visual speech recogniser (in espnet's layout), in eval mode.

    It has the published architecture: a 3D convolution with 64 channels, 5 x 7 x 7 with stride 1, 2, 2, and a ResNet-18
    with 512 features. The weights are found by name and shape. The only five-dimensional weight,
    `...frontend3D.0.weight`, gives the prefix. `frontend3D.1` is the batch norm, and `frontend3D.2` the PReLU if there
    is one. `trunk.layer1` to `trunk.layer4` have torchvision's names, and PReLUs are called `relu1` and `relu2`. These
    names, and that the input is normalised as in spec 6, have not been verified on a released file.

    Args:
        path: the checkpoint.
        activation: "swish" or "relu" of a network without PReLUs, which its weights do not reveal; None: swish.

    Raises:
        InputError: the file cannot be read or is malicious, or it has no such front end or one with other weights.
    """
    path = Path(path)
    state = read_state_dict(path)
    wide = [key for key, value in state.items() if value.ndim == 5]
    if len(wide) != 1 or not wide[0].endswith(".0.weight"):
        raise InputError(
            f"{path} has no visual front end: expected one 3D convolution frontend3D.0.weight, found "
            f"{listed(wide) or 'none'}; give the checkpoint of a visual speech recogniser"
        )
    front = wide[0].removesuffix("0.weight")  # "encoder.frontend.frontend3D."
    prefix = front.removesuffix(".").rpartition(".")[0]
    prefix = f"{prefix}." if prefix else ""
    has_slopes = f"{front}2.weight" in state
    if has_slopes and activation not in (None, "prelu"):
        raise InputError(f"{path} has PReLUs ({front}2.weight), asked for was {activation}; leave the activation out")
    config = VisualFrontEndConfig("resnet18", "prelu" if has_slopes else activation or "swish")
    with torch.device("meta"):
        network = VisualFrontEnd(config)
    stem = {"convolution": f"{front}0", "normalization": f"{front}1", "activation": f"{front}2"}

    def their_name(name: str) -> str:
        part, _, rest = name.partition(".")
        return f"{stem[part]}.{rest}" if part in stem else f"{prefix}trunk.{torchvision_name(rest, 2)}"

    left = fill(network, state, their_name, path)
    if unknown := [key for key in left if key.startswith((front, f"{prefix}trunk."))]:
        raise InputError(
            f"{path} has a front end with more weights than a ResNet-18: {listed(unknown)}; only that one is supported"
        )
    return network.eval()
