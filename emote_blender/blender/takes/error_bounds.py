"""How far a channel may be off: from a bound in per cent of its range, or in millimetres on the face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import bpy
import numpy as np

from ..head.rig import HeadRig, mesh_to_armature
from ..narrow import mesh_of, pose_bones, shape_keys_of
from .face_maps import group_weights, key_points
from .sampling import ChannelPath

# Errors of channels that move the same vertex add up like random numbers: the largest sum over a line was 0.9 to 1.5
# times the root of the sum of squared bounds there (the open head, and its components mixed at random as in a PCA).
_SUM_OF_ERRORS = 1.3
_SMALLEST_BOUND = 1e-5  # of a full expression, of a quaternion's part, radians, metres
_WITHOUT_MESH = 0.01  # share of the range allowed to a channel that does not move the head's mesh


@dataclass(frozen=True)
class ErrorBound:
    """The largest error of sparse keys.

    Attributes:
        unit: PERCENT of the range of each property, or MILLIMETRE on the face.
        amount: the bound in that unit, above 0.
    """

    unit: Literal["PERCENT", "MILLIMETRE"] = "MILLIMETRE"
    amount: float = 0.25


def channel_bounds(
    bound: ErrorBound, channels: Sequence[ChannelPath], values: np.ndarray, rig: HeadRig, metres_per_unit: float = 1.0
) -> np.ndarray:
    """(C,) largest error of each channel in its own unit.

    Millimetres are shared out among the channels: each may move a vertex by the same part of the bound, so that all
    together stay about within it (61 s on the open head: the largest error is 0.5 to 0.75 times the bound).

    Args:
        bound: the bound.
        channels: the channels.
        values: (C, T) their values.
        rig: the head.
        metres_per_unit: length of the scene's unit.
    """
    ranges = _ranges_of_properties(channels, values)
    if bound.unit == "PERCENT":
        return np.maximum(ranges * bound.amount / 100, _SMALLEST_BOUND)
    scale = sum(rig.mesh.matrix_world.to_scale()[:]) / 3 * metres_per_unit * 1000
    reaches = _reaches(channels, rig) * scale  # (C, V) millimetres for a change of 1
    farthest = reaches.max(axis=1)
    moves = farthest > 0
    together = np.sqrt(((reaches[moves] / farthest[moves, None]) ** 2).sum(axis=0).max(initial=1.0))
    bounds = ranges * _WITHOUT_MESH
    bounds[moves] = bound.amount / (_SUM_OF_ERRORS * together * farthest[moves])
    return np.maximum(bounds, _SMALLEST_BOUND)


def _ranges_of_properties(channels: Sequence[ChannelPath], values: np.ndarray) -> np.ndarray:
    """(C,) range of each channel; the parts of one property, such as a quaternion's, have the widest one's."""
    widest: dict[tuple[str, str], float] = {}
    for channel, row in zip(channels, values):
        name = (channel.id_type, channel.data_path)
        widest[name] = max(widest.get(name, 0.0), float(np.ptp(row)))
    return np.array([widest[channel.id_type, channel.data_path] for channel in channels])


def _reaches(channels: Sequence[ChannelPath], rig: HeadRig) -> np.ndarray:
    """(C, V) how far each vertex of the head moves, in the mesh's units, if a channel changes by 1."""
    keys = shape_keys_of(rig.mesh)
    bones = {} if rig.armature is None else {bone.name: bone for bone in pose_bones(rig.armature)}
    of_bone: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    reaches = np.zeros((len(channels), len(mesh_of(rig.mesh).vertices)), np.float32)
    for row, channel in zip(reaches, channels):
        start, _, name = channel.data_path.rpartition(".")
        item = item_name(channel.data_path)
        if channel.id_type == "KEY" and name == "value" and item in keys.key_blocks:
            key = keys.key_blocks[item]
            row[:] = np.linalg.norm(key_points(key) - key_points(key.relative_key), axis=1)
        elif start.startswith("pose.bones[") and item in bones:
            if item not in of_bone:
                of_bone[item] = _weights_and_distances(bones[item], rig)
            weights, distances = of_bone[item]
            if name == "location":
                row[:] = weights
            elif name.startswith("rotation"):
                # The vector part of a quaternion is half the angle.
                row[:] = weights * distances * (2.0 if name == "rotation_quaternion" else 1.0)
    return reaches


def item_name(data_path: str) -> str:
    """The name in quotes in a data path such as `key_blocks["mouthClose"].value`; empty if there is none."""
    start, end = data_path.find('["'), data_path.rfind('"]')
    return bpy.utils.unescape_identifier(data_path[start + 2 : end]) if 0 <= start < end else ""


def _weights_and_distances(bone: bpy.types.PoseBone, rig: HeadRig) -> tuple[np.ndarray, np.ndarray]:
    """(V,) weight of each vertex of the head in a bone's group, and its distance from the bone's joint at rest."""
    joint = np.array(mesh_to_armature(rig.mesh, rig.space).inverted_safe() @ bone.bone.head_local)
    distances = np.linalg.norm(key_points(shape_keys_of(rig.mesh).reference_key) - joint, axis=1)
    return group_weights(rig.mesh, bone.name), distances
