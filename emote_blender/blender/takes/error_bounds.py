"""How far a channel may be off: from a bound in per cent of its range, or in millimetres on the face."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import bpy
import numpy as np

from ..head.head_rig import HeadRig
from ..head.rig import mesh_to_armature
from ..head.shape_keys import key_points
from ..narrow import mesh_of, pose_bones
from .face_maps import kept, vertex_points, weights_of_groups
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
        parts.append(_moving(channels, rig, mesh) * scale)
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


def _moving(channels: Sequence[ChannelPath], rig: HeadRig, mesh: bpy.types.Object) -> np.ndarray:
    """(C, N) what `_reaches` gives for the vertices that move; kept until the mesh is another one."""
    keys = mesh_of(mesh).shape_keys
    points = [] if keys is None else [zlib.crc32(key_points(key).tobytes()) for key in keys.key_blocks]
    place = np.array(mesh_to_armature(mesh, rig.space)).tobytes()

    def compute() -> np.ndarray:
        reaches = _reaches(channels, rig, mesh)
        return reaches[:, reaches.any(axis=0)]

    return kept(("reaches", mesh_of(mesh).session_uid, *points, *channels, place), compute)


def _reaches(channels: Sequence[ChannelPath], rig: HeadRig, mesh: bpy.types.Object) -> np.ndarray:
    """(C, V) how far each vertex of a mesh of the head moves, in the mesh's units, if a channel changes by 1."""
    keys = mesh_of(mesh).shape_keys
    blocks = {} if keys is None else {key.name: key for key in keys.key_blocks}
    items = [item_name(channel.data_path) for channel in channels]
    reaches = np.zeros((len(channels), len(mesh_of(mesh).vertices)), np.float32)
    for row, channel, item in zip(reaches, channels, items):
        if channel.id_type == "KEY" and channel.data_path.endswith(".value") and item in blocks:
            moved = key_points(blocks[item]) - key_points(blocks[item].relative_key)
            some = moved.any(axis=1)
            row[some] = np.linalg.norm(moved[some], axis=1)
    # Of a character the face counts, which is what its keys move: it may have a body of half a million vertices.
    face = reaches.any(axis=0) if rig.target is not None else np.zeros(0, bool)
    chosen = np.flatnonzero(face) if face.any() else np.arange(reaches.shape[1])
    bones = [item for channel, item in zip(channels, items) if channel.id_type == "OBJECT"]
    levers = _levers(mesh, rig, bones, chosen)
    for row, channel, item in zip(reaches, channels, items):
        start, _, name = channel.data_path.rpartition(".")
        if start.startswith("pose.bones[") and item in levers:
            weights, turned = levers[item]
            if name == "location":
                row[chosen] = weights
            elif name.startswith("rotation"):
                # The vector part of a quaternion is half the angle.
                row[chosen] = turned * (2.0 if name == "rotation_quaternion" else 1.0)
    return reaches


def item_name(data_path: str) -> str:
    """The name in quotes in a data path such as `key_blocks["mouthClose"].value`; empty if there is none."""
    start, end = data_path.find('["'), data_path.rfind('"]')
    return bpy.utils.unescape_identifier(data_path[start + 2 : end]) if 0 <= start < end else ""


def _levers(
    mesh: bpy.types.Object, rig: HeadRig, bone_names: Sequence[str], chosen: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of each bone by its name: (N,) weight of the chosen vertices in its group, and that times the distance to it.

    The neck of a character carries the bones above it too.
    """
    named = {} if rig.armature is None else {bone.name: bone.bone for bone in pose_bones(rig.armature)}
    bones = [named[name] for name in dict.fromkeys(bone_names) if name in named]
    below = [[child.name for child in bone.children_recursive] if rig.target is not None else [] for bone in bones]
    weights = weights_of_groups(mesh, [[bone.name, *names] for bone, names in zip(bones, below)], chosen)
    keys = mesh_of(mesh).shape_keys
    rest = vertex_points(mesh_of(mesh)) if keys is None else key_points(keys.reference_key)
    to_mesh = mesh_to_armature(mesh, rig.space).inverted_safe()
    levers = {}
    for bone, column in zip(bones, weights):
        distances = np.linalg.norm(rest[chosen] - np.array(to_mesh @ bone.head_local), axis=1)
        levers[bone.name] = column, column * distances
    return levers
