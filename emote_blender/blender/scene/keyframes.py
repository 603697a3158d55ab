"""Keyframes in bulk: whole f-curves at once, in one slot of an action."""

from __future__ import annotations

import bpy
import numpy as np

from ...motion_tools.rotation import (
    axis_angle_to_angle_and_axis,
    axis_angle_to_quaternion,
    continuous_quaternions,
    quaternion_to_euler,
)
from ..compat import action_channelbag
from ..narrow import expect

_SMALLEST_CHANGE = 1e-6  # a channel that moves less than this all through gets one key


def new_slot(action: bpy.types.Action, owner: bpy.types.ID) -> bpy.types.ActionSlot:
    """A new slot of an action for this data-block."""
    return action.slots.new(id_type=owner.id_type, name=owner.name)


def write_curve(
    action: bpy.types.Action,
    slot: bpy.types.ActionSlot,
    data_path: str,
    index: int,
    frames: np.ndarray,
    values: np.ndarray,
    group: str = "",
) -> None:
    """Write one f-curve with linear interpolation.

    Args:
        action: the action of the curve.
        slot: the slot of the curve.
        data_path: the animated property.
        index: index of the animated value in an array property; 0 for a single value.
        frames: (N,) scene frames, ascending.
        values: (N,) values.
        group: name of the group in which the curve is listed.
    """
    if np.ptp(values) < _SMALLEST_CHANGE:
        frames, values = frames[:1], values[:1]
    channelbag = action_channelbag(action, slot)
    curve = channelbag.fcurves.new(data_path, index=index)
    if group:
        curve.group = channelbag.groups.get(group) or channelbag.groups.new(group)
    points = curve.keyframe_points
    points.add(len(frames))
    points.foreach_set("co", np.stack([frames, values], axis=1).astype(np.float32).ravel())
    for setting, choice in (
        ("interpolation", "LINEAR"),
        # For users who change the interpolation to Bezier.
        ("handle_left_type", "AUTO_CLAMPED"),
        ("handle_right_type", "AUTO_CLAMPED"),
    ):
        declared = expect(bpy.types.Keyframe.bl_rna.properties[setting], bpy.types.EnumProperty)
        number = declared.enum_items[choice].value
        points.foreach_set(setting, np.full(len(frames), number, dtype=np.int32))
    curve.update()


def rotation_channels(axis_angle: np.ndarray, rotation_mode: str) -> tuple[str, np.ndarray]:
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
