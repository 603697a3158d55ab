"""A count of the changes to the open file: while it is the same, a result that was computed from the file is valid.

Blender reports neither properties set by dictionary access nor the active strip. A cache that uses this count must
also compare those of them that its result depends on.
"""

from __future__ import annotations

from itertools import islice
from typing import Literal

import bpy

# Adding, removing or editing objects, strips and bones tags one of these. A playing animation tags none.
_ID_TYPES: tuple[Literal["SCENE", "MESH", "KEY"], ...] = ("SCENE", "MESH", "KEY")
_MOST_UPDATES = 32  # to examine: only a new name tags an object without any of the flags below

_count = 0


def count() -> int:
    """The number of changes since Blender was started."""
    return _count


def note() -> None:
    """Count a change."""
    global _count
    _count += 1


@bpy.app.handlers.persistent
def _note_undo_or_load(*_: object) -> None:
    note()


@bpy.app.handlers.persistent
def _note_evaluation(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Count an evaluation, unless something was only moved, as a bone or an object is while it is dragged."""
    if any(map(depsgraph.id_type_updated, _ID_TYPES)) or any(
        not (update.is_updated_geometry or update.is_updated_transform or update.is_updated_shading)
        for update in islice(depsgraph.updates, _MOST_UPDATES)
    ):
        note()


_HANDLERS = (
    ("depsgraph_update_post", _note_evaluation),
    ("undo_post", _note_undo_or_load),
    ("redo_post", _note_undo_or_load),
    ("load_post", _note_undo_or_load),
)


def add_handlers() -> None:
    """Start counting."""
    for event, handler in _HANDLERS:
        getattr(bpy.app.handlers, event).append(handler)


def remove_handlers() -> None:
    """Undo `add_handlers`."""
    for event, handler in reversed(_HANDLERS):
        getattr(bpy.app.handlers, event).remove(handler)
