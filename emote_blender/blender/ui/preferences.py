"""The add-on's preferences: the folder of the user's models and heads, and conversions."""

from __future__ import annotations

import bpy

from ..jobs.job_operator import draw_progress
from ..settings import model_info
from ..settings.models_folder import ROOT_PACKAGE, apply_models_folder


def _models_folder_changed(self: EMOTE_AP_preferences, context: bpy.types.Context) -> None:
    whole = bpy.path.abspath(self.models_folder)
    if whole != self.models_folder:
        # Preferences belong to no .blend: `//` would stand for another folder in the next one.
        self.models_folder = whole  # calls this function again
        return
    apply_models_folder(whole)


class EMOTE_AP_preferences(bpy.types.AddonPreferences):
    """The add-on's preferences."""

    bl_idname = ROOT_PACKAGE

    models_folder: bpy.props.StringProperty(
        name="Models Folder",
        description="Folder with your own speech models and heads, each in a folder of its own",
        subtype="DIR_PATH",
        update=_models_folder_changed,
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "models_folder")
        layout.label(text=f"Speech models found: {', '.join(model_info.model_names()) or 'none'}")
        layout.label(text=f"Heads found: {', '.join(model_info.head_names()) or 'none'}")
        layout.operator("emote.refresh_models", icon="FILE_REFRESH")
        if draw_progress(layout):
            return
        row = layout.row()
        row.operator("emote.convert", text="Convert EMOTE Checkpoint", icon="IMPORT").kind = "EMOTE"
        row.operator("emote.convert", text="Convert FLAME Model", icon="IMPORT").kind = "FLAME"
