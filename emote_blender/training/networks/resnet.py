"""Residual networks (He et al. 2016): the trunk of the emotion network and of the lip reader.

The blocks are transformers' own; here are their sizes, and the names that torchvision gave to the same weights, by
which everyone else saves them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from torch import Tensor, nn

ACTIVATIONS = ("relu", "swish", "prelu")


@dataclass(frozen=True)
class ResNetSizes:
    """Sizes of a residual network.

    block: "basic" (two 3x3 convolutions) or "bottleneck" (1x1, 3x3, 1x1 with a quarter of the channels).
    stem: channels of the first convolution. channels, depths: of each stage, and how many blocks it has.
    caffe: the first network's layout, that of VGGFace2: a stage halves its image in the 1x1 convolution instead of the
        3x3 one, and the stem's pooling rounds up instead of padding.
    """

    block: str
    stem: int
    channels: tuple[int, ...]
    depths: tuple[int, ...]
    caffe: bool = False

    @property
    def dim(self) -> int:
        """D, the number of features of an image."""
        return self.channels[-1]


RESNETS = {
    "resnet50": ResNetSizes("bottleneck", 64, (256, 512, 1024, 2048), (3, 4, 6, 3), caffe=True),
    "resnet18": ResNetSizes("basic", 64, (64, 128, 256, 512), (2, 2, 2, 2)),
    "tiny": ResNetSizes("basic", 16, (16, 32, 64, 128), (1, 1, 1, 1)),  # 1.5 ms for 96 x 96 on one CPU core
}


class ResidualNetwork(nn.Module):
    """Stem (7x7 convolution, pooling), stages, mean over the image."""

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
    """The stages alone, on what a front end made; then the mean over the image."""

    def __init__(self, sizes: ResNetSizes, activation: str = "relu") -> None:
        """activation: "relu", "swish", or "prelu" with a slope of its own for each channel."""
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
    """One of `ACTIVATIONS` for so many channels.

    Raises:
        ValueError: no such activation.
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"activation {name!r} is none of {', '.join(ACTIVATIONS)}")
    return {"relu": nn.ReLU, "swish": nn.SiLU}[name]() if name != "prelu" else nn.PReLU(channels)


_STEM = {"conv1": "embedder.embedder.convolution", "bn1": "embedder.embedder.normalization"}
_PART = {"convolution": "conv", "normalization": "bn", "activation": "relu"}


def torchvision_name(name: str, blocks_end: int) -> str | None:
    """torchvision's name of a weight of `ResNetModel` or `ResNetEncoder`.

    Args:
        name: below the model, for instance "encoder.stages.0.layers.1.layer.2.convolution.weight".
        blocks_end: number of convolutions in a block: 2 in a basic block, 3 in a bottleneck.

    Returns:
        For instance "layer1.1.conv3.weight"; None for a name that is no residual network's. The slopes of a basic
        block's PReLUs are relu1 and relu2.
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
