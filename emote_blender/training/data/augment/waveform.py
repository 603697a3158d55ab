"""Augmentation of waveforms at 16 kHz: the effects of rooms, microphones and codecs."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_EQUALISER_BANDS = 9
_ROOM_SAMPLES = 8000


def augment(samples: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    """Degraded copies (B, N) of waveforms: equaliser, band limits, room, noise, clipping, level.

    Args:
        samples: (B, N) in [-1, 1].
        amount: 0 (only the level changes) to 1 (often and strong). 0.4 suits a short training; more costs accuracy on
            clean speech unless the training is several times longer (spec/DEFAULT_MODEL.md).
        generator: random numbers.

    Raises:
        ValueError: `amount` is outside 0..1.
    """
    if not 0 <= amount <= 1:
        raise ValueError(f"amount {amount} is outside 0..1")
    size = len(samples)

    def uniform() -> Tensor:
        return torch.rand(size, 1, generator=generator)

    def sometimes(probability: float) -> Tensor:
        return uniform() < probability

    if amount > 0:
        length = samples.shape[1]
        fft_size = _fast_length(length + _ROOM_SAMPLES)
        frequency = torch.linspace(0, 8000, fft_size // 2 + 1)[None]
        response = torch.where(
            sometimes(0.8 * min(1.0, amount + 0.2)), _equaliser(size, frequency, 5 * amount, generator), 1.0
        )
        low_pass = torch.where(sometimes(0.3 * amount), 2800 + 4500 * uniform(), 9000.0)
        high_pass = torch.where(sometimes(0.3 * amount), 60 + 250 * uniform(), -900.0)
        response = response * torch.sigmoid((low_pass - frequency) / 150)
        response = response * torch.sigmoid((frequency - high_pass) / 30)
        room = torch.fft.rfft(_room(size, sometimes(0.4 * amount), uniform(), uniform(), generator), fft_size)
        spectrum = torch.fft.rfft(samples, fft_size) * response * room
        clean = torch.fft.irfft(spectrum, fft_size)[:, :length]
        noise = _noise(size, length, uniform(), generator)
        babble = samples.roll(1, 0) + samples.roll(3, 0) + samples.roll(5, 0)
        babble = babble / (babble.std(1, keepdim=True) + 1e-4)
        noise = torch.where(sometimes(0.2 * amount), babble, noise)
        ratio_db = 5 + 20 * (1 - amount) + 35 * uniform()
        gain = clean.std(1, keepdim=True) * 10 ** (-ratio_db / 20) * sometimes(0.75 * amount)
        samples = clean + noise * gain
    samples = samples / (samples.abs().amax(1, keepdim=True) + 1e-4)
    if amount > 0:
        drive = torch.where(sometimes(0.15 * amount), 1 + 4 * uniform(), 0.05)
        samples = torch.tanh(samples * drive) / torch.tanh(drive)
    return samples * 10 ** (-25 * uniform() / 20)


def _fast_length(length: int) -> int:
    """The smallest fast FFT size, 2 or 3 times a power of two, that is at least `length`."""
    power = 2 ** math.ceil(math.log2(length))
    return power * 3 // 4 if power * 3 // 4 >= length else power


def _equaliser(size: int, frequency: Tensor, decibels: float, generator: torch.Generator) -> Tensor:
    """Random smooth gains (B, F), interpolated in dB between bands that are evenly spaced in log frequency."""
    bands = torch.randn(size, _EQUALISER_BANDS, generator=generator) * decibels
    octaves = torch.log2(frequency[0] / 60 + 1)
    position = octaves / octaves[-1] * (_EQUALISER_BANDS - 1)
    lower = position.floor().clamp(max=_EQUALISER_BANDS - 2).long()
    share = position - lower
    return 10 ** ((bands[:, lower] * (1 - share) + bands[:, lower + 1] * share) / 20)


def _room(size: int, wanted: Tensor, decay: Tensor, strength: Tensor, generator: torch.Generator) -> Tensor:
    """Impulse responses (B, 0.5 s): the direct sound and, where `wanted`, decaying noise (T60 0.08 to 0.53 s)."""
    time = torch.arange(_ROOM_SAMPLES) / 16000
    tail = torch.randn(size, _ROOM_SAMPLES, generator=generator) * torch.exp(-6.9 * time / (0.08 + 0.45 * decay))
    tail[:, :32] = 0  # no reflection arrives within 2 ms
    tail = tail / tail.norm(dim=1, keepdim=True) * 10 ** (-15 * strength / 20) * wanted
    tail[:, 0] = 1
    return tail


def _noise(size: int, length: int, slope: Tensor, generator: torch.Generator) -> Tensor:
    """Noise (B, N) with standard deviation 1, whose spectrum falls by 0 to 6 dB per octave."""
    spectrum = torch.fft.rfft(torch.randn(size, length, generator=generator))
    frequency = torch.arange(spectrum.shape[1]).clamp(min=1).float()[None]
    noise = torch.fft.irfft(spectrum * frequency**-slope, length)
    return noise / noise.std(1, keepdim=True)
