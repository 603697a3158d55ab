"""Joints that follow the face: FLAME's J_regressor, stored on the mesh, and the bones that it moves.

FLAME regresses its joints from the shaped face, so identity and expression both move them. Identity moves a bone's
rest position (`update_joints`). Expression changes from frame to frame: a take gives each rotated bone a location, by
which the face rotates about the moved joint while the bone's rest position stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Vector

from ...errors import InputError
from ..narrow import armature_of, mesh_of, present
from .head_rig import HeadRig
from .regressor import kept_regressor
from .rig import mesh_to_armature
from .shape_keys import key_points


def joint_displacements(mesh: bpy.types.Mesh, key_names: Sequence[str]) -> dict[str, np.ndarray]:
    """(keys, 3) displacement of each joint, by its name, by each key at value 1; metres, in the mesh's space."""
    weights = kept_regressor(mesh)
    displacements = {name: np.zeros((len(key_names), 3)) for name in weights}
    for number, key_name in enumerate(key_names if weights else ()):
        key = present(mesh.shape_keys).key_blocks[key_name]
        moved = key_points(key) - key_points(key.relative_key)
        for name, values in weights.items():
            displacements[name][number] = values @ moved
    return displacements


def update_joints(context: bpy.types.Context, rig: HeadRig) -> None:
    """Move the bones' rest positions to the joints of the head's identity as it is set now.

    Args:
        context: in Object Mode.
        rig: the head.

    Raises:
        InputError: if the mesh has no joint weights, or the armature is hidden, in another scene or linked.
    """
    head, armature, mesh = rig.mesh, rig.armature, mesh_of(rig.mesh)
    weights = kept_regressor(mesh)
    if not weights or armature is None:
        raise InputError(
            f"head {head.name!r} does not know where its joints belong: it was not made by Add Head of this version; "
            "add the head again, or move its bones in Edit Mode"
        )
    if context.mode != "OBJECT":
        raise InputError(f"joints are moved in Object Mode, found {context.mode}; leave this mode first")
    in_view = present(context.view_layer).objects
    if in_view.get(armature.name) != armature or not armature.visible_get():
        raise InputError(f"the armature {armature.name!r} is hidden or in another scene; show it first")
    bones = armature_of(armature)
    if bones.library is not None:
        raise InputError(
            f"the bones of {armature.name!r} are linked from {bones.library.filepath} and cannot be moved here; open "
            "that file and press Update Joints there"
        )
    points = identity_points(mesh, rig.shape_keys)
    to_armature = mesh_to_armature(head, armature)
    active = in_view.active
    try:
        in_view.active = armature
        bpy.ops.object.mode_set(mode="EDIT")
        for name, values in weights.items():
            bone = bones.edit_bones.get(name)
            if bone is not None:
                roll, reach = bone.roll, bone.tail - bone.head
                bone.head = to_armature @ Vector((values @ points).tolist())
                bone.tail = bone.head + reach
                bone.roll = roll
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
        in_view.active = active


def identity_points(mesh: bpy.types.Mesh, shape_keys: Sequence[str]) -> np.ndarray:
    """(V, 3) vertices of the mesh with its identity keys as they are set now."""
    keys = present(mesh.shape_keys)
    points = key_points(keys.reference_key)
    for name in shape_keys:
        key = keys.key_blocks.get(name)
        if key is not None and not key.mute and key.value:
            points += key.value * (key_points(key) - key_points(key.relative_key))
    return points
