"""Where the object that a head looks at is, frame by frame, without changing the scene's frame."""

from __future__ import annotations

import json

import bpy
import numpy as np
from mathutils import Euler, Matrix, Quaternion, Vector

from ...motion_tools.gaze import EyePlaces
from ..compat import slot_curves
from ..head.rig import HeadRig
from ..narrow import pose_bones, window_scene
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take

# Points that `sample_target` read from the evaluated scene, on the take's action.
SAMPLES_PROPERTY = "emote_gaze"
# The target's places at some frames, as a take's curves were written with them, on its action.
_SEEN_PROPERTY = "emote_gaze_seen"
_TOLERANCE = 1e-4  # of the armature's unit
_PLACES = "location", "rotation_euler", "rotation_quaternion", "scale"


def eye_places(rig: HeadRig) -> EyePlaces | None:
    """Where the head's eyes and neck are, in the face model's axes and the armature's unit; None without eye bones."""
    bones = {bone.name: np.array(bone.bone.head_local) @ rig.axes for bone in pose_bones(rig.armature)}
    if not {"left_eye", "right_eye"} <= set(bones):
        return None
    eyes = np.stack([bones["left_eye"], bones["right_eye"]])
    return EyePlaces(eyes, bones["neck"] if "neck" in bones else eyes.mean(axis=0))


def target_points(rig: HeadRig, target: bpy.types.Object, frames: np.ndarray) -> np.ndarray:
    """(T, 3) the target in the frame of the unturned neck, in the face model's axes and the armature's unit.

    Keyframes of place, rotation and scale count, those of the target, of the head's armature and of their parents.
    What else moves them (constraints, drivers, simulations, bones below the neck) counts as it is in the present frame;
    `sample_target` reads it in every frame.

    Args:
        rig: the head.
        target: the object.
        frames: (T,) scene frames.
    """
    carried = _neck_carrier(rig)
    targets, armatures = (_world_matrices(item, frames) for item in (target, rig.armature))
    points = [
        _seen_from(armatures[number % len(armatures)] @ carried, targets[number % len(targets)])
        for number in range(max(len(targets), len(armatures)))
    ]
    return np.broadcast_to(np.array(points) @ rig.axes, (len(frames), 3))


def sample_target(
    context: bpy.types.Context, rig: HeadRig, target: bpy.types.Object, action: bpy.types.Action, frames: np.ndarray
) -> None:
    """Read the target's place from the evaluated scene in every frame, and store it on the take's action.

    Args:
        context: its scene is stepped through the frames, and set back.
        rig: the head.
        target: the object.
        action: the take's action.
        frames: (T,) whole scene frames, ascending.
    """
    scene = window_scene(context)
    now, part = scene.frame_current, scene.frame_subframe
    points = []
    try:
        for frame in frames.tolist():
            scene.frame_set(int(frame))
            graph = context.evaluated_depsgraph_get()
            armature = rig.armature.evaluated_get(graph)
            place = target.evaluated_get(graph).matrix_world
            points.append(_seen_from(armature.matrix_world @ _neck_carrier(rig, armature), place))
    finally:
        scene.frame_set(now, subframe=part)
    rounded = np.round(np.array(points) @ rig.axes, 5).tolist()
    action[SAMPLES_PROPERTY] = json.dumps({"target": target.name, "start": int(frames[0]), "points": rounded})


def sampled_points(action: bpy.types.Action, target: bpy.types.Object, frames: np.ndarray) -> np.ndarray | None:
    """(T, 3) what `sample_target` stored, at these frames; None if it stored nothing for this target."""
    try:
        stored = json.loads(str(action[SAMPLES_PROPERTY]))
        points = np.array(stored["points"], np.float64).reshape(-1, 3)
        start, name = float(stored["start"]), stored["target"]
    except (KeyError, TypeError, ValueError):
        return None
    if name != target.name or not len(points):
        return None
    known = start + np.arange(len(points))
    return np.stack([np.interp(frames, known, column) for column in points.T], axis=1)


def samples_target(action: bpy.types.Action, target: bpy.types.Object) -> bool:
    """Whether an action has samples of this target."""
    return sampled_points(action, target, np.zeros(1)) is not None


def note_target(rig: HeadRig, take: EMOTE_PG_take) -> None:
    """Store on a take's action where its target is as its curves are written."""
    places = _places(rig, take)
    if places is not None:
        take.action[_SEEN_PROPERTY] = places.ravel().tolist()
    elif take.action is not None and _SEEN_PROPERTY in take.action.keys():
        del take.action[_SEEN_PROPERTY]


def takes_with_moved_targets(rig: HeadRig) -> list[EMOTE_PG_take]:
    """The takes in use of a head whose target is elsewhere than when their curves were written."""
    moved = []
    for take in head_settings(rig.mesh).takes:
        if not take.in_use or take.action is None or not take.alive.gaze or take.alive.look_at is None:
            continue
        places = _places(rig, take)
        seen = np.array(take.action.get(_SEEN_PROPERTY, ()), np.float64)
        if places is not None and (seen.size != places.size or np.abs(seen - places.ravel()).max() > _TOLERANCE):
            moved.append(take)
    return moved


def _places(rig: HeadRig, take: EMOTE_PG_take) -> np.ndarray | None:
    """(3, 3) the target at the beginning, in the middle and at the end; None without one, or if it was sampled."""
    target = take.alive.look_at
    if target is None or take.action is None or not take.alive.gaze or samples_target(take.action, target):
        return None
    frames = take.frame_start + take.duration_seconds * take.fps * np.array([0.0, 0.5, 1.0])
    return target_points(rig, target, frames)


def _neck_carrier(rig: HeadRig, armature: bpy.types.Object | None = None) -> Matrix:
    """How what carries the neck has moved from its rest place, in the armature's space."""
    neck = pose_bones(armature or rig.armature).get("neck")
    carrier = neck.parent if neck is not None else pose_bones(armature or rig.armature)["jaw"].parent
    return Matrix() if carrier is None else carrier.matrix @ carrier.bone.matrix_local.inverted()


def _seen_from(frame: Matrix, place: Matrix) -> Vector:
    return frame.inverted_safe() @ place.translation


def _world_matrices(item: bpy.types.Object, frames: np.ndarray) -> list[Matrix]:
    """The place of an object at each frame, or at all frames if it has no keyframes."""
    chain = [item]
    while chain[-1].parent is not None:
        chain.append(chain[-1].parent)
    curves = {link: _place_curves(link) for link in chain}
    if not any(curves.values()) or any(link.parent is not None and link.parent_type != "OBJECT" for link in chain):
        return [item.matrix_world]
    moved = [Matrix()] * len(frames)
    for link in chain:  # from the object to its outermost parent
        basis = _bases(link, curves[link], frames)
        moved = [link.matrix_parent_inverse @ own @ inner for own, inner in zip(basis, moved)]
    return moved


def _place_curves(item: bpy.types.Object) -> dict[tuple[str, int], bpy.types.FCurve]:
    """The f-curves of an object's place, rotation and scale, by path and index."""
    return {
        (curve.data_path, curve.array_index): curve
        for curve in slot_curves(item)
        if curve.data_path in _PLACES and not curve.mute
    }


def _bases(item: bpy.types.Object, curves: dict[tuple[str, int], bpy.types.FCurve], frames: np.ndarray) -> list[Matrix]:
    """The object's own transform at each frame."""
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
