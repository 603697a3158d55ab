"""Rescan Models and Heads: read models and heads from disk once more."""

from __future__ import annotations

import bpy

from ..refusal import Result
from ..settings import model_info


class EMOTE_OT_refresh_models(bpy.types.Operator):
    """Read the folders of speech models and heads again, after you have added or changed some"""

    bl_idname = "emote.refresh_models"
    bl_label = "Rescan Models and Heads"

    def execute(self, context: bpy.types.Context) -> Result:
        model_info.refresh()
        return {"FINISHED"}
