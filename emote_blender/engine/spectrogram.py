"""The log-mel spectrogram in numpy; equals the torch module that the encoder was trained with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..sample_store import Samples
from ..speech_model.clip_statistics import LogMelStatistics
from ..speech_model.log_mel import FFT_SIZE, FLOOR, HOP, LIMIT, WINDOW, mel_filters

_PIECE = 2000  # spectra per step: temporary arrays stay below 20 MB however long the clip is


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
            offset = spectra @ self._window / self._window.sum()  # a constant part would leak into the lowest bands
            spectrum = np.fft.rfft((spectra - offset[:, None]) * self._window, FFT_SIZE)
            squares = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
            power[:, piece] = np.add.reduceat(squares[:, self._bins] * self._weights, self._starts, axis=1).T
        return power

    def normalized(self, power: np.ndarray, statistics: LogMelStatistics, first: int = 0) -> np.ndarray:
        """Normalised log-mel (M, L), about -5 (silence) to 5, of mel power (M, L).

        Args:
            power: from `power`.
            statistics: those of the clip.
            first: index of the first spectrum in the clip.
        """
        each = statistics.of_spectra(first, power.shape[1])
        loudest = np.maximum(each.loudest, power.mean(0))  # a sound that is louder than the voice is made as loud
        mel = np.log(power / loudest + np.float32(FLOOR))
        mel -= each.mean
        mel /= each.deviation
        return mel.clip(-LIMIT, LIMIT, out=mel)


def _pieces(length: int) -> Iterator[slice]:
    """Slices that cover a length."""
    return (slice(start, start + _PIECE) for start in range(0, length, _PIECE))
