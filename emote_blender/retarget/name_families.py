"""Families of shape-key names: who spells which signal how. Read from `presets/names/*.json`.

A name in a file may hold a group that stands for several names: `{side}` (L, R), `{quarter}` (UL, UR, DL, DR),
`{corner}` (LB, LT, RB, RT) or `{half}` (Upper, Lower). A signal with `{side}` follows the name's side. A signal without
a side that ARKit has for each side is moved by both, half each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ..files.dataclass_reader import FieldError, read_dataclass
from .name_words import LEFT, RIGHT, words_of
from .signals import ARKIT_NAMES

VERSION = 1
VISEMES = tuple(f"viseme_{name}" for name in "sil PP FF TH DD kk CH SS nn RR aa E ih oh ou".split())
"""The 15 visemes of Oculus and Meta, as sources of rows."""
SIGNALS = frozenset((*ARKIT_NAMES, "tongueUp"))
"""Signals that shapes of a face show."""
_GROUPS = {
    "{side}": (LEFT, RIGHT),
    "{quarter}": ("UL", "UR", "DL", "DR"),
    "{corner}": ("LB", "LT", "RB", "RT"),
    "{half}": ("Upper", "Lower"),
}
_SIDE_NAMES = {LEFT: "Left", RIGHT: "Right"}
_ORDER = ("arkit", "plain")  # the first family and the last one: of two that fit equally, the earlier is meant


@dataclass(frozen=True)
class FamilyFile:
    """A file of a family, as it is written.

    Attributes:
        version: of the format.
        name: what users call the family.
        shapes: signal by name.
        mixes: strength of each signal by name, for shapes of several signals.
        visemes: viseme (PP, aa, ...) by name.
        least: number of visemes that must be there before single letters are taken for visemes.
        opens_jaw: whether the visemes open the jaw themselves.
        whole_faces: names of emotions.
    """

    version: int
    name: str
    shapes: dict[str, str] = field(default_factory=dict)
    mixes: dict[str, dict[str, float]] = field(default_factory=dict)
    visemes: dict[str, str] = field(default_factory=dict)
    least: int = 4
    opens_jaw: bool = True
    whole_faces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Meaning:
    """What a shape key shows.

    Attributes:
        signals: strength by signal.
        part: which of several keys that share one signal this is, such as L or UR; empty if it is alone.
        is_both: whether it shows both sides of what ARKit has for each side.
    """

    signals: tuple[tuple[str, float], ...]
    part: str = ""
    is_both: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it is one signal, and no other key shares it."""
        return not self.part and not self.is_both


@dataclass(frozen=True, eq=False)
class Family:
    """A family of names.

    Attributes:
        rank: place among the families; the earlier is preferred.
        name: what users call it.
        exact: meaning by all words joined, sides included.
        sided: meaning by words joined without the side, and the side or nothing.
        visemes: source (viseme_PP, ...) by all words joined.
        longest: number of words of the longest viseme's name.
        least: number of visemes that must be there.
        opens_jaw: whether the visemes open the jaw themselves.
        whole_faces: names of emotions, words joined.
    """

    rank: int
    name: str
    exact: Mapping[str, Meaning]
    sided: Mapping[tuple[str, str], Meaning]
    visemes: Mapping[str, str]
    longest: int
    least: int
    opens_jaw: bool
    whole_faces: frozenset[str]


@cache
def families() -> tuple[Family, ...]:
    """All families that ship."""
    files = sorted(Path(__file__).with_name("presets").joinpath("names").glob("*.json"), key=_rank_of_file)
    return tuple(read_family(path, rank) for rank, path in enumerate(files))


def _rank_of_file(path: Path) -> tuple[int, str]:
    return (_ORDER.index(path.stem) * 2 if path.stem in _ORDER else 1), path.stem


def read_family(path: Path, rank: int = 0) -> Family:
    """A family from its file.

    Raises:
        ValueError: the file is not one of this format, or names a signal that does not exist.
    """
    try:
        written = read_dataclass(FamilyFile, json.loads(path.read_text(encoding="utf-8")))
        if written.version != VERSION:
            raise ValueError(f"version {written.version} is unknown, expected {VERSION}")
        return _family(written, rank)
    except FieldError as error:
        raise ValueError(f"{path}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _family(written: FamilyFile, rank: int) -> Family:
    exact: dict[str, Meaning] = {}
    sided: dict[tuple[str, str], Meaning] = {}
    pairs: dict[str, dict[str, Meaning]] = {}
    shapes = {name: {signal: 1.0} for name, signal in written.shapes.items()} | written.mixes
    for template, strengths in shapes.items():
        for name, side, part in _expanded(template):
            meaning = _meaning(strengths, side, part)
            words = words_of(name)
            exact.setdefault("".join(words.all), meaning)
            stem = "".join(words.plain)
            if len(words.sides) > 1 or not stem:
                continue
            sided.setdefault((stem, words.side), meaning)
            if side:
                pairs.setdefault(stem, {})[side] = meaning
            elif not words.sides and not part and not SIGNALS & strengths.keys():
                for each in (LEFT, RIGHT):
                    one_side = {f"{signal}{{side}}": strength for signal, strength in strengths.items()}
                    sided.setdefault((stem, each), _meaning(one_side, each, ""))
            if words.side:
                long = _SIDE_NAMES[words.side].lower()
                for spelled in (stem + long, stem + words.side.lower(), long + stem):
                    exact.setdefault(spelled, meaning)
    for stem, pair in pairs.items():
        if len(pair) == 2 and not pair[LEFT].part and (stem, "") not in sided:
            sided[stem, ""] = exact[stem] = Meaning(_halves(pair[LEFT], pair[RIGHT]), is_both=True)
    for (stem, side), meaning in list(sided.items()):
        if not side and meaning.is_whole and (stem, LEFT) not in sided:
            sided |= {(stem, each): Meaning(meaning.signals, part=each) for each in (LEFT, RIGHT)}
    visemes, longest = {}, 0
    for name, viseme in written.visemes.items():
        source = f"viseme_{viseme}"
        if source not in VISEMES:
            raise ValueError(f"visemes.{name} is {viseme!r}, expected one of {', '.join(VISEMES)} without viseme_")
        every = words_of(name).all
        visemes["".join(every)] = source
        longest = max(longest, len(every))
    faces = frozenset("".join(words_of(name).all) for name in written.whole_faces)
    return Family(rank, written.name, exact, sided, visemes, longest, written.least, written.opens_jaw, faces)


def _expanded(template: str) -> Iterator[tuple[str, str, str]]:
    """Each name that a template stands for, its side, and which of the group's names it is."""
    for group, members in _GROUPS.items():
        if group in template:
            for member in members:
                yield template.replace(group, member), member if group == "{side}" else "", member
            return
    yield template, "", ""


def _meaning(strengths: Mapping[str, float], side: str, part: str) -> Meaning:
    """The meaning of one name; raises ValueError if it names an unknown signal."""
    signals: list[tuple[str, float]] = []
    is_both = len(strengths) > 1
    is_shared = any("{side}" not in written for written in strengths)
    for written, strength in strengths.items():
        name = written.replace("{side}", _SIDE_NAMES.get(side, ""))
        if name in SIGNALS:
            signals.append((name, float(strength)))
        elif name + "Left" in SIGNALS:
            signals += [(name + each, 0.5 * float(strength)) for each in _SIDE_NAMES.values()]
            is_both = True
        else:
            raise ValueError(f"unknown signal {written!r}")
    return Meaning(tuple(signals), part if is_shared else "", is_both)


def _halves(first: Meaning, second: Meaning) -> tuple[tuple[str, float], ...]:
    """Both sides, half each."""
    return tuple((name, 0.5 * strength) for meaning in (first, second) for name, strength in meaning.signals)
