"""The measures themselves: a perfect input scores full marks, a broken one does not."""

import numpy as np
import pytest

from emote_blender.training import metrics
from emote_blender.training.corpus import phones


@pytest.fixture
def labels() -> np.ndarray:
    """Two seconds at 50 Hz: silence, a vowel, m from 0.6 to 0.7 s, a vowel, b from 1.2 to 1.3 s, a vowel, silence."""
    track = np.full(100, phones.CLASS_INDEX["AA"])
    track[:10] = track[90:] = phones.SILENCE
    track[30:35] = phones.CLASS_INDEX["M"]
    track[60:65] = phones.CLASS_INDEX["B"]
    return track


@pytest.fixture
def gap() -> np.ndarray:
    """The lip gap (50,) in mm that fits `labels`."""
    track = np.full(50, 8.0)
    track[:5] = track[45:] = 0.0
    track[15:17] = track[30:32] = -1.0
    return track


def test_events_have_their_times(labels):
    assert metrics.events(labels, phones.BILABIALS) == [(0.6, 0.7), (1.2, 1.3)]


def test_a_perfect_motion_has_every_closure_and_no_false_one(gap, labels):
    found = metrics.closures(gap, gap, labels)
    assert (found.events, found.hits, found.runs, found.false_runs) == (2, 2, 4, 0)
    assert found.f1 == pytest.approx(1)


def test_an_open_mouth_has_no_closure(gap, labels):
    found = metrics.closures(np.full(50, 3.0), gap, labels)
    assert found.recall == 0
    assert found.f1 == 0


def test_a_closed_mouth_has_every_closure_but_is_not_precise(gap, labels):
    flapping = np.where(np.arange(50) % 4 < 2, 0.0, 5.0)
    found = metrics.closures(flapping, gap, labels)
    assert found.recall == 1
    assert found.precision < 0.6


def test_a_closure_that_comes_three_frames_late_is_missed(gap, labels):
    shifted = np.concatenate([np.full(4, 8.0), gap[:-4]])
    shifted[45:] = 8.0
    assert metrics.closures(shifted, gap, labels).hits == 0


def test_correlation_is_one_for_itself_minus_one_for_its_opposite_and_zero_for_stillness(gap):
    assert metrics.correlation(2 * gap + 1, gap) == pytest.approx(1)
    assert metrics.correlation(-gap, gap) == pytest.approx(-1)
    assert metrics.correlation(np.ones(50), gap) == 0
    assert np.isnan(metrics.correlation(gap, np.ones(50)))


def test_a_tuck_is_judged_against_the_reference(labels):
    labels = np.where(np.isin(labels, [phones.CLASS_INDEX["M"]]), phones.CLASS_INDEX["F"], labels)
    wanted = np.full(50, 6.0)
    wanted[15:17] = 0.0
    assert metrics.tucks(wanted, wanted, labels).recall == 1
    assert metrics.tucks(np.full(50, 6.0), wanted, labels).recall == 0


def test_fast_energy_sees_tremor_and_not_slow_movement():
    time = np.arange(100) / 25
    slow, tremor = np.sin(2 * np.pi * 3 * time), np.sin(2 * np.pi * 10 * time)
    assert metrics.fast_energy(slow) < 1e-4
    assert metrics.fast_energy(tremor) > 0.05
    assert metrics.fast_energy(2 * tremor) == pytest.approx(4 * metrics.fast_energy(tremor), rel=0.01)


def test_frames_of_an_event_are_those_whose_middle_lies_in_it():
    assert metrics.frames_of((0.4, 0.48), 50, tolerance=0) == slice(10, 12)
    assert metrics.frames_of((0.4, 0.48), 50) == slice(9, 13)
    assert metrics.frames_of((5.0, 5.1), 50) == slice(49, 50)
