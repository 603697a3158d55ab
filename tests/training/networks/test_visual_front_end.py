"""The visual front end: the pixels that it uses, and weights of other projects in it."""

import pytest
import torch
import torch.nn.functional as F
from hostile_pickles import Evil, nothing_runs  # noqa: F401

from emote_blender.errors import InputError
from emote_blender.training.networks.resnet import torchvision_name
from emote_blender.training.networks.visual_front_end import (
    DEVIATION,
    MEAN,
    VisualFrontEnd,
    VisualFrontEndConfig,
    load_visual_speech_front_end,
)

pytestmark = pytest.mark.torch

TINY = VisualFrontEndConfig("tiny")


def tiny_front_end() -> VisualFrontEnd:
    torch.manual_seed(0)
    return VisualFrontEnd(TINY).eval()


def vsr_state(activation: str, prefix: str = "encoder.frontend.") -> dict[str, torch.Tensor]:
    """A random front end under the published names, and the rest of a recogniser."""
    torch.manual_seed(0)
    names = {"convolution": "frontend3D.0", "normalization": "frontend3D.1", "activation": "frontend3D.2"}
    state = {"encoder.encoders.0.norm.weight": torch.ones(4), "decoder.embed.0.weight": torch.ones(3, 2)}
    for name, tensor in VisualFrontEnd(VisualFrontEndConfig("resnet18", activation)).state_dict().items():
        part, _, rest = name.partition(".")
        state[prefix + (f"{names[part]}.{rest}" if part in names else f"trunk.{torchvision_name(rest, 2)}")] = tensor
    return state


@pytest.fixture(scope="module")
def prelu_state():
    return vsr_state("prelu")


def write(path, state):
    torch.save(dict(state), path)
    return path


def test_the_centre_of_the_crop_is_normalised():
    front_end, crops = tiny_front_end(), torch.rand(1, 6, 96, 96)
    with torch.inference_mode():
        found = front_end.features(crops)
        assert found.shape == (1, 6, 64)
        torch.testing.assert_close(found, front_end((crops[..., 4:92, 4:92] - 0.421) / 0.165))
        assert (MEAN, DEVIATION) == (0.421, 0.165)  # spec 6
        crops[..., :4, :] = 0  # outside the centre
        torch.testing.assert_close(found, front_end.features(crops))


def test_a_frame_sees_two_frames_to_each_side():
    front_end, crops = tiny_front_end(), torch.rand(1, 9, 88, 88)
    changed = crops.clone()
    changed[:, 4] = 0
    with torch.inference_mode():
        difference = (front_end.features(crops) - front_end.features(changed)).abs().amax((0, 2))
    assert (difference[2:7] > 1e-4).all()
    assert difference[[0, 1, 7, 8]].max() == 0


def test_small_crops_are_a_wrong_call():
    with pytest.raises(ValueError, match="at least 88"):
        tiny_front_end().features(torch.zeros(1, 3, 80, 80))


def test_external_weights_with_prelus_are_found_by_name(prelu_state, tmp_path):
    front_end = load_visual_speech_front_end(write(tmp_path / "vsr.pth", prelu_state))
    assert (front_end.config.activation, front_end.training) == ("prelu", False)
    found = front_end.state_dict()
    assert len(found) == len(prelu_state) - 2
    for ours, theirs in {
        "convolution.weight": "frontend3D.0.weight",
        "trunk.encoder.stages.2.layers.0.shortcut.normalization.running_var": "trunk.layer3.0.downsample.1.running_var",
        "trunk.encoder.stages.1.layers.1.activation.weight": "trunk.layer2.1.relu2.weight",
    }.items():
        assert torch.equal(found[ours], prelu_state[f"encoder.frontend.{theirs}"])


def test_the_loaded_front_end_is_that_of_the_formulas(prelu_state, tmp_path):
    """The first block, written with torch's functions and the names of the file."""
    front_end = load_visual_speech_front_end(write(tmp_path / "vsr.pth", prelu_state))
    s = {name.removeprefix("encoder.frontend."): tensor for name, tensor in prelu_state.items()}

    def normalised(x, name):
        return F.batch_norm(x, *(s[f"{name}.{part}"] for part in "running_mean running_var weight bias".split()))

    with torch.inference_mode():
        x = torch.rand(1, 1, 3, 88, 88)
        y = normalised(F.conv3d(x, s["frontend3D.0.weight"], stride=(1, 2, 2), padding=(2, 3, 3)), "frontend3D.1")
        y = F.max_pool3d(F.prelu(y, s["frontend3D.2.weight"]), (1, 3, 3), (1, 2, 2), (0, 1, 1))[0].transpose(0, 1)
        z = F.conv2d(y, s["trunk.layer1.0.conv1.weight"], padding=1)
        z = F.prelu(normalised(z, "trunk.layer1.0.bn1"), s["trunk.layer1.0.relu1.weight"])
        z = normalised(F.conv2d(z, s["trunk.layer1.0.conv2.weight"], padding=1), "trunk.layer1.0.bn2")
        expected = F.prelu(y + z, s["trunk.layer1.0.relu2.weight"])
        found = front_end.trunk.encoder.stages[0].layers[0](y)
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        assert front_end.features(torch.rand(1, 3, 96, 96)).shape == (1, 3, 512)


@pytest.mark.parametrize("given, expected", [(None, "swish"), ("relu", "relu")])
def test_without_slopes_the_caller_says_the_activation(given, expected, prelu_state, tmp_path):
    state = {name: tensor for name, tensor in prelu_state.items() if "relu" not in name and "frontend3D.2" not in name}
    front_end = load_visual_speech_front_end(write(tmp_path / "vsr.pth", {"model": state}), given)
    assert front_end.config.activation == expected


@pytest.mark.parametrize(
    "how, words",
    [
        ("missing", "lacks encoder.frontend.trunk.layer4.1.bn2.bias"),
        ("shape", r"frontend3D.0.weight \(32, 1, 5, 7, 7\) instead of \(64, 1, 5, 7, 7\)"),
        ("left", "more weights than a ResNet-18: encoder.frontend.trunk.layer1.2.conv1.weight"),
        ("none", "expected one 3D convolution frontend3D.0.weight, found none"),
        ("evil", "eval"),
    ],
)
def test_other_weights_are_refused_by_name(how, words, prelu_state, tmp_path):
    state: dict = dict(prelu_state)
    if how == "missing":
        del state["encoder.frontend.trunk.layer4.1.bn2.bias"]
    elif how == "shape":
        state["encoder.frontend.frontend3D.0.weight"] = torch.zeros(32, 1, 5, 7, 7)
    elif how == "left":
        state["encoder.frontend.trunk.layer1.2.conv1.weight"] = torch.zeros(64, 64, 3, 3)
    elif how == "none":
        del state["encoder.frontend.frontend3D.0.weight"]
    else:
        state["evil"] = Evil(eval, "__import__('this')")
    with pytest.raises(InputError, match=words):
        load_visual_speech_front_end(write(tmp_path / "vsr.pth", state))


def test_asking_for_another_activation_than_the_file_has_is_refused(prelu_state, tmp_path):
    with pytest.raises(InputError, match="has PReLUs"):
        load_visual_speech_front_end(write(tmp_path / "vsr.pth", prelu_state), "relu")
