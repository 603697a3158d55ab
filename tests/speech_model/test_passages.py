"""Passages of a clip: steps of the voice's level are found, short sounds, pauses and backgrounds are not."""

import numpy as np
import pytest

from emote_blender.speech_model.passages import find_passages, spectrum_level

ROOM = -45.0  # dB


def voice(seconds: float, peak: float = 0.0) -> np.ndarray:
    """Level of four syllables per second, 20 dB deep, over the noise of a room; a longer gap at both ends."""
    time = np.arange(round(100 * seconds)) / 100
    syllables = peak - 20 * np.cos(2 * np.pi * 2 * time) ** 2
    ends = (time < 0.3) | (time > seconds - 0.3)
    rng = np.random.default_rng(round(-peak))
    return np.where(ends, ROOM, syllables) + rng.normal(0, 0.5, len(time))


def pause(seconds: float, level: float = ROOM) -> np.ndarray:
    """Level of steady noise."""
    return level + np.random.default_rng(0).normal(0, 0.5, round(100 * seconds))


def starts(level: np.ndarray) -> list[int]:
    return [passage.start for passage in find_passages(level)]


@pytest.mark.parametrize("step", [-15.0, -20.0, -25.0, -30.0])
def test_a_softer_voice_is_a_passage_of_its_own(step):
    first, second = find_passages(np.concatenate([voice(3), voice(3, step)]))
    assert first.start == 0
    assert second.stop == 600
    assert first.stop == second.start == pytest.approx(270, abs=5)  # a short pause belongs to the softer one
    assert first.limit - second.limit == pytest.approx(-step, abs=2)


def test_a_softer_voice_before_a_louder_one_is_found_too():
    assert starts(np.concatenate([voice(3, -25.0), voice(3)])) == [0, pytest.approx(330, abs=5)]


def test_a_long_pause_belongs_to_the_louder_of_the_voices_beside_it():
    assert starts(np.concatenate([voice(3), pause(3), voice(3, -25.0)])) == [0, pytest.approx(630, abs=5)]
    assert starts(np.concatenate([voice(3, -25.0), pause(3), voice(3)])) == [0, pytest.approx(270, abs=5)]


def test_one_voice_is_one_passage_in_spite_of_pauses_and_softer_words():
    assert starts(np.concatenate([voice(2), voice(1.5, -8), pause(3), voice(2, -4), pause(0.6), voice(1, -6)])) == [0]


@pytest.mark.parametrize("place", [0, 100, 250, 399])
def test_a_clap_is_no_passage_and_above_the_limit_of_the_voice(place):
    level = voice(4, -20.0)
    level[place : place + 4] = 20.0
    (passage,) = find_passages(level)
    assert -20 < passage.limit < 20


def test_a_door_that_rings_for_half_a_second_is_no_passage():
    ring = 25 - 120 * np.arange(50) / 100  # 60 dB in 0.5 s
    level = np.concatenate([pause(0.5), ring, pause(0.5), voice(3, -15.0)])
    (passage,) = find_passages(level)
    assert passage.limit < 10


@pytest.mark.parametrize("level", [-12.0, -20.0, -30.0])
def test_noise_in_a_long_pause_is_no_passage(level):
    over = np.maximum(np.concatenate([voice(3), pause(4), voice(3)]), pause(10, level))
    assert starts(over) == [0]


def test_what_goes_on_under_a_voice_is_background_even_if_it_has_a_rhythm():
    beat = -22 - 9 * np.abs(np.sin(np.pi * 4 * np.arange(1200) / 100))
    assert starts(np.maximum(np.concatenate([voice(4), pause(4), voice(4)]), beat)) == [0]
    alone = np.concatenate([voice(4), voice(4, -22.0), voice(4)])
    assert starts(alone) == [0, pytest.approx(370, abs=5), pytest.approx(830, abs=5)]


def test_a_breath_in_a_pause_is_no_passage():
    level = np.concatenate([voice(3), pause(2), voice(3)])
    level[380:430] = -25 + 10 * np.sin(np.pi * np.arange(50) / 50)
    assert starts(level) == [0]


@pytest.mark.parametrize("level", [np.full(300, -160.0), pause(3), voice(0.3), np.zeros(1)])
def test_a_clip_without_a_voice_is_one_passage_without_a_limit(level):
    (passage,) = find_passages(level)
    assert (passage.start, passage.stop, passage.limit) == (0, len(level), np.inf)


def test_passages_cover_a_clip_of_any_level():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        parts = [
            voice(rng.uniform(0.7, 4), rng.uniform(-40, 0)) if rng.random() < 0.7 else pause(rng.uniform(0.1, 4))
            for _ in range(8)
        ]
        level = np.concatenate(parts)
        passages = find_passages(level)
        assert passages[0].start == 0
        assert passages[-1].stop == len(level)
        assert all(before.stop == after.start for before, after in zip(passages, passages[1:]))
        assert all(passage.start < passage.stop for passage in passages)


def test_the_level_follows_the_power_and_not_one_loud_band():
    power = np.random.default_rng(0).uniform(0.5, 2, (64, 10)).astype(np.float32)
    assert np.allclose(spectrum_level(power * 1000) - spectrum_level(power), 30, atol=0.01)
    hum = power.copy()
    hum[0] *= 1000
    assert (spectrum_level(hum) - spectrum_level(power)).max() < 3
    assert np.isfinite(spectrum_level(np.zeros((64, 1), np.float32))).all()
