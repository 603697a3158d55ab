"""The given phones of a speech model: a transcript's phones where its words match the sound, none elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .alignment import DEFAULT_COSTS, OTHER_SOUND, PAUSE, AlignmentCosts, align
from .fit import RATE, given_classes, measure_fit
from .phones import CLASSES, SILENCE
from .pronunciation import Pronunciation
from .report import MISFIT, NOT_FOUND, AlignedWord, TranscriptReport

_SHORTEST_REPORTED = 0.3  # seconds of other sound
_MOST_PAUSE_MISFIT = 2.6  # nats, see `fit`


@dataclass(frozen=True, eq=False)
class FollowedTranscript:
    """A transcript as the input of a speech model.

    Attributes:
        phones: (T, C) given phones at 50 Hz: rows that sum to 1 where the transcript is followed, else zeros.
        report: how well the transcript matches.
    """

    phones: np.ndarray
    report: TranscriptReport = field(compare=False)


def follow(
    posteriors: np.ndarray,
    pronunciation: Pronunciation,
    costs: AlignmentCosts = DEFAULT_COSTS,
    cancelled: Callable[[], bool] | None = None,
) -> FollowedTranscript:
    """The phones of a transcript at their places in a clip.

    Args:
        posteriors: (T, C) probabilities of the phone classes at 50 Hz, from the model's phone head.
        pronunciation: the transcript's words.
        costs: see `align`.
        cancelled: see `align`.

    Raises:
        Cancelled: if `cancelled` returns True.
    """
    if posteriors.ndim != 2 or posteriors.shape[1] != len(CLASSES):
        raise ValueError(f"posteriors (T, {len(CLASSES)}) expected, found {posteriors.shape}")
    phones = [word.phones for word in pronunciation.words]
    flat = np.array([phone for word in phones for phone in word])
    word_of = np.repeat(np.arange(len(phones)), [len(word) for word in phones])
    sounding = align(posteriors, phones, costs, cancelled)
    fit = measure_fit(posteriors, sounding, flat, word_of, costs)
    report = TranscriptReport(
        pronunciation.language,
        tuple(
            AlignedWord(word.text, start, end, "" if fits else NOT_FOUND if np.isinf(misfit) else MISFIT)
            for word, (start, end), fits, misfit in zip(
                pronunciation.words, _spans(sounding, word_of), fit.fits, fit.misfits
            )
        ),
        _other_sound(sounding, posteriors),
        not fit.is_spoken,
        fit.share_of_sound,
    )
    rows = np.zeros(posteriors.shape, dtype=np.float32)
    if fit.is_spoken:
        follows = _is_pause(sounding, fit.misfit)
        follows[sounding >= 0] = fit.fits[word_of[sounding[sounding >= 0]]]
        rows[np.flatnonzero(follows), given_classes(sounding, flat)[follows]] = 1.0
    return FollowedTranscript(rows, report)


def _is_pause(sounding: np.ndarray, misfit: np.ndarray) -> np.ndarray:
    """(T,) bool: frames of pauses that are silence in the sound; each pause as a whole."""
    pauses = np.zeros(len(sounding), dtype=bool)
    for first, last in _stretches(sounding):
        if sounding[first] == PAUSE:
            pauses[first:last] = misfit[first:last].mean() <= _MOST_PAUSE_MISFIT
    return pauses


def _spans(sounding: np.ndarray, word_of: np.ndarray) -> list[tuple[float, float]]:
    """(start, end) of each word in seconds; a word without frames has the end of the one before."""
    spans, end = [], 0.0
    words = np.where(sounding >= 0, word_of[np.maximum(sounding, 0)], -1)
    places = {int(words[first]): (first / RATE, last / RATE) for first, last in _word_stretches(words)}
    for word in range(int(word_of[-1]) + 1):
        start, end = places.get(word, (end, end))
        spans.append((start, end))
    return spans


def _word_stretches(words: np.ndarray) -> list[tuple[int, int]]:
    """(first, last + 1) frame of each word of `words` (T,), -1 between words; includes pauses inside a word."""
    frames = np.flatnonzero(words >= 0)
    if not len(frames):
        return []
    return [(int(frames[first]), int(frames[last - 1]) + 1) for first, last in _stretches(words[frames])]


def _other_sound(sounding: np.ndarray, posteriors: np.ndarray) -> tuple[tuple[float, float], ...]:
    """(start, end) in seconds of sound that is neither a word of the text nor silence; short ones are left out."""
    found = []
    for first, last in _stretches(sounding):
        if sounding[first] == OTHER_SOUND:
            audible = np.flatnonzero(posteriors[first:last].argmax(axis=1) != SILENCE)
            if len(audible) >= _SHORTEST_REPORTED * RATE:
                found.append(((first + int(audible[0])) / RATE, (first + int(audible[-1]) + 1) / RATE))
    return tuple(found)


def _stretches(values: np.ndarray) -> list[tuple[int, int]]:
    """(first, last + 1) of each run of equal values."""
    edges = np.flatnonzero(np.diff(values)) + 1
    bounds = [0, *edges.tolist(), len(values)]
    return list(zip(bounds[:-1], bounds[1:]))
