"""Band-limited change of a sound's sample rate, with numpy alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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

    Args:
        samples: (N,) float32, one channel, N >= 1.
        old_rate: samples per second of `samples`.
        new_rate: samples per second of the result.

    Returns:
        (ceil(N * new_rate / old_rate),) float32.
    """
    return np.concatenate(list(resample_blocks([samples], old_rate, new_rate)))


def resample_blocks(blocks: Iterable[np.ndarray], old_rate: int, new_rate: int) -> Iterator[np.ndarray]:
    """Yield a sound at another sample rate, piece by piece, as `resample` does for the blocks laid end to end.

    Stretches that overlap by the filter's length are filtered in the frequency domain, and the spectrum is cut (or
    extended by zeros) to the length that the new rate gives the stretch.
    """
    divisor = gcd(old_rate, new_rate)
    down, up = old_rate // divisor, new_rate // divisor  # `down` samples become `up`
    lower_rate = min(old_rate, new_rate)
    half = -(-_ZERO_CROSSINGS * old_rate // lower_rate)
    margin = -(-half // down)  # of a stretch, in groups of `down` samples, on each side
    groups = 4 * margin
    while groups * down < _BLOCK_SAMPLES:
        groups *= 2
    step = groups - 2 * margin

    response = _frequency_response(half, _CUTOFF * lower_rate / old_rate, groups * down) * (up / down)
    num_shared = min(groups * down, groups * up) // 2 + 1  # frequencies that both rates have

    def filtered(stretch: np.ndarray) -> np.ndarray:
        spectrum = np.fft.rfft(stretch.astype(np.float64)) * response  # numpy 1 and 2 then give the same
        kept = np.zeros(groups * up // 2 + 1, spectrum.dtype)
        kept[:num_shared] = spectrum[:num_shared]
        return np.fft.irfft(kept, groups * up)[margin * up : (margin + step) * up].astype(np.float32)

    waiting = np.zeros(margin * down, np.float32)  # silence before the sound
    num_in = num_out = 0
    for block in blocks:
        num_in += len(block)
        waiting = np.concatenate([waiting, block])
        start = 0
        while len(waiting) - start >= groups * down:
            yield filtered(waiting[start : start + groups * down])
            start += step * down
            num_out += step * up
        waiting = waiting[start:]
    num_left = -(-num_in * up // down) - num_out
    while num_left > 0:
        piece = filtered(np.pad(waiting[: groups * down], (0, max(0, groups * down - len(waiting)))))
        yield piece[:num_left]
        num_left -= len(piece)
        waiting = waiting[step * down :]


def _frequency_response(half: int, cutoff: float, num_samples: int) -> np.ndarray:
    """Response (num_samples // 2 + 1,) of the low-pass filter of 2 half + 1 taps, without delay.

    `cutoff` is a fraction of the Nyquist frequency.
    """
    positions = np.arange(-half, half + 1)
    taps = np.sinc(cutoff * positions) * np.kaiser(2 * half + 1, _KAISER_BETA)
    around_zero = np.zeros(num_samples)
    around_zero[positions] = taps / taps.sum()  # negative positions wrap to the end
    return np.fft.rfft(around_zero)
