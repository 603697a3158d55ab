"""The video emotion network against the recorded numbers, and by its definition."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from emote_blender.training.networks.video_emotion import VideoEmotionConfig, VideoEmotionNetwork, video_emotion_loss

pytestmark = pytest.mark.torch

ROOT = Path(__file__).parents[3]
ORACLE = ROOT.parent / "shared/oracle/video_emotion"
KEYS = ROOT.parent / "shared/spec/video_emotion_state_dict_keys.txt"
SMALL = VideoEmotionConfig(feature_dim=12, dim=8, num_heads=2, intermediate_size=6)
needs_oracle = pytest.mark.skipif(
    not ORACLE.is_dir(), reason="the recorded numbers (4 MB) are beside the project's checkout only"
)


def small_network() -> VideoEmotionNetwork:
    torch.manual_seed(0)
    return VideoEmotionNetwork(SMALL).eval()


@pytest.fixture(scope="module")
def recorded():
    """The network with the recorded weights, and what went in and came out."""
    network = VideoEmotionNetwork(VideoEmotionConfig())
    network.load_state_dict(load_file(ORACLE / "state_dict.safetensors"), strict=True)
    return network.eval(), load_file(ORACLE / "io.safetensors")


@needs_oracle
def test_features_and_logits_are_the_recorded_ones(recorded):
    network, values = recorded
    with torch.inference_mode():
        found = network(values["emo_feature"])
        encoded = network.sequence_encoder.transformer_encoder(values["emo_feature"])
    expected = {
        "pooled": found.feature,
        "logits_expression": found.expression,
        "logits_intensity": found.intensity,
        "encoded": encoded,
    }
    for name, tensor in expected.items():
        assert (tensor - values[name]).abs().max() < 1e-5, name


@needs_oracle
def test_the_loss_is_the_recorded_one(recorded):
    network, values = recorded
    with torch.inference_mode():
        found = network(values["emo_feature"])
    terms = video_emotion_loss(found, values["label"], values["intensity_1based"] - 1)
    assert abs(sum(terms) - values["loss_total"]).item() < 1e-5


@pytest.mark.skipif(not KEYS.is_file(), reason="the list of the official names is beside the project's checkout only")
def test_names_and_shapes_are_the_official_ones():
    with torch.device("meta"):
        state = VideoEmotionNetwork(VideoEmotionConfig()).state_dict()
    lines = [line.split("\t") for line in KEYS.read_text().splitlines() if line]
    assert {name: str(tuple(tensor.shape)) for name, tensor in state.items()} == {
        name: shape for name, shape, _ in lines
    }


def test_the_feature_does_not_depend_on_the_order_of_later_frames():
    network, features = small_network(), torch.randn(2, 9, 12)
    shuffled = features[:, [0, *(1 + torch.randperm(8)).tolist()]]
    with torch.inference_mode():
        torch.testing.assert_close(network(shuffled).feature, network(features).feature, atol=1e-6, rtol=0)
        assert (network(features.flip(1)).feature - network(features).feature).abs().max() > 1e-3


def test_frames_that_are_not_valid_do_not_count():
    """Padding has no effect, whatever its values; without `valid` it has."""
    network, features = small_network(), torch.randn(2, 9, 12)
    valid = torch.arange(9) < torch.tensor([[9], [4]])
    with torch.inference_mode():
        alone = [network(features[:1]), network(features[1:, :4])]
        for padding in (0.0, 7.0):
            padded = torch.where(valid[..., None], features, padding)
            found = network(padded, valid)
            for name in ("feature", "expression", "intensity"):
                expected = torch.cat([getattr(seen, name) for seen in alone])
                torch.testing.assert_close(getattr(found, name), expected, atol=1e-6, rtol=1e-5)
            assert (network(padded).feature[1] - alone[1].feature).abs().max() > 1e-3


def test_the_output_is_that_of_the_formulas_in_numpy():
    """Post-norm attention and feed-forward net written out in float64, without torch's layers."""
    network, features = small_network(), torch.randn(1, 5, 12)
    w = {name: tensor.double().numpy() for name, tensor in network.state_dict().items()}
    base = "sequence_encoder.transformer_encoder."
    layer = base + "encoder.layers.0."

    def linear(x, name):
        return x @ w[name + ".weight"].T + w[name + ".bias"]

    def norm(x, name):
        centred = x - x.mean(1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5) * w[name + ".weight"] + w[name + ".bias"]

    x = linear(features[0].double().numpy(), base + "bottleneck")
    projected = x @ w[layer + "self_attn.in_proj_weight"].T + w[layer + "self_attn.in_proj_bias"]
    heads = []
    for head in range(2):
        q, k, v = (projected[:, 8 * part + 4 * head : 8 * part + 4 * head + 4] for part in range(3))
        scores = np.exp(q @ k.T / 2)  # sqrt(4 values per head)
        heads.append(scores / scores.sum(1, keepdims=True) @ v)
    x = norm(x + linear(np.concatenate(heads, 1), layer + "self_attn.out_proj"), layer + "norm1")
    hidden = linear(x, layer + "linear1")
    hidden = hidden * 0.5 * (1 + torch.erf(torch.from_numpy(hidden / np.sqrt(2))).numpy())  # GELU
    x = norm(x + linear(hidden, layer + "linear2"), layer + "norm2")
    feature = np.tanh(linear(x[:1], "sequence_encoder.pooler.dense"))
    logits = linear(feature, "classification_head.classification_heads.expression.classifier")
    with torch.inference_mode():
        found = network(features)
    np.testing.assert_allclose(found.feature.numpy(), feature, atol=1e-5)
    np.testing.assert_allclose(found.expression.numpy(), logits, atol=1e-5)


def test_training_and_evaluation_agree_without_dropout():
    """PyTorch's fast path would make them differ; it is not taken here."""
    config = VideoEmotionConfig(feature_dim=12, dim=8, num_heads=2, intermediate_size=6, dropout=0.0)
    network, features = VideoEmotionNetwork(config), torch.randn(2, 7, 12)
    trained = network.train()(features).feature.detach()
    with torch.no_grad():
        torch.testing.assert_close(network.eval()(features).feature, trained, atol=1e-6, rtol=0)
