"""Guesses what a shape key shows whose name no family knows: by the meaning of its words, then by its letters."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from .name_families import SIGNALS, Meaning
from .name_words import EXPORTER_WORDS, LEFT, MEANINGS, RIGHT, Words, distance, sense_of

_BY_MEANING, _BY_LETTERS = 0.7, 0.55
_ODD_WORD = 0.1  # off the certainty for each word that is unknown or misspelt
_FEWEST_LETTERS = 7  # of a name that is compared by its letters
_LONG = 11  # letters of a name in which two may differ


@dataclass(frozen=True)
class Guess:
    """What a shape key may show.

    Attributes:
        meaning: what.
        certainty: 0 to 1.
        may_be_build: whether the name may as well be that of a shape that builds the face.
    """

    meaning: Meaning
    certainty: float
    may_be_build: bool = False


def guess(words: Words) -> Guess | None:
    """What a key may show that no family knows; None if its name says nothing."""
    if len(set(words.sides)) > 1:
        return None
    sense = sense_of(words.plain)
    meaning = None if sense is None else _meaning_of_stem(sense.stem, words.side or sense.side)
    if sense is not None and meaning is not None and not sense.odd:
        return Guess(meaning, _BY_MEANING, sense.may_be_build)
    similar = _similar_meaning(words)
    if similar is not None:
        return Guess(similar, _BY_LETTERS)
    if sense is None or meaning is None:
        return None
    return Guess(meaning, max(_BY_MEANING - _ODD_WORD * sense.odd, 0.1), sense.may_be_build)


def _similar_meaning(words: Words) -> Meaning | None:
    """What a name shows that differs from one of ARKit's by a letter or two; None without one."""
    chosen = [word for word in words.plain if word not in EXPORTER_WORDS and not word.isdigit()]
    if all(word in MEANINGS for word in chosen):
        return None  # well spelt: another shape
    stem = _similar("".join(chosen), bool(words.side))
    if not stem:
        return None
    return Meaning(((stem, 1.0),)) if stem in SIGNALS and not words.side else _meaning_of_stem(stem, words.side)


def _meaning_of_stem(stem: str, side: str) -> Meaning | None:
    """The meaning of a signal's name without its side; None if there is no such signal."""
    suffix = {LEFT: "Left", RIGHT: "Right"}.get(side, "")
    if stem == "browUp":
        outer = [
            ("browOuterUp" + each, 0.5 if suffix else 0.25) for each in ([suffix] if suffix else ["Left", "Right"])
        ]
        return Meaning((("browInnerUp", 0.5), *outer), side, is_both=True)
    if stem + suffix in SIGNALS:
        return Meaning(((stem + suffix, 1.0),))
    if stem in SIGNALS:
        return Meaning(((stem, 1.0),), part=side)
    if not suffix and stem not in ("jaw", "mouth") and stem + "Left" in SIGNALS:
        return Meaning(((stem + "Left", 0.5), (stem + "Right", 0.5)), is_both=True)
    return None


@cache
def _similar_names() -> dict[str, list[tuple[str, str]]]:
    """ARKit's names, and those that have a side also without it, in small letters and as they are, by two letters."""
    names = set(SIGNALS) | {name.removesuffix("Left") for name in SIGNALS if name.endswith("Left")}
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name in sorted(names - {"jaw", "mouth"}):
        found[name[:2].lower()].append((name.lower(), name))
    return dict(found)


def _similar(letters: str, has_side: bool) -> str:
    """The only name of ARKit, or stem of one, that differs by a letter or two; empty without one."""
    if len(letters) < _FEWEST_LETTERS:
        return ""
    limit = 1 if len(letters) < _LONG else 2
    best: list[tuple[int, str]] = []
    for name, signal in _similar_names().get(letters[:2], ()):
        if has_side and signal.endswith(("Left", "Right")):
            continue
        difference = distance(letters, name, limit)
        if difference <= limit:
            best.append((difference, signal))
    best.sort()
    if not best or (len(best) > 1 and best[0][0] == best[1][0]):
        return ""
    return best[0][1]
