"""The face of a video in a take: mixed by regions with what the sound gives, by the take's settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np

from ...capture.video.mix import Offset, Shares, mixed_on_head, offset_between
from ...motion import FaceMotion
from ...motion_tools.raw_take import CapturedFace, RawTake
from ..head.head_rig import HeadRig
from ..settings.take_settings import EMOTE_PG_take
from .face_maps import face_maps

REGIONS = tuple(field.name for field in fields(Shares))
"""Names of the regions, as properties of `take.capture`."""


def with_video(rig: HeadRig, take: EMOTE_PG_take, raw: RawTake, key_names: Sequence[str]) -> RawTake:
    """A take's motions, with and without emotion, each mixed with the face of its video; as they are without one.

    Args:
        rig: the head.
        take: one of the head's takes.
        raw: its raw motion.
        key_names: the shape key of each of its components.
    """
    captured = raw.captured
    if captured is None:
        return raw
    shares = Shares(**{name: getattr(take.capture, name) for name in REGIONS})
    offset = captured.start_seconds + take.capture.offset_seconds

    def mix(motion: FaceMotion) -> FaceMotion:
        named = replace(motion, meta=raw.emotional.meta)  # a stored neutral motion names no components
        return mixed_on_head(captured.motion, captured.seen, named, lambda: face_maps(rig, key_names), shares, offset)

    neutral = None if raw.neutral is None else mix(raw.neutral)
    return replace(raw, emotional=mix(raw.emotional), neutral=neutral)


def found_offset(rig: HeadRig, raw: RawTake, captured: CapturedFace, key_names: Sequence[str]) -> Offset | None:
    """How far a video is behind the sound, beyond where the take begins in it; None if the lips do not show it.

    Args:
        rig: the head.
        raw: what the sound gives.
        captured: the face of the video, of the same components.
        key_names: the shape key of each component.
    """
    lips = face_maps(rig, key_names).lips
    if lips is None:
        return None
    spoken, shown = raw.emotional, captured.motion
    # Beside the sound as the take is laid: what is found is what the picture is behind beyond that.
    frames = captured.start_seconds * shown.fps + np.arange(int(spoken.duration_seconds * shown.fps))
    inside = (frames >= 0) & (frames <= shown.num_frames - 1)
    seen = inside & captured.seen[np.clip(np.rint(frames).astype(int), 0, shown.num_frames - 1)]
    gap = np.interp(frames, np.arange(shown.num_frames), lips.gap(shown.expression, shown.jaw))
    return offset_between(gap, seen, shown.fps, lips.gap(spoken.expression, spoken.jaw), spoken.fps)
