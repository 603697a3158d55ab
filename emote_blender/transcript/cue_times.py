"""Cues as they should be, from cues as files have them: times in order, nothing shown twice, words in phrases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from .timed_formats.written_cue import WrittenCue
from .timed_transcript import Cue

_SHOWN_WORDS = 60  # captions that roll show no more at once
_CONTIGUOUS_SECONDS = 0.5
_ROLLING_PAIRS, _ROLLING_SHARE = 3, 0.6
# Cues of single words are joined into phrases: a recogniser's times of words are less certain than those of phrases,
# and words are not pronounced one by one.
_WORD_SECONDS, _WORD_LETTERS = 1.5, 14
_PHRASE_GAP_SECONDS, _PHRASE_WORDS = 0.4, 12
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")
_LAST_SECONDS, _SECONDS_PER_LETTER = 5.0, 0.2  # length of a last cue that has no end


def mended_cues(written: Sequence[WrittenCue]) -> tuple[list[Cue], tuple[str, ...]]:
    """Cues with words, in the order of their start, and a sentence for each kind of fault.

    Args:
        written: with clean text; cues without words are left out.
    """
    written = [cue for cue in _without_rolling(written) if cue.text]
    warnings: list[str] = []

    def warn(faulty: list[WrittenCue], fault: str, cure: str) -> None:
        if faulty:
            what = "1 cue" if len(faulty) == 1 else f"{len(faulty)} cues"
            start = faulty[0].start_seconds
            place = f" at {start:.1f} s" if math.isfinite(start) else ""
            warnings.append(f"{what} of the transcript {fault} ({_short(faulty[0].text)!r}{place}): {cure}")

    warn([cue for cue in written if not _has_times(cue)], "without usable times", "left out")
    written = [cue for cue in written if _has_times(cue)]
    warn([cue for cue in written if _is_reversed(cue)], "with an end before the start", "start and end were swapped")
    written = [_in_order(cue) for cue in written]
    too_early = [cue for cue in written if cue.end_seconds is not None and cue.end_seconds <= 0.0 > cue.start_seconds]
    warn(too_early, "before the sound begins", "left out")
    if too_early:
        written = [cue for cue in written if cue not in too_early]
    if any(after.start_seconds < before.start_seconds for before, after in pairwise(written)):
        warnings.append("the cues of the transcript are not in the order of their times: they were sorted")
        written.sort(key=lambda cue: cue.start_seconds)
    warn(
        [cue for cue in written if cue.end_seconds == cue.start_seconds],
        "without duration",
        "taken to last until the next cue",
    )
    return _phrases(list(dict.fromkeys(_with_ends(written)))), tuple(warnings)


def _has_times(cue: WrittenCue) -> bool:
    return math.isfinite(cue.start_seconds) and (cue.end_seconds is None or math.isfinite(cue.end_seconds))


def _is_reversed(cue: WrittenCue) -> bool:
    return cue.end_seconds is not None and cue.end_seconds < cue.start_seconds


def _in_order(cue: WrittenCue) -> WrittenCue:
    """The cue, with its times swapped if they are reversed."""
    if cue.end_seconds is None or not _is_reversed(cue):
        return cue
    return WrittenCue(cue.text, cue.end_seconds, cue.start_seconds)


def _short(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:29]}…"


def _with_ends(written: list[WrittenCue]) -> list[Cue]:
    """Cues that end: one without an end, or without duration, lasts until the next one that begins later."""
    cues: list[Cue] = []
    next_start = math.inf
    for index in range(len(written) - 1, -1, -1):
        cue = written[index]
        start, end = cue.start_seconds, cue.end_seconds
        if index + 1 < len(written) and written[index + 1].start_seconds > start:
            next_start = written[index + 1].start_seconds
        if end is None or end == start:
            longest = start + max(_LAST_SECONDS, _SECONDS_PER_LETTER * len(cue.text))
            end = longest if math.isinf(next_start) else next_start
        cues.append(Cue(cue.text, start, end))
    return cues[::-1]


def _without_rolling(written: Sequence[WrittenCue]) -> list[WrittenCue]:
    """The cues without words that were shown before, if they roll: YouTube's show each line two or three times.

    Each cue of such a file begins with the last words of the one before. That cues are the same is no evidence: someone
    may say "No!" three times.
    """
    words = [cue.text.casefold().split()[:_SHOWN_WORDS] for cue in written]
    shared = [0] + [
        _shared(before, after) if _is_contiguous(*cues) else 0
        for (before, after), cues in zip(pairwise(words), pairwise(written))
    ]
    num_rolling = sum(map(bool, shared))
    num_growing = sum(0 < count < len(own) for count, own in zip(shared, words))
    if num_rolling < max(_ROLLING_PAIRS, _ROLLING_SHARE * (len(written) - 1)) or not num_growing:
        return list(written)
    return [
        replace(cue, text=" ".join(cue.text.split()[count:])) if count else cue for cue, count in zip(written, shared)
    ]


def _is_contiguous(before: WrittenCue, after: WrittenCue) -> bool:
    end = before.start_seconds if before.end_seconds is None else before.end_seconds
    return before.start_seconds <= after.start_seconds <= end + _CONTIGUOUS_SECONDS


def _shared(before: list[str], after: list[str]) -> int:
    """The most words that end one text and begin the other."""
    return next((n for n in range(min(len(before), len(after)), 0, -1) if before[-n:] == after[:n]), 0)


def _phrases(cues: list[Cue]) -> list[Cue]:
    """The cues, with neighbours joined if most are single words."""
    short = [
        cue
        for cue in cues
        if " " not in cue.text
        and len(cue.text) <= _WORD_LETTERS
        and cue.end_seconds - cue.start_seconds < _WORD_SECONDS
    ]
    if len(cues) < 4 or len(short) < 0.6 * len(cues):
        return cues
    phrases: list[Cue] = []
    for cue in cues:
        last = phrases[-1] if phrases else None
        if (
            last is not None
            and cue.start_seconds - last.end_seconds <= _PHRASE_GAP_SECONDS
            and cue.start_seconds >= last.start_seconds
            and len(last.text.split()) < _PHRASE_WORDS
            and not last.text.endswith(_SENTENCE_ENDS)
        ):
            end = max(last.end_seconds, cue.end_seconds)
            phrases[-1] = Cue(f"{last.text} {cue.text}", last.start_seconds, end)
        else:
            phrases.append(cue)
    return phrases
