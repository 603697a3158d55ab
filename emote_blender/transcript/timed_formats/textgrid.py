"""Praat's TextGrid, long or short: interval and point tiers."""

from __future__ import annotations

import re

from .tiers import Tier, tiers_of_words
from .written_cue import DamagedText, TimedText, WrittenCue

# Praat reads free-standing numbers, texts in quotes and flags; all else is comment ("intervals [1]:", "xmin =").
_TOKEN = re.compile(r"\"((?:[^\"]|\"\")*)\"|(?<!\S)(-?\d+(?:\.\d+)?(?:[eE][-+]?\d{1,3})?)(?!\S)|(<exists>|<absent>)")
_MOST_TIERS = 1000


def read_textgrid(text: str) -> TimedText | None:
    """The words of a TextGrid; None if the text is none. Raises DamagedText."""
    start = text.lstrip()[:400]
    if "ooTextFile" not in start and not re.match(r"\"?Praat", start):
        if start.startswith("ooBinaryFile"):
            raise DamagedText("is a binary TextGrid; save it in Praat as a text file")
        return None
    if "TextGrid" not in start:
        raise DamagedText("is a file of Praat, but no TextGrid")
    try:
        tiers = _tiers(_Tokens(text[text.index("TextGrid") :]))
    except (StopIteration, ValueError, OverflowError) as error:
        raise DamagedText("is a damaged TextGrid; save it again in Praat") from error
    chosen = tiers_of_words(tiers)
    cues = [cue for tier in chosen for cue in tier.cues]
    return TimedText(sorted(cues, key=lambda cue: cue.start_seconds) if len(chosen) > 1 else cues)


class _Tokens:
    """The tokens of a TextGrid, in order; its methods raise StopIteration at the end, ValueError for another kind."""

    def __init__(self, text: str) -> None:
        closing = text.index('"') + 1 if '"' in text[:12] else 0  # of "TextGrid"
        self._matches = _TOKEN.finditer(text, closing)

    def text(self) -> str:
        match = next(self._matches)
        if match.group(1) is None:
            raise ValueError("a number where a text is expected")
        return match.group(1).replace('""', '"')

    def number(self) -> float:
        match = next(self._matches)
        while match.group(3) is not None:
            match = next(self._matches)
        return float(match.group(2) or "nan" if match.group(1) is None else "text")


def _tiers(tokens: _Tokens) -> list[Tier]:
    tokens.number()  # start and end of the whole
    tokens.number()
    tiers = []
    for _ in range(min(int(tokens.number()), _MOST_TIERS)):
        kind, name = tokens.text(), tokens.text()
        tokens.number()
        tokens.number()
        cues = []
        for _ in range(int(tokens.number())):
            start = tokens.number()
            end = tokens.number() if kind == "IntervalTier" else None
            cues.append(WrittenCue(tokens.text(), start, end))
        tiers.append(Tier(name, tuple(cues)))
    return tiers
