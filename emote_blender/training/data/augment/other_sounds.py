"""Sounds that are no speech, made by code: noise, hum, music, breath; impulses and steps of level beside speech."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_RATE = 16000
_SCALE = 2.0 ** (np.array([0, 2, 4, 5, 7, 9, 11]) / 12)  # a major scale


def background(num_samples: int, rng: np.random.Generator) -> np.ndarray:
    """A sound without a voice: (N,) float32 waveform at 16 kHz with a peak of 0.5, of a kind drawn at random."""
    kinds: tuple[Callable[[int, np.random.Generator], np.ndarray], ...] = (_noise, _hum, _music, _breath)
    samples = kinds[rng.integers(len(kinds))](num_samples, rng)
    samples = samples + _noise(num_samples, rng) * 10 ** (-rng.uniform(20, 60) / 20)
    return (0.5 * samples / np.abs(samples).max()).astype(np.float32)


def disturbed(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Speech (N,) float32 with impulses up to 40 dB above its peak, or with a step or fade of its level by up to 30 dB.

    The result has the level of the speech; impulses may exceed 1, as a waveform of floats can.
    """
    size = len(samples)
    if rng.random() < 0.5:
        time = np.arange(size) / _RATE
        start, decibels = rng.uniform(0, time[-1]), rng.uniform(-30, 30)
        length = 0.01 if rng.random() < 0.5 else rng.uniform(0.1, 3)
        gain = 10 ** (-np.abs(decibels) / 20 * np.clip((time - start) / length, 0, 1))
        return (samples * (gain if decibels < 0 else gain[::-1])).astype(np.float32)
    peak, made = np.abs(samples).max(), samples.astype(np.float64)
    for _ in range(rng.integers(1, 4)):
        place, decay = rng.integers(size), np.exp(rng.uniform(np.log(0.001), np.log(0.07)))
        length = min(size - place, int(8 * decay * _RATE) + 1)
        ring = _noise(length, rng) * np.exp(-np.arange(length) / (decay * _RATE))
        made[place : place + length] += ring / np.abs(ring).max() * peak * 10 ** (rng.uniform(0, 40) / 20)
    return made.astype(np.float32)


def _noise(size: int, rng: np.random.Generator) -> np.ndarray:
    """Noise (N,) with standard deviation 1, whose spectrum falls by 0 to 6 dB per octave."""
    spectrum = np.fft.rfft(rng.normal(size=size))
    noise = np.fft.irfft(spectrum * np.arange(1, len(spectrum) + 1) ** -rng.uniform(0, 1), size)
    return noise / (noise.std() + 1e-9)


def _hum(size: int, rng: np.random.Generator) -> np.ndarray:
    """A mains hum (N,) with up to eight harmonics."""
    frequency, falls = rng.choice((50, 60, 100, 120)), rng.uniform(0.5, 2)
    time = np.arange(size) / _RATE
    return sum(
        np.sin(2 * np.pi * frequency * harmonic * time + rng.uniform(0, 6)) / harmonic**falls
        for harmonic in range(1, rng.integers(2, 9))
    )


def _music(size: int, rng: np.random.Generator) -> np.ndarray:
    """Chords (N,) of plucked or held tones on the beat, often with drums."""
    beat, root = int(rng.uniform(0.2, 0.9) * _RATE), rng.uniform(55, 330)
    decay, falls, drums = rng.uniform(0.05, 2), rng.uniform(0.7, 2), rng.uniform(0, 2) * (rng.random() < 0.6)
    music = np.zeros(size)
    for start in range(-int(rng.integers(beat)), size, beat):
        time = np.arange(beat) / _RATE
        chord = np.zeros(beat)
        for tone in root * rng.choice(_SCALE, 3, replace=False) * 2.0 ** rng.integers(0, 3, 3):
            for harmonic in range(1, 8):
                if tone * harmonic < _RATE / 2:
                    chord += np.sin(2 * np.pi * tone * harmonic * time) / harmonic**falls
        chord *= np.exp(-time / decay) * np.minimum(time / 0.005, 1)
        chord += drums * rng.normal(size=beat) * np.exp(-time / rng.uniform(0.01, 0.06))
        first, last = max(start, 0), min(start + beat, size)
        music[first:last] += chord[first - start : last - start]
    return music


def _breath(size: int, rng: np.random.Generator) -> np.ndarray:
    """Breaths (N,): noise of a wide band that swells for 0.3 to 1 s, with pauses between."""
    spectrum = np.fft.rfft(rng.normal(size=size))
    hertz = np.linspace(0, _RATE / 2, len(spectrum))
    octaves = np.log2((hertz + 1) / rng.uniform(700, 2500))
    breath = np.fft.irfft(spectrum * np.exp(-((octaves / rng.uniform(0.7, 1.6)) ** 2)), size)
    envelope = np.zeros(size)
    start = int(rng.uniform(0, 0.5) * _RATE)
    while start < size:
        length = int(rng.uniform(0.3, 1) * _RATE)
        swell = np.hanning(length)[: size - start] * rng.uniform(0.3, 1)
        envelope[start : start + len(swell)] = swell
        start += length + int(rng.uniform(0.3, 2) * _RATE)
    return breath / (breath.std() + 1e-9) * (envelope + 1e-4)
