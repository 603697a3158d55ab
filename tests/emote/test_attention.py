"""The transformer layer against PyTorch's on its slow path, and its bias against the formula."""

import pytest
import torch
from torch import nn

from emote_blender.emote.attention import TransformerEncoder, TransformerEncoderLayer, distance_bias, head_slopes

pytestmark = pytest.mark.torch


@pytest.fixture
def layers():
    """Our layer and PyTorch's with the same weights, no dropout, in training mode (where PyTorch has no fast path)."""
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(16, 4, 24, dropout=0.0, activation="gelu", batch_first=True)
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.4)
    ours = TransformerEncoderLayer(16, 4, 24)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def test_layer_matches_pytorchs_slow_path_with_a_float_bias(layers):
    ours, theirs = layers
    x, bias = torch.randn(1, 37, 16), distance_bias(37, 4)
    assert torch.allclose(ours(x, bias), theirs(x, src_mask=bias), atol=1e-5)


def test_layer_keeps_its_result_in_eval_mode_without_gradients(layers):
    ours, theirs = layers
    x, bias = torch.randn(1, 37, 16), distance_bias(37, 4)
    expected = theirs(x, src_mask=bias)
    with torch.inference_mode():
        assert torch.allclose(ours.eval()(x, bias), expected, atol=1e-5)


def test_slopes_of_eight_heads_are_the_powers_of_one_half():
    assert head_slopes(8).tolist() == [2.0**-k for k in range(1, 9)]


@pytest.mark.parametrize("period", [1, 30])
def test_bias_is_minus_slope_times_whole_periods_of_distance(period):
    bias = distance_bias(70, 8, period)
    assert bias.shape == (8, 70, 70)
    for head, i, j in [(0, 0, 69), (3, 69, 0), (7, 10, 12), (1, 5, 35), (2, 40, 40)]:
        assert bias[head, i, j] == -(2.0 ** -(head + 1)) * (abs(i - j) // period)


def test_any_length_works_beyond_the_official_1200_frames():
    encoder = TransformerEncoder(1, 8, 2, 8).eval()
    with torch.inference_mode():
        assert encoder(torch.randn(1, 1301, 8)).isfinite().all()


def test_dropout_acts_in_training_mode_only():
    torch.manual_seed(0)
    encoder, x = TransformerEncoder(1, 8, 2, 8, dropout=0.5), torch.randn(1, 20, 8)
    assert not torch.equal(encoder(x), encoder(x))
    encoder.eval()
    assert torch.equal(encoder(x), encoder(x))


def test_bias_is_no_part_of_the_state_dict():
    assert not [name for name in TransformerEncoder(1, 8, 2, 8).state_dict() if "bias" in name and "mask" in name]
    assert len(TransformerEncoder(1, 8, 2, 8).state_dict()) == 12
