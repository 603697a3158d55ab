"""The given phones of a speech model: a transcript's phones where its words match the sound, none elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from .alignment import DEFAULT_COSTS, OTHER_SOUND, PAUSE, AlignmentCosts, align
from .fit import RATE, given_classes, measure_fit
from .locating import Place, locate
from .phones import CLASSES, SILENCE
from .pronunciation import PronouncedWord, Pronunciation
from .report import MISFIT, NOT_FOUND, AlignedWord, TranscriptReport
from .script import Script

# Texts that are short for the sound are aligned as a whole; the place of the sound in others is searched for first.
_SHORT_LETTERS, _LETTERS_PER_SECOND = 4000, 50
_MOST_CELLS = 6e7  # letters times frames
_MARGIN_SECONDS = 1.5  # by which words may begin before their cue, or after it
# Times of cues are given up if they explain less than this share of the sound, for so many times the evidence and nats.
_WELL_EXPLAINED, _CLEARLY_MORE, _CLEARLY = 0.8, 1.2, 20.0
_SHORTEST_REPORTED = 0.3  # seconds of other sound
_MOST_PAUSE_MISFIT = 2.6  # nats, see `fit`


@dataclass(frozen=True, eq=False)
class FollowedTranscript:
    """A transcript as the input of a speech model.

    Attributes:
        phones: (T, C) given phones at 50 Hz: rows that sum to 1 where the transcript is followed, else zeros.
        report: how well the transcript matches.
        evidence: see `Fit`.
    """

    phones: np.ndarray
    report: TranscriptReport = field(compare=False)
    evidence: float = 0.0


def follow_script(
    posteriors: np.ndarray, script: Script, cancelled: Callable[[], bool] | None = None
) -> FollowedTranscript:
    """The phones of a transcript at their places in a clip; of a long one, only the part that is spoken is pronounced.

    The times of cues are used, unless the words explain clearly more of the sound without them.

    Args:
        posteriors: (T, C) probabilities of the phone classes at 50 Hz, from the model's phone head.
        script: the transcript.
        cancelled: called every few sentences of the text and every few seconds of the sound.

    Raises:
        InputError: if espeak-ng can speak none of the words.
        Cancelled: if `cancelled` returns True.
    """
    if not script.has_times:
        return _follow_text(posteriors, script, cancelled)
    timed = _follow_cues(posteriors, script, cancelled)
    if timed is not None and not timed.report.ignored and timed.report.share_of_sound >= _WELL_EXPLAINED:
        return timed
    free = _follow_text(posteriors, script, cancelled)
    if timed is None or (not free.report.ignored and free.evidence > timed.evidence * _CLEARLY_MORE + _CLEARLY):
        return free
    return timed


def _follow_cues(
    posteriors: np.ndarray, script: Script, cancelled: Callable[[], bool] | None
) -> FollowedTranscript | None:
    """The words within the times of their cues; None if no cue has words during the sound."""
    begin, end = -_MARGIN_SECONDS, len(posteriors) / RATE + _MARGIN_SECONDS
    passages = [passage for passage in script.passages if passage.is_within(begin, end)]
    words = [
        word for word in script.words(passages, cancelled) if word.end_seconds >= begin and word.start_seconds <= end
    ]
    if not words:
        return None
    seconds = np.array([(word.start_seconds - _MARGIN_SECONDS, word.end_seconds + _MARGIN_SECONDS) for word in words])
    pronunciation = script.pronunciation(words)
    return follow(posteriors, pronunciation, cancelled=cancelled, limits=np.round(seconds * RATE).astype(np.int64))


def _follow_text(posteriors: np.ndarray, script: Script, cancelled: Callable[[], bool] | None) -> FollowedTranscript:
    """The words wherever they are spoken, whatever the times of their cues."""
    num_frames = len(posteriors)
    if script.num_letters <= _SHORT_LETTERS + _LETTERS_PER_SECOND * num_frames / RATE:
        if script.num_letters * num_frames <= _MOST_CELLS:
            pronunciation = script.pronounce(cancelled)
            return _without_times(follow(posteriors, pronunciation, cancelled=cancelled), pronunciation)
    rough = script.rough_phones(cancelled)
    places = locate(posteriors, rough, cancelled) or [Place(0, 0, num_frames)]
    words: list[PronouncedWord] = []
    limits: list[tuple[int, int]] = []
    for place in places:
        found = script.words([script.passages[place.passage]], cancelled)
        words += found
        limits += [(place.start, place.stop)] * len(found)
    near = {place.passage for place in places}
    elsewhere = sum(passage.num_words for index, passage in enumerate(script.passages) if index not in near)
    pronunciation = script.pronunciation(words)
    followed = follow(
        posteriors,
        pronunciation,
        cancelled=cancelled,
        limits=np.array(limits),
        num_phones=sum(map(len, rough)),
        num_elsewhere=elsewhere,
    )
    return _without_times(followed, pronunciation)


def _without_times(followed: FollowedTranscript, pronunciation: Pronunciation) -> FollowedTranscript:
    """With a report of how far the words are from the times of their cues, if they have any."""
    if followed.report.ignored:
        return followed
    offsets = [
        aligned.start_seconds + aligned.end_seconds - word.start_seconds - word.end_seconds
        for aligned, word in zip(followed.report.words, pronunciation.words)
        if aligned.fits and math.isfinite(word.end_seconds)
    ]
    if not offsets:
        return followed
    return replace(followed, report=replace(followed.report, times_off=float(np.median(offsets)) / 2))


def follow(
    posteriors: np.ndarray,
    pronunciation: Pronunciation,
    costs: AlignmentCosts = DEFAULT_COSTS,
    cancelled: Callable[[], bool] | None = None,
    limits: np.ndarray | None = None,
    num_phones: int = 0,
    num_elsewhere: int = 0,
) -> FollowedTranscript:
    """The phones of words at their places in a clip.

    Args:
        posteriors: (T, C) probabilities of the phone classes at 50 Hz, from the model's phone head.
        pronunciation: the words.
        costs: see `align`.
        cancelled: see `align`.
        limits: see `align`.
        num_phones: number of phones of the whole text, if these words were found as a part of it.
        num_elsewhere: number of words of the whole text besides these.

    Raises:
        Cancelled: if `cancelled` returns True.
    """
    if posteriors.ndim != 2 or posteriors.shape[1] != len(CLASSES):
        raise ValueError(f"posteriors (T, {len(CLASSES)}) expected, found {posteriors.shape}")
    phones = [word.phones for word in pronunciation.words]
    flat = np.array([phone for word in phones for phone in word])
    word_of = np.repeat(np.arange(len(phones)), [len(word) for word in phones])
    sounding = align(posteriors, phones, costs, cancelled, limits)
    fit = measure_fit(posteriors, sounding, flat, word_of, costs, max(num_phones, len(flat)))
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
        num_elsewhere,
    )
    rows = np.zeros(posteriors.shape, dtype=np.float32)
    if fit.is_spoken:
        follows = _is_pause(sounding, fit.misfit)
        follows[sounding >= 0] = fit.fits[word_of[sounding[sounding >= 0]]]
        rows[np.flatnonzero(follows), given_classes(sounding, flat)[follows]] = 1.0
    return FollowedTranscript(rows, report, fit.evidence)


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
