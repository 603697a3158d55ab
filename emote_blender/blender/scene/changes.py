"""A count of the changes to the open file, by which the panel knows that what it worked out still holds.

Blender says nothing of a changed property that was set by dictionary access, and nothing of the active strip; who
keeps a result by this count adds to it what else the result depends on and is cheap to read.
"""

from __future__ import annotations

from itertools import islice
from typing import Literal

import bpy

# Objects, strips and bones that come, go or change what they are tag one of these. A playing animation tags nothing.
_ID_TYPES: tuple[Literal["SCENE", "MESH", "KEY"], ...] = ("SCENE", "MESH", "KEY")
_MOST_UPDATES = 32  # looked at one by one: only a new name tags an object without saying what changed

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
    """Count what Blender evaluated anew, except what merely moved: a bone or an object while it is dragged."""
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
    """Begin to count."""
    for event, handler in _HANDLERS:
        getattr(bpy.app.handlers, event).append(handler)


def remove_handlers() -> None:
    """Take back `add_handlers`."""
    for event, handler in reversed(_HANDLERS):
        getattr(bpy.app.handlers, event).remove(handler)
