"""Keys of a head's emotion: its list of moments writes them, and never over keys that were set by hand.

A head remembers a digest of the keys that its list wrote. As long as the keys are those, the list may change them; keys
that differ in any way belong to the artist, until the artist asks for the list's again.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import bpy
import numpy as np

from ...emotion import EmotionTrack
from ...errors import InputError
from ...motion_tools.emotion_timeline import Moment, parse_emotion, track_of_moments
from ...motion_tools.timing import frames_per_second
from ..compat import action_channelbag, new_slot, slot_curves
from ..narrow import window_scene
from ..settings import live
from ..settings.head_settings import MIX, EMOTE_PG_moment, head_settings
from .emotion_track import INTENSITY_PATH, WEIGHT_PATHS

PATHS = (*WEIGHT_PATHS, INTENSITY_PATH)
Owner = Literal["NOBODY", "LIST", "ARTIST"]
_GROUP = "Emotion"
_MADE_HERE = "emote_emotion"  # custom property of actions that hold nothing but these keys
_CUT_FRAMES = 0.05  # before a cut that follows a slope, the last key of the slope


def owner_of_keys(head: bpy.types.Object) -> Owner:
    """Who wrote the keys of the weights and the intensity; nobody if there are none."""
    curves = _curves(head)
    if not curves:
        return "NOBODY"
    return "LIST" if _digest(curves) == head_settings(head).keys_digest else "ARTIST"


def moments_of(head: bpy.types.Object) -> list[Moment]:
    """The moments of a head's list; raises InputError that names the line whose mix cannot be read."""
    moments = []
    for number, line in enumerate(head_settings(head).moments, start=1):
        try:
            weights, _ = parse_emotion(line.mix if line.emotion == MIX else line.emotion)
        except InputError as error:
            raise InputError(f"emotions over time, line {number}: {error}") from None
        moments.append(Moment(line.time, weights, round(line.amount, 6), line.transition))
    return moments


def write_list(head: bpy.types.Object, *, replace: bool = False) -> None:
    """Write the keys of a head's list; without moments, remove those that it wrote.

    Args:
        head: mesh object of a head.
        replace: whether keys that were set by hand are replaced.

    Raises:
        InputError: if keys were set by hand and are not to be replaced, or a line of the list cannot be read.
    """
    moments = moments_of(head)
    if owner_of_keys(head) == "ARTIST" and not replace:
        raise InputError(
            f"the emotion of {head.name!r} has keys that were set by hand, which its list leaves alone; "
            "press Replace Keys to use the list"
        )
    settings, fps = head_settings(head), _fps_of(head)
    settings.keys_digest = ""
    if not moments:
        remove_keys(head)
        return
    write_track(head, track_of_moments(moments), 0.0, fps)
    settings.keys_digest, settings.keys_fps = _digest(_curves(head)), fps


def bring_up_to_date(head: bpy.types.Object) -> str:
    """Write the list's keys again, which have to move if the frame rate has changed; return a warning, or "".

    Raises:
        InputError: if a line of the list cannot be read.
    """
    if not len(head_settings(head).moments) or not head_settings(head).over_time:
        return ""
    if owner_of_keys(head) == "ARTIST":
        return f"the emotion of {head.name!r} has keys that were set by hand: they are used, its list is not"
    write_list(head)
    return ""


def write_track(head: bpy.types.Object, track: EmotionTrack, frame_start: float, scene_fps: float) -> None:
    """Replace the keys of weights and intensity by those of a track.

    Args:
        head: mesh object of a head.
        track: the emotion over time.
        frame_start: scene frame of the track's time 0.
        scene_fps: scene frames per second.
    """
    action, slot = _own_action(head)
    bag = action_channelbag(action, slot)
    for curve in _curves(head):
        bag.fcurves.remove(curve)
    group = bag.groups.get(_GROUP) or bag.groups.new(_GROUP)
    frames, kept, holds = _key_frames(track, frame_start, scene_fps)
    interpolation = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items  # type: ignore[attr-defined]
    kinds = np.where(holds, interpolation["CONSTANT"].value, interpolation["LINEAR"].value).astype(np.int32)
    columns = np.column_stack([track.emotion_weights, track.intensity])[kept]
    for path, values in zip(PATHS, columns.T, strict=True):
        curve = bag.fcurves.new(path)
        curve.group = group
        curve.keyframe_points.add(len(frames))
        curve.keyframe_points.foreach_set("co", np.stack([frames, values], axis=1).astype(np.float32).ravel())
        curve.keyframe_points.foreach_set("interpolation", kinds)
        curve.update()


def _key_frames(track: EmotionTrack, frame_start: float, fps: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames of the keys (K',), the track's keys that they are of (K',), and after which of them the value is held.

    An f-curve has one key on a frame, a track two at a cut: of these the second is written, and the key before them
    holds its value. If that has another value, the first is written a little earlier.
    """
    frames = frame_start + track.times * fps
    values = np.column_stack([track.emotion_weights, track.intensity])
    kept, moved = np.ones(len(frames), bool), frames.copy()
    holds = np.zeros(len(frames), bool)
    for index in np.flatnonzero(np.diff(frames) < _CUT_FRAMES):
        if index == 0:
            kept[0] = False
        elif np.array_equal(values[index - 1], values[index]) and kept[index - 1]:
            kept[index], holds[index - 1] = False, True
        else:
            moved[index] = max(frames[index + 1] - _CUT_FRAMES, moved[index - 1])
    return moved[kept], np.flatnonzero(kept), holds[kept]


def _own_action(head: bpy.types.Object) -> tuple[bpy.types.Action, bpy.types.ActionSlot]:
    """The head's action and slot, which no other object uses; new ones if it has none."""
    data = head.animation_data or head.animation_data_create()
    if data.action is None or data.action.library is not None:
        action = bpy.data.actions.new(f"{head.name} Emotion")
        action[_MADE_HERE] = True
        data.action = action
        data.action_slot = new_slot(action, head)
    elif data.action_slot is None:
        data.action_slot = new_slot(data.action, head)
    elif len(data.action_slot.users()) > 1:  # a copy of a head shares its action: each has its own list
        slot = data.action_slot.identifier
        data.action = data.action.copy()
        data.action_slot = data.action.slots[slot]
    return data.action, data.action_slot


def _curves(head: bpy.types.Object) -> list[bpy.types.FCurve]:
    """The curves of the weights and the intensity, in the order of PATHS."""
    by_path = {curve.data_path: curve for curve in slot_curves(head)}
    return [by_path[path] for path in PATHS if path in by_path]


def remove_keys(head: bpy.types.Object) -> None:
    """Remove the keys of weights and intensity, and their action if it was made for them alone."""
    if not _curves(head):
        return
    action, slot = _own_action(head)
    bag = action_channelbag(action, slot)
    for curve in _curves(head):
        bag.fcurves.remove(curve)
    if not len(bag.fcurves) and action.get(_MADE_HERE) and action.users == 1:
        bpy.data.actions.remove(action)


def _digest(curves: list[bpy.types.FCurve]) -> str:
    """A digest of everything about the keys that decides the emotion."""
    digest = hashlib.sha256()
    for curve in curves:
        points = curve.keyframe_points
        places, kinds = np.empty(2 * len(points), np.float32), np.empty(len(points), np.int32)
        points.foreach_get("co", places)
        points.foreach_get("interpolation", kinds)
        header = f"{curve.data_path} {curve.extrapolation} {len(curve.modifiers)} {len(points)}"
        digest.update(header.encode() + places.tobytes() + kinds.tobytes())
    return digest.hexdigest()


def _fps_of(head: bpy.types.Object) -> float:
    """Frames per second of the head's scene: the window's if the head is in it."""
    here, scenes = window_scene(bpy.context), head.users_scene
    scene = scenes[0] if scenes and here not in scenes else here
    return frames_per_second(scene.render.fps, scene.render.fps_base)


def _moments_changed(head: bpy.types.Object, settings: bpy.types.PropertyGroup) -> None:
    """Write the keys again after a line of the list was changed, unless they belong to the artist."""
    if not isinstance(settings, EMOTE_PG_moment) or head.library is not None or owner_of_keys(head) == "ARTIST":
        return
    try:
        write_list(head)
    except InputError:
        pass  # a mix that is still being typed; Generate names the line


def start() -> None:
    """Write keys whenever a list is changed."""
    live.listen("emotion", _moments_changed)


def stop() -> None:
    """Undo `start`."""
    live.stop_listening("emotion", _moments_changed)
