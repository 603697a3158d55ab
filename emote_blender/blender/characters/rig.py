"""A character's parts as a head: what its property group says, as far as the scene still has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import bpy
import numpy as np

from ...errors import InputError
from ...retarget.mapping import KEY, FaceMapping, MappingRow
from ...retarget.signals import OPEN_BASIS, OPEN_NAMES
from ...retarget.target import Target
from ..head.head_rig import HeadRig
from ..head.shape_keys import SLIDER_LIMIT, moving_keys
from ..narrow import pose_bones
from ..scene import changes
from ..settings.character_settings import EMOTE_PG_character, EMOTE_PG_mapping_row, row_of
from ..settings.head_settings import head_settings

_ROLES = ("jaw", "neck", "head", "left_eye", "right_eye")
_SHOWN_NAMES = 5


def is_character(item: bpy.types.Object) -> bool:
    """Whether an object stands for a character that has been set up."""
    return item.type == "MESH" and character_of(item).is_set_up


def character_of(item: bpy.types.Object) -> EMOTE_PG_character:
    """What an object keeps about the character that it stands for."""
    return head_settings(item).character


_characters: tuple[tuple[int, int], list[bpy.types.Object]] = ((-1, -1), [])


def characters() -> list[bpy.types.Object]:
    """The objects of the file that stand for characters; read again after a change, as buttons ask at every redraw."""
    global _characters
    # The count alone is not enough: a script may copy a character and ask before Blender evaluates the scene.
    key = changes.count(), len(bpy.data.objects)
    if _characters[0] != key:
        _characters = key, [item for item in bpy.data.objects if is_character(item)]
    return _characters[1]


def character_with(part: bpy.types.Object) -> bpy.types.Object | None:
    """The object that stands for the character of which this is a further mesh or the armature; None without one."""
    for item in characters():
        character = character_of(item)
        if character.armature == part or any(entry.mesh == part for entry in character.meshes):
            return item
    return None


def further_meshes(head: bpy.types.Object) -> tuple[bpy.types.Object, ...]:
    """The further meshes of a character that are still there, each once."""
    meshes = (entry.mesh for entry in character_of(head).meshes)
    return tuple(dict.fromkeys(mesh for mesh in meshes if mesh is not None and mesh.type == "MESH" and mesh != head))


def rig_of_character(head: bpy.types.Object) -> HeadRig:
    """The parts of a character. What its table names and the scene has no more is left out, and named in `missing`.

    Raises:
        InputError: if nothing is left that could move.
    """
    character = character_of(head)
    others = further_meshes(head)
    armature = character.armature if _bone_names(character.armature) else None
    keys: dict[str, bpy.types.ShapeKey] = {}
    for mesh in (head, *others):
        for key in moving_keys(mesh):
            keys.setdefault(key.name, key)
    rows = tuple(_row(entry, keys) for entry in character.rows)
    bones = _bone_names(armature)
    kept = tuple(row for row in rows if row.target in (keys if row.channel == KEY else bones))
    named = _named_bones(character)
    roles = {role: name for role, name in named.items() if name in bones}
    if not kept and not roles:
        raise InputError(
            f"nothing of character {head.name!r} is left to move: its table names no shape key or bone that it has; "
            "set it up again"
        )
    lost_keys = [row.target for row in rows if row.channel == KEY and row.enabled and row.target not in keys]
    lost_bones = [row.target for row in rows if row.channel != KEY and row.enabled and row.target not in bones]
    lost_bones += [name for name in named.values() if name not in bones]
    return HeadRig(
        mesh=head,
        armature=armature,
        basis=OPEN_BASIS,
        expression_names=OPEN_NAMES,
        expression_keys=tuple(dict.fromkeys(row.target for row in kept if row.channel == KEY and row.enabled)),
        licence="",
        axes=np.array(character.axes, dtype=np.float64).reshape(3, 3).T,
        scale=_units_per_metre(armature or head),
        missing=(*_lost(lost_keys, "shape key"), *_lost(lost_bones, "bone")),
        bones=roles,
        other_meshes=others,
        target=Target(
            FaceMapping(kept, character.kind),
            jaw_is_bone="jaw" in roles,
            jaw_strength=character.jaw_strength,
            eyes_are_bones="left_eye" in roles or "right_eye" in roles,
        ),
    )


def roles_of_character(head: bpy.types.Object) -> dict[str, str]:
    """The bone name of each role, as far as the character's armature has it."""
    character = character_of(head)
    bones = _bone_names(character.armature)
    return {role: name for role, name in _named_bones(character).items() if name in bones}


def _named_bones(character: EMOTE_PG_character) -> dict[str, str]:
    """The bone that the property group names for each role; the jaw's only if it is a bone that opens the mouth."""
    roles = [role for role in _ROLES if role != "jaw" or character.jaw == "BONE"]
    return {role: name for role in roles if (name := getattr(character, f"{role}_bone"))}


def _bone_names(armature: bpy.types.Object | None) -> set[str]:
    return set() if armature is None or armature.type != "ARMATURE" else {bone.name for bone in pose_bones(armature)}


def whole_value(key: bpy.types.ShapeKey) -> float:
    """The value at which a shape key shows its whole shape: 1, or the end of a slider that ends at Blender's limit.

    Other programs count to 100. Blender allows 10, and a slider from 0 to 10 is what becomes of one from 0 to 100.
    """
    return key.slider_max if key.slider_min >= 0.0 and key.slider_max >= SLIDER_LIMIT else 1.0


def _row(entry: EMOTE_PG_mapping_row, keys: Mapping[str, bpy.types.ShapeKey]) -> MappingRow:
    """A line of the table; its numbers count for a key whose whole shape is at 1 (see `whole_value`)."""
    whole = whole_value(keys[entry.target]) if entry.channel == KEY and entry.target in keys else 1.0
    row = row_of(entry)
    return replace(
        row, strength=row.strength * whole, offset=row.offset * whole, low=row.low * whole, high=row.high * whole
    )


def _units_per_metre(space: bpy.types.Object) -> float:
    """Units of an object's space in a metre of the scene; one that is scaled to nothing counts as unscaled."""
    size = abs(space.matrix_world.determinant()) ** (1 / 3)
    return 1 / size if size > 0.0 else 1.0


def _lost(names: list[str], noun: str) -> list[str]:
    """The sentence about shape keys or bones that the table names and the character does not have."""
    names = list(dict.fromkeys(names))
    if not names:
        return []
    listed = ", ".join(repr(name) for name in names[:_SHOWN_NAMES]) + (", ..." if len(names) > _SHOWN_NAMES else "")
    counted = f"{len(names)} {noun}s" if len(names) > 1 else f"a {noun}"
    return [
        f"its table names {counted} that it does not have ({listed}): they were renamed or deleted, and stay still; "
        "set the character up again, or choose others in its table"
    ]
