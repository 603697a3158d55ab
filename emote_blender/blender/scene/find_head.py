"""The heads of a scene, and the one that an operator or the panel means."""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from ...errors import InputError
from ..characters.rig import characters
from ..head.foreign_flame import flame_keys
from ..head.linked import missing_files
from ..head.rig import carries_head, head_of
from ..narrow import present, window_scene
from . import changes


def heads_in(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The mesh objects of the heads of a scene, those that its empties show as instances of a collection too."""
    heads = _heads_among([*scene.objects, *_instanced(scene.objects)])
    return list({head.session_uid: head for head in heads}.values())


def _instanced(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """The objects of the collections that some objects show."""
    collections = dict.fromkeys(item.instance_collection for item in objects if item.instance_type == "COLLECTION")
    return [item for collection in collections if collection is not None for item in collection.all_objects]


def heads_near(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The heads of the window's scene; if it has none, those of the other scenes.

    A sequencer with a scene of its own shows that scene in the window too, though it has no objects (5.0 and later).
    """
    shown = window_scene(context)
    if near := heads_in(shown):
        return near
    others = [head for scene in bpy.data.scenes if scene != shown for head in heads_in(scene)]
    return list({head.session_uid: head for head in others}.values())


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
    set_up = set(characters())
    return [
        candidate
        for candidate in objects
        if candidate.type == "MESH"
        and (carries_head(candidate) or candidate in set_up or candidate.data in flame_meshes)
    ]


def _is_flame(owner: bpy.types.ID) -> bool:
    return isinstance(owner, bpy.types.Mesh) and flame_keys(owner) is not None


def choose_head(context: bpy.types.Context, name: str = "", pinned: bpy.types.Object | None = None) -> bpy.types.Object:
    """The head of this name; without a name the pinned one, else the active object's, or the only one.

    Raises:
        InputError: if there is none, or more than one to choose from.
    """
    heads = heads_near(context)
    names = ", ".join(repr(head.name) for head in heads) or "none (the scene has no head)"
    if name:
        named = [head for head in _own_first(heads) if head.name == name]  # a linked one may have the name of another
        found = named[0] if named else bpy.data.objects.get(name)
        if found is None:
            raise InputError(f"object {name!r} not found; choose one of {names}")
        head = _head_meant(found)
        if head is None:
            raise InputError(
                f"object {name!r} is not a head; choose one of {names}, set the character up with "
                "emote.set_up_character, or add a head"
            )
        return head
    for candidate in (pinned, _head_meant(_active_object(context, heads))):
        if candidate is not None and candidate in heads:
            return candidate
    # Of several heads, the only one that is of this file, or in a collection that is not excluded, is meant.
    in_layer = present(context.view_layer).objects.values()
    own = [head for head in heads if head.library is None]
    for candidates in (heads, own, [head for head in own if head in in_layer]):
        if len(candidates) == 1:
            return candidates[0]
    if heads:
        raise InputError(f"no head is chosen; choose one of {names}")
    raise InputError(no_head_sentence())


def _own_first(heads: list[bpy.types.Object]) -> list[bpy.types.Object]:
    """Heads with those of this file before linked ones."""
    return sorted(heads, key=lambda head: head.library is not None)


def _head_meant(item: bpy.types.Object | None) -> bpy.types.Object | None:
    """The head that an object is, belongs to, or shows as an instance of a collection; None for other objects."""
    if item is None or item.instance_type != "COLLECTION":
        return head_of(item)
    return next(iter(_heads_among(_instanced([item]))), None)


def no_head_sentence() -> str:
    """Why there is no head to animate, and what to do."""
    lost = missing_files()
    if lost:
        return (
            f"there is no head, and the file {lost[0]} that this one links is missing; put it back, or choose where it "
            "is now (Outliner > Blender File > the library > Relocate), and open this file again"
        )
    return "the scene has no head; select your character and press Use Selected Character, or press Add Head"


def _active_object(context: bpy.types.Context, heads: list[bpy.types.Object]) -> bpy.types.Object | None:
    """The window's active object; in a window whose scene has no heads, that of the scene which has them."""
    layer = present(context.view_layer)
    if heads and heads[0].name not in window_scene(context).objects:
        scenes = heads[0].users_scene
        layer = scenes[0].view_layers[0] if scenes else layer  # one that is only shown as an instance is in no scene
    return layer.objects.active
