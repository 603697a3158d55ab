"""The given phones of a speech model: a transcript's phones where its words match the sound, none elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .alignment import DEFAULT_COSTS, OTHER_SOUND, PAUSE, AlignmentCosts, align
from .phones import CLASSES, SILENCE, VISEMES
from .pronunciation import Pronunciation

RATE = 50  # posteriors per second

# Nats by which a word's phones may be less likely than the best classes; the second limit is for a word next to other
# sound. Found with voices that the open model was trained on (flite) and with voices that it was not (festival's
# Italian, Czech, Finnish and Catalan ones, which it encodes badly): lower limits would reject right words of those.
_MISFIT, _MISFIT_BESIDE_OTHER = 2.6, 1.6
_BESIDE = 2  # frames
# A text whose mean misfit is above this, and whose share of certain words is below this, is another text, or in another
# language.
_ALIEN_MISFIT, _ALIEN_SHARE, _CERTAIN, _UNHEARD = 1.6, 0.45, 1.5, 5.0
_SHORTEST_REPORTED = 0.3  # seconds of other sound
_MOST_SENTENCES = 8

NOT_HEARD, MISFIT = "not heard", "sounds different"

_VISEME_OF = np.array([[name in names for names in VISEMES.values()] for name in CLASSES], dtype=np.float32)  # (C, V)


@dataclass(frozen=True)
class AlignedWord:
    """A word of the transcript and its place in the sound.

    Attributes:
        text: the word as it is written.
        start_seconds: start of the word; if it does not match, the place where it would have to be.
        end_seconds: its end.
        reason: why the word was not followed; empty if it was.
    """

    text: str
    start_seconds: float
    end_seconds: float
    reason: str = ""

    @property
    def fits(self) -> bool:
        """Whether the word was followed."""
        return not self.reason


@dataclass(frozen=True)
class TranscriptReport:
    """How well a transcript matches a clip.

    Attributes:
        language: code of its language.
        words: all its words, in order.
        other_sound: (start, end) in seconds of sound that is not in the transcript.
        ignored: whether so little matches that no word was followed.
    """

    language: str
    words: tuple[AlignedWord, ...]
    other_sound: tuple[tuple[float, float], ...] = ()
    ignored: bool = False

    @property
    def share(self) -> float:
        """Share of the words that were followed."""
        return 0.0 if self.ignored else self.num_fitting / len(self.words)

    @property
    def num_fitting(self) -> int:
        """Number of the words that match the sound, followed or not."""
        return sum(word.fits for word in self.words)

    def as_dict(self) -> dict[str, Any]:
        """The report for JSON."""
        return {
            "language": self.language,
            "share_followed": round(self.share, 3),
            "words": [
                {
                    "text": word.text,
                    "start": round(word.start_seconds, 2),
                    "end": round(word.end_seconds, 2),
                    "fits": word.fits and not self.ignored,
                    "reason": word.reason or (self.ignored and "transcript ignored") or "",
                }
                for word in self.words
            ],
            "other_sound": [[round(start, 2), round(end, 2)] for start, end in self.other_sound],
        }

    def summary(self) -> dict[str, Any]:
        """The part of the report that a motion's metadata keeps."""
        return {
            "language": self.language,
            "words": len(self.words),
            "fitting": self.num_fitting,
            "followed": 0 if self.ignored else self.num_fitting,
            "misfits": self.sentences(),
        }

    def sentences(self) -> list[str]:
        """What does not match, one sentence each, in the order of the clip; empty if all words match."""
        num_words, num_fitting = len(self.words), self.num_fitting
        if self.ignored:
            return [
                f"the transcript does not fit the sound ({num_fitting} of {num_words} words do, read as "
                f"{self.language!r}); the sound alone was followed; check the text and its language"
            ]
        found = [*self._misfits(), *self._other_sounds()]
        found.sort()
        sentences = [sentence for _, sentence in found[:_MOST_SENTENCES]]
        if len(found) > _MOST_SENTENCES:
            more = len(found) - _MOST_SENTENCES
            sentences.append(f"{more} more places do not fit; {num_fitting} of {num_words} words were followed")
        return sentences

    def _misfits(self) -> list[tuple[float, str]]:
        """(seconds, sentence) for each run of words that do not match."""
        stretches: list[list[AlignedWord]] = []
        for before, word in zip((None, *self.words), self.words):
            if not word.fits:
                if before is None or before.fits:
                    stretches.append([])
                stretches[-1].append(word)
        found = []
        for stretch in stretches:
            start = stretch[0].start_seconds
            names = " ".join(word.text for word in stretch)
            names = names if len(names) <= 60 else names[:57] + "..."
            some = f"word {names!r}" if len(stretch) == 1 else f"words {names!r}"
            was_heard = any(word.reason != NOT_HEARD for word in stretch)
            what = ("do" if len(stretch) > 1 else "does") + " not fit the sound"
            what = what if was_heard else ("were" if len(stretch) > 1 else "was") + " not heard"
            found.append((start, f"{some} at {start:.1f} s {what}; the sound was followed there"))
        return found

    def _other_sounds(self) -> list[tuple[float, str]]:
        """(seconds, sentence) for each stretch of sound without a word of the transcript nearby."""
        misfits = [word for word in self.words if not word.fits]
        found = []
        for start, end in self.other_sound:
            is_misfit = any(word.start_seconds < end + 0.3 and word.end_seconds > start - 0.3 for word in misfits)
            if not is_misfit:
                what = f"{end - start:.1f} s of sound from {start:.1f} s are not in the transcript"
                found.append((start, f"{what}; the sound was followed there"))
        return found


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
    given = np.where(sounding >= 0, flat[np.maximum(sounding, 0)], SILENCE)
    misfit = _misfit(posteriors, given, costs.floor)
    misfits, beside_other = _word_misfits(sounding, misfit, word_of)
    fits = misfits <= np.where(beside_other, _MISFIT_BESIDE_OTHER, _MISFIT)
    reasons = [
        "" if fit else NOT_HEARD if np.isinf(misfit_of_word) else MISFIT for fit, misfit_of_word in zip(fits, misfits)
    ]
    ignored = _is_another_text(misfits, np.bincount(word_of))
    follows = _is_pause(sounding, misfit)
    follows[sounding >= 0] = fits[word_of[sounding[sounding >= 0]]]
    if ignored:
        follows[:] = False
    rows = np.zeros(posteriors.shape, dtype=np.float32)
    rows[np.flatnonzero(follows), given[follows]] = 1.0
    report = TranscriptReport(
        pronunciation.language,
        tuple(
            AlignedWord(word.text, start, end, reason)
            for word, (start, end), reason in zip(pronunciation.words, _spans(sounding, word_of), reasons)
        ),
        _other_sound(sounding, posteriors),
        ignored,
    )
    return FollowedTranscript(rows, report)


def _misfit(posteriors: np.ndarray, given: np.ndarray, floor: float) -> np.ndarray:
    """(T,) nats by which the given class (T,) is less likely than the most likely one.

    It is the mean of this difference for phones and for visemes: a phone of the right mouth shape is half as wrong.
    """
    phones = np.log(posteriors.astype(np.float64) + floor)
    visemes = np.log(posteriors.astype(np.float64) @ _VISEME_OF + floor)
    frames = np.arange(len(given))
    sound = phones.max(axis=1) - phones[frames, given]
    shape = visemes.max(axis=1) - visemes[frames, _VISEME_OF[given].argmax(axis=1)]
    return 0.5 * (sound + shape)


def _word_misfits(sounding: np.ndarray, misfit: np.ndarray, word_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(W,) mean misfit of each word's phones, infinite for a word without frames; and (W,) bool.

    The latter is True for a word next to other sound or next to a word without frames.

    Args:
        sounding: (T,) from `align`.
        misfit: (T,) from `_misfit`.
        word_of: (P,) word of each phone.
    """
    spoken = np.flatnonzero(sounding >= 0)
    frames = np.bincount(sounding[spoken], minlength=len(word_of))
    cost = np.bincount(sounding[spoken], misfit[spoken], minlength=len(word_of)) / np.maximum(frames, 1)
    lengths = np.bincount(word_of)
    is_heard = np.bincount(word_of, frames) > 0
    misfits = np.where(is_heard, np.bincount(word_of, cost) / lengths, np.inf)
    beside = np.zeros(len(lengths), dtype=bool)
    beside[1:] |= ~is_heard[:-1]
    beside[:-1] |= ~is_heard[1:]
    other = np.concatenate([[0], np.cumsum(sounding == OTHER_SOUND)])
    word_at = word_of[sounding[spoken]]  # ascending, as the words are spoken in order
    for word in np.flatnonzero(is_heard):
        first, last = np.searchsorted(word_at, (word, word + 1))
        start, stop = spoken[first] - _BESIDE, spoken[last - 1] + 1 + _BESIDE
        beside[word] |= other[min(stop, len(sounding))] > other[max(start, 0)]
    return misfits, beside


def _is_another_text(misfits: np.ndarray, lengths: np.ndarray) -> bool:
    """Whether words with these misfits (W,) and numbers of phones (W,) are not the text of the clip at all."""
    mean = np.average(np.minimum(misfits, _UNHEARD), weights=lengths)
    certain = np.average(misfits <= _CERTAIN, weights=lengths)
    return bool(mean > _ALIEN_MISFIT and certain < _ALIEN_SHARE)


def _is_pause(sounding: np.ndarray, misfit: np.ndarray) -> np.ndarray:
    """(T,) bool: frames of pauses that are silence in the sound; each pause as a whole."""
    pauses = np.zeros(len(sounding), dtype=bool)
    for first, last in _stretches(sounding):
        if sounding[first] == PAUSE:
            pauses[first:last] = misfit[first:last].mean() <= _MISFIT
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
