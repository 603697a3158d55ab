"""What of a take's face is the video's, at once for all regions."""

from __future__ import annotations

import bpy

from ...capture.video.mix import ALL_FROM_VIDEO, Shares
from ...errors import InputError
from ..refusal import Result, refusing
from ..settings.live import together
from ..takes.video_mix import REGIONS
from .refine import OfTake

_SHARES = {
    "MOUTH_FROM_SOUND": Shares(),
    "ALL_FROM_VIDEO": ALL_FROM_VIDEO,
    "ALL_FROM_SOUND": Shares(brows=0.0, lids=0.0, gaze=0.0, cheeks=0.0, head=0.0),
}


class EMOTE_OT_capture_mix(OfTake, bpy.types.Operator):
    """Set what of the take's face is the video's and what the sound's, for all regions at once"""

    bl_idname = "emote.capture_mix"
    bl_label = "Mix Video and Sound"
    bl_options = {"REGISTER", "UNDO"}

    shares: bpy.props.EnumProperty(
        name="Shares",
        description="What of the face is the video's",
        items=[
            ("MOUTH_FROM_SOUND", "Mouth from Sound", "Lips and jaw are the sound's, all else is the video's"),
            ("ALL_FROM_VIDEO", "All from Video", "The whole face is the video's"),
            ("ALL_FROM_SOUND", "All from Sound", "The whole face is the sound's"),
        ],
    )

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head, take = self.chosen(context)
        if not take.has_capture:
            raise InputError(f"take {take.name!r} keeps no face of a video; capture one, or choose another take")
        with together("refine", head, take.capture):
            for name in REGIONS:
                setattr(take.capture, name, getattr(_SHARES[self.shares], name))
        return {"FINISHED"}


CLASSES = (EMOTE_OT_capture_mix,)
