"""Suggestions follow loudness and pitch, phrase by phrase."""

import numpy as np
import pytest

from emote_blender.emotion import one_hot
from emote_blender.motion_tools.emotion_suggestion import suggested_moments
from emote_blender.motion_tools.raw_take import Prosody

ANGER = one_hot("anger")


def voice(*phrases: tuple[float, float], seconds: float = 2.0, pause: float = 0.5) -> Prosody:
    """Phrases of (level in dB, pitch in Hz), each after a pause, with syllables of 0.2 s."""
    loudness, pitch = [], []
    for level, hertz in phrases:
        loudness.append(np.full(round(pause * 25), -90.0))
        pitch.append(np.zeros(round(pause * 25)))
        frames = np.arange(round(seconds * 25))
        loudness.append(level + 2 * np.sin(2 * np.pi * frames / 5))
        pitch.append(np.full(len(frames), hertz))
    return Prosody(np.concatenate(loudness).astype(np.float32), np.concatenate(pitch).astype(np.float32))


def test_louder_and_higher_phrases_are_stronger_and_begin_at_their_pause():
    moments = suggested_moments(voice((-25, 120), (-25, 120), (-19, 150), (-31, 100), (-25, 120)), ANGER)
    assert [moment.seconds for moment in moments] == pytest.approx([0.0, 5.5, 8.0, 10.5], abs=0.1)
    amounts = [moment.amount for moment in moments]
    assert amounts[0] == pytest.approx(1.0, abs=0.05)
    assert amounts[2] < 0.8 < 1.4 < amounts[1]
    assert all(np.array_equal(moment.weights, ANGER) for moment in moments)


def test_a_voice_that_stays_the_same_gets_one_moment():
    assert len(suggested_moments(voice(*[(-25, 120)] * 6), ANGER, 1.5)) == 1


def test_the_recording_level_does_not_matter():
    loud, soft = ([(level + gain, 120) for level in (-25, -18, -30)] for gain in (0, -15))
    assert [m.amount for m in suggested_moments(voice(*loud), ANGER)] == [
        m.amount for m in suggested_moments(voice(*soft), ANGER)
    ]


def test_amounts_stay_in_their_range_and_moments_apart():
    shouts = [(-60 if k % 2 else -10, 80 if k % 2 else 400) for k in range(40)]
    moments = suggested_moments(voice(*shouts, seconds=0.3, pause=0.25), ANGER, 2.0)
    assert all(0 <= moment.amount <= 2 for moment in moments)
    assert (np.diff([moment.seconds for moment in moments]) >= 1.0).all()


def test_silence_has_no_suggestion():
    assert suggested_moments(Prosody(np.full(100, -100, np.float32), np.zeros(100, np.float32)), ANGER) == []
