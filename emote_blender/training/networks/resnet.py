"""Residual networks (He et al. 2016): the backbone of the emotion network and the trunk of the lip reader.

The blocks come from transformers. This module has their sizes, and torchvision's names of the same weights, which are
those of most published checkpoints.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from torch import Tensor, nn

ACTIVATIONS = ("relu", "swish", "prelu")


@dataclass(frozen=True)
class ResNetSizes:
    """Sizes of a residual network.

    Attributes:
        block: "basic" (two 3x3 convolutions) or "bottleneck" (1x1, 3x3, 1x1 with a quarter of the channels).
        stem: channels of the first convolution.
        channels: of each stage.
        depths: number of blocks in each stage.
        caffe: use the layout of the original Caffe network, as VGGFace2's: the first 1x1 convolution of a stage has the
            stride instead of the 3x3 one, and the stem's pooling rounds up instead of padding.
    """

    block: str
    stem: int
    channels: tuple[int, ...]
    depths: tuple[int, ...]
    caffe: bool = False

    @property
    def dim(self) -> int:
        """D, the width of the features."""
        return self.channels[-1]


RESNETS = {
    "resnet50": ResNetSizes("bottleneck", 64, (256, 512, 1024, 2048), (3, 4, 6, 3), caffe=True),
    "resnet18": ResNetSizes("basic", 64, (64, 128, 256, 512), (2, 2, 2, 2)),
    "tiny": ResNetSizes("basic", 16, (16, 32, 64, 128), (1, 1, 1, 1)),  # 1.5 ms for 96 x 96 pixels on one CPU core
}


class ResidualNetwork(nn.Module):
    """A residual network without classifier: stem (7x7 convolution, pooling), stages, mean over the image."""

    def __init__(self, sizes: ResNetSizes, num_channels: int = 3) -> None:
        from transformers import ResNetConfig, ResNetModel

        super().__init__()
        self.model = ResNetModel(
            ResNetConfig(
                num_channels=num_channels,
                embedding_size=sizes.stem,
                hidden_sizes=list(sizes.channels),
                depths=list(sizes.depths),
                layer_type=sizes.block,
                downsample_in_bottleneck=sizes.caffe,
            )
        )
        if sizes.caffe:
            self.model.embedder.pooler = nn.MaxPool2d(kernel_size=3, stride=2, padding=0, ceil_mode=True)

    def forward(self, images: Tensor) -> Tensor:
        """Features (N, D) of images (N, C, H, W)."""
        return self.model(images).pooler_output.flatten(1)


class ResidualTrunk(nn.Module):
    """The stages of a residual network without its stem, then the mean over the image.

    Args:
        sizes: of the network; `stem` is the number of input channels.
        activation: one of `ACTIVATIONS`; "prelu" has a slope for each channel.
    """

    def __init__(self, sizes: ResNetSizes, activation: str = "relu") -> None:
        from transformers import ResNetConfig
        from transformers.models.resnet.modeling_resnet import ResNetEncoder

        super().__init__()
        config = ResNetConfig(
            embedding_size=sizes.stem,
            hidden_sizes=list(sizes.channels),
            depths=list(sizes.depths),
            layer_type=sizes.block,
            hidden_act="relu" if activation == "prelu" else activation,
        )
        self.encoder = ResNetEncoder(config)
        for module in self.encoder.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if activation == "prelu":
            for stage, channels in zip(self.encoder.stages, sizes.channels, strict=True):
                for block in stage.layers:
                    block.activation = nn.PReLU(channels)
                    block.layer[0].activation = nn.PReLU(channels)

    def forward(self, images: Tensor) -> Tensor:
        """Features (N, D) of feature images (N, C, H, W)."""
        return self.encoder(images).last_hidden_state.mean((2, 3))


def activation_module(name: str, channels: int) -> nn.Module:
    """The activation with a name of `ACTIVATIONS`; a "prelu" has a slope for each channel.

    Raises:
        ValueError: there is no such activation.
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"activation {name!r} is none of {', '.join(ACTIVATIONS)}")
    return {"relu": nn.ReLU, "swish": nn.SiLU}[name]() if name != "prelu" else nn.PReLU(channels)


_STEM = {"conv1": "embedder.embedder.convolution", "bn1": "embedder.embedder.normalization"}
_PART = {"convolution": "conv", "normalization": "bn", "activation": "relu"}


def torchvision_name(name: str, blocks_end: int) -> str | None:
    """The name in torchvision of a weight of `ResNetModel` or `ResNetEncoder`.

    Args:
        name: in the model, such as "encoder.stages.0.layers.1.layer.2.convolution.weight".
        blocks_end: number of convolutions in a block: 2 in a basic block, 3 in a bottleneck.

    Returns:
        For example "layer1.1.conv3.weight"; None if the name is not one of a residual network. The PReLUs of a basic
        block are called relu1 and relu2.
    """
    for theirs, ours in _STEM.items():
        if name.startswith(ours + "."):
            return theirs + name.removeprefix(ours)
    match = re.fullmatch(r"encoder\.stages\.(\d+)\.layers\.(\d+)\.(.+)", name)
    if match is None:
        return None
    block = f"layer{int(match[1]) + 1}.{match[2]}."
    if inner := re.fullmatch(r"layer\.(\d+)\.(convolution|normalization|activation)\.(\w+)", match[3]):
        part = _PART[inner[2]]
        return f"{block}{part}{int(inner[1]) + 1}.{inner[3]}"
    if shortcut := re.fullmatch(r"shortcut\.(convolution|normalization)\.(\w+)", match[3]):
        return f"{block}downsample.{'0' if shortcut[1] == 'convolution' else '1'}.{shortcut[2]}"
    if last := re.fullmatch(r"activation\.(\w+)", match[3]):
        return f"{block}relu{blocks_end}.{last[1]}"
    return None
