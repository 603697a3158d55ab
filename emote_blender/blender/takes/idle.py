"""Idle takes: blinks, gaze, breath and drift over a span of frames, silent while the head speaks."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ...errors import InputError
from ...motion import FaceMotion
from ...motion_tools.raw_take import RawTake
from ...motion_tools.timing import MOTION_FPS, frames_per_second
from ..head.head_rig import HeadRig
from ..settings.take_settings import EMOTE_PG_take

IDLE_LINE = "Idle"
_LONGEST_SECONDS = 6 * 3600.0
# The lines that an idle take left out when it was written, on its action.
LEFT_OUT_PROPERTY = "emote_idle"


def idle_raw(rig: HeadRig, seconds: float) -> RawTake:
    """A raw take of this length in which nothing moves; its life is what is seen.

    Raises:
        InputError: if it is longer than six hours, or shorter than a frame.
    """
    if not 1 / MOTION_FPS <= seconds <= _LONGEST_SECONDS:
        raise InputError(f"an idle take cannot last {seconds:g} s; use a frame to six hours")
    num_frames = round(seconds * MOTION_FPS)
    meta: dict[str, Any] = {
        "face": rig.basis,
        "expression_names": list(rig.expression_names) if rig.expression_names else None,
        "sound_seconds": round(seconds, 6),
        "idle": True,
    }
    still = FaceMotion(np.zeros((num_frames, rig.num_expression)), np.zeros((num_frames, 3)), MOTION_FPS, meta=meta)
    return RawTake(still)


def mark_idle(action: bpy.types.Action) -> None:
    """Mark an action as that of an idle take."""
    action[LEFT_OUT_PROPERTY] = ""


def is_idle(take: EMOTE_PG_take) -> bool:
    """Whether a take is idle."""
    return take.action is not None and take.action.get(LEFT_OUT_PROPERTY) is not None


def scene_seconds(scene: bpy.types.Scene, frame_start: int, frame_end: int) -> float:
    """Length of a span of frames, both ends included, seconds."""
    return (frame_end - frame_start + 1) / frames_per_second(scene.render.fps, scene.render.fps_base)
