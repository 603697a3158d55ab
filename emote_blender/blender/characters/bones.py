"""The bones of jaw, neck, head and eyes: named like them, free to be turned, and moving the right vertices.

What a bone moves is read from vertex groups. In a rig of controls the bone to turn often has no weights of its own:
what follows it, by parent or by constraint, counts as its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ...retarget.bone_names import BoneName, bones_by_role
from ..narrow import armature_of, mesh_of, pose_bones

_MOST_SAMPLES = 4000  # vertices of a mesh whose weights are read: Blender has no fast way to all of them
# Constraints by which a bone follows another one.
_FOLLOWING = {"COPY_TRANSFORMS", "COPY_ROTATION", "CHILD_OF", "ARMATURE", "TRANSFORM"}
_TURNING = _FOLLOWING | {"DAMPED_TRACK", "TRACK_TO", "LOCKED_TRACK", "IK", "SPLINE_IK", "STRETCH_TO", "PIVOT"}
_LEAST_WEIGHT = 0.05  # mean influence on a place for a bone to count as moving it


@dataclass(frozen=True, eq=False)
class Samples:
    """Vertices of a character, spread over its meshes.

    Attributes:
        points: (N, 3) at rest, in the armature's space.
        mesh_of_point: (N,) index of each one's mesh.
        vertices: (N,) its number in that mesh.
        bones: names of the bones that have weights.
        weights: (N, B) weights of these bones, which add up to 1, or to 0 where none has any.
    """

    points: np.ndarray
    mesh_of_point: np.ndarray
    vertices: np.ndarray
    bones: tuple[str, ...]
    weights: np.ndarray

    def influence(self, shares: Mapping[str, float]) -> np.ndarray:
        """(N,) how much vertices follow a bone.

        Args:
            shares: how much each bone follows it (`followers`).
        """
        return self.weights @ np.array([shares.get(bone, 0.0) for bone in self.bones], np.float32)


def read_samples(meshes: Sequence[bpy.types.Object], armature: bpy.types.Object, near: np.ndarray | None) -> Samples:
    """Vertices of these meshes with the weights that the armature's bones have on them.

    Args:
        meshes: mesh objects that the armature moves.
        armature: the armature object.
        near: (2, 3) a box in the armature's space; vertices outside it are left out. None for all.
    """
    carrying = {item.parent_bone for item in meshes if _hangs_on_bone(item, armature)}
    names = [bone.name for bone in armature_of(armature).bones if bone.use_deform or bone.name in carrying]
    column = {name: index for index, name in enumerate(names)}
    to_armature = np.array(armature.matrix_world.inverted_safe())
    all_points, all_meshes, all_vertices, all_weights = [], [], [], []
    for number, item in enumerate(meshes):
        mesh = mesh_of(item)
        place = to_armature @ np.array(item.matrix_world)
        points = np.empty(3 * len(mesh.vertices), np.float32)
        mesh.vertices.foreach_get("co", points)
        points = points.reshape(-1, 3) @ place[:3, :3].T.astype(np.float32) + place[:3, 3].astype(np.float32)
        chosen = np.arange(len(points))
        if near is not None:
            chosen = chosen[((points >= near[0]) & (points <= near[1])).all(axis=1)]
        chosen = chosen[:: max(1, -(-len(chosen) // _MOST_SAMPLES))]
        weights = np.zeros((len(chosen), len(names)), np.float32)
        if _hangs_on_bone(item, armature):
            weights[:, column[item.parent_bone]] = 1.0
        else:
            groups = {group.index: column[group.name] for group in item.vertex_groups if group.name in column}
            for row, vertex in enumerate(chosen.tolist()):
                for entry in mesh.vertices[vertex].groups:
                    if entry.group in groups:
                        weights[row, groups[entry.group]] = entry.weight
            weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-6)
        all_points.append(points[chosen])
        all_meshes.append(np.full(len(chosen), number))
        all_vertices.append(chosen)
        all_weights.append(weights)
    return Samples(
        np.concatenate(all_points),
        np.concatenate(all_meshes),
        np.concatenate(all_vertices),
        tuple(names),
        np.concatenate(all_weights),
    )


def followers(armature: bpy.types.Object) -> dict[str, dict[str, float]]:
    """For each bone how much each bone turns with it, by parents and constraints: 0 to 1; itself wholly."""
    moved_by: dict[str, dict[str, float]] = {bone.name: {} for bone in pose_bones(armature)}
    for bone in pose_bones(armature):
        if bone.parent is not None:
            moved_by[bone.parent.name][bone.name] = 1.0
        for constraint in bone.constraints:
            if constraint.mute or constraint.type not in _FOLLOWING:
                continue
            followed: Any = constraint  # its class has what is read here
            targets = followed.targets if constraint.type == "ARMATURE" else [followed]
            total = sum(target.weight for target in targets) if constraint.type == "ARMATURE" else 1.0
            for target in targets:
                if target.target == armature and target.subtarget in moved_by and total > 0:
                    share = constraint.influence * (target.weight / total if constraint.type == "ARMATURE" else 1.0)
                    known = moved_by[target.subtarget]
                    known[bone.name] = max(share, known.get(bone.name, 0.0))
    return {name: _reached(name, moved_by) for name in moved_by}


def candidates(armature: bpy.types.Object) -> dict[str, list[BoneName]]:
    """The bones of each role by name that keys can turn: no constraint, driver or lock decides their rotation."""
    free = [bone.name for bone in pose_bones(armature) if _is_free(armature, bone)]
    return bones_by_role(free)


def best_bone(
    names: Sequence[BoneName],
    samples: Samples,
    moves: Mapping[str, Mapping[str, float]],
    wanted: np.ndarray,
    unwanted: np.ndarray,
) -> str:
    """The bone of a role that moves what it should; empty if none does.

    Args:
        names: the bones by name, most certain first.
        samples: vertices with weights.
        moves: how much bones follow each one (`followers`).
        wanted: (N,) which vertices the bone moves; at least some of them.
        unwanted: (N,) which vertices it leaves alone.
    """
    best, best_score = "", 0.0
    for bone in names:
        influence = samples.influence(moves[bone.name])
        if not wanted.any() or not influence.any():
            continue
        # How much of the place it moves, or how much of what it moves is there: an eyeball has few vertices.
        gain = float(max(influence[wanted].mean(), influence[wanted].sum() / influence.sum()))
        loss = float(influence[unwanted].mean()) if unwanted.any() else 0.0
        score = bone.certainty * (gain - loss)
        # Of a control and what follows it, the control: it moves as much or more.
        if gain - loss > _LEAST_WEIGHT and score > best_score + 1e-3:
            best, best_score = bone.name, score
    return best


def _hangs_on_bone(item: bpy.types.Object, armature: bpy.types.Object) -> bool:
    """Whether a mesh object is parented to a bone as a whole, as eyeballs and teeth often are."""
    has_modifier = any(modifier.type == "ARMATURE" for modifier in item.modifiers)
    parented = item.parent == armature and item.parent_type == "BONE"
    return parented and not has_modifier and item.parent_bone in armature_of(armature).bones


def _is_free(armature: bpy.types.Object, bone: bpy.types.PoseBone) -> bool:
    if all(bone.lock_rotation):
        return False
    if any(c.type in _TURNING and not c.mute and c.influence > 0 for c in bone.constraints):
        return False
    animation = armature.animation_data
    path = f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"].rotation'
    return animation is None or not any(curve.data_path.startswith(path) for curve in animation.drivers)


def _reached(name: str, moved_by: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """How much bones follow one, each by the way on which it follows most."""
    found, waiting = {name: 1.0}, [name]
    while waiting:
        bone = waiting.pop()
        for other, share in moved_by[bone].items():
            reached = found[bone] * share
            if reached > max(_LEAST_WEIGHT, found.get(other, 0.0)):
                found[other] = reached
                waiting.append(other)
    return found
