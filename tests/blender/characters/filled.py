"""Characters whose property group is filled by hand, as the tests of takes need them."""

from collections.abc import Mapping

import bpy
import numpy as np
from character_rigs import PLACEMENTS, Character
from character_shapes import arkit_shapes

from emote_blender.motion import FaceMotion
from emote_blender.retarget.signals import OPEN_NAMES


def motion_of(jaw=0.0, frames=10, eyes=None, neck=None, **components) -> FaceMotion:
    """A motion of the open basis that stands still in one pose."""
    expression = np.zeros((frames, len(OPEN_NAMES)), np.float32)
    for name, value in components.items():
        expression[:, OPEN_NAMES.index(name)] = value
    turn = np.tile(np.array([jaw, 0.0, 0.0], np.float32), (frames, 1))
    meta = {"face": "open_head", "expression_names": list(OPEN_NAMES)}
    others = {
        name: np.tile(np.float32(value), (frames, 1)) for name, value in (("eyes", eyes), ("neck", neck)) if value
    }
    return FaceMotion(expression, turn, 25.0, meta=meta, **others)


def fill(character: Character, rows: Mapping[str, str] | None = None, jaw: str = "", placement: str = "tilted") -> None:
    """Set a character up.

    Args:
        character: the character.
        rows: source of each shape key; by default each key of an ARKit character by the end of its name.
        jaw: BONE, KEY or NONE; by default what the character has.
        placement: as it was built.
    """
    group = character.mesh.emote.character
    names = arkit_shapes(True)
    if rows is None:
        rows = {key: next(name for name in sorted(names) if key.endswith(name)) for key in character.key_names}
    for other in character.others:
        group.meshes.add().mesh = other
    for key, source in rows.items():
        row = group.rows.add()
        row.source, row.target = source, key
    group.armature = character.armature
    for role in ("jaw", "neck", "head", "left_eye", "right_eye"):
        setattr(group, f"{role}_bone", character.bones.get(role, ""))
    group.jaw = jaw or ("BONE" if "jaw" in character.bones else "KEY")
    to_data, _ = PLACEMENTS[placement]
    group.axes = (np.asarray(to_data) / np.linalg.norm(to_data, axis=0)).T.ravel()
    group.is_set_up = True


def values_at(frame: int, mesh_object: bpy.types.Object) -> dict[str, float]:
    """The evaluated values of a mesh's shape keys at a frame."""
    bpy.context.scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    return {key.name: key.value for key in mesh_object.evaluated_get(graph).data.shape_keys.key_blocks[1:]}


def played(character: Character, frames) -> np.ndarray:
    """(T, C) what the shape keys of all meshes and the pose of all bones are at each frame, evaluated."""
    rows = []
    for frame in frames:
        row = [value for mesh in (character.mesh, *character.others) for value in values_at(frame, mesh).values()]
        if character.armature is not None:
            rig = character.armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
            row += [value for bone in rig.pose.bones for line in bone.matrix_basis for value in line]
        rows.append(row)
    return np.array(rows)


def turn_of(character: Character, role: str, frame: int) -> np.ndarray:
    """(3,) how a bone of a role is turned from its rest at a frame, axis-angle in the face's axes (left, up, front)."""
    bpy.context.scene.frame_set(frame)
    rig = character.armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    bone = rig.pose.bones[character.bones[role]]
    axis, angle = bone.matrix_basis.to_quaternion().to_axis_angle()
    axes = np.array(character.mesh.emote.character.axes).reshape(3, 3)
    return axes @ np.array(bone.bone.matrix_local.to_3x3() @ (axis * angle))
