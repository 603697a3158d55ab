"""Band-limited change of a sound's sample rate, with numpy alone."""

from __future__ import annotations

from math import gcd

import numpy as np

# The low-pass filter is a sinc of 64 zero crossings on each side under a Kaiser window (Oppenheim and Schafer,
# Discrete-Time Signal Processing, section 7.5.3: beta 9 gives 90 dB). It passes 90 % of the lower rate's band (7.2 kHz
# of 16 kHz sound) unchanged and damps by 90 dB all that the lower rate cannot hold.
_ZERO_CROSSINGS = 64
_KAISER_BETA = 9.0
_CUTOFF = 0.95
_BLOCK_SAMPLES = 1 << 15


def resample(samples: np.ndarray, old_rate: int, new_rate: int) -> np.ndarray:
    """Return a sound at another sample rate: sample k is the sound at k / new_rate seconds.

    Blocks that overlap by the filter's length are filtered in the frequency domain, and the spectrum is cut (or
    extended by zeros) to the length that the new rate gives the block.

    Args:
        samples: (N,) float32, one channel, N >= 1.
        old_rate: samples per second of `samples`.
        new_rate: samples per second of the result.

    Returns:
        (ceil(N * new_rate / old_rate),) float32.
    """
    divisor = gcd(old_rate, new_rate)
    down, up = old_rate // divisor, new_rate // divisor  # `down` samples become `up`
    lower_rate = min(old_rate, new_rate)
    half = -(-_ZERO_CROSSINGS * old_rate // lower_rate)
    margin = -(-half // down)  # of a block, in groups of `down` samples, on each side
    groups = 4 * margin
    while groups * down < _BLOCK_SAMPLES:
        groups *= 2
    step = groups - 2 * margin

    response = _frequency_response(half, _CUTOFF * lower_rate / old_rate, groups * down) * (up / down)
    num_shared = min(groups * down, groups * up) // 2 + 1  # frequencies that both rates have
    num_out = -(-len(samples) * up // down)
    num_blocks = -(-num_out // (step * up))
    resampled = np.empty(num_blocks * step * up, np.float32)
    for block in range(num_blocks):
        start = (block * step - margin) * down
        spectrum = np.fft.rfft(_slice_with_zeros(samples, start, groups * down)) * response
        kept = np.zeros(groups * up // 2 + 1, spectrum.dtype)
        kept[:num_shared] = spectrum[:num_shared]
        piece = np.fft.irfft(kept, groups * up)
        resampled[block * step * up : (block + 1) * step * up] = piece[margin * up : (margin + step) * up]
    return resampled[:num_out]


def _frequency_response(half: int, cutoff: float, num_samples: int) -> np.ndarray:
    """Response (num_samples // 2 + 1,) of the low-pass filter of 2 half + 1 taps, without delay.

    `cutoff` is a fraction of the Nyquist frequency.
    """
    positions = np.arange(-half, half + 1)
    taps = np.sinc(cutoff * positions) * np.kaiser(2 * half + 1, _KAISER_BETA)
    around_zero = np.zeros(num_samples)
    around_zero[positions] = taps / taps.sum()  # negative positions wrap to the end
    return np.fft.rfft(around_zero)


def _slice_with_zeros(samples: np.ndarray, start: int, length: int) -> np.ndarray:
    """`length` samples from `start` on as float64 (numpy 1 and 2 then give the same), with zeros outside the sound."""
    inside = samples[max(start, 0) : max(start + length, 0)]
    piece = np.zeros(length)
    piece[max(-start, 0) :][: len(inside)] = inside
    return piece
