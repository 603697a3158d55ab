"""The heads of a scene, and the one that an operator or the panel means."""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from ...errors import InputError
from ..head.foreign_flame import flame_keys
from ..head.rig import carries_head, head_of
from ..narrow import present, window_scene
from . import changes


def heads_in(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The mesh objects of the heads of a scene."""
    return _heads_among(scene.objects)


_any_head: tuple[tuple[int, int, int], bool] | None = None


def any_head() -> bool:
    """Whether the file has a head. The result is cached until the next change, as buttons ask at every redraw."""
    global _any_head
    # The count alone is not enough: a script may add a head and ask before Blender evaluates the scene.
    key = (changes.count(), len(bpy.data.objects), len(bpy.data.shape_keys))
    if _any_head is None or _any_head[0] != key:
        _any_head = (key, bool(_heads_among(bpy.data.objects)))
    return _any_head[1]


def _heads_among(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """The heads among many objects; meshes with FLAME's keys are searched for once, not for every object."""
    flame_meshes = {keys.user for keys in bpy.data.shape_keys if _is_flame(keys.user)}
    return [
        candidate
        for candidate in objects
        if (carries_head(candidate) and candidate.type == "MESH") or (flame_meshes and candidate.data in flame_meshes)
    ]


def _is_flame(owner: bpy.types.ID) -> bool:
    return isinstance(owner, bpy.types.Mesh) and flame_keys(owner) is not None


def choose_head(context: bpy.types.Context, name: str = "", picked: bpy.types.Object | None = None) -> bpy.types.Object:
    """The head of this name; without a name, the picked one, else the active object's, else the only one.

    Raises:
        InputError: if there is none, or more than one to choose from.
    """
    scene = window_scene(context)
    if name:
        found = bpy.data.objects.get(name)
        if found is None:
            raise InputError(f"object {name!r} not found; choose one of {_names(scene)}")
        head = head_of(found)
        if head is None:
            raise InputError(f"object {name!r} is not a head; choose one of {_names(scene)} or add a head")
        return head
    heads = heads_in(scene)
    for candidate in (picked, head_of(present(context.view_layer).objects.active)):
        if candidate is not None and candidate in heads:
            return candidate
    if len(heads) == 1:
        return heads[0]
    if heads:
        raise InputError(f"no head is chosen; choose one of {_names(scene)}")
    raise InputError("the scene has no head; add one with Add Head first")


def _names(scene: bpy.types.Scene) -> str:
    return ", ".join(repr(head.name) for head in heads_in(scene)) or "none (the scene has no head)"
