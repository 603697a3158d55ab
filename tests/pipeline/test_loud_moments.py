"""A clap, a door, a shout or a nearer speaker does not shut the mouth of the softer voice (the model that ships)."""

from pathlib import Path

import numpy as np
import pytest

from emote_blender.audio import SAMPLE_RATE, Waveform, load_audio
from emote_blender.emotion import EmotionTrack
from emote_blender.pipeline import EMOTEPipeline

pytestmark = pytest.mark.once

CLIP = Path(__file__).resolve().parents[1] / "data/anger_line.wav"
FRAME = SAMPLE_RATE // 25
AGREES = 0.95  # correlation of the jaw of the softer part with that of the same part alone


@pytest.fixture(scope="module")
def pipeline() -> EMOTEPipeline:
    return EMOTEPipeline.from_pretrained("emote_open")


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """Whole frames of a spoken line, with a peak of 1, and silence at both ends."""
    samples = np.asarray(load_audio(CLIP).samples[:], dtype=np.float64)
    samples = np.pad(samples / np.abs(samples).max(), 8 * FRAME)
    return samples[: len(samples) // FRAME * FRAME]


@pytest.fixture(scope="module")
def jaw(pipeline):
    """The angle of the jaw (T,) in radians, of samples that are stored with 16 bits."""

    def measure(samples: np.ndarray) -> np.ndarray:
        stored = np.round(np.clip(samples, -1, 1) * 32767) / 32767
        features = pipeline.encode(Waveform(stored.astype(np.float32), SAMPLE_RATE))
        return np.linalg.norm(pipeline.generate(features, EmotionTrack.constant("neutral")).jaw, axis=1)

    return measure


@pytest.fixture(scope="module")
def alone(jaw, voice) -> np.ndarray:
    return jaw(voice)


def softer(samples: np.ndarray, decibels: float) -> np.ndarray:
    return samples * 10 ** (-decibels / 20)


def impulse(num_samples: int, decay_seconds: float) -> np.ndarray:
    """Noise at full scale that dies away: e times softer per `decay_seconds`."""
    time = np.arange(num_samples) / SAMPLE_RATE
    return np.random.default_rng(0).uniform(-1, 1, num_samples) * np.exp(-time / decay_seconds)


def agreement(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.corrcoef(found, expected)[0, 1])


@pytest.mark.parametrize("step", [10, 20, 30])
def test_a_voice_moves_the_jaw_as_it_does_without_the_louder_one_before_it(step, jaw, voice, alone):
    found = jaw(np.concatenate([voice, softer(voice, step)]))
    assert agreement(found[len(alone) :], alone) > AGREES


@pytest.mark.parametrize("step", [20, 30])
def test_a_voice_moves_the_jaw_as_it_does_without_the_louder_one_after_it(step, jaw, voice, alone):
    found = jaw(np.concatenate([softer(voice, step), voice]))
    assert agreement(found[: len(alone)], alone) > AGREES


@pytest.mark.parametrize("decay", [0.003, 0.07], ids=["clap", "door"])
@pytest.mark.parametrize("step", [20, 40])
def test_a_loud_sound_before_a_voice_does_not_shut_the_mouth(decay, step, jaw, voice, alone):
    found = jaw(np.concatenate([impulse(SAMPLE_RATE // FRAME * FRAME, decay), softer(voice, step)]))
    assert agreement(found[-len(alone) :], alone) > AGREES


def test_claps_during_a_voice_do_not_shut_the_mouth(jaw, voice, alone):
    samples = softer(voice, 40)
    for place in (len(voice) // 3, len(voice) // 2, len(voice) * 2 // 3):
        samples[place : place + 160] += impulse(160, 0.01)
    assert agreement(jaw(samples), alone) > AGREES


def test_a_constant_part_does_not_shut_the_mouth(jaw, voice, alone):
    assert agreement(jaw(softer(voice, 30) + 0.3), alone) > AGREES


def test_a_shout_a_clap_and_a_constant_part_at_once_do_not(jaw, voice, alone):
    clap = impulse(SAMPLE_RATE // FRAME * FRAME, 0.003)
    found = jaw(0.7 * np.concatenate([softer(voice, 10), clap, softer(voice, 35)]) + 0.05)
    assert agreement(found[-len(alone) :], alone) > AGREES


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0], ids=["white", "pink", "brown"])
def test_noise_in_a_long_pause_is_not_taken_for_a_voice(slope, jaw, voice):
    num_frames, pause = len(voice) // FRAME, 75
    samples = np.concatenate([voice, np.zeros(pause * FRAME), voice])
    spectrum = np.fft.rfft(np.random.default_rng(1).normal(size=len(samples)))
    noise = np.fft.irfft(spectrum * np.arange(1, len(spectrum) + 1.0) ** -slope, len(samples))
    found = jaw(0.5 * (samples + softer(noise / noise.std() * voice.std(), 20)))
    middle = found[num_frames + 12 : num_frames + pause - 12]
    assert middle.mean() < 0.1 * found[:num_frames].mean()
