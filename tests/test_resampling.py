"""Resampling against exact sinusoids, the definition of convolution and scipy."""

from math import gcd

import numpy as np
import pytest

from emote_blender.resampling import resample

RATES = [8000, 11025, 22050, 32000, 44100, 47999, 48000, 96000]


def cosine(hertz: float, sample_rate: int, num_samples: int) -> np.ndarray:
    """A cosine of amplitude 1 that begins in the middle of a period."""
    return np.cos(2 * np.pi * hertz * np.arange(num_samples) / sample_rate + 0.3).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9])
def test_a_sinusoid_below_nine_tenths_of_the_band_is_unchanged(rate, share):
    hertz = share * min(rate, 16000) / 2
    result = resample(cosine(hertz, rate, 2 * rate), rate, 16000)
    inside = slice(1600, -1600)  # a cosine that begins and ends at once has other frequencies there
    # 90 dB is 3e-5; float32 holds a cosine to 6e-8.
    assert np.abs(result - cosine(hertz, 16000, 32000))[inside].max() < 3e-5


@pytest.mark.parametrize("rate", [22050, 44100, 47999, 48000, 96000])
@pytest.mark.parametrize("hertz", [8001.0, 9000.0, 10900.0])
def test_what_the_new_rate_cannot_hold_is_damped_by_90_db(rate, hertz):
    result = resample(cosine(hertz, rate, 2 * rate), rate, 16000)
    assert np.abs(result[1600:-1600]).max() < 10 ** (-90 / 20)


@pytest.mark.once
@pytest.mark.parametrize("rate", [48000, 44100, 8000])
def test_blocks_leave_no_seams(rate):
    # The definition, without blocks: zeros between the samples, one long convolution, every n-th sample.
    samples = np.random.default_rng(1).standard_normal(rate).astype(np.float32)
    divisor = gcd(rate, 16000)
    down, up = rate // divisor, 16000 // divisor
    lower = min(rate, 16000)
    half = -(-64 * rate // lower)
    fine = np.arange(-half * up, half * up + 1) / up
    window = np.i0(9.0 * np.sqrt(1 - (fine / half) ** 2)) / np.i0(9.0)
    taps = np.sinc(0.95 * lower / rate * fine) * window
    spread = np.zeros(len(samples) * up)
    spread[::up] = samples
    size = 1 << (len(spread) + len(taps)).bit_length()
    expected = np.fft.irfft(np.fft.rfft(spread, size) * np.fft.rfft(taps / taps.sum() * up, size), size)
    expected = expected[half * up :][: len(spread) : down]
    result = resample(samples, rate, 16000)
    assert len(result) == len(expected)
    # The block's filter is sampled at the old rate and cut at the lower band: 90 dB below noise of amplitude 1.
    assert np.abs(result - expected).max() < 5e-4


@pytest.mark.once
@pytest.mark.parametrize("rate", RATES)
def test_speech_band_noise_equals_scipys_polyphase_filter(rate):
    signal = pytest.importorskip("scipy.signal", reason="scipy is the reference")
    divisor = gcd(rate, 16000)
    band = signal.firwin(801, 0.5 * min(rate, 16000) / 2, fs=rate)
    samples = np.convolve(np.random.default_rng(2).standard_normal(rate), band, "same").astype(np.float32)
    expected = signal.resample_poly(samples, 16000 // divisor, rate // divisor)
    result = resample(samples, rate, 16000)
    assert len(result) == len(expected)
    # scipy's default filter ripples by 0.2 % in half the band. Noise that begins and ends at once is not in that band.
    assert np.abs(result - expected)[100:-100].max() < 4e-3 * np.abs(expected).max()


@pytest.mark.parametrize("rate", [1000, 8000, 44100, 47999, 1_000_000])
@pytest.mark.parametrize("num_samples", [1, 2, 1000])
def test_the_length_is_rounded_up(rate, num_samples):
    result = resample(np.ones(num_samples, np.float32), rate, 16000)
    assert result.shape == (-(-num_samples * 16000 // rate),)
    assert result.dtype == np.float32


def test_a_click_stays_at_its_time():
    samples = np.zeros(48000, np.float32)
    samples[24000] = 1.0
    assert int(np.argmax(resample(samples, 48000, 16000))) == 8000
