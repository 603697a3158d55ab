"""What is wrong or missing in a character's table, computed once per change and without references to Blender data."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import bpy

from ...retarget.key_names import SURE, propose
from ...retarget.mapping import KEY
from ...retarget.signals import ARKIT_NAMES, JAW_NAMES
from ..head.shape_keys import driven_keys, key_names
from ..scene import changes
from ..settings.character_settings import EMOTE_PG_character, target_names
from ..settings.head_settings import head_settings
from .proposed_table import given_rows

FILTERS = ("LOST", "DRIVEN", "DOUBLED", "UNSURE", "EDITED")
_LONG_PREFIX = 4  # letters
_SPEECH = tuple(name for name in ARKIT_NAMES if name.startswith(("jaw", "mouth", "eyeBlink")))


@dataclass(frozen=True)
class TableState:
    """What follows from a character's table and its shape keys.

    Attributes:
        rows_of: numbers of the rows that each of FILTERS is about.
        unmapped_signals: signals that move nothing, those of the mouth first.
        unmapped_keys: shape keys that look like a face's and that no row moves, each with what was found about it.
        num_keys: number of shape keys that rows move.
        prefix: what the names of all shape keys in the table begin with; empty if it is short.
    """

    rows_of: dict[str, frozenset[int]] = field(default_factory=dict)
    unmapped_signals: tuple[str, ...] = ()
    unmapped_keys: tuple[tuple[str, str], ...] = ()
    num_keys: int = 0
    prefix: str = ""


_MOST = 8
_known: dict[tuple[int, int], TableState] = {}


def table_state(head: bpy.types.Object) -> TableState:
    """The state of a character's table; computed only if something has changed since the last call."""
    key = (head.session_uid, changes.count())
    if key not in _known:
        if len(_known) >= _MOST:
            _known.clear()
        _known[key] = work_out(head)
    return _known[key]


def forget_states() -> None:
    """Drop everything that is kept."""
    _known.clear()


def work_out(head: bpy.types.Object) -> TableState:
    """The state of a character's table as it is now."""
    character = head_settings(head).character
    meshes = [head, *(entry.mesh for entry in character.meshes if entry.mesh is not None)]
    keys, bones = set(target_names(head, True)), set(target_names(head, False))
    names_of = {mesh: set(key_names(mesh)) for mesh in meshes}
    stuck = set.intersection(*(driven_keys(mesh) | (keys - names_of[mesh]) for mesh in meshes))
    rows = list(character.rows)
    used = [row for row in rows if row.enabled]
    # What pushes a target further than once, and which of a mesh's shape keys show a signal a second time.
    pushes: dict[tuple[str, str, bool], float] = defaultdict(float)
    for row in used:
        pushes[row.target, row.channel, row.strength > 0] += abs(row.strength)
    shared = Counter((row.source, mesh) for row in used for mesh in meshes if row.target in names_of[mesh])
    by_hand = {row.source for row in used if row.is_edited}
    moved_signals = {row.source for row in used} | _moved_by_bones(character)
    moved_keys = {row.target for row in rows if row.channel == KEY}
    rows_of: dict[str, set[int]] = {name: set() for name in FILTERS}
    for index, row in enumerate(rows):
        is_key = row.channel == KEY
        if row.target not in (keys if is_key else bones):
            rows_of["LOST"].add(index)
        elif row.enabled and is_key and row.target in stuck:
            rows_of["DRIVEN"].add(index)
        pushed = pushes[row.target, row.channel, row.strength > 0] > max(1.0, abs(row.strength)) + 1e-3
        again = row.source in by_hand and any(
            shared[row.source, mesh] > 1 for mesh in meshes if row.target in names_of[mesh]
        )
        if row.enabled and (pushed or again):
            rows_of["DOUBLED"].add(index)
        if row.certainty < SURE and not row.is_edited:
            rows_of["UNSURE"].add(index)
        if row.is_edited:
            rows_of["EDITED"].add(index)
    return TableState(
        {name: frozenset(indices) for name, indices in rows_of.items()},
        _unmoved(moved_signals),
        tuple(_face_keys_left(sorted(keys), moved_keys)),
        len({row.target for row in used if row.channel == KEY and row.target in keys}),
        _common_prefix(moved_keys),
    )


def _common_prefix(names: set[str]) -> str:
    """What all names begin with, up to a sign that ends a word; empty if that is short, or if a name is no longer."""
    common = os.path.commonprefix(sorted(names)) if len(names) > 1 else ""
    end = max((common.rfind(sign) for sign in "_.:- |/"), default=-1) + 1
    return common[:end] if end >= _LONG_PREFIX and common[:end] not in names else ""


def _unmoved(moved: set[str]) -> tuple[str, ...]:
    """The signals that move nothing, those of speech first. Where visemes move the mouth, its own signals need not."""
    has_visemes = any(name.startswith("viseme_") for name in moved)
    names = [
        name
        for name in ARKIT_NAMES
        if name not in moved and not (has_visemes and name.startswith(("mouth", "jaw", "tongue", "cheek")))
    ]
    return tuple(sorted(names, key=lambda name: name not in _SPEECH))


def _moved_by_bones(character: EMOTE_PG_character) -> set[str]:
    """The signals that bones show."""
    signals = set(JAW_NAMES) if character.jaw == "BONE" and character.jaw_bone else set()
    if character.left_eye_bone or character.right_eye_bone:
        signals |= {name for name in ARKIT_NAMES if name.startswith("eyeLook")}
    return signals


def _face_keys_left(keys: list[str], moved: set[str]) -> list[tuple[str, str]]:
    """The shape keys that no row moves and whose names are a face's, each with why it was left out."""
    proposal = propose(keys)
    known = {row.target for row, certainty in given_rows(proposal) if certainty >= SURE}
    left = [key for key in keys if key not in moved and (key in known or key in proposal.reasons)]
    return [(key, proposal.reasons.get(key, "")) for key in left]
