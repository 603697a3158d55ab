"""The output of a neural voice, and the utterance that it becomes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .misaki_phones import classes_of
from .pause_cutting import TimedSymbol, cut_pauses
from .utterance import Utterance, to_utterance

SHORTEST_SECONDS, LONGEST_SECONDS = 0.5, 16.0  # the end of a longer text may be cut off
LAG_SECONDS = 0.06  # by which the durations of hibari and Kokoro are late
_PEAK = 30000  # of 32767


@dataclass(frozen=True, eq=False)
class NeuralSound:
    """A text that a neural voice speaks.

    Attributes:
        samples: (N,) float32 mono.
        sample_rate: Hz.
        symbols: what the model speaks, with the times that it predicts.
        text: the words.
    """

    samples: np.ndarray
    sample_rate: int
    symbols: list[TimedSymbol]
    text: str

    @property
    def is_usable(self) -> bool:
        """True if the sound is neither too short nor so long that its text may be cut off."""
        return SHORTEST_SECONDS < len(self.samples) / self.sample_rate < LONGEST_SECONDS

    def as_pcm(self) -> np.ndarray:
        """The samples as in a 16-bit file, (N,) int16, with a peak of 30000."""
        return (self.samples * (_PEAK / max(1e-9, np.abs(self.samples).max()))).astype(np.int16)


def labelled_utterance(
    pcm: np.ndarray, sample_rate: int, symbols: list[TimedSymbol], speaker: str, text: str
) -> Utterance:
    """The utterance of a voice whose predicted times are late by `LAG_SECONDS`; its pauses are cut by level.

    Args:
        pcm: (N,) int16 mono.
        sample_rate: Hz.
        symbols: what the model speaks, with the times that it predicts.
        speaker: engine and voice.
        text: the words.
    """
    samples = pcm.astype(np.float32) / 32768
    segments = cut_pauses(samples, sample_rate, symbols, LAG_SECONDS)
    return to_utterance(samples, sample_rate, segments, classes_of, speaker, text)
