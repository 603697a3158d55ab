"""Where the object that a head looks at is, frame by frame, without changing the scene's frame."""

from __future__ import annotations

import json

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...motion_tools.gaze import HUMAN, EyePlaces
from ..head.head_rig import HeadRig
from ..head.rig import armature_of_head, bones_of_head, head_of
from ..narrow import pose_bones, present, window_scene
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from .face_maps import eyes_of_keys
from .placement import bone_motions, world_matrices

# Points that `sample_target` read from the evaluated scene, on the take's action.
SAMPLES_PROPERTY = "emote_gaze"
# The target's places at some frames, as a take's curves were written with them, on its action.
_SEEN_PROPERTY = "emote_gaze_seen"
_TOLERANCE = 1e-4  # of the armature's unit
_CARRIED = ("neck", "jaw", "head", "left_eye", "right_eye")  # in the order in which a bone that carries them is asked


def eye_places(rig: HeadRig) -> EyePlaces | None:
    """Where the head's eyes and neck are, in the face's axes and the unit of its space; None if nothing turns them.

    Eyes that shape keys turn are where the keys move the mesh most; where that says nothing, they are a human's.
    """
    bones = {role: np.array(bone.bone.head_local) @ rig.axes for role in rig.bones if (bone := rig.bone(role))}
    eyes = np.stack([bones["left_eye"], bones["right_eye"]]) if {"left_eye", "right_eye"} <= set(bones) else None
    if eyes is None and rig.target is not None and not rig.target.eyes_are_bones and rig.target.moves("eyeLook"):
        eyes = eyes_of_keys(rig, rig.target.mapping)
    if eyes is None:
        return None
    if rig.target is not None and not np.linalg.norm(eyes[0] - eyes[1]) > 0.0:  # one bone for both
        eyes = eyes + HUMAN.eyes * rig.scale
    neck = bones.get("neck", bones.get("head"))
    return EyePlaces(eyes, eyes.mean(axis=0) if neck is None else neck)


def target_points(rig: HeadRig, target: bpy.types.Object, frames: np.ndarray) -> np.ndarray:
    """(T, 3) the target in the frame of the unturned neck, in the face model's axes and the armature's unit.

    Of another head, the eyes are looked at. Keyframes count, those of the target, of the head's armature and of their
    parents, and of the bones that carry the neck. What else moves them (constraints, drivers, simulations) counts as it
    is in the present frame; `sample_target` reads it in every frame.

    Args:
        rig: the head.
        target: the object.
        frames: (T,) scene frames.
    """
    item, point = _looked_at(target)
    targets, armatures = (world_matrices(owner, frames) for owner in (item, rig.space))
    carriers = [Matrix()] if rig.armature is None else bone_motions(rig.armature, _carrier(rig.mesh), frames)
    carried = [Matrix()] if point is None else bone_motions(item, _carrier(present(head_of(target))), frames)
    parts = (targets, carried, armatures, carriers)
    points = []
    for number in range(max(map(len, parts))):
        place, moved, armature, carrier = (part[number % len(part)] for part in parts)
        points.append(_seen_from(armature @ carrier, place @ moved @ (point or Vector())))
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
    item, point = _looked_at(target)
    points = []
    try:
        for frame in frames.tolist():
            scene.frame_set(int(frame))
            graph = context.evaluated_depsgraph_get()
            spaces = []
            for owner, head in ((rig.space, rig.mesh), (item, None if point is None else head_of(target))):
                posed = owner.evaluated_get(graph)
                carrier = None if head is None else _carrier(head)
                moved = Matrix()
                if carrier is not None:
                    moved = pose_bones(posed)[carrier.name].matrix @ carrier.bone.matrix_local.inverted()
                spaces.append(posed.matrix_world @ moved)
            points.append(_seen_from(spaces[0], spaces[1] @ (point or Vector())))
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


def _carrier(head: bpy.types.Object) -> bpy.types.PoseBone | None:
    """The bone that carries a head's neck, or its jaw where there is no neck; None if nothing carries it."""
    armature, roles = armature_of_head(head), bones_of_head(head)
    named = next((roles[role] for role in _CARRIED if role in roles), None)
    return None if armature is None or named is None else pose_bones(armature)[named].parent


def _looked_at(target: bpy.types.Object) -> tuple[bpy.types.Object, Vector | None]:
    """What the eyes look at: an object's origin (None), or a head's armature and the point between its eyes at rest."""
    head = head_of(target)
    armature = None if head is None else armature_of_head(head)
    if armature is None:
        return target, None
    named = [name for role, name in bones_of_head(present(head)).items() if role in ("left_eye", "right_eye")]
    eyes = [pose_bones(armature)[name].bone.head_local for name in named]
    if not eyes:
        return target, None
    return armature, sum(eyes, Vector()) / len(eyes)


def _seen_from(frame: Matrix, place: Vector) -> Vector:
    return frame.inverted_safe() @ place
