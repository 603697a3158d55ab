"""Finds the visemes among the names of shape keys: the set of the family of which most are there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from functools import cache

from .name_families import Family, families
from .name_words import EXPORTER_WORDS, MEANINGS, MISLEADING_WORDS, VISEME_WORDS, WHOLE_FACE_WORDS, Words

_LONG = 4  # letters on average of names that need no word such as viseme before them


def find_visemes(words: Mapping[str, Words]) -> tuple[dict[str, str], Family | None]:
    """The name in its family of each key of the best set of visemes, and that family; nothing without one.

    Names of one letter say nothing alone. So keys are grouped by the words before, without their numbers, and the
    family with the most names in a group is taken.
    """
    groups: dict[tuple[tuple[str, ...], int], dict[str, str]] = defaultdict(dict)
    known = families()
    endings = _viseme_endings()
    most = max(family.longest for family in known)
    for name, each in words.items():
        every = each.all
        forms = [every]
        if len(every) > 1 and every[-1].isdigit():
            forms.append(every[:-1])  # Ah_01
        for form in forms:
            for length in range(1, min(most, len(form)) + 1):
                joined = "".join(form[-length:])
                for rank in endings.get(joined, ()):
                    groups[_without_numbers(form[:-length]), rank][name] = joined
    beginnings = [_without_numbers(each.all[:-1]) for each in words.values()]
    prefixes = Counter(before[:length] for before in beginnings for length in range(1, min(5, len(before) + 1)))
    is_face = any(word in MEANINGS or word in WHOLE_FACE_WORDS for each in words.values() for word in each.plain)
    best: tuple[tuple[int, bool, int, int, int], dict[str, str], Family] | None = None
    for (before, rank), found in groups.items():
        family = known[rank]
        distinct = len({family.visemes[joined] for joined in found.values()})
        says_little = all(len(joined) == 1 for joined in found.values()) and not VISEME_WORDS.intersection(before)
        least = family.least + says_little  # single letters
        if distinct < least or (best is not None and distinct < best[0][0]):
            continue
        if not _may_precede(before, found.values(), is_face and prefixes[before] > len(words) / 2):
            continue
        has_letters = not all(joined.isdigit() for joined in found.values())
        score = (distinct, has_letters, len(found), -len(before), -rank)
        if best is None or score > best[0]:
            best = score, found, family
    return ({}, None) if best is None else (best[1], best[2])


def _without_numbers(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if not word.isdigit())


def _may_precede(before: tuple[str, ...], names: Collection[str], is_prefix: bool) -> bool:
    """Whether words may stand before the names of visemes: not Hair_A, Hair_B, Hair_C, nor corrective_1."""
    if not MISLEADING_WORDS.isdisjoint(before):
        return False
    if is_prefix or sum(map(len, names)) >= _LONG * len(names):
        return True
    return all(word in VISEME_WORDS or word in EXPORTER_WORDS for word in before)


@cache
def _viseme_endings() -> dict[str, list[int]]:
    """Ranks of the families that have a name of a viseme, by its joined words."""
    endings: dict[str, list[int]] = defaultdict(list)
    for family in families():
        for joined in family.visemes:
            endings[joined].append(family.rank)
    return dict(endings)
