"""The emotion recognition network, its loss, and the loader for the authors' ResNet-50."""

import numpy as np
import pytest
import torch
from hostile_pickles import Evil, nothing_runs  # noqa: F401

from emote_blender.errors import InputError
from emote_blender.training.networks.emotion_network import (
    EmotionNetwork,
    EmotionNetworkConfig,
    concordance,
    emotion_loss,
    load_official_emotion_network,
)
from emote_blender.training.networks.resnet import torchvision_name

pytestmark = pytest.mark.torch

TINY = EmotionNetworkConfig("tiny", image_size=32)


@pytest.fixture(scope="module")
def official_state():
    """A random ResNet-50 under torchvision's names behind a prefix, with a head, as the authors' file may look."""
    torch.manual_seed(0)
    network = EmotionNetwork(EmotionNetworkConfig(heads=False))
    state = {}
    for name, tensor in network.backbone.model.state_dict().items():
        if name.endswith("running_mean"):
            tensor = 0.1 * torch.randn_like(tensor)
        state[f"backbone.{torchvision_name(name, 3)}"] = tensor
    return state | {"linear.weight": torch.randn(10, 2048), "linear.bias": torch.randn(10)}


def write(path, state):
    torch.save({"epoch": 3, "state_dict": dict(state), "optimizer_states": []}, path)
    return path


def test_features_do_not_depend_on_the_rest_of_the_batch_nor_on_normalisation():
    torch.manual_seed(0)
    network, images = EmotionNetwork(TINY).eval(), torch.rand(3, 3, 32, 32)
    with torch.inference_mode():
        together = network.features(images)
        assert together.shape == (3, 128)
        torch.testing.assert_close(together[1:2], network.features(images[1:2]), atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(together, network.backbone(images))  # as they are: no mean, no deviation


def test_images_of_another_size_are_resized():
    torch.manual_seed(0)
    network = EmotionNetwork(TINY).eval()
    grey = torch.rand(2, 3, 1, 1)
    with torch.inference_mode():
        torch.testing.assert_close(
            network.features(grey.expand(-1, -1, 64, 48)), network.features(grey.expand(-1, -1, 32, 32))
        )


def test_a_reading_has_eight_logits_and_values_within_one():
    network = EmotionNetwork(TINY).eval()
    with torch.inference_mode():
        reading = network(torch.rand(4, 3, 32, 32))
    assert reading.expression.shape == (4, 8)
    assert reading.valence.shape == reading.arousal.shape == (4,)
    assert (reading.valence.abs() <= 1).all()


def test_gradients_reach_the_image():
    network, images = EmotionNetwork(TINY).eval(), torch.rand(1, 3, 48, 48, requires_grad=True)
    network.features(images).square().sum().backward()
    assert images.grad.abs().sum() > 0


def test_images_of_another_layout_are_a_wrong_call():
    with pytest.raises(ValueError, match=r"\(N, 3, H, W\), found \(2, 32, 32, 3\)"):
        EmotionNetwork(TINY).features(torch.zeros(2, 32, 32, 3))


def test_unknown_layers_are_a_wrong_call():
    with pytest.raises(ValueError, match="'vgg' is none of resnet50, resnet18, tiny"):
        EmotionNetworkConfig("vgg")


def test_concordance_is_lins_coefficient():
    found, wanted = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([1.0, 1.0, 4.0])
    # means 1 and 2, variances 2/3 and 2, covariance 1: 2 * 1 / (2/3 + 2 + 1)
    assert concordance(found, wanted).item() == pytest.approx(6 / 11)
    assert concordance(wanted, wanted).item() == pytest.approx(1)
    assert concordance(-wanted, wanted).item() < 0


def test_the_loss_is_cross_entropy_and_distance_from_concordance():
    from emote_blender.training.networks.emotion_network import EmotionReading

    logits = torch.zeros(2, 8)
    logits[0, 3] = np.log(7)  # half of the probability
    reading = EmotionReading(logits, torch.tensor([0.2, -0.2]), torch.tensor([0.3, -0.3]))
    terms = emotion_loss(reading, torch.tensor([3, 0]), torch.tensor([0.2, -0.2]), torch.tensor([-0.3, 0.3]))
    expected = [(np.log(2) + np.log(8)) / 2, 0, 2]
    np.testing.assert_allclose([term.item() for term in terms], expected, atol=1e-5)


@pytest.mark.parametrize("prefix", ["", "backbone.", "model.net."])
def test_the_authors_weights_are_found_behind_any_prefix(prefix, official_state, tmp_path):
    state = {key.replace("backbone.", prefix): tensor for key, tensor in official_state.items()}
    network = load_official_emotion_network(write(tmp_path / "resnet.ckpt", state))
    assert not network.training
    found = network.backbone.model.state_dict()
    theirs = {name: official_state[f"backbone.{torchvision_name(name, 3)}"] for name in found}
    assert all(torch.equal(found[name], tensor) for name, tensor in theirs.items())


def test_the_loaded_network_is_a_resnet50_by_the_formulas(official_state, tmp_path):
    """The stem and the first block, written with torch's functions and the names of the file."""
    import torch.nn.functional as F

    network = load_official_emotion_network(write(tmp_path / "resnet.ckpt", official_state))
    images = torch.rand(1, 3, 64, 64)

    def normalised(x, name):
        s = {part: official_state[f"backbone.{name}.{part}"] for part in "running_mean running_var weight bias".split()}
        return F.batch_norm(x, s["running_mean"], s["running_var"], s["weight"], s["bias"])

    def convolved(x, name, **how):
        return F.conv2d(x, official_state[f"backbone.{name}.weight"], **how)

    with torch.inference_mode():
        x = normalised(convolved(images, "conv1", stride=2, padding=3), "bn1").relu()
        x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        y = normalised(convolved(x, "layer1.0.conv1"), "layer1.0.bn1").relu()
        y = normalised(convolved(y, "layer1.0.conv2", padding=1), "layer1.0.bn2").relu()
        y = normalised(convolved(y, "layer1.0.conv3"), "layer1.0.bn3")
        expected = (y + normalised(convolved(x, "layer1.0.downsample.0"), "layer1.0.downsample.1")).relu()
        found = network.backbone.model.encoder.stages[0].layers[0](network.backbone.model.embedder(images))
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        assert network.features(images).shape == (1, 2048)


def test_a_network_without_heads_gives_no_reading():
    with torch.device("meta"):
        network = EmotionNetwork(EmotionNetworkConfig("tiny", heads=False))
    with pytest.raises(ValueError, match="without heads"):
        network.read(torch.zeros(1, 128))


@pytest.mark.parametrize(
    "how, words",
    [
        ("missing", "lacks backbone.layer3.5.conv2.weight"),
        ("shape", r"backbone.conv1.weight \(64, 1, 7, 7\) instead of \(64, 3, 7, 7\)"),
        ("NaN", "not numbers in backbone.bn1.bias"),
        ("left", "no ResNet-50 has: backbone.layer5.0.conv1.weight"),
        ("other", "0 weights called layer1.0.conv1.weight"),
        ("twice", "2 weights called layer1.0.conv1.weight"),
    ],
)
def test_other_weights_are_refused_by_name(how, words, official_state, tmp_path):
    state = dict(official_state)
    if how == "missing":
        del state["backbone.layer3.5.conv2.weight"]
    elif how == "shape":
        state["backbone.conv1.weight"] = torch.zeros(64, 1, 7, 7)
    elif how == "NaN":
        state["backbone.bn1.bias"] = torch.full((64,), torch.nan)
    elif how == "left":
        state["backbone.layer5.0.conv1.weight"] = torch.zeros(4, 4, 1, 1)
    elif how == "twice":
        state["again.layer1.0.conv1.weight"] = state["backbone.layer1.0.conv1.weight"]
    else:
        state = {"linear.weight": torch.zeros(2, 2)}
    with pytest.raises(InputError, match=words):
        load_official_emotion_network(write(tmp_path / "bad.ckpt", state))


def test_a_file_that_would_run_code_is_refused(tmp_path):
    torch.save({"state_dict": {"a": torch.zeros(1)}, "evil": Evil(eval, "__import__('this')")}, tmp_path / "evil.ckpt")
    with pytest.raises(InputError, match="eval"):
        load_official_emotion_network(tmp_path / "evil.ckpt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="none.ckpt not found"):
        load_official_emotion_network(tmp_path / "none.ckpt")
