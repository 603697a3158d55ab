"""Residual networks: published shapes, and names that others gave the same weights."""

import pytest
import torch
from torch import nn

from emote_blender.training.networks.resnet import (
    RESNETS,
    ResidualNetwork,
    ResidualTrunk,
    activation_module,
    torchvision_name,
)

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("layers, parameters", [("resnet50", 23_508_032), ("resnet18", 11_176_512)])
def test_the_networks_have_the_published_number_of_parameters(layers, parameters):
    """He et al. 2016 without the classifier: torchvision's 25,557,032 less 2,049,000, and 11,689,512 less 513,000."""
    with torch.device("meta"):
        network = ResidualNetwork(RESNETS[layers])
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


@pytest.mark.parametrize("layers", RESNETS)
def test_every_weight_has_one_name_of_torchvision(layers):
    with torch.device("meta"):
        names = list(ResidualNetwork(RESNETS[layers]).model.state_dict())
    theirs = [torchvision_name(name, 3) for name in names]
    assert None not in theirs
    assert len(set(theirs)) == len(names)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("embedder.embedder.convolution.weight", "conv1.weight"),
        ("embedder.embedder.normalization.running_var", "bn1.running_var"),
        ("encoder.stages.0.layers.0.layer.0.convolution.weight", "layer1.0.conv1.weight"),
        ("encoder.stages.3.layers.2.layer.2.normalization.bias", "layer4.2.bn3.bias"),
        ("encoder.stages.1.layers.0.shortcut.convolution.weight", "layer2.0.downsample.0.weight"),
        ("encoder.stages.1.layers.0.shortcut.normalization.weight", "layer2.0.downsample.1.weight"),
        ("encoder.stages.1.layers.1.activation.weight", "layer2.1.relu3.weight"),
        ("pooler.weight", None),
    ],
)
def test_names_are_translated(name, expected):
    assert torchvision_name(name, 3) == expected


def test_caffes_layout_halves_in_the_first_convolution_of_a_block():
    with torch.device("meta"):
        network = ResidualNetwork(RESNETS["resnet50"])
    block = network.model.encoder.stages[1].layers[0].layer
    assert [block[i].convolution.stride for i in range(3)] == [(2, 2), (1, 1), (1, 1)]


def test_the_trunks_features_are_the_mean_over_the_image():
    torch.manual_seed(0)
    trunk = ResidualTrunk(RESNETS["tiny"]).eval()
    images = torch.rand(2, 16, 22, 22)
    found = trunk(images)
    assert found.shape == (2, 128)
    torch.testing.assert_close(found, trunk.encoder(images).last_hidden_state.flatten(2).mean(2))


def test_prelus_have_a_slope_for_each_channel():
    trunk = ResidualTrunk(RESNETS["tiny"], "prelu")
    slopes = [module.num_parameters for module in trunk.modules() if isinstance(module, nn.PReLU)]
    assert slopes == [16, 16, 32, 32, 64, 64, 128, 128]
    assert not any(isinstance(module, nn.ReLU) for module in trunk.modules())


def test_an_unknown_activation_is_a_wrong_call():
    with pytest.raises(ValueError, match="'gelu' is none of relu, swish, prelu"):
        activation_module("gelu", 4)
