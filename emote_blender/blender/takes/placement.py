"""Where objects and bones are at each frame, from their keyframes alone: the scene's frame is not changed."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Euler, Matrix, Quaternion, Vector

from ..compat import slot_curves

_PLACES = "location", "rotation_euler", "rotation_quaternion", "scale"

Curves = dict[tuple[str, int], bpy.types.FCurve]


def world_matrices(item: bpy.types.Object, frames: np.ndarray) -> list[Matrix]:
    """The place of an object at each frame (T,), or one for all frames if it has no keyframes.

    Keyframes of place, rotation and scale of the object and of its parents count. An object below a bone or a vertex,
    or moved otherwise, is where it is in the present frame.
    """
    chain = [item]
    while chain[-1].parent is not None:
        chain.append(chain[-1].parent)
    curves = {link: _place_curves(link) for link in chain}
    if not any(curves.values()) or any(link.parent is not None and link.parent_type != "OBJECT" for link in chain):
        return [item.matrix_world]
    moved = [Matrix()] * len(frames)
    for link in chain:  # from the object to its outermost parent
        own = _bases(link, curves[link], frames)
        moved = [link.matrix_parent_inverse @ basis @ inner for basis, inner in zip(own, moved)]
    return moved


def bone_motions(armature: bpy.types.Object, bone: bpy.types.PoseBone | None, frames: np.ndarray) -> list[Matrix]:
    """How a bone has moved from its rest place, in the armature's space: at each frame (T,), or one for all.

    Keyframes of the active action on the bone and those above it count, elsewhere their present pose.
    """
    chain: list[bpy.types.PoseBone] = []
    link = bone
    while link is not None:
        chain.append(link)
        link = link.parent
    curves = {link.name: _place_curves(armature, link) for link in chain}
    count = len(frames) if any(curves.values()) else 1
    moved = [Matrix()] * count
    for link in chain:  # from the bone to its outermost parent
        rest = link.bone.matrix_local
        own = _bases(link, curves[link.name], frames[:count])
        moved = [rest @ basis @ rest.inverted() @ inner for basis, inner in zip(own, moved)]
    return moved


def _place_curves(owner: bpy.types.Object, bone: bpy.types.PoseBone | None = None) -> Curves:
    """The f-curves of the place, rotation and scale of an object, or of one of its bones, by property and index."""
    prefix = "" if bone is None else f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"].'
    return {
        (curve.data_path.removeprefix(prefix), curve.array_index): curve
        for curve in slot_curves(owner)
        if curve.data_path.startswith(prefix) and curve.data_path.removeprefix(prefix) in _PLACES and not curve.mute
    }


def _bases(item: bpy.types.Object | bpy.types.PoseBone, curves: Curves, frames: np.ndarray) -> list[Matrix]:
    """The own transform of an object or a bone at each frame."""
    if not curves:
        return [item.matrix_basis.copy()] * len(frames)

    def values(path: str) -> np.ndarray:
        still = np.array(getattr(item, path))
        columns = [
            [curves[path, index].evaluate(frame) for frame in frames.tolist()]
            if (path, index) in curves
            else np.full(len(frames), value)
            for index, value in enumerate(still)
        ]
        return np.array(columns).T

    location, scale = values("location").tolist(), values("scale").tolist()
    if item.rotation_mode == "QUATERNION":
        rotation = [Quaternion(row).normalized() for row in values("rotation_quaternion").tolist()]
    elif item.rotation_mode == "AXIS_ANGLE":
        rotation = [item.matrix_basis.to_quaternion()] * len(frames)
    else:
        turns = values("rotation_euler").tolist()
        rotation = [Euler(row, item.rotation_mode).to_quaternion() for row in turns]
    return [
        Matrix.LocRotScale(Vector(place), turn, Vector(size)) for place, turn, size in zip(location, rotation, scale)
    ]
