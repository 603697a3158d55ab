"""Conditions are exchanged between clips, speakers are not."""

from collections import Counter

import pytest
import torch

from emote_blender.training.tasks.emote.condition_exchange import derangement, double_batch, exchange_conditions

EMOTIONS, INTENSITIES, SPEAKERS = 8, 3, 4


def conditions(size: int, frames: int = 5) -> torch.Tensor:
    """Conditions whose every number is different."""
    columns = EMOTIONS + INTENSITIES + SPEAKERS
    return torch.arange(size * frames * columns, dtype=torch.float32).view(size, frames, columns)


def test_two_clips_swap():
    for seed in range(20):
        assert derangement(2, torch.Generator().manual_seed(seed)).tolist() == [1, 0]


def test_every_permutation_without_a_fixed_place_is_drawn_equally_often():
    generator = torch.Generator().manual_seed(0)
    drawn = Counter(tuple(derangement(4, generator).tolist()) for _ in range(9000))
    assert len(drawn) == 9  # 4! / e, rounded
    assert all(place != element for permutation in drawn for place, element in enumerate(permutation))
    # 9000 draws of 1/9: 1000 each, standard deviation sqrt(9000 * 1/9 * 8/9) = 30
    assert all(abs(count - 1000) < 150 for count in drawn.values())


def test_the_permutation_depends_on_the_generator_only():
    draws = []
    for _ in range(2):
        torch.rand(1)
        draws.append(derangement(6, torch.Generator().manual_seed(5)))
    assert torch.equal(*draws)


def test_one_clip_alone_has_nobody_to_exchange_with():
    with pytest.raises(ValueError, match="at least 2"):
        derangement(1)


def test_emotion_and_intensity_come_from_the_donor_and_the_speaker_stays():
    condition, permutation = conditions(3), torch.tensor([1, 2, 0])
    exchanged = exchange_conditions(condition, permutation, EMOTIONS + INTENSITIES)
    for clip, donor in enumerate((1, 2, 0)):
        assert torch.equal(exchanged[clip, :, :11], condition[donor, :, :11])
        assert torch.equal(exchanged[clip, :, 11:], condition[clip, :, 11:])


def test_the_batch_is_doubled_with_the_same_speech_in_both_halves():
    features, condition = torch.randn(3, 5, 7), conditions(3)
    permutation = torch.tensor([2, 0, 1])
    doubled_features, doubled_condition = double_batch(features, condition, permutation, 11)
    assert torch.equal(doubled_features, torch.cat([features, features]))
    assert torch.equal(doubled_condition[:3], condition)
    assert torch.equal(doubled_condition[3:], exchange_conditions(condition, permutation, 11))


def test_a_permutation_of_another_size_is_refused():
    with pytest.raises(ValueError, match="2 places"):
        exchange_conditions(conditions(3), torch.tensor([1, 0]), 11)
