"""Proposes which signals move which shape keys, by the keys' names alone.

Names are read as words (`name_words`) and looked up in the families that ship (`name_families`). What no family knows
is guessed (`name_guesses`) and marked as uncertain. The user decides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from .mapping import MappingRow
from .name_families import SIGNALS, Family, Meaning, families
from .name_guesses import guess
from .name_words import EXPORTER_WORDS, MEANINGS, MISLEADING_WORDS, WHOLE_FACE_WORDS, Words, words_of
from .viseme_names import find_visemes

SURE = 0.5
"""Rows of less certainty are worth a look, but should not be used unasked."""
_EXACT, _PREFIXED, _NUMBERED = 1.0, 0.9, 0.8
_STRANGER = 0.3  # off the certainty of what may build the face, beside a whole family
_WHOLE_FAMILY = 12  # keys by which a family is the mesh's own
_MOST_ENDINGS = 3  # words after a name that all keys may share
_SHARED_PREFIX = 3  # keys that make a prefix one of the mesh's
_FEWEST_LETTERS = 4  # of a name before which a prefix that no other key has may stand
_SPEECH = frozenset(
    name for name in SIGNALS if name.startswith(("jaw", "mouth")) and "Smile" not in name and "Frown" not in name
)
_ENOUGH_SPEECH = 8  # signals of a mouth that need no visemes beside them
_HELPER = "looks like a helper of {} ({})"


@dataclass(frozen=True)
class Proposal:
    """What is proposed for the shape keys of a mesh.

    Attributes:
        kind: whose names they are, as users call them; empty if none is known.
        rows: the table.
        certainties: of each row, 0 to 1; below `SURE` it should not be used unasked.
        unmapped: shape keys that no row moves.
        reasons: why an unmapped key was left out, a part of a sentence, where something can be said.
        doubled: the keys that would show a signal, by signal, where there are several: the first is in the table.
        visemes_open_jaw: whether the mouth is moved by visemes that open the jaw themselves.
    """

    kind: str
    rows: tuple[MappingRow, ...]
    certainties: tuple[float, ...]
    unmapped: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    doubled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    visemes_open_jaw: bool = False


@dataclass(frozen=True)
class _Claim:
    """A key that would show signals.

    Attributes:
        key: its name.
        meaning: what it shows.
        certainty: 0 to 1.
        family: whose name it is; None if it was guessed.
        dropped: the words before and after those that were understood.
        known_to: names of the families that know the key.
    """

    key: str
    meaning: Meaning
    certainty: float
    family: Family | None = None
    dropped: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    known_to: tuple[str, ...] = ()


def propose(key_names: Sequence[str], jaw_is_bone: bool = False, others: Sequence[Sequence[str]] = ()) -> Proposal:
    """The table that fits the names of a character's shape keys, without the basis.

    No signal is shown by two keys of a mesh by accident: such keys are given as `doubled`. Where a mouth has ARKit's
    shapes and visemes, the visemes are left out; where it has too little else, they move it.

    Args:
        key_names: the names of the face's shape keys.
        jaw_is_bone: whether a bone opens the mouth, so that no shape key needs to.
        others: the names of each further mesh's shape keys. Two names that show the same on different meshes, such as
            head.jawOpen and teeth.jawOpen, both count.
    """
    return _proposal(tuple(key_names), jaw_is_bone, tuple(map(tuple, others)))


@lru_cache(maxsize=64)
def _proposal(key_names: tuple[str, ...], jaw_is_bone: bool, others: tuple[tuple[str, ...], ...]) -> Proposal:
    """The same, kept, as panels ask for it after every change."""
    meshes = [frozenset(each) for each in (key_names, *others)]
    names = list(dict.fromkeys(name for each in (key_names, *others) for name in each))
    words = _without_ending({name: words_of(name) for name in names})
    reasons: dict[str, str] = {}
    visemes, viseme_family = find_visemes(words)
    claims = [claim for claim in _claims(words, reasons) if claim.key not in visemes]
    kind = _kind(claims, visemes, viseme_family)
    claims, doubled = _without_doubles(claims, meshes, reasons)
    if viseme_family is not None:
        claims = _one_mouth(claims, visemes, viseme_family, meshes, jaw_is_bone, reasons)
    used = {claim.key for claim in claims}
    rows, certainties = [], []
    place = {name: index for index, name in enumerate(names)}
    for claim in sorted(claims, key=lambda claim: place[claim.key]):
        for source, strength in claim.meaning.signals:
            low, high = (min(strength, 0.0), 0.0) if strength < 0 else (0.0, 1.0)
            rows.append(MappingRow(source, claim.key, strength=strength, low=low, high=high))
            certainties.append(claim.certainty)
    unmapped = tuple(name for name in names if name not in used)
    return Proposal(
        kind,
        tuple(rows),
        tuple(certainties),
        unmapped,
        {name: reasons[name] for name in unmapped if name in reasons},
        doubled,
        any(row.source.startswith("viseme_") for row in rows) and viseme_family is not None and viseme_family.opens_jaw,
    )


def _without_ending(words: dict[str, Words]) -> dict[str, Words]:
    """The words of all names without a last one that most of them share and that means nothing: jawOpen_Bob."""
    for _ in range(_MOST_ENDINGS):
        last = Counter(each.all[-1] for each in words.values() if len(each.all) > 1 and each.plain)
        word, count = max(last.items(), key=lambda item: item[1], default=("", 0))
        varies = word in MEANINGS or word in ("l", "r") or (word.isdigit() and count < len(words))
        if varies or count <= max(len(words) / 2, _SHARED_PREFIX):
            break
        for name, each in words.items():
            if len(each.all) > 1 and each.all[-1] == word:
                words[name] = Words(each.all[:-1], each.plain[:-1], each.sides)
    return words


def _claims(words: Mapping[str, Words], reasons: dict[str, str]) -> list[_Claim]:
    """What each key would show, without visemes."""
    found = {name: _known(each) for name, each in words.items()}
    hits = Counter(family.rank for options in found.values() for family, *_ in options)
    order = sorted(families(), key=lambda family: (-hits[family.rank], family.rank))
    place = {family.rank: index for index, family in enumerate(order)}
    prefixes = Counter(options[0][2][0] for options in found.values() if options)
    has_family = max(hits[family.rank] for family in families()[:-1]) >= _WHOLE_FAMILY  # own names are no family
    claims = []
    for name, options in found.items():
        if options:
            family, meaning, dropped = min(options, key=lambda option: (_size(option[2]), place[option[0].rank]))
            reason = _misleads(dropped, meaning, prefixes, len(words))
            if reason:
                reasons[name] = reason
                continue
            before = dropped[0]
            if prefixes[before] >= _SHARED_PREFIX or MEANINGS.keys().isdisjoint(before):
                known_to = tuple(dict.fromkeys(option[0].name for option in options))
                claims.append(_Claim(name, meaning, _certainty(dropped, prefixes), family, dropped, known_to))
                continue
        if _is_whole_face(words[name]):
            reasons[name] = "an emotion, which would be added to what a take shows"
        else:
            guessed = guess(words[name])
            if guessed is None:
                continue
            wrong = next((word for word in words[name].plain if word in MISLEADING_WORDS), "")
            if wrong:
                reasons[name] = _HELPER.format(guessed.meaning.signals[0][0], wrong)
            else:
                off = _STRANGER if has_family and guessed.may_be_build else 0.0
                claims.append(_Claim(name, guessed.meaning, max(guessed.certainty - off, 0.1)))
    return claims


_Option = tuple[Family, Meaning, tuple[tuple[str, ...], tuple[str, ...]]]


def _known(words: Words) -> list[_Option]:
    """What families know a name as, by as many of its words as possible; with the words left out before and after."""
    every, plain = words.all, words.plain
    if "au" in plain:
        options = _action_unit(words)
        if options:
            return options
    last = len(every)
    junk = last
    while junk > 1 and (every[junk - 1] in EXPORTER_WORDS or every[junk - 1].isdigit()):
        junk -= 1
    exact, sided = _tables()
    for start in range(last):
        for end in range(last, max(junk, start + 1) - 1, -1):
            part = every[start:end]
            joined = "".join(part)
            found = exact.get(joined)
            if found is None and words.side:
                stem = "".join(word for word in part if word not in ("l", "r"))
                found = sided.get((stem, words.side))
            if found is None or (len(joined) < _FEWEST_LETTERS and not EXPORTER_WORDS.issuperset(every[:start])):
                continue
            before = tuple(word for word in every[:start] if not words.side or word not in ("l", "r"))
            return [(family, meaning, (before, every[end:])) for family, meaning in found]
    return []


def _action_unit(words: Words) -> list[_Option]:
    """A name of FACS such as AU12_L_SmileRaiser: number and side count, not what follows."""
    start = words.plain.index("au")
    if start + 1 >= len(words.plain):
        return []
    _, sided = _tables()
    found = sided.get(("au" + words.plain[start + 1], words.side), [])
    return [(family, meaning, (words.plain[:start], ())) for family, meaning in found]


@cache
def _tables() -> tuple[dict[str, list[tuple[Family, Meaning]]], dict[tuple[str, str], list[tuple[Family, Meaning]]]]:
    """The names of all families: by joined words, and by joined words and side."""
    exact: dict[str, list[tuple[Family, Meaning]]] = defaultdict(list)
    sided: dict[tuple[str, str], list[tuple[Family, Meaning]]] = defaultdict(list)
    for family in families():
        for joined, meaning in family.exact.items():
            exact[joined].append((family, meaning))
        for stem, meaning in family.sided.items():
            sided[stem].append((family, meaning))
    return dict(exact), dict(sided)


def _size(dropped: tuple[tuple[str, ...], tuple[str, ...]]) -> int:
    return len(dropped[0]) + len(dropped[1])


def _certainty(dropped: tuple[tuple[str, ...], tuple[str, ...]], prefixes: Counter) -> float:
    before, after = dropped
    if any(word.isdigit() for word in after):
        return _NUMBERED
    known = all(word in EXPORTER_WORDS or len(word) < 3 or word.isdigit() for word in before)  # A01_, AK_09_
    return _EXACT if not before or known or prefixes[before] >= _SHARED_PREFIX else _PREFIXED


def _misleads(dropped: tuple[tuple[str, ...], tuple[str, ...]], meaning: Meaning, prefixes: Counter, count: int) -> str:
    """Why a key with words around those that were understood is another one; empty if it is not."""
    before, after = dropped
    shown = meaning.signals[0][0]
    most = prefixes[before] > count / 2
    wrong = [word for word in (*(() if most else before), *after) if word in MISLEADING_WORDS]
    if wrong:
        return _HELPER.format(shown, wrong[0])
    if before and not most and _known(Words(before, before, ())):
        return f"a combination of shapes, of which {shown} is one"
    return ""


def _is_whole_face(words: Words) -> bool:
    endings = {"".join(words.all[start:]) for start in range(len(words.all))}
    return not endings.isdisjoint(_whole_faces()) or not WHOLE_FACE_WORDS.isdisjoint(words.plain)


@cache
def _whole_faces() -> frozenset[str]:
    return frozenset(name for family in families() for name in family.whole_faces)


def _without_doubles(
    claims: list[_Claim], meshes: Sequence[frozenset[str]], reasons: dict[str, str]
) -> tuple[list[_Claim], dict[str, tuple[str, ...]]]:
    """The claims that hold, and all keys of a mesh that claim a signal where there are several."""
    wanted: dict[str, list[_Claim]] = defaultdict(list)
    for claim in claims:
        for source, _ in claim.meaning.signals:
            wanted[source].append(claim)
    alone = {
        source
        for source, every in wanted.items()
        if any((each.meaning.is_whole or each.meaning.part) and each.certainty >= SURE for each in every)
    }

    def order(claim: _Claim) -> tuple[float, int, int]:
        meaning = claim.meaning
        kind = 0 if meaning.is_whole else (1 if meaning.part else 2) + (2 if len(meaning.signals) > 1 else 0)
        if meaning.is_both and not meaning.part and not {source for source, _ in meaning.signals} <= alone:
            kind = -1  # what shows both sides goes before the only side that has a key of its own
        return -claim.certainty, kind, _size(claim.dropped)

    held: list[_Claim] = []
    taken: dict[str, list[_Claim]] = defaultdict(list)
    for claim in sorted(claims, key=order):
        rivals = [
            (rival, source)
            for source, _ in claim.meaning.signals
            for rival in taken[source]
            if _share_a_mesh(claim.key, rival.key, meshes) and not _are_parts(claim, rival)
        ]
        if not rivals:
            held.append(claim)
            for source, _ in claim.meaning.signals:
                taken[source].append(claim)
        else:
            reasons[claim.key] = f"{rivals[0][1]} is shown by {rivals[0][0].key}"
    keys = {claim.key for claim in held}
    doubled = {
        source: tuple(dict.fromkeys(claim.key for claim in sorted(every, key=lambda claim: claim.key not in keys)))
        for source, every in wanted.items()
        if any(claim.key not in keys for claim in every)
    }
    return held, {source: names for source, names in doubled.items() if len(names) > 1}


def _share_a_mesh(key: str, rival: str, meshes: Sequence[frozenset[str]]) -> bool:
    return any(key in mesh and rival in mesh for mesh in meshes)


def _are_parts(claim: _Claim, rival: _Claim) -> bool:
    """Whether two keys share a signal on purpose: they are different parts, or opposite signs, or blends."""
    one, other = claim.meaning, rival.meaning
    if one.part and other.part:
        return claim.family is rival.family and claim.key != rival.key and _stem(claim) != _stem(rival)
    signs = [dict(meaning.signals) for meaning in (one, other)]
    shared = signs[0].keys() & signs[1].keys()
    return all(signs[0][source] * signs[1][source] < 0 for source in shared) and bool(shared)


def _stem(claim: _Claim) -> tuple[tuple[str, ...], str]:
    """The words of a key that were understood, with its part: the same for a key and its copy under another prefix."""
    words = words_of(claim.key).all
    before, after = claim.dropped
    return words[len(before) : len(words) - len(after)], claim.meaning.part


def _one_mouth(
    claims: list[_Claim],
    visemes: Mapping[str, str],
    family: Family,
    meshes: Sequence[frozenset[str]],
    jaw_is_bone: bool,
    reasons: dict[str, str],
) -> list[_Claim]:
    """The claims, with visemes if they move the mouth; never two keys that open it for the same sound."""
    shown = {source for claim in claims for source, _ in claim.meaning.signals if claim.certainty >= SURE}
    if jaw_is_bone:
        shown.add("jawOpen")
    if "jawOpen" in shown and len(shown & _SPEECH) >= _ENOUGH_SPEECH:
        reasons |= dict.fromkeys(visemes, "a viseme; other shape keys move the mouth")
        return claims
    kept = []
    for claim in claims:
        sources = {source for source, _ in claim.meaning.signals}
        if sources & _SPEECH and (family.opens_jaw or "jawOpen" not in sources):
            reasons[claim.key] = "visemes move the mouth"
        else:
            kept.append(claim)
    place = {joined: index for index, joined in enumerate(family.visemes)}
    taken: dict[str, list[str]] = defaultdict(list)
    for key in sorted(visemes, key=lambda key: place[visemes[key]]):
        source = family.visemes[visemes[key]]
        rival = next((other for other in taken[source] if _share_a_mesh(key, other, meshes)), "")
        if rival:
            reasons[key] = f"{source} is shown by {rival}"
            continue
        taken[source].append(key)
        kept.append(_Claim(key, Meaning(((source, 1.0),)), _EXACT, family))
    return kept


def _kind(claims: Iterable[_Claim], visemes: Mapping[str, str], family: Family | None) -> str:
    """Whose names most keys have; empty without any that would move."""
    counts: Counter[str] = Counter()
    for claim in claims:
        counts.update(claim.known_to or [families()[-1].name])
    for joined in visemes.values() if family is not None else ():
        counts.update(other.name for other in families() if joined in other.visemes)
    own = families()[-1].name  # of names that several families share, none is meant
    order = {each.name: each.rank for each in families()} | {own: -1}
    return min(counts, key=lambda name: (-counts[name], order[name]), default="")
