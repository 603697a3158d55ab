"""The log-mel spectrogram in numpy; equals the torch module that the encoder was trained with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..sample_store import Samples
from ..speech_model.log_mel import (
    DEVIATION_FLOOR,
    FFT_SIZE,
    FLOOR,
    HOP,
    LIMIT,
    LOWEST_MEAN,
    SILENT,
    SPEECH_LEVEL,
    SPEECH_STEEPNESS,
    WINDOW,
    mel_filters,
)

_PIECE = 2000  # spectra per step: temporary arrays stay below 20 MB however long the clip is


@dataclass(frozen=True, eq=False)
class LogMelStatistics:
    """Statistics of a clip, by which its spectrogram is normalised.

    Attributes:
        loudest: greatest mean mel power.
        mean: (M, 1) mean of the louder spectra.
        deviation: deviation of the louder spectra.
    """

    loudest: float
    mean: np.ndarray
    deviation: float


class LogMelSpectrogram:
    """See the torch module of this name; arrays have no batch dimension."""

    def __init__(self, num_mels: int) -> None:
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
        filters = mel_filters(num_mels)
        mels, self._bins = np.nonzero(filters.T)  # triangles have few bins: a sum over these is no product of matrices
        self._weights = filters[self._bins, mels]
        self._starts = np.searchsorted(mels, np.arange(num_mels))

    def power(self, samples: Samples) -> np.ndarray:
        """Mel power (M, N / HOP) of samples (N,), N a multiple of HOP; silence is assumed around them."""
        half = WINDOW // 2
        num_spectra = len(samples) // HOP
        power = np.empty((len(self._starts), num_spectra), dtype=np.float32)
        for piece in _pieces(num_spectra):
            stop = min(piece.stop, num_spectra)
            first, last = piece.start * HOP - half, (stop - 1) * HOP + half
            inside = samples[max(first, 0) : last]
            padded = np.pad(inside, (max(-first, 0), max(last - len(samples), 0)))
            spectra = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
            spectrum = np.fft.rfft(spectra * self._window, FFT_SIZE)
            squares = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
            power[:, piece] = np.add.reduceat(squares[:, self._bins] * self._weights, self._starts, axis=1).T
        return power

    def statistics(self, power: np.ndarray) -> LogMelStatistics:
        """Statistics of a clip with mel power (M, L)."""
        loudest = float(power.mean(0).max())
        silent, loudest = loudest < SILENT, max(loudest, SILENT)
        level = np.concatenate([_log(power[:, piece], loudest).mean(0) for piece in _pieces(power.shape[1])])
        speech = 1 / (1 + np.exp((level.max() - level - SPEECH_LEVEL) * SPEECH_STEEPNESS))
        speech /= speech.sum(dtype=np.float64)
        first, second = np.zeros((2, len(power), 1))
        for piece in _pieces(power.shape[1]):
            mel = _log(power[:, piece], loudest)
            weighted = mel * speech[piece]
            first += weighted.sum(1, keepdims=True, dtype=np.float64)
            second += (weighted * mel).sum(1, keepdims=True, dtype=np.float64)
        mean = first.clip(min=LOWEST_MEAN)
        variance = second - 2 * mean * first + mean**2
        deviation = DEVIATION_FLOOR if silent else float(np.sqrt(variance.mean())) + DEVIATION_FLOOR
        return LogMelStatistics(loudest, mean.astype(np.float32), deviation)

    def normalized(self, power: np.ndarray, statistics: LogMelStatistics) -> np.ndarray:
        """Normalised log-mel (M, L), about -5 (silence) to 5, of mel power (M, L)."""
        mel = _log(power, statistics.loudest)
        mel -= statistics.mean
        mel /= np.float32(statistics.deviation)
        return mel.clip(-LIMIT, LIMIT, out=mel)


def _log(power: np.ndarray, loudest: float) -> np.ndarray:
    """The logarithm of power relative to the loudest moment."""
    return np.log(power / np.float32(loudest) + np.float32(FLOOR))


def _pieces(length: int) -> Iterator[slice]:
    """Slices that cover a length."""
    return (slice(start, start + _PIECE) for start in range(0, length, _PIECE))
