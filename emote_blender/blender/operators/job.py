"""Cancel: stop the running job."""

from __future__ import annotations

import bpy

from ..jobs import worker
from ..refusal import Result


class EMOTE_OT_cancel(bpy.types.Operator):
    """Stop the running job; nothing is changed"""

    bl_idname = "emote.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if worker.running() is None:
            cls.poll_message_set("Nothing is being made")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> Result:
        job = worker.running()
        if job is not None:
            job.cancel()
        return {"FINISHED"}
