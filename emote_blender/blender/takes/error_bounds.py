"""How far a channel may be off: from a bound in per cent of its range, or in millimetres on the face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import bpy
import numpy as np

from ..head.rig import HeadRig, mesh_to_armature
from ..narrow import mesh_of, pose_bones
from .face_maps import group_weights, key_points, vertex_points
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
    parts = []
    for mesh in rig.meshes:
        scale = sum(abs(size) for size in mesh.matrix_world.to_scale()[:]) / 3 * metres_per_unit * 1000
        reaches = _reaches(channels, rig, mesh)
        parts.append(reaches[:, reaches.any(axis=0)] * scale)
    reaches = np.concatenate(parts, axis=1)  # (C, V) millimetres for a change of 1, of vertices that move
    farthest = reaches.max(axis=1, initial=0.0)
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


def _reaches(channels: Sequence[ChannelPath], rig: HeadRig, mesh: bpy.types.Object) -> np.ndarray:
    """(C, V) how far each vertex of a mesh of the head moves, in the mesh's units, if a channel changes by 1."""
    keys = mesh_of(mesh).shape_keys
    blocks = {} if keys is None else {key.name: key for key in keys.key_blocks}
    named = {} if rig.armature is None else {bone.name: bone for bone in pose_bones(rig.armature)}
    items = [item_name(channel.data_path) for channel in channels]
    is_bone = [channel.data_path.startswith("pose.bones[") and item in named for channel, item in zip(channels, items)]
    bones = [named[item] for item in dict.fromkeys(item for item, found in zip(items, is_bone) if found)]
    weights = _bone_weights(mesh, bones, rig)
    reaches = np.zeros((len(channels), len(mesh_of(mesh).vertices)), np.float32)
    for row, channel, item, moves_bone in zip(reaches, channels, items, is_bone):
        _, _, name = channel.data_path.rpartition(".")
        if channel.id_type == "KEY" and name == "value" and item in blocks:
            key = blocks[item]
            row[:] = np.linalg.norm(key_points(key) - key_points(key.relative_key), axis=1)
        elif moves_bone and name == "location":
            row[:] = weights[item]
        elif moves_bone and name.startswith("rotation"):
            factor = 2.0 if name == "rotation_quaternion" else 1.0  # its vector part is half the angle
            row[:] = weights[item] * _distances(mesh, named[item], rig) * factor
    return reaches


def item_name(data_path: str) -> str:
    """The name in quotes in a data path such as `key_blocks["mouthClose"].value`; empty if there is none."""
    start, end = data_path.find('["'), data_path.rfind('"]')
    return bpy.utils.unescape_identifier(data_path[start + 2 : end]) if 0 <= start < end else ""


def _bone_weights(mesh: bpy.types.Object, bones: Sequence[bpy.types.PoseBone], rig: HeadRig) -> dict[str, np.ndarray]:
    """(V,) weight of each vertex of a mesh in each bone's group; a character's neck carries the bones above it too."""
    carried = {
        bone.name: [bone.name] + [below.name for below in bone.bone.children_recursive if rig.target is not None]
        for bone in bones
    }
    return {name: group_weights(mesh, *groups) for name, groups in carried.items()}


def _distances(mesh: bpy.types.Object, bone: bpy.types.PoseBone, rig: HeadRig) -> np.ndarray:
    """(V,) distance of each vertex of a mesh from a bone's joint at rest."""
    joint = np.array(mesh_to_armature(mesh, rig.space).inverted_safe() @ bone.bone.head_local)
    keys = mesh_of(mesh).shape_keys
    rest = vertex_points(mesh_of(mesh)) if keys is None else key_points(keys.reference_key)
    return np.linalg.norm(rest - joint, axis=1)
