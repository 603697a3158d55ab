"""The head that is meant, where a character that is not set up yet may be meant too: it is then set up."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import bpy

from ...retarget.key_names import propose
from ..head.linked import why_not_editable
from ..head.rig import head_of
from ..narrow import present, window_scene
from ..scene import changes
from ..scene.find_head import heads_near
from ..settings.chosen_head import chosen_head
from ..takes.make_animatable import make_animatable
from .proposed_table import is_face
from .set_up import SetUp, propose_set_up, recognised_face, write_set_up

_any_face: tuple[tuple[int, int], bool] | None = None


def any_face() -> bool:
    """Whether a mesh of the file has shape keys of a face by their names. Cached until the next change."""
    global _any_face
    key = (changes.count(), len(bpy.data.shape_keys))
    if _any_face is None or _any_face[0] != key:
        names = [tuple(block.name for block in keys.key_blocks) for keys in bpy.data.shape_keys]
        _any_face = (key, any(map(_speaks_of_face, names)))
    return _any_face[1]


@lru_cache(maxsize=64)
def _speaks_of_face(names: tuple[str, ...]) -> bool:
    return is_face(propose(names))


def head_or_face(context: bpy.types.Context, name: str = "") -> bpy.types.Object:
    """The head of this name, or the face of the character that an object of this name belongs to or shows.

    Without a name, the selected character's face if it is not set up, else the chosen head.

    Raises:
        InputError: if there is no such head or character, or no face is recognised.
    """
    item = bpy.data.objects.get(name) if name else present(context.view_layer).objects.active
    if item is not None and head_of(item) is None:
        face = recognised_face(item, window_scene(context))
        if face is not None and head_of(face) is None:
            return face
    return chosen_head(context, name)


def head_or_character(context: bpy.types.Context, name: str = "") -> tuple[bpy.types.Object, tuple[str, ...]]:
    """The head of this name, or the chosen one, and what was set up for it, one sentence each.

    A character that is not set up yet is set up if it is named, or if it is selected in a scene without heads.

    Args:
        context: where the head is looked for.
        name: of the head, or of any object of the character.

    Raises:
        InputError: if there is no such head, or no face is recognised.
    """
    item = bpy.data.objects.get(name) if name else None
    if not name and not heads_near(context):
        active = present(context.view_layer).objects.active
        item = active if recognised_face(active, window_scene(context)) is not None else None
    if item is None or head_of(item) is not None:
        return chosen_head(context, name), ()
    set_up = set_up_character(context, item)
    return set_up.face, (f"set up {set_up.sentence()}",)


def set_up_character(
    context: bpy.types.Context,
    item: bpy.types.Object,
    armature: bpy.types.Object | None = None,
    *,
    by_hand: bool = False,
    write: Callable[[SetUp], object] = write_set_up,
) -> SetUp:
    """Set up the character that an object belongs to. Of one from another file the overrides are made that it needs.

    Args:
        context: whose scene counts.
        item: any object of the character, or an empty that shows its linked collection.
        armature: its armature, instead of the one that is found.
        by_hand: whether the user fills the table, so that no face needs to be recognised.
        write: what stores the set-up.

    Raises:
        InputError: if no face is recognised, or it cannot be changed.
    """
    present(context.view_layer).update()  # a script may just have made it
    scene = window_scene(context)
    set_up = propose_set_up(item, scene, armature, by_hand=by_hand)
    is_linked = bool(why_not_editable((set_up.face, *set_up.others), set_up.armature))
    if is_linked:
        face = make_animatable(context, set_up.face)
        set_up = propose_set_up(face, scene, by_hand=by_hand)
    write(set_up)
    if is_linked:
        make_animatable(context, set_up.face)  # now that its further meshes are known
    changes.note()
    return set_up
