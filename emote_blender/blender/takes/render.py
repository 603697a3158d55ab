"""The chain from a take's raw motion to its curves: refinement, life, transitions, the scene's frame rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...motion import FaceMotion
from ...motion_tools.raw_take import RawTake
from ...motion_tools.transition import Fade, with_transitions
from ..head.head_rig import HeadRig
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from .alive import with_life
from .channels import keys_of
from .refinement import refined_motion
from .slider_keys import slider_curves


@dataclass(frozen=True, eq=False)
class RenderedTake:
    """A take as its curves show it.

    Attributes:
        motion: the motion at the scene's frame rate, transitions included.
        lead_frames: frames of the motion before the line's first one.
    """

    motion: FaceMotion
    lead_frames: int

    def frames(self, origin: float) -> np.ndarray:
        """(T,) frame of each pose, if the line begins on frame `origin`."""
        return origin - self.lead_frames + np.arange(self.motion.num_frames, dtype=np.float64)


def rendered_take(
    rig: HeadRig, take: EMOTE_PG_take, raw: RawTake, fades: tuple[Fade, Fade], frame_start: float
) -> RenderedTake:
    """What the curves of a take show.

    Args:
        rig: the head.
        take: its settings.
        raw: its raw motion.
        fades: the transitions into and out of the line (see `fades.fades_of`).
        frame_start: scene frame of the line's first frame; keyed sliders and what the eyes look at are read there.
    """
    motion = _refined(rig, take, raw, frame_start)
    motion = motion.resampled(take.fps, motion.sound_seconds)
    motion = _alive(rig, take, raw, motion, frame_start)
    return RenderedTake(*with_transitions(motion, *fades))


def _refined(rig: HeadRig, take: EMOTE_PG_take, raw: RawTake, frame_start: float) -> FaceMotion:
    """The emotional motion at its own frame rate, changed by the take's Refine sliders."""
    return refined_motion(rig, take, raw, keys_of(raw.emotional, rig), frame_start, take.fps)


def _alive(rig: HeadRig, take: EMOTE_PG_take, raw: RawTake, motion: FaceMotion, frame_start: float) -> FaceMotion:
    """The motion at the scene's frame rate with blinks, gaze and head motion."""
    frames = frame_start + np.arange(motion.num_frames)
    keyed = slider_curves(rig.mesh, head_settings(rig.mesh).takes.find(take.name))
    return with_life(rig, take, motion, raw.prosody, frames, keyed)
