"""Sounds without speech, made by code: the mouth should rest in all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...audio import SAMPLE_RATE

_RNG = np.random.Generator
_SECONDS = 8.0
_PEAK = 0.5
_MAJOR, _MINOR = (0, 4, 7), (0, 3, 7)  # semitones above the root
_PROGRESSION = ((0, _MAJOR), (9, _MINOR), (5, _MAJOR), (7, _MAJOR))


def white_noise(rng: _RNG) -> np.ndarray:
    """White noise."""
    return _scaled(rng.standard_normal(_count(_SECONDS)))


def pink_noise(rng: _RNG) -> np.ndarray:
    """Noise whose power falls by 3 dB per octave, as in wind and traffic."""
    return _scaled(_coloured(rng, _count(_SECONDS), 0.5))


def hum(rng: _RNG) -> np.ndarray:
    """Mains hum: 50 or 60 Hz and its multiples, with a little noise."""
    clock = np.arange(_count(_SECONDS)) / SAMPLE_RATE
    mains = rng.choice([50.0, 60.0])
    tone = sum(np.sin(2 * np.pi * k * mains * clock + rng.uniform(0, 6)) / k for k in range(1, 9))
    return _scaled(tone + 0.02 * rng.standard_normal(len(clock)))


def music(rng: _RNG) -> np.ndarray:
    """Four chords of plucked tones with a bass, a melody, and drums on every half second."""
    sound = np.zeros(_count(_SECONDS) + SAMPLE_RATE)
    root = rng.uniform(110, 180)
    for beat in range(int(2 * _SECONDS)):
        start = beat * SAMPLE_RATE // 2
        step, chord = _PROGRESSION[beat // 4 % len(_PROGRESSION)]
        tones = [step + tone for tone in chord] if beat % 2 == 0 else [step + 12 + int(rng.choice(chord))]
        for tone in (*tones, step - 12):
            plucked = _pluck(root * 2 ** (tone / 12))
            sound[start : start + len(plucked)] += plucked
        drum = _drum(rng, is_low=beat % 2 == 0)
        sound[start : start + len(drum)] += drum
    return _scaled(sound[: _count(_SECONDS)])


def breathing(rng: _RNG) -> np.ndarray:
    """Breaths through the mouth: band-limited noise that rises and falls every one and a half seconds."""
    count = _count(_SECONDS)
    clock = np.arange(count) / SAMPLE_RATE
    noise = _coloured(rng, count, 0.3)
    spectrum = np.fft.rfft(noise)
    frequency = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    spectrum *= np.exp(-0.5 * (np.log2(np.maximum(frequency, 20) / rng.uniform(1200, 2500)) / 0.9) ** 2)
    return _scaled(np.fft.irfft(spectrum, count) * np.clip(np.sin(2 * np.pi * clock / 1.5), 0, 1) ** 1.5)


SPEECHLESS_SOUNDS: dict[str, Callable[[_RNG], np.ndarray]] = {
    "white noise": white_noise,
    "pink noise": pink_noise,
    "hum": hum,
    "music": music,
    "breathing": breathing,
}


def _count(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def _scaled(sound: np.ndarray) -> np.ndarray:
    """The sound with its largest absolute value at `_PEAK`, float32."""
    return (sound * (_PEAK / np.abs(sound).max())).astype(np.float32)


def _coloured(rng: _RNG, count: int, slope: float) -> np.ndarray:
    """Noise whose amplitude falls with the frequency to the power `slope`."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 20)
    return np.fft.irfft(spectrum * frequency**-slope, count)


def _pluck(frequency: float) -> np.ndarray:
    """A plucked tone of a second; its overtones fade faster than its fundamental."""
    clock = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    overtones = [k for k in range(1, 12) if k * frequency < SAMPLE_RATE / 2]
    return sum(np.sin(2 * np.pi * k * frequency * clock) * np.exp(-(2 + k) * clock) / k for k in overtones)


def _drum(rng: _RNG, is_low: bool) -> np.ndarray:
    """A drum: a falling tone, or a burst of noise."""
    clock = np.arange(SAMPLE_RATE // 4) / SAMPLE_RATE
    if is_low:
        return 2.0 * np.sin(2 * np.pi * 50 * clock + 8 * (1 - np.exp(-30 * clock))) * np.exp(-12 * clock)
    return rng.standard_normal(len(clock)) * np.exp(-18 * clock)
