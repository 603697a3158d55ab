"""The motion of a take for other programs: as it plays, without the transitions around it."""

from __future__ import annotations

import bpy
import numpy as np

from ...errors import InputError
from ...motion import FaceMotion
from ..head.rig import rig_of
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from . import layout
from .alive import life_of, with_life
from .channels import keys_of
from .fades import first_frame
from .refinement import refined_motion
from .slider_keys import slider_curves
from .store import kept_raw


def exported_motion(head: bpy.types.Object, take: EMOTE_PG_take) -> FaceMotion:
    """A take's motion with its refinement, blinks, gaze and head motion; keys edited by hand do not count.

    It has the raw motion's frame rate, so that a capture that nobody changed comes out as it came in; where life is
    added, the frame rate of the scene, as the take plays.

    Args:
        head: mesh object of the head.
        take: one of its takes.

    Raises:
        InputError: if the take has lost its action or its motion.
    """
    if take.action is None:
        raise InputError(f"the action of take {take.name!r} was deleted; remove the take and generate it again")
    rig, raw = rig_of(head), kept_raw(take.action)
    start = first_frame(take, layout.StripIndex(rig))
    motion = refined_motion(rig, take, raw, keys_of(raw.emotional, rig), start, take.fps)
    keyed = slider_curves(head, head_settings(head).takes.find(take.name))
    played = motion.resampled(take.fps, motion.sound_seconds)
    frames = start + np.arange(played.num_frames)
    if not life_of(rig, take, frames, keyed, motion.meta.get("life") or {}).moves:
        return motion
    return with_life(rig, take, played, raw.prosody, frames, keyed)
