"""Idle takes: blinks, gaze, breath and drift over a span of frames, silent while the head speaks."""

from __future__ import annotations

import json
from typing import Any

import bpy
import numpy as np

from ...errors import InputError
from ...motion import FaceMotion
from ...motion_tools.raw_take import RawTake
from ...motion_tools.timing import MOTION_FPS, frames_per_second
from ...motion_tools.transition import Fade, fade_weights
from ..head.rig import HeadRig, rig_of
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from . import layout
from .store import ORIGIN_PROPERTY

IDLE_LINE = "Idle"
_LONGEST_SECONDS = 6 * 3600.0
# The lines that an idle take left out when it was written, on its action.
_LEFT_OUT_PROPERTY = "emote_idle"


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
    action[_LEFT_OUT_PROPERTY] = ""


def is_idle(take: EMOTE_PG_take) -> bool:
    """Whether a take is idle."""
    return take.action is not None and take.action.get(_LEFT_OUT_PROPERTY) is not None


def presence(rig: HeadRig, idle: EMOTE_PG_take, frames: np.ndarray) -> np.ndarray:
    """(T,) 0 at frames at which a line in use speaks, 1 elsewhere; it falls and rises as the line fades in and out."""
    spans = _spoken(rig, idle)
    idle.action[_LEFT_OUT_PROPERTY] = json.dumps(spans)
    weights = np.ones(len(frames))
    for start, end, fade_in, fade_out in spans:
        fades = Fade(start - fade_in, start), Fade(end, end + fade_out)
        weights = np.minimum(weights, 1.0 - fade_weights(frames, *fades))
    return weights


def outdated_idle_takes(head: bpy.types.Object) -> list[EMOTE_PG_take]:
    """The idle takes whose lines are no longer where they were when their curves were written."""
    idle = [take for take in head_settings(head).takes if is_idle(take)]
    if not idle:
        return []
    rig = rig_of(head)
    return [take for take in idle if take.action.get(_LEFT_OUT_PROPERTY) != json.dumps(_spoken(rig, take))]


def _spoken(rig: HeadRig, idle: EMOTE_PG_take) -> list[tuple[float, float, float, float]]:
    """First and last frame of every line in use, and the frames of its fades."""
    spans = []
    for take in head_settings(rig.mesh).takes:
        if take == idle or is_idle(take) or not take.in_use or take.action is None:
            continue
        place = layout.place_of(rig, take.action, float(take.action.get(ORIGIN_PROPERTY, take.frame_start)))
        if place is None:
            continue
        length = max(1, round(take.duration_seconds * take.fps)) - 1
        fades = (take.refine.transition_in * take.fps, take.refine.transition_out * take.fps)
        spans.append((round(place, 3), round(place + length, 3), *(round(fade, 3) for fade in fades)))
    return sorted(spans)


def scene_seconds(scene: bpy.types.Scene, frame_start: int, frame_end: int) -> float:
    """Length of a span of frames, both ends included, seconds."""
    return (frame_end - frame_start + 1) / frames_per_second(scene.render.fps, scene.render.fps_base)
