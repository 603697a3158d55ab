"""Utterances of a sound: where it is cut for a recogniser."""

import numpy as np
import pytest

from emote_blender.transcript.recognisers.utterances import find_utterances, group_utterances

RATE = 16000
BUZZ = 0.3 * np.sign(np.sin(2 * np.pi * 120 * np.arange(20 * RATE) / RATE)).astype(np.float32)
NOISE = 1e-3 * np.random.default_rng(0).normal(size=20 * RATE).astype(np.float32)


def sound(*parts: tuple[str, float]) -> np.ndarray:
    """Speech-like buzz and pauses with noise, one after another."""
    pieces = [(BUZZ if kind == "speech" else NOISE)[: round(RATE * seconds)] for kind, seconds in parts]
    return np.concatenate(pieces)


def test_utterances_end_at_pauses_with_a_margin():
    samples = sound(("pause", 1.0), ("speech", 2.0), ("pause", 1.0), ("speech", 3.0), ("pause", 0.5))
    found = np.array(find_utterances(samples)) / RATE
    assert found == pytest.approx(np.array([[0.8, 3.2], [3.8, 7.2]]), abs=0.03)


def test_a_short_pause_does_not_end_an_utterance():
    assert len(find_utterances(sound(("speech", 2.0), ("pause", 0.2), ("speech", 2.0)))) == 1


def test_long_speech_is_divided_where_it_is_quietest():
    samples = sound(("speech", 12.0), ("pause", 0.2), ("speech", 12.0))
    first, second = find_utterances(samples, longest_seconds=15.0)
    assert first[1] == second[0] == pytest.approx(12.1 * RATE, abs=0.1 * RATE)
    assert all(stop - start <= 15 * RATE for start, stop in (first, second))


def test_speech_without_any_pause_is_covered_without_gaps():
    found = find_utterances(np.tile(BUZZ, 5), longest_seconds=7.0)
    assert found[0][0] == 0
    assert found[-1][1] == 100 * RATE
    assert all(before[1] == after[0] for before, after in zip(found, found[1:]))
    assert max(stop - start for start, stop in found) <= 7 * RATE


def test_quiet_and_loud_parts_of_a_recording_are_both_found():
    quiet = 0.01 * sound(("speech", 2.0), ("pause", 1.0), ("speech", 2.0))
    gap = np.zeros(70 * RATE, np.float32)
    loud = sound(("speech", 2.0), ("pause", 1.0), ("speech", 2.0))
    assert len(find_utterances(np.concatenate([quiet, gap, loud]))) == 4


def test_neighbours_are_grouped_up_to_a_length_and_a_pause():
    utterances = [(RATE * start, RATE * stop) for start, stop in ((0, 4), (5, 9), (9, 12), (13, 14), (20, 40))]
    groups = list(group_utterances(utterances, longest_seconds=10.0, longest_pause_seconds=2.0))
    assert groups == [utterances[:2], utterances[2:4], utterances[4:]]


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(1), np.zeros(RATE), np.full(RATE, 0.5), np.ones(100)])
def test_silence_has_none(samples):
    assert find_utterances(samples.astype(np.float32)) == []
