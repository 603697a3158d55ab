"""The statistics of a clip by which its log-mel spectrogram is normalised, passage by passage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .log_mel import (
    DEVIATION_FLOOR,
    FLOOR,
    FRAME_SAMPLES,
    HOP,
    LOWEST_MEAN,
    SILENT,
    SPEECH_LEVEL,
    SPEECH_STEEPNESS,
)
from .passages import Passage, find_passages, spectrum_level

_PIECE = 2000  # spectra per step: temporary arrays stay below 20 MB however long the clip is
_SPECTRA_PER_FRAME = FRAME_SAMPLES // HOP


@dataclass(frozen=True, eq=False)
class LogMelStatistics:
    """Statistics of the P passages of a clip.

    Attributes:
        starts: (P,) int64 first spectrum of each passage.
        loudest: (P,) greatest mean mel power.
        mean: (M, P) mean of the louder spectra.
        deviation: (P,) deviation of the louder spectra.
    """

    starts: np.ndarray
    loudest: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    def from_frame(self, frame: int) -> LogMelStatistics:
        """The same statistics for a window that begins at a frame of motion of the clip."""
        return LogMelStatistics(self.starts - frame * _SPECTRA_PER_FRAME, self.loudest, self.mean, self.deviation)

    def of_spectra(self, first: int, count: int) -> LogMelStatistics:
        """The statistics by which each of `count` spectra is normalised: P = count, from spectrum `first` on."""
        passage = np.searchsorted(self.starts, np.arange(first, first + count), "right") - 1
        passage = passage.clip(min=0)  # what is before the clip is silence
        return LogMelStatistics(
            np.arange(first, first + count), self.loudest[passage], self.mean[:, passage], self.deviation[passage]
        )


def measure_log_mel(power: np.ndarray) -> LogMelStatistics:
    """Statistics of a clip with mel power (M, L), L > 0."""
    level = np.concatenate([spectrum_level(power[:, piece]) for piece in _pieces(0, power.shape[1])])
    passages = find_passages(level)
    measured = [_measure_passage(power, level, passage) for passage in passages]
    loudest, mean, deviation = zip(*measured, strict=True)
    return LogMelStatistics(
        np.array([passage.start for passage in passages]),
        np.array(loudest, np.float32),
        np.stack(mean, axis=1).astype(np.float32),
        np.array(deviation, np.float32),
    )


def _measure_passage(power: np.ndarray, level: np.ndarray, passage: Passage) -> tuple[float, np.ndarray, float]:
    """Loudest mean power, mean (M,) and deviation of the voice in a passage."""
    pieces = list(_pieces(passage.start, passage.stop))
    voices = [level[piece] <= passage.limit for piece in pieces]
    loudest = max(
        float(power[:, piece].mean(0)[voice].max(initial=0)) for piece, voice in zip(pieces, voices, strict=True)
    )
    silent, loudest = loudest < SILENT, max(loudest, SILENT)
    depth = np.concatenate([_log(power[:, piece], loudest).mean(0) for piece in pieces])
    depth[~np.concatenate(voices)] = -np.inf
    speech = 1 / (1 + np.exp((depth.max() - depth - SPEECH_LEVEL) * SPEECH_STEEPNESS))
    speech /= speech.sum(dtype=np.float64)
    first, second = np.zeros((2, len(power)))
    for piece in pieces:
        mel = _log(power[:, piece], loudest)
        weighted = mel * speech[piece.start - passage.start : piece.stop - passage.start]
        first += weighted.sum(1, dtype=np.float64)
        second += (weighted * mel).sum(1, dtype=np.float64)
    mean = first.clip(min=LOWEST_MEAN)
    variance = second - 2 * mean * first + mean**2
    # A clip of silence has no speech to measure; this gives it the features of silence between words.
    deviation = DEVIATION_FLOOR if silent else float(np.sqrt(variance.mean())) + DEVIATION_FLOOR
    return loudest, mean, deviation


def _log(power: np.ndarray, loudest: float) -> np.ndarray:
    """The logarithm of power relative to the loudest moment."""
    return np.log(power / np.float32(loudest) + np.float32(FLOOR))


def _pieces(start: int, stop: int) -> Iterator[slice]:
    """Slices that cover the spectra from `start` to `stop`."""
    return (slice(first, min(first + _PIECE, stop)) for first in range(start, stop, _PIECE))
