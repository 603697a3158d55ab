"""Where an idle take may move: between the lines that the head speaks."""

from __future__ import annotations

import json

import numpy as np

from ...motion_tools.transition import Fade, fade_weights
from ..head.head_rig import HeadRig
from ..narrow import present
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from . import layout
from .fades import fades_in_use, first_frame
from .idle import LEFT_OUT_PROPERTY, is_idle


def presence(rig: HeadRig, idle: EMOTE_PG_take, frames: np.ndarray) -> np.ndarray:
    """(T,) 0 where a line in use speaks, 1 elsewhere; it falls and rises while the line fades in and out.

    The lines are noted on the idle take's action, see `outdated_idle_takes`.

    Args:
        rig: the head.
        idle: one of its idle takes.
        frames: (T,) scene frames.
    """
    lines = _lines(rig)
    present(idle.action)[LEFT_OUT_PROPERTY] = json.dumps(lines)
    spoken = np.zeros(len(frames))
    for begins, stands, goes, ends in lines:
        spoken += fade_weights(frames, Fade(begins, stands), Fade(goes, ends))
    return 1.0 - np.minimum(spoken, 1.0)


def outdated_idle_takes(rig: HeadRig) -> list[EMOTE_PG_take]:
    """The idle takes in use whose lines are no longer where they were when their curves were written."""
    idle = [take for take in head_settings(rig.mesh).takes if take.in_use and is_idle(take)]
    if not idle:
        return []
    lines = json.dumps(_lines(rig))
    return [take for take in idle if present(take.action).get(LEFT_OUT_PROPERTY) != lines]


def _lines(rig: HeadRig) -> list[tuple[float, ...]]:
    """Of every line in use, the scene frames between which it fades in, and between which it fades out."""
    index = layout.StripIndex(rig)
    lines = []
    for take, fades in fades_in_use(rig, index):
        start = first_frame(take, index)
        seconds = [time for fade in fades for time in (fade.start, fade.end)]
        lines.append(tuple(round(start + time * take.fps, 3) for time in seconds))
    return sorted(lines)
