"""From a motion to the channels of a head: values of shape keys, rotations and locations of bones."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ...motion import FaceMotion
from ...motion_tools.channel_groups import channel_group
from ...motion_tools.rotation import (
    axis_angle_to_angle_and_axis,
    axis_angle_to_matrix,
    axis_angle_to_quaternion,
    continuous_quaternions,
    quaternion_to_euler,
)
from ..head.rig import HeadRig, mesh_to_armature
from ..narrow import pose_bones, shape_keys_of
from .face_maps import joint_motions

SLIDER_LIMIT = 10.0  # Blender allows no more
_SMALLEST_VALUE = 1e-4  # of a full expression; a channel that stays nearer to rest is left out
_SMALLEST_TURN = 1e-5  # radians, and the parts of a quaternion
_SMALLEST_SHIFT = 1e-5  # metres of the face model that a joint may be off without a curve of its own


@dataclass(frozen=True, eq=False)
class Channel:
    """One animated value of a head over time.

    Attributes:
        owner: the data-block that the f-curve belongs to: the shape keys or the armature object.
        data_path: the animated property.
        index: index in an array property; 0 for a single value.
        values: (T,) one value per frame, float32.
        group: name of the group in which the curve is listed.
        rest: value of the face at rest.
    """

    owner: bpy.types.Key | bpy.types.Object
    data_path: str
    index: int
    values: np.ndarray
    group: str = ""
    rest: float = 0.0


def channels_of(rig: HeadRig, motion: FaceMotion) -> list[Channel]:
    """The channels that a motion moves; those that stay at rest are left out.

    Args:
        rig: the head.
        motion: the motion at the scene's frame rate.
    """
    keys = keys_of(motion, rig)
    return [*_expression_channels(rig, keys, motion), *_lid_channels(rig, motion), *_bone_channels(rig, keys, motion)]


def keys_of(motion: FaceMotion, rig: HeadRig) -> list[str]:
    """The head's shape key of each of the motion's components: by name where both have names, else by number."""
    names = motion.meta.get("expression_names")
    if names and rig.expression_names:
        key_of = dict(zip(rig.expression_names, rig.expression_keys))
        return [key_of[name] for name in names]
    return list(rig.expression_keys[: motion.num_expression])


def _expression_channels(rig: HeadRig, keys: list[str], motion: FaceMotion) -> list[Channel]:
    owner = shape_keys_of(rig.mesh)
    values = np.ascontiguousarray(np.clip(motion.expression, -SLIDER_LIMIT, SLIDER_LIMIT).T)
    moved = np.abs(values).max(axis=1) >= _SMALLEST_VALUE
    return [
        Channel(owner, key_path(key), 0, values[component], _group(rig, key))
        for component, key in enumerate(keys)
        if moved[component]
    ]


def _lid_channels(rig: HeadRig, motion: FaceMotion) -> list[Channel]:
    """The closure of the lids, on a head that has shape keys for it."""
    if motion.lids is None or not rig.blink_keys:
        return []
    owner = shape_keys_of(rig.mesh)
    return [
        Channel(owner, key_path(key), 0, np.ascontiguousarray(np.clip(values, 0.0, 1.0)), channel_group("eyeBlink"))
        for key, values in zip(rig.blink_keys, motion.lids.T)
        if np.abs(values).max() >= _SMALLEST_VALUE
    ]


def _group(rig: HeadRig, key: str) -> str:
    """The group of an expression key, by the name of its component."""
    names = rig.expression_names
    return channel_group(names[rig.expression_keys.index(key)] if names else None)


def key_path(key_name: str) -> str:
    """The data path of a shape key's value."""
    return f'key_blocks["{bpy.utils.escape_identifier(key_name)}"].value'


def bone_path(bone_name: str, channel: str) -> str:
    """The data path of a pose bone's property."""
    return f'pose.bones["{bpy.utils.escape_identifier(bone_name)}"].{channel}'


def _bone_channels(rig: HeadRig, keys: list[str], motion: FaceMotion) -> list[Channel]:
    left_eye, right_eye = (None, None) if motion.eyes is None else (motion.eyes[:, :3], motion.eyes[:, 3:])
    neck = motion.neck
    if neck is not None and {"neck", "head"} <= set(pose_bones(rig.armature).keys()):
        neck = neck / 2  # a bone `head` above the neck takes the other half
    rotations = {"jaw": motion.jaw, "neck": neck, "head": neck, "left_eye": left_eye, "right_eye": right_eye}
    displacements = joint_motions(rig, keys)
    to_armature = np.array(mesh_to_armature(rig.mesh, rig.armature).to_3x3())
    expression = np.clip(motion.expression, -SLIDER_LIMIT, SLIDER_LIMIT)
    channels: list[Channel] = []
    for name, rotation in rotations.items():
        bone = pose_bones(rig.armature).get(name)
        if bone is None or rotation is None:
            continue
        group = channel_group(name)
        rest = np.array(bone.bone.matrix_local.to_3x3())
        local = rotation @ (rest.T @ rig.turning_axes).T
        channels += _rotation_channels(rig.armature, name, bone.rotation_mode, local)
        if name in displacements:
            shift = _joint_shift(local, expression @ displacements[name] @ to_armature.T @ rest)
            if np.abs(shift).max() > _SMALLEST_SHIFT * rig.scale:
                channels += [
                    Channel(rig.armature, bone_path(name, "location"), index, shift[:, index].astype(np.float32), group)
                    for index in range(3)
                ]
    return channels


def _rotation_channels(armature: bpy.types.Object, name: str, mode: str, axis_angle: np.ndarray) -> list[Channel]:
    """The channels of a bone's rotation; none if it does not turn. Euler angles that stay zero are left out."""
    if np.abs(axis_angle).max() < _SMALLEST_TURN:
        return []
    channel, values = rotation_values(axis_angle, mode)
    # Where nothing is below a strip, the NLA combines with these: for axis-angle not the property's default axis.
    rest = {"rotation_quaternion": (1.0, 0.0, 0.0, 0.0), "rotation_axis_angle": (0.0,) * 4}.get(channel)
    moved = [rest is not None or np.abs(column).max() >= _SMALLEST_TURN for column in values.T]
    return [
        Channel(
            armature,
            bone_path(name, channel),
            index,
            values[:, index].astype(np.float32),
            channel_group(name),
            rest[index] if rest else 0.0,
        )
        for index in range(values.shape[1])
        if moved[index]
    ]


def _joint_shift(rotation: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """(T, 3) location of a bone, in the armature's unit, by which it rotates about a displaced joint: (I - R) d.

    Args:
        rotation: (T, 3) axis-angle in the bone's axes, radians.
        displacement: (T, 3) displacement of the joint by the expression, in the bone's axes and the armature's unit.
    """
    turned = np.einsum("tij,tj->ti", axis_angle_to_matrix(rotation), displacement)
    return displacement - turned


def rotation_values(axis_angle: np.ndarray, rotation_mode: str) -> tuple[str, np.ndarray]:
    """The rotation property of a bone, and its values (T, 3 or 4) over time, without jumps.

    Args:
        axis_angle: (T, 3) rotation in the bone's own axes, radians.
        rotation_mode: QUATERNION, AXIS_ANGLE, or an order of Euler angles such as XYZ.
    """
    quaternions = continuous_quaternions(axis_angle_to_quaternion(axis_angle))
    if rotation_mode == "QUATERNION":
        return "rotation_quaternion", quaternions
    if rotation_mode == "AXIS_ANGLE":
        return "rotation_axis_angle", axis_angle_to_angle_and_axis(axis_angle)
    return "rotation_euler", quaternion_to_euler(quaternions, rotation_mode)
