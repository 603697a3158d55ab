"""Blinks, gaze, head motion and breath of a take, from its settings and their keyframes."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

import bpy
import numpy as np
from mathutils import Euler

from ...motion import FaceMotion
from ...motion_tools.gaze import HUMAN
from ...motion_tools.life import Life, LifeMotion, life_motion
from ...motion_tools.raw_take import Prosody
from ...motion_tools.rotation import quaternion_to_axis_angle
from ...retarget.signals import HEAD_NAMES
from ..compat import slot_curves
from ..head.head_rig import HeadRig
from ..head.rig import head_of
from ..settings.head_settings import head_settings
from .between_lines import presence
from .channels import to_bone
from .gaze_target import eye_places, sampled_points, target_points
from .slider_keys import slider_values

# Sliders that may change during a take; the others plan its blinks and saccades as a whole.
_CURVES = (
    "blink_strength",
    "eyelid_open_offset",
    "saccade_strength",
    "look_at_weight",
    "head_strength",
    "breathing",
)
_PLANNED = "blinks", "blink_interval_seconds", "gaze", "head_motion"
_NUM_SEEDS = 1000
_remembered: OrderedDict[Hashable, tuple[Prosody | None, LifeMotion]] = OrderedDict()
_NUM_REMEMBERED = 8


def set_alive(take: Any, life: Life) -> None:
    """Set a take's settings to these, none of which may change over time."""
    for name in (*_PLANNED, "seed", *_CURVES):
        setattr(take.alive, name, getattr(life, name))


def take_after(head: bpy.types.Object, take: Any, line: str) -> None:
    """Give a take the life of the head's active take, if that has any, and a seed that follows from head and line.

    The takes of one line blink alike; lines and heads differ.
    """
    settings = head_settings(head)
    number = settings.active_take
    source = settings.takes[number].alive if 0 <= number < len(settings.takes) else None
    if source is not None and source != take.alive and (source.blinks or source.gaze or source.head_motion):
        for name in (*_PLANNED, *_CURVES, "look_at"):
            setattr(take.alive, name, getattr(source, name))
    take.alive.seed = zlib.crc32(f"{head.name} {line}".encode()) % _NUM_SEEDS


def with_life(
    rig: HeadRig,
    take: Any,
    motion: FaceMotion,
    prosody: Prosody | None,
    frames: np.ndarray,
    keyed: Mapping[str, bpy.types.FCurve] | None = None,
) -> FaceMotion:
    """A take's motion with the blinks, gaze, head motion and breath that its settings ask for.

    What the head has no bone or shape key for is left out. What a motion file has already is not added again.

    Args:
        rig: the head.
        take: the take (`EMOTE_PG_take`).
        motion: the refined motion at the scene's frame rate; its first frame is the beginning of the sound.
        prosody: of the sound, or None.
        frames: (T,) scene frames of the motion.
        keyed: f-curves of the take's sliders by name, such as `alive.blink_strength`.
    """
    life = life_of(rig, take, frames, keyed or {}, motion.meta.get("life") or {})
    if not life.moves:
        return motion
    if motion.meta.get("idle"):
        life = replace(life, presence=presence(rig, take, frames))
    return _plan(motion, prosody, life).added_to(motion)


def life_of(
    rig: HeadRig,
    take: Any,
    frames: np.ndarray,
    keyed: Mapping[str, bpy.types.FCurve],
    included: Mapping[str, Any],
) -> Life:
    """What a take's settings add, as far as the head can move so.

    Args:
        rig: the head.
        take: the take.
        frames: (T,) scene frames.
        keyed: f-curves of the take's sliders by name.
        included: what the motion has already: `life` of its metadata.
    """
    alive = take.alive
    places = eye_places(rig)
    gaze = alive.gaze and places is not None and not included.get("gaze")
    look_at = None
    if gaze and alive.look_at is not None and head_of(alive.look_at) != rig.mesh:
        look_at = sampled_points(take.action, alive.look_at, frames) if take.action is not None else None
        if look_at is None:
            look_at = target_points(rig, alive.look_at, frames)
    values: dict[str, Any] = {
        name: slider_values(keyed[f"alive.{name}"], frames) if f"alive.{name}" in keyed else getattr(alive, name)
        for name in _CURVES
    }
    return Life(
        blinks=alive.blinks and not included.get("blinks"),
        blink_interval_seconds=alive.blink_interval_seconds,
        gaze=gaze,
        look_at=look_at,
        head_motion=alive.head_motion and turns_head(rig) and not included.get("head_motion"),
        seed=alive.seed,
        places=places or HUMAN,
        neck=_artists_neck(rig, frames) if gaze else None,
        **values,
    )


def turns_head(rig: HeadRig) -> bool:
    """Whether something of a head moves if its motion turns the neck."""
    if rig.target is None:
        return "neck" in rig.bones
    return "neck" in rig.bones or "head" in rig.bones or rig.target.moves(*HEAD_NAMES)


def _artists_neck(rig: HeadRig, frames: np.ndarray) -> np.ndarray | None:
    """(T, 3) the neck's rotation by the active action, which plays on top of takes; None if it has none."""
    bone = rig.bone("neck")
    if bone is None or rig.armature is None:
        return None
    channel = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}.get(
        bone.rotation_mode, "rotation_euler"
    )
    path = f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"].{channel}'
    curves = {curve.array_index: curve for curve in slot_curves(rig.armature) if curve.data_path == path}
    if not curves or channel == "rotation_axis_angle":
        return None
    rest = (1.0, 0.0, 0.0, 0.0) if channel == "rotation_quaternion" else (0.0, 0.0, 0.0)
    values = np.stack(
        [
            slider_values(curves[index], frames) if index in curves else np.full(len(frames), value)
            for index, value in enumerate(rest)
        ],
        axis=1,
    )
    if channel == "rotation_quaternion":
        local = quaternion_to_axis_angle(values)
    else:
        turns = [Euler(row, bone.rotation_mode).to_quaternion() for row in values.tolist()]
        local = quaternion_to_axis_angle(np.array(turns))
    # From the bone's axes to the face model's.
    return local @ to_bone(rig, bone)


def _plan(motion: FaceMotion, prosody: Prosody | None, life: Life) -> LifeMotion:
    """What the face does by itself; remembered, as a slider of the refinement changes none of it."""
    emotion = (motion.meta.get(name) for name in ("emotion", "intensity", "emotion_track"))
    key = (motion.num_frames, motion.fps, id(prosody), *map(_frozen, emotion), *map(_frozen, vars(life).values()))
    if key not in _remembered:
        # The prosody is kept too, so that no other one gets its id.
        _remembered[key] = (prosody, life_motion(motion, prosody, life))
        while len(_remembered) > _NUM_REMEMBERED:
            _remembered.popitem(last=False)
    _remembered.move_to_end(key)
    return _remembered[key][1]


def _frozen(value: Any) -> Hashable:
    """A value that a key can hold, equal for equal contents."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, Hashable) and not hasattr(value, "__dict__"):
        return value
    return repr(value)
