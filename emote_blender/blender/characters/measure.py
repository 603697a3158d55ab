"""What a character's shape keys and jaw do to its lips, read from its mesh and kept until mesh or table are others."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import bpy
import numpy as np

from ...motion_tools.rotation import axis_angle_to_matrix
from ...retarget.calibration import calibrate
from ...retarget.lips import Lips, lips_at
from ...retarget.mapping import KEY, FaceMapping
from ...retarget.mouth import Mouth, find_mouth
from ...retarget.target import Target
from ..head.head_rig import HeadRig
from ..head.rig import mesh_to_armature
from ..head.shape_keys import key_points
from ..narrow import armature_of, mesh_of, present, shape_keys_of
from ..settings.head_settings import head_settings
from ..takes.face_maps import kept, vertex_points, weights_of_groups

_OPENING_SIGNALS = ("jawOpen", "viseme_aa", "viseme_oh", "viseme_E", "viseme_ih", "viseme_kk", "viseme_DD", "viseme_ou")
"""Signals whose shape key opens the mouth, the widest first."""
_OPENED_RADIANS = 0.2
_LEAST_OPENING = 1e-4  # of the mesh's height that a key must lower something
_JAW_REACH = 4.0  # distances of the eyes, from the jaw's joint to the furthest lip
_EYES_PER_BLINK = 0.977  # distance of the open head's eyes, by that of what its blinks move
_LIKELY_WIDTHS = (0.25, 1.6)  # of a mouth, as parts of the distance between the eyes


def calibrated_target(rig: HeadRig, target: Target) -> Target:
    """How a motion moves a character, with its calibration if that is switched on and its lips are found."""
    if not head_settings(rig.mesh).character.calibrate:
        return target
    lips = character_lips(rig, target)
    if lips is None:
        return target
    identity = ("calibration", target.mapping.rows, target.jaw_is_bone, lips.names, _digest(*_arrays_of(lips)))
    return replace(target, calibration=kept(identity, lambda: calibrate(target.mapping, target.jaw_is_bone, lips)))


def character_lips(rig: HeadRig, target: Target) -> Lips | None:
    """The lips of a character and what its shape keys do to them; None if its mouth is not found.

    Finding them takes about 0.03 s on a usual head. Afterwards only the lips' own points are read.
    """
    opening = _opening_of(rig, target)
    return None if opening is None else _lips(rig, target, *opening)


def _opening_of(rig: HeadRig, target: Target) -> tuple[tuple, Mouth] | None:
    """What the mouth of a character depends on, and the mouth; None if there is none."""
    mesh = mesh_of(rig.mesh)
    keys = mesh.shape_keys  # None if bones alone move it
    rest = vertex_points(mesh) if keys is None else key_points(keys.reference_key)
    place = _to_face(rig)
    start = ("mouth", (keys or mesh).session_uid, len(mesh.edges), _digest(rest, *place, *_joints(rig)))
    if target.jaw_is_bone:
        bones = _jaw_bones(rig)
        identity = (*start, *bones)
        mouth = kept(identity, lambda: _mouth_of_bone(rig, target, _placed(rest, place), bones))
        if mouth is not None:
            return identity, mouth
    key = None if keys is None else _opening_key(rig, target)
    if key is None:
        return None
    opening = (key_points(key) - key_points(key.relative_key)) @ place[0].T
    identity = (*start, key.name, _digest(opening))
    mouth = kept(identity, lambda: _mouth(rig, target, _placed(rest, place), opening))
    return None if mouth is None else (identity, mouth)


def _opening_key(rig: HeadRig, target: Target) -> bpy.types.ShapeKey | None:
    """The shape key that opens the mouth widest, by its signal; one that lowers nothing does not count."""
    keys = shape_keys_of(rig.mesh)
    for signal in _OPENING_SIGNALS:
        for name in _keys_of_signal(target.mapping, signal):
            key = keys.key_blocks.get(name)
            if key is not None:
                place = _to_face(rig)[0]
                moved = (key_points(key) - key_points(key.relative_key)) @ place[1]
                if -moved.min() > _LEAST_OPENING * np.ptp(key_points(keys.reference_key) @ place[1]):
                    return key
    return None


def _mouth_of_bone(rig: HeadRig, target: Target, points: np.ndarray, bones: Sequence[str]) -> Mouth | None:
    """The mouth that the jaw's bone opens."""
    joint = _jaw_joint(rig)
    near = _near_jaw(rig, target, points, joint)
    weights = np.zeros(len(points))
    weights[near] = _jaw_weights(rig, bones, near)
    turn = axis_angle_to_matrix(np.array([_OPENED_RADIANS, 0.0, 0.0])) - np.eye(3)
    return _mouth(rig, target, points, weights[:, None] * ((points - joint) @ turn.T))


def _mouth(rig: HeadRig, target: Target, points: np.ndarray, opening: np.ndarray) -> Mouth | None:
    """The mouth of the face's mesh; by the distance of the eyes if it is known and likely."""
    edges = np.empty(2 * len(mesh_of(rig.mesh).edges), np.int32)
    mesh_of(rig.mesh).edges.foreach_get("vertices", edges)
    edges = edges.reshape(-1, 2)
    eyes = _eye_distance(rig, target)
    mouth = None if eyes is None else find_mouth(points, opening, edges, eyes)
    if mouth is not None and eyes is not None:
        corners = points[mouth.corners].mean(1)
        if _LIKELY_WIDTHS[0] < np.linalg.norm(corners[0] - corners[1]) / eyes < _LIKELY_WIDTHS[1]:
            return mouth
    return find_mouth(points, opening, edges)


def _lips(rig: HeadRig, target: Target, identity: tuple, mouth: Mouth) -> Lips:
    """What moves the lips, read at their own vertices."""
    keys = mesh_of(rig.mesh).shape_keys
    blocks: Any = {} if keys is None else keys.key_blocks
    vertices = mouth.vertices
    place = _to_face(rig)
    names = tuple(
        dict.fromkeys(
            row.target for row in target.mapping.rows if row.enabled and row.channel == KEY and row.target in blocks
        )
    )
    directions = np.zeros((len(vertices), 3, len(names)))
    for index, name in enumerate(names):
        key = blocks[name]
        if not key.mute:
            moved = (_points_at(key.points, vertices) - _points_at(key.relative_key.points, vertices)) @ place[0].T
            if key.vertex_group:
                moved *= weights_of_groups(rig.mesh, [[key.vertex_group]], vertices)[0][:, None]
            directions[:, :, index] = moved
    weights, joint = np.zeros(len(vertices)), np.zeros(3)
    if target.jaw_is_bone:
        weights, joint = _jaw_weights(rig, _jaw_bones(rig), vertices), _jaw_joint(rig)
    rest = mesh_of(rig.mesh).vertices if keys is None else keys.reference_key.points
    points = _placed(_points_at(rest, vertices), place)
    identity = ("lips", identity, names, _digest(directions, weights, joint))
    return kept(identity, lambda: lips_at(mouth.at(vertices), points, names, directions, weights, joint))


def _to_face(rig: HeadRig) -> tuple[np.ndarray, np.ndarray]:
    """(3, 3) matrix and (3,) translation from the mesh's points to the face's axes, in the unit of the rig's space."""
    to_space = np.array(mesh_to_armature(rig.mesh, rig.space))
    return rig.axes.T @ to_space[:3, :3], rig.axes.T @ to_space[:3, 3]


def _placed(points: np.ndarray, place: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return points @ place[0].T + place[1]


def _points_at(points: Any, vertices: np.ndarray) -> np.ndarray:
    """(N, 3) some points of a shape key, or vertices of a mesh; faster than reading all of a large one."""
    return np.array([points[vertex].co for vertex in vertices.tolist()], np.float64)


def _keys_of_signal(mapping: FaceMapping, signal: str) -> list[str]:
    return [row.target for row in mapping.rows if row.enabled and row.channel == KEY and row.source == signal]


def _jaw_bones(rig: HeadRig) -> tuple[str, ...]:
    """Names of the bones that the jaw's bone carries, and its own."""
    armature = rig.armature
    bone = None if armature is None else armature_of(armature).bones.get(rig.bones.get("jaw", ""))
    return () if bone is None else (bone.name, *(child.name for child in bone.children_recursive))


def _jaw_joint(rig: HeadRig) -> np.ndarray:
    """(3,) place of the jaw's bone, in the face's axes."""
    bones = armature_of(present(rig.armature)).bones
    return rig.axes.T @ np.array(bones[rig.bones["jaw"]].head_local, dtype=np.float64)


def _joints(rig: HeadRig) -> list[np.ndarray]:
    """Places of the bones that have a role."""
    if rig.armature is None:
        return []
    bones = armature_of(rig.armature).bones
    return [np.array(bones[name].head_local) for name in rig.bones.values() if name in bones]


def _jaw_weights(rig: HeadRig, jaw_bones: Sequence[str], vertices: np.ndarray) -> np.ndarray:
    """(N,) how far vertices follow the jaw's bone: its part of the weights of all deforming bones."""
    deforming = [bone.name for bone in armature_of(present(rig.armature)).bones if bone.use_deform]
    moved = [name for name in deforming if name in set(jaw_bones)]
    jaw, every = weights_of_groups(rig.mesh, [moved, deforming], vertices)
    return jaw / np.maximum(every, 1e-6)


def _near_jaw(rig: HeadRig, target: Target, points: np.ndarray, joint: np.ndarray) -> np.ndarray:
    """Vertices that may belong to the lower face; Blender gives their weights one by one."""
    eyes = _eye_distance(rig, target)
    if eyes is None:
        return np.arange(len(points))
    return np.flatnonzero(((points - joint) ** 2).sum(1) < (_JAW_REACH * eyes) ** 2)


def _eye_distance(rig: HeadRig, target: Target) -> float | None:
    """Distance between the eyes in the unit of the rig's space: of their bones, else of what blinks."""
    if rig.armature is not None and {"left_eye", "right_eye"} <= set(rig.bones):
        bones = armature_of(rig.armature).bones
        left, right = (np.array(bones[rig.bones[role]].head_local) for role in ("left_eye", "right_eye"))
        apart = float(np.linalg.norm(left - right))
        if apart > 0.0:
            return apart
    return _blink_distance(rig, target)


def _blink_distance(rig: HeadRig, target: Target) -> float | None:
    """Distance between what the two blinks move; None without them."""
    keys = mesh_of(rig.mesh).shape_keys
    centres: list[np.ndarray] = []
    for side in ("Left", "Right"):
        name = next(iter(_keys_of_signal(target.mapping, f"eyeBlink{side}")), None)
        key = None if name is None or keys is None else keys.key_blocks.get(name)
        if key is None:
            return None
        rest = key_points(key.relative_key)
        weights = ((key_points(key) - rest) ** 2).sum(1)
        if not weights.any():
            return None
        centres.append(_placed(np.einsum("v,vc->c", weights, rest) / weights.sum(), _to_face(rig)))
    apart = _EYES_PER_BLINK * float(np.linalg.norm(centres[0] - centres[1]))
    return apart if apart > 0.0 else None


def _arrays_of(lips: Lips) -> tuple[np.ndarray, ...]:
    return lips.points, lips.directions, lips.jaw_weights, lips.jaw_joint


def _digest(*arrays: np.ndarray) -> int:
    """A number that differs for other values."""
    digest = 0
    for values in arrays:
        digest = zlib.crc32(np.ascontiguousarray(values).tobytes(), digest)
    return digest
