"""Where the utterances of a sound are: stretches between pauses, short enough for a speech recogniser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...sample_store import Samples

SAMPLE_RATE = 16000
_HOP = 160  # samples of a level: 10 ms
_BLOCK = 60 * 100  # levels that are compared with each other: a minute
_FLOOR_DB = -100.0
_LOWEST_SPREAD_DB = 6.0  # between a pause and speech
_ABOVE_FLOOR = 0.3  # of the way from the floor to the loudest, above which is speech
_SHORTEST_PAUSE = 30  # levels
_MARGIN = 20  # levels of pause that are kept on each side
_SHORTEST_SPEECH = 8  # levels


def find_utterances(samples: Samples, longest_seconds: float = 15.0) -> list[tuple[int, int]]:
    """(start, stop) samples of each utterance, in order and without overlap; none if the sound is silent.

    Utterances end at pauses. One that is longer than `longest_seconds` is divided at its quietest moments.

    Args:
        samples: (N,) float32 at 16 kHz.
        longest_seconds: no utterance is longer.
    """
    levels = sound_levels(samples)
    loud = np.zeros(len(levels), dtype=bool)
    for start in range(0, len(levels), _BLOCK):
        loud[start : start + _BLOCK] = _is_loud(levels[start : start + _BLOCK])
    found = []
    for start, stop in _stretches(loud):
        for first, last in _divided(levels, start, stop, round(longest_seconds * 100)):
            found.append((first * _HOP, min(last * _HOP, len(samples))))
    return found


def group_utterances(
    utterances: Sequence[tuple[int, int]], longest_seconds: float, longest_pause_seconds: float
) -> Iterator[list[tuple[int, int]]]:
    """Yield neighbouring utterances together: a recogniser is surer with more around a word.

    Args:
        utterances: from `find_utterances`.
        longest_seconds: from the start of a group's first to the end of its last.
        longest_pause_seconds: between two utterances of a group.
    """
    group: list[tuple[int, int]] = []
    for start, stop in utterances:
        if group and (
            start - group[-1][1] > longest_pause_seconds * SAMPLE_RATE
            or stop - group[0][0] > longest_seconds * SAMPLE_RATE
        ):
            yield group
            group = []
        group.append((start, stop))
    if group:
        yield group


def sound_levels(samples: Samples) -> np.ndarray:
    """(ceil(N / 160),) level of every 10 ms in dB of full scale, without the constant offset of each."""
    pieces = []
    for start in range(0, len(samples), _HOP * _BLOCK):
        piece = np.asarray(samples[start : start + _HOP * _BLOCK], dtype=np.float32)
        piece = np.pad(piece, (0, -len(piece) % _HOP)).reshape(-1, _HOP)
        pieces.append(10 * np.log10(piece.var(axis=1) + 10 ** (_FLOOR_DB / 10)))
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def _is_loud(levels: np.ndarray) -> np.ndarray:
    """(L,) bool: whether each level is more than a pause of this stretch of sound."""
    audible = levels[levels > _FLOOR_DB + 20]
    if not len(audible):
        return np.zeros(len(levels), dtype=bool)
    floor, top = np.percentile(audible, (5, 95))
    if top - floor < _LOWEST_SPREAD_DB:  # no pause
        return levels > _FLOOR_DB + 20
    return levels > max(floor + _ABOVE_FLOOR * (top - floor), top - 45)


def _stretches(loud: np.ndarray) -> list[tuple[int, int]]:
    """(start, stop) of each stretch of loud levels with short pauses inside and a margin of pause around it."""
    frames = np.flatnonzero(loud)
    if not len(frames):
        return []
    breaks = np.flatnonzero(np.diff(frames) > _SHORTEST_PAUSE)
    starts = frames[np.concatenate([[0], breaks + 1])]
    stops = frames[np.concatenate([breaks, [len(frames) - 1]])] + 1
    found = []
    before = 0
    for index, (start, stop) in enumerate(zip(starts.tolist(), stops.tolist())):
        following = int(starts[index + 1]) if index + 1 < len(starts) else len(loud)
        if np.count_nonzero(loud[start:stop]) >= _SHORTEST_SPEECH:
            found.append((max(start - _MARGIN, (before + start) // 2), min(stop + _MARGIN, (stop + following) // 2)))
        before = stop
    return found


def _divided(levels: np.ndarray, start: int, stop: int, longest: int) -> Iterator[tuple[int, int]]:
    """The stretch [start, stop) in parts of at most `longest` levels, cut where it is quietest."""
    while stop - start > longest:
        first = start + longest // 2
        window = levels[first : start + longest]
        smooth = np.convolve(window, np.ones(15) / 15, mode="same")
        smooth[:8], smooth[-8:] = np.inf, np.inf  # at the ends the mean is of fewer levels
        cut = first + int(smooth.argmin())
        yield start, cut
        start = cut
    yield start, stop
