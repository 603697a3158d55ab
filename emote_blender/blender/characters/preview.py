"""Shows a signal on a character without animating it, and puts back exactly what was there.

What a preview changes is kept on the character itself (`preview_kept`), so that an undo step or an autosave which
caught a preview is put right too. The sliders belong to the window manager: they are in no file and in no undo step.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import bpy
import numpy as np
from mathutils import Quaternion

from ...errors import InputError
from ...motion import FaceMotion
from ...retarget.mapping import KEY, FaceMapping, MappingRow
from ...retarget.signals import JAW_OPEN_RADIANS, OPEN_BASIS, OPEN_NAMES
from ...retarget.target import Target
from ..head.head_rig import HeadRig
from ..head.rig import rig_of
from ..head.shape_keys import driven_keys, key_names, key_path
from ..narrow import mesh_of, pose_bones
from ..settings.character_settings import row_of
from ..settings.head_settings import head_settings
from ..takes.channels import Channel, channels_of

_BONE_PARTS = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
_CARRIER = OPEN_NAMES[-1]  # the component by which a row is shown, whatever its source


def show_jaw(head: bpy.types.Object, opening: float) -> None:
    """Open a character's mouth.

    Args:
        head: the object that stands for the character.
        opening: 0 to 1: jawOpen.

    Raises:
        InputError: if the character cannot be changed.
    """
    put_back(head)
    rig = rig_of(head)
    _show(rig, channels_of(rig, _motion(jaw=opening * JAW_OPEN_RADIANS)))


def show_row(head: bpy.types.Object, index: int, value: float) -> None:
    """Move what a row of a character's table moves.

    Args:
        head: the object that stands for the character.
        index: which row.
        value: of its source, 0 to 1.

    Raises:
        InputError: if the row's target is gone or has a driver, or the character cannot be changed.
    """
    put_back(head)
    rig = rig_of(head)
    asked = row_of(head_settings(head).character.rows[index])
    require_movable(rig, asked)
    row = next(row for row in _rows_in_use(rig, asked))
    target = Target(FaceMapping((replace(row, source=_CARRIER, enabled=True),)))
    _show(rig, channels_of(replace(rig, target=target), _motion(carried=value)))


def require_movable(rig: HeadRig, row: MappingRow) -> None:
    """Raise InputError if the target of a row cannot be moved."""
    if row.channel == KEY:
        owners = [mesh for mesh in rig.meshes if row.target in key_names(mesh)]
        if not owners:
            raise InputError(f"shape key {row.target!r} is gone; choose another target, or propose the table again")
        if all(row.target in driven_keys(mesh) for mesh in owners):
            raise InputError(f"a driver sets the shape key {row.target!r}; remove the driver to move it")
    elif rig.armature is None or row.target not in pose_bones(rig.armature):
        raise InputError(f"bone {row.target!r} is gone; choose another target, or propose the table again")


def put_back(head: bpy.types.Object) -> None:
    """Set everything that a preview has changed to exactly what it was."""
    character = head_settings(head).character
    if not character.preview_kept:
        return
    kept = json.loads(character.preview_kept)
    meshes = [head, *(entry.mesh for entry in character.meshes)]
    for number, values in kept["keys"].items():
        mesh = meshes[int(number)] if int(number) < len(meshes) else None
        keys = mesh_of(mesh).shape_keys if mesh is not None else None
        for name, value in values.items():
            if keys is not None and name in keys.key_blocks:
                keys.key_blocks[name].value = value
    for name, parts in kept["bones"].items():
        armature = character.armature
        bone = pose_bones(armature).get(name) if armature is not None and armature.pose is not None else None
        for part, values in parts.items():
            if bone is not None:
                setattr(bone, part, values)
    character.preview_kept = ""


def put_back_all() -> None:
    """Undo every preview in the file."""
    for item in bpy.data.objects:
        if item.type == "MESH" and item.library is None and head_settings(item).character.preview_kept:
            put_back(item)


def _rows_in_use(rig: HeadRig, asked: MappingRow) -> list[MappingRow]:
    """The row as the character's description has it, which knows the ranges of shape keys."""
    rows = rig.target.mapping.rows if rig.target is not None else ()
    same = [row for row in rows if (row.source, row.target, row.channel) == (asked.source, asked.target, asked.channel)]
    return same or [asked]


def _motion(jaw: float = 0.0, carried: float = 0.0) -> FaceMotion:
    """A frame of the open basis with the jaw open by an angle, or with one component."""
    expression = np.zeros((1, len(OPEN_NAMES)), np.float32)
    expression[0, OPEN_NAMES.index(_CARRIER)] = carried
    meta = {"face": OPEN_BASIS, "expression_names": list(OPEN_NAMES)}
    return FaceMotion(expression, np.array([[jaw, 0.0, 0.0]], np.float32), 25.0, meta=meta)


def _show(rig: HeadRig, channels: Iterable[Channel]) -> None:
    """Set what channels say in their first frame, and keep what was there."""
    kept_keys: dict[bpy.types.Object, dict[str, float]] = {}
    bones: dict[str, dict[str, list[float]]] = {}
    given: dict[tuple[str, str], dict[int, Channel]] = {}
    for channel in channels:
        if channel.id_type == "KEY":
            for mesh in rig.meshes:
                _set_key(mesh, channel, kept_keys)
        else:
            path, _, part = channel.data_path.rpartition(".")
            given.setdefault((path, part), {})[channel.index] = channel
    for (path, part), parts in given.items():
        bone: Any = rig.armature.path_resolve(path) if rig.armature is not None else None
        kept = bones.setdefault(bone.name, {name: list(getattr(bone, name)) for name in _BONE_PARTS})
        setattr(bone, part, _combined(part, kept[part], {i: float(c.values[0]) + c.rest for i, c in parts.items()}))
    character = head_settings(rig.mesh).character
    numbers = {mesh: number for number, mesh in enumerate([rig.mesh, *(entry.mesh for entry in character.meshes)])}
    keys = {str(numbers[mesh]): values for mesh, values in kept_keys.items()}
    character.preview_kept = json.dumps({"keys": keys, "bones": bones}) if keys or bones else ""


def _set_key(mesh: bpy.types.Object, channel: Channel, kept: dict[bpy.types.Object, dict[str, float]]) -> None:
    keys = mesh_of(mesh).shape_keys
    for key in keys.key_blocks if keys is not None else ():
        if channel.data_path == key_path(key.name):
            kept.setdefault(mesh, {})[key.name] = key.value
            key.value = float(channel.values[0]) + channel.rest


def _combined(part: str, before: list[float], given: dict[int, float]) -> Any:
    """A bone's property after what a take adds to it."""
    one = {"scale": 1.0}.get(part, 0.0)
    whole = [given.get(index, one) for index in range(len(before))]
    if part == "rotation_quaternion":
        return Quaternion(before) @ Quaternion(whole)
    if part == "rotation_axis_angle":
        turned = Quaternion(before[1:], before[0]) @ Quaternion(whole[1:], whole[0])
        axis, angle = turned.to_axis_angle()
        return [angle, *axis[:]]
    if part == "scale":
        return [old * new for old, new in zip(before, whole, strict=True)]
    return [old + new for old, new in zip(before, whole, strict=True)]
