"""Look Again: read models and heads from disk once more."""

from __future__ import annotations

import bpy

from ..refusal import Result
from ..settings import model_info


class EMOTE_OT_refresh_models(bpy.types.Operator):
    """Look for speech models and heads on the disk again"""

    bl_idname = "emote.refresh_models"
    bl_label = "Look Again"

    def execute(self, context: bpy.types.Context) -> Result:
        model_info.refresh()
        return {"FINISHED"}
