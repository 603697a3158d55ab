"""The refined motion of a take: its sliders, keyed or not, applied to its raw motion."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ...motion import FaceMotion
from ...motion_tools.raw_take import RawTake
from ...motion_tools.refine import RANGES, Refinement, refine
from ..head.head_rig import HeadRig
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from .face_maps import face_maps
from .slider_keys import all_slider_curves, slider_curves, slider_digest, slider_values
from .video_mix import with_video

_DIGEST_PROPERTY = "emote_slider_keys"


def refined_motion(
    rig: HeadRig, take: EMOTE_PG_take, raw: RawTake, key_names: Sequence[str], frame_start: float, scene_fps: float
) -> FaceMotion:
    """The motion of a take, mixed with that of its video, with its refinement, at the raw motion's frame rate.

    Args:
        rig: the head.
        take: one of the head's takes.
        raw: its raw motion.
        key_names: the shape key of each of its components.
        frame_start: scene frame of the motion's first frame.
        scene_fps: frames per second of the scene; keyed sliders are read in scene time.
    """
    raw = with_video(rig, take, raw, key_names)
    frames = frame_start + np.arange(raw.emotional.num_frames) * (scene_fps / raw.emotional.fps)
    refinement = refinement_of(rig.mesh, take, frames)
    if not refinement.changes():
        return raw.emotional
    return refine(raw, refinement, face_maps(rig, key_names))


def refinement_of(head: bpy.types.Object, take: EMOTE_PG_take, frames: np.ndarray) -> Refinement:
    """The parameters of a take: numbers, or (T,) values for sliders with keyframes.

    Args:
        head: mesh object of the head.
        take: one of its takes.
        frames: (T,) scene frames of the raw motion's frames.
    """
    curves = slider_curves(head, head_settings(head).takes.find(take.name))
    values: dict[str, float | np.ndarray] = {}
    for name, (low, high) in RANGES.items():
        curve = curves.get(f"refine.{name}")
        value = getattr(take.refine, name) if curve is None else slider_values(curve, frames)
        values[name] = np.clip(value, low, high) if curve is not None else value
    return Refinement(**values)


def note_slider_keys(head: bpy.types.Object, take: EMOTE_PG_take) -> None:
    """Store on a take's action which keyframes of its sliders its curves were written with."""
    if take.action is not None:
        curves = slider_curves(head, head_settings(head).takes.find(take.name))
        take.action[_DIGEST_PROPERTY] = str(slider_digest(curves))  # Blender's integers have 31 bits


def takes_with_other_keys(head: bpy.types.Object) -> list[EMOTE_PG_take]:
    """The takes of a head whose sliders have other keyframes now than when their curves were written."""
    curves = all_slider_curves(head)
    return [
        take
        for number, take in enumerate(head_settings(head).takes)
        if take.action is not None
        and take.action.get(_DIGEST_PROPERTY, "0") != str(slider_digest(curves.get(number, {})))
    ]
