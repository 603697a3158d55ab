"""From a motion to the channels of a head: values of shape keys, rotations and locations of bones."""

from __future__ import annotations

from collections.abc import Mapping
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
from ...retarget.mapping import KEY
from ...retarget.target import Target, TargetMotion, put_on
from ..characters.measure import calibrated_target
from ..head.head_rig import HeadRig
from ..head.rig import mesh_to_armature
from ..head.shape_keys import SLIDER_LIMIT, key_path
from ..narrow import pose_bones
from .face_maps import joint_motions
from .sampling import IdType

_TURNING = ("jaw", "neck", "head", "left_eye", "right_eye")
_SMALLEST_VALUE = 1e-4  # of a full expression; a channel that stays nearer to rest is left out
_SMALLEST_TURN = 1e-5  # radians, and the parts of a quaternion
_SMALLEST_SHIFT = 1e-5  # metres of the face model that a joint may be off without a curve of its own


@dataclass(frozen=True, eq=False)
class Channel:
    """One animated value of a head over time.

    Attributes:
        id_type: KEY for a shape key, which each mesh moves that has it; OBJECT for a bone of the armature.
        data_path: the animated property.
        index: index in an array property; 0 for a single value.
        values: (T,) one value per frame, float32; what is added to `rest`.
        group: name of the group in which the curve is listed.
        rest: value of the face at rest.
    """

    id_type: IdType
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
    if rig.target is not None:
        return _character_channels(rig, calibrated_target(rig, rig.target), motion)
    keys = keys_of(motion, rig)
    return [*_expression_channels(rig, keys, motion), *_lid_channels(rig, motion), *_bone_channels(rig, keys, motion)]


def keys_of(motion: FaceMotion, rig: HeadRig) -> list[str]:
    """The head's shape key of each of the motion's components: by name where both have names, else by number.

    For a character, whose keys are other ones, the names of the components.
    """
    names = motion.meta.get("expression_names")
    if names and rig.target is not None:
        return list(names)
    if names and rig.expression_names:
        key_of = dict(zip(rig.expression_names, rig.expression_keys))
        return [key_of[name] for name in names]
    return list(rig.expression_keys[: motion.num_expression])


def _expression_channels(rig: HeadRig, keys: list[str], motion: FaceMotion) -> list[Channel]:
    values = np.ascontiguousarray(np.clip(motion.expression, -SLIDER_LIMIT, SLIDER_LIMIT).T)
    moved = np.abs(values).max(axis=1) >= _SMALLEST_VALUE
    return [
        Channel("KEY", key_path(key), 0, values[component], _group(rig, key))
        for component, key in enumerate(keys)
        if moved[component]
    ]


def _lid_channels(rig: HeadRig, motion: FaceMotion) -> list[Channel]:
    """The closure of the lids, on a head that has shape keys for it."""
    if motion.lids is None or not rig.blink_keys:
        return []
    return [
        Channel("KEY", key_path(key), 0, np.ascontiguousarray(np.clip(values, 0.0, 1.0)), channel_group("eyeBlink"))
        for key, values in zip(rig.blink_keys, motion.lids.T)
        if np.abs(values).max() >= _SMALLEST_VALUE
    ]


def _group(rig: HeadRig, key: str) -> str:
    """The group of an expression key, by the name of its component."""
    names = rig.expression_names
    return channel_group(names[rig.expression_keys.index(key)] if names else None)


def bone_path(bone_name: str, channel: str) -> str:
    """The data path of a pose bone's property."""
    return f'pose.bones["{bpy.utils.escape_identifier(bone_name)}"].{channel}'


def _bone_channels(rig: HeadRig, keys: list[str], motion: FaceMotion) -> list[Channel]:
    left_eye, right_eye = (None, None) if motion.eyes is None else (motion.eyes[:, :3], motion.eyes[:, 3:])
    given = {"jaw": motion.jaw, "neck": motion.neck, "left_eye": left_eye, "right_eye": right_eye}
    displacements = joint_motions(rig, keys)
    to_armature = np.array(mesh_to_armature(rig.mesh, rig.space).to_3x3())
    expression = np.clip(motion.expression, -SLIDER_LIMIT, SLIDER_LIMIT)
    channels: list[Channel] = []
    for bone, local in _bone_rotations(rig, {role: turn for role, turn in given.items() if turn is not None}).items():
        channels += _rotation_channels(bone, local)
        if bone.name in displacements:
            rest = np.array(bone.bone.matrix_local.to_3x3())
            shift = _joint_shift(local, expression @ displacements[bone.name] @ to_armature.T @ rest)
            if np.abs(shift).max() > _SMALLEST_SHIFT * rig.scale:
                channels += _vector_channels(bone, "location", shift)
    return channels


def _character_channels(rig: HeadRig, target: Target, motion: FaceMotion) -> list[Channel]:
    """What a motion does to a character, apart from what its table does to it at rest."""
    at_rest = FaceMotion(motion.expression[:1] * 0.0, motion.jaw[:1] * 0.0, motion.fps, meta=motion.meta)
    moved, still = (put_on(target, given) for given in (motion, at_rest))
    group_of = {(row.target, row.channel): channel_group(row.source) for row in reversed(target.mapping.rows)}
    channels = []
    for (name, channel), values in moved.values.items():
        if channel == KEY:
            rest = float(still.values[name, channel][0])
            values = np.clip(values, -SLIDER_LIMIT, SLIDER_LIMIT) - rest
            if np.abs(values).max() >= _SMALLEST_VALUE:
                group = group_of[name, channel]
                channels.append(Channel("KEY", key_path(name), 0, values.astype(np.float32), group, rest))
    return channels + _character_bones(rig, moved, still)


def _character_bones(rig: HeadRig, moved: TargetMotion, still: TargetMotion) -> list[Channel]:
    """The channels of a character's bones: those that have a role, and those that its table turns, moves or scales."""
    if rig.armature is None:
        return []
    rotations = _bone_rotations(rig, moved.rotations)
    rest_rotations: dict[bpy.types.PoseBone, np.ndarray] = {}
    channels: list[Channel] = []
    for bone, part in {
        (pose_bones(rig.armature)[name], channel.split("_")[0]): None
        for name, channel in moved.values
        if channel != KEY
    }:
        unit = rig.scale if part == "LOCATION" else 1.0
        values, rest = (_columns(motion, bone.name, part) * unit for motion in (moved, still))
        if part == "ROTATION":
            # Rotation vectors add up, whatever turns the bone beside.
            rotations[bone] = rotations.get(bone, 0.0) + (values - rest[0])
            rest_rotations[bone] = rest
        elif np.abs(values - rest[0]).max() > _SMALLEST_SHIFT:
            channels += _vector_channels(bone, part.lower(), values - rest[0], rest[0])
    for bone, local in rotations.items():
        channels += _rotation_channels(bone, local, rest_rotations.get(bone))
    return channels


def _columns(motion: TargetMotion, bone_name: str, part: str) -> np.ndarray:
    """(T, 3) what a character's table gives one bone of rotation, location or scale, in the bone's axes."""
    given = [motion.values.get((bone_name, f"{part}_{axis}")) for axis in "XYZ"]
    some = next(values for values in given if values is not None)
    return np.stack([np.zeros_like(some) if values is None else values for values in given], axis=1)


def _bone_rotations(rig: HeadRig, rotations: Mapping[str, np.ndarray]) -> dict[bpy.types.PoseBone, np.ndarray]:
    """(T, 3) rotation of each bone that has a role, axis-angle in its own axes.

    Args:
        rig: the head.
        rotations: (T, 3) axis-angle in the face's axes by role; the neck's is shared with the bone of the head.
    """
    given = dict(rotations)
    if "neck" in given:
        bones = [role for role in ("neck", "head") if rig.bone(role) is not None]
        given |= {role: given["neck"] / len(bones) for role in bones}
    if rig.bones.get("left_eye") == rig.bones.get("right_eye") and {"left_eye", "right_eye"} <= set(given):
        given["left_eye"] = (given["left_eye"] + given.pop("right_eye")) / 2  # one bone for both
    turned: dict[bpy.types.PoseBone, np.ndarray] = {}
    for role in _TURNING:
        bone = rig.bone(role)
        if bone is not None and role in given:
            local = given[role] @ to_bone(rig, bone).T
            turned[bone] = turned[bone] + local if bone in turned else local
    return turned


def to_bone(rig: HeadRig, bone: bpy.types.PoseBone) -> np.ndarray:
    """(3, 3) matrix from rotation vectors in the face's axes to the bone's own ones."""
    return np.array(bone.bone.matrix_local.to_3x3()).T @ rig.turning_axes


def _rotation_channels(
    bone: bpy.types.PoseBone, axis_angle: np.ndarray, rest: np.ndarray | None = None
) -> list[Channel]:
    """The channels of a bone's rotation; none if it does not turn. Euler angles that stay zero are left out.

    Args:
        bone: the bone.
        axis_angle: (T, 3) its rotation, in its own axes.
        rest: (1, 3) its rotation at rest; None for none.
    """
    if np.abs(axis_angle).max() < _SMALLEST_TURN:
        return []
    channel, values = rotation_values(axis_angle, bone.rotation_mode)
    # Where nothing is below a strip, the NLA combines with these: for axis-angle not the property's default axis.
    at_rest = np.zeros(values.shape[1])
    if rest is not None and np.abs(rest).max() >= _SMALLEST_TURN:
        at_rest = rotation_values(rest, bone.rotation_mode)[1][0]
    elif channel == "rotation_quaternion":
        at_rest[0] = 1.0
    moved = [channel != "rotation_euler" or np.abs(column).max() >= _SMALLEST_TURN for column in values.T]
    return [
        Channel(
            "OBJECT",
            bone_path(bone.name, channel),
            index,
            values[:, index].astype(np.float32),
            channel_group(bone.name),
            float(at_rest[index]),
        )
        for index in range(values.shape[1])
        if moved[index]
    ]


def _vector_channels(
    bone: bpy.types.PoseBone, name: str, values: np.ndarray, rest: np.ndarray | None = None
) -> list[Channel]:
    """The channels of a bone's location or scale."""
    at_rest = np.zeros(3) if rest is None else rest
    one = 1.0 if name == "scale" else 0.0
    return [
        Channel(
            "OBJECT",
            bone_path(bone.name, name),
            index,
            (values[:, index] + one).astype(np.float32),
            channel_group(bone.name),
            float(at_rest[index]) + one,
        )
        for index in range(3)
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
