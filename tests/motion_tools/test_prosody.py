"""Loudness, pitch, phrases and stress of sounds whose values are known."""

from __future__ import annotations

import numpy as np
import pytest

from emote_blender.motion_tools.prosody import measure_prosody, phrasing, semitones
from emote_blender.motion_tools.raw_take import Prosody

RATE = 16000


def voice(pitch_hz: np.ndarray, level: float | np.ndarray = 0.2) -> np.ndarray:
    """A buzz with ten harmonics whose pitch follows `pitch_hz`, one value per sample."""
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE
    return (level * sum(np.sin(number * phase) / number for number in range(1, 11))).astype(np.float32)


@pytest.mark.parametrize("rate", [16000, 22050, 48000])
def test_pitch_follows_a_glide_within_one_percent(rate):
    seconds = np.arange(3 * rate) / rate
    pitch = 90 * 2 ** (seconds / 1.5)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    sound = sum(np.sin(number * phase) / number for number in range(1, 8)).astype(np.float32)
    found = measure_prosody(sound, rate, 75).pitch_hz
    expected = 90 * 2 ** (np.arange(75) / 25 / 1.5)
    np.testing.assert_allclose(found[1:-1], expected[1:-1], rtol=0.01)


def test_noise_and_silence_have_no_pitch():
    noise = np.random.default_rng(0).normal(size=2 * RATE).astype(np.float32)
    assert not measure_prosody(noise, RATE, 50).pitch_hz.any()
    silent = measure_prosody(np.zeros(2 * RATE, np.float32), RATE, 50)
    assert not silent.pitch_hz.any()
    assert np.all(silent.loudness_db == -100)


def test_loudness_is_the_level_around_the_frame():
    sound = np.where(np.arange(2 * RATE) < RATE, 0.5, 0.05).astype(np.float32)
    loudness = measure_prosody(sound, RATE, 50).loudness_db
    np.testing.assert_allclose(loudness[1:24], 20 * np.log10(0.5), atol=0.01)
    np.testing.assert_allclose(loudness[27:49], 20 * np.log10(0.05), atol=0.01)


def test_pieces_of_a_long_sound_join_without_a_seam():
    pitch = 150 + 30 * np.sin(np.arange(60 * RATE) / 9000)
    sound = voice(pitch)
    whole = measure_prosody(sound, RATE, 1500)
    part = measure_prosody(sound[900 * 640 :], RATE, 600)
    np.testing.assert_allclose(whole.pitch_hz[902:1498], part.pitch_hz[2:598], rtol=1e-4)
    np.testing.assert_allclose(whole.loudness_db[902:1498], part.loudness_db[2:598], atol=1e-3)


def made_phrases() -> Prosody:
    """Two phrases, 1 to 3 s and 3.6 to 5 s, with a louder and higher syllable at 2 s."""
    loudness, pitch = np.full(150, -80.0), np.zeros(150)
    for start, stop in ((25, 75), (90, 125)):
        frames = np.arange(start, stop)
        loudness[start:stop] = -20 - 4 * np.cos(2 * np.pi * (frames - start) / 5)  # five syllables a second
        pitch[start:stop] = 120.0
    loudness[48:53] += [3, 7, 9, 7, 3]
    pitch[48:53] *= 1.2
    return Prosody(loudness, pitch)


def test_phrases_begin_and_end_where_the_voice_does():
    found = phrasing(made_phrases())
    np.testing.assert_allclose(found.phrase_starts, [1.0, 3.6], atol=0.041)
    np.testing.assert_allclose(found.phrase_ends, [3.0, 5.0], atol=0.041)
    assert found.speech_at(np.array([0.2, 2.0, 3.3, 4.4, 90.0])) == pytest.approx([0, 1, 0, 1, 0], abs=0.15)


def test_the_strongest_stress_is_on_the_louder_and_higher_syllable():
    found = phrasing(made_phrases())
    assert found.stress_times[np.argmax(found.stress_strengths)] == pytest.approx(2.0, abs=0.05)
    assert found.stress_strengths.max() > 2 * np.sort(found.stress_strengths)[:-1].max(initial=0.0)


def test_the_closure_of_a_stop_is_no_pause():
    prosody = made_phrases()
    prosody.loudness_db[60:63] = -70
    assert len(phrasing(prosody).phrase_ends) == 2


def test_steady_noise_behind_a_voice_is_no_speech():
    prosody = made_phrases()
    noisy = Prosody(np.maximum(prosody.loudness_db, -42), prosody.pitch_hz)
    np.testing.assert_allclose(phrasing(noisy).phrase_starts, [1.0, 3.6], atol=0.09)


def test_a_sound_without_a_voice_has_no_phrases():
    found = phrasing(Prosody(np.full(50, -100.0), np.zeros(50)))
    assert not found.speaking.any()
    assert len(found.phrase_ends) == len(found.stress_times) == 0
    assert not semitones(Prosody(np.full(50, -100.0), np.zeros(50))).any()
