"""Masked and perceptual errors against recorded numbers and plain loops.

`reference/losses.safetensors` holds what the authors' loss functions gave on random tensors.
"""

import math

import pytest
import torch
from safetensors.torch import load_file

from emote_blender.training.losses.masked_errors import (
    cosine_distance,
    emotion_error,
    lip_reading_error,
    masked_squared_error,
    masked_velocity_error,
)


@pytest.fixture(scope="module")
def recorded(reference) -> dict[str, torch.Tensor]:
    return load_file(reference / "losses.safetensors")


def test_the_masked_errors_are_the_recorded_ones(recorded):
    tensors = recorded["a"], recorded["b"], recorded["mask"].bool()
    assert masked_squared_error(*tensors).item() == pytest.approx(recorded["masked_mse"].item(), abs=1e-6)
    assert masked_velocity_error(*tensors).item() == pytest.approx(recorded["masked_velocity"].item(), abs=1e-6)


def test_the_cosine_distance_is_the_recorded_one(recorded):
    found = cosine_distance(recorded["fa"], recorded["fb"])
    assert found.shape == (4,)
    assert emotion_error(recorded["fa"], recorded["fb"]).item() == pytest.approx(recorded["cos_loss"].item(), abs=1e-6)


def test_each_sequence_counts_the_same_however_many_frames_it_has():
    found, wanted = torch.zeros(2, 4, 2, 3), torch.zeros(2, 4, 2, 3)
    found[0, 0] = 1.0  # the only valid frame of the first clip: an error of 1
    found[1] = 3.0  # four valid frames with an error of 9
    valid = torch.tensor([[True, False, False, False], [True] * 4])
    assert masked_squared_error(found, wanted, valid) == (1 + 9) / 2


def test_frames_that_are_not_valid_change_nothing_even_where_they_are_not_numbers():
    generator = torch.Generator().manual_seed(1)
    found, wanted = torch.randn(2, 5, 3, generator=generator), torch.randn(2, 5, 3, generator=generator)
    valid = torch.ones(2, 5, dtype=torch.bool)
    valid[0, 2:] = False
    before = [error(found, wanted, valid) for error in (masked_squared_error, masked_velocity_error, lip_reading_error)]
    found[0, 2:] = math.nan
    after = [error(found, wanted, valid) for error in (masked_squared_error, masked_velocity_error, lip_reading_error)]
    assert before == after


def test_a_sequence_without_a_valid_frame_leaves_no_vertex_term():
    values = torch.ones(2, 3, 4)
    valid = torch.tensor([[True, True, True], [False, False, False]])
    assert masked_squared_error(values, 0 * values, valid) is None
    apart = torch.tensor([[True, True, True], [True, False, True]])  # frames, but no two that are neighbours
    assert masked_squared_error(values, 0 * values, apart) is not None
    assert masked_velocity_error(values, 0 * values, apart) is None


def test_the_lip_reading_error_counts_valid_frames_of_all_clips():
    directions = {"same": (1.0, 0.0), "right angle": (0.0, 1.0), "opposite": (-1.0, 0.0)}
    found = torch.tensor([[directions["same"], directions["right angle"]], [directions["opposite"], (math.nan,) * 2]])
    wanted = torch.tensor([1.0, 0.0]).expand(2, 2, 2)
    valid = torch.tensor([[True, True], [True, False]])
    assert lip_reading_error(found, wanted, valid).item() == pytest.approx((0 + 1 + 2) / 3)
    assert lip_reading_error(found, wanted, torch.zeros_like(valid)) is None


def test_the_length_of_a_feature_does_not_matter():
    feature = torch.tensor([[3.0, -4.0, 1.0]])
    assert emotion_error(feature, 100 * feature).item() == pytest.approx(0, abs=1e-6)
    assert emotion_error(feature, -0.01 * feature).item() == pytest.approx(2, abs=1e-6)


def test_the_gradient_stops_at_frames_that_are_not_valid():
    found = torch.randn(1, 4, 3, generator=torch.Generator().manual_seed(2)).requires_grad_()
    valid = torch.tensor([[True, False, True, True]])
    masked_squared_error(found, torch.zeros(1, 4, 3), valid).backward()
    assert torch.equal(found.grad[0, 1], torch.zeros(3))
    assert found.grad[0, 0].abs().sum() > 0
