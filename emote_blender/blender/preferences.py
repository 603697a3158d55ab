"""The add-on's preferences: where the user keeps models and heads."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..files.paths import add_search_folder, remove_search_folder
from . import model_info
from .job_operator import draw_progress

# The add-on's name in Blender: `emote_blender`, or `bl_ext.user_default.emote_blender` when installed.
ROOT_PACKAGE = __package__.rpartition(".")[0]

_searched: list[Path] = []


def apply_models_folder(folder: str) -> None:
    """Returns nothing; models are looked for in this folder and in the extension's own, and in no former one."""
    forget_models_folder()
    folders = [Path(folder)] if folder else []
    if ROOT_PACKAGE.startswith("bl_ext."):
        folders.append(Path(bpy.utils.extension_path_user(ROOT_PACKAGE, path="models")))
    for path in folders:
        add_search_folder(path)
        _searched.append(path)
    model_info.refresh()


def forget_models_folder() -> None:
    """Returns nothing; takes back `apply_models_folder`."""
    while _searched:
        remove_search_folder(_searched.pop())
    model_info.refresh()


def _models_folder_changed(self: EMOTE_AP_preferences, context: bpy.types.Context) -> None:
    whole = bpy.path.abspath(self.models_folder)
    if whole != self.models_folder:
        # Preferences belong to no .blend: `//` would stand for another folder in the next one.
        self.models_folder = whole  # calls this function again
        return
    apply_models_folder(whole)


class EMOTE_AP_preferences(bpy.types.AddonPreferences):
    """Where models and heads are."""

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


class EMOTE_OT_refresh_models(bpy.types.Operator):
    """Look for speech models and heads on the disk again"""

    bl_idname = "emote.refresh_models"
    bl_label = "Look Again"

    def execute(self, context: bpy.types.Context) -> set[str]:
        model_info.refresh()
        return {"FINISHED"}


def stored_models_folder() -> str:
    """The folder in the preferences; empty if there is none or the add-on runs without preferences."""
    addon = bpy.context.preferences.addons.get(ROOT_PACKAGE)
    preferences = addon.preferences if addon is not None else None
    return getattr(preferences, "models_folder", "")
