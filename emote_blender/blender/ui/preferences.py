"""The add-on's preferences: the folder of the user's models and heads, conversions, and the speech recogniser."""

from __future__ import annotations

import bpy

from ...transcript.recognisers.catalogue import CATALOGUE, CatalogueModel
from ..blend_paths import whole_folder
from ..jobs.job_operator import draw_progress
from ..settings import model_info
from ..settings.landmarker_info import landmarker_problem, refresh_landmarker
from ..settings.models_folder import ROOT_PACKAGE, apply_models_folder
from ..settings.recogniser_info import catalogue_lines, downloaded, recogniser_info, refresh_recognisers
from .landmarker import draw_landmarker_problem
from .paragraph import paragraph


def _models_folder_changed(self: EMOTE_AP_preferences, context: bpy.types.Context) -> None:
    if _made_absolute(self, "models_folder"):
        apply_models_folder(self.models_folder)


def _recogniser_folder_changed(self: EMOTE_AP_preferences, context: bpy.types.Context) -> None:
    if _made_absolute(self, "recogniser_folder"):
        refresh_recognisers()
        if self.recogniser_folder:
            recogniser_info(self.recogniser_folder)  # reads the folder now, not while drawing


def _landmarker_folder_changed(self: EMOTE_AP_preferences, context: bpy.types.Context) -> None:
    if _made_absolute(self, "landmarker_folder"):
        refresh_landmarker()
        landmarker_problem()  # reads the folder now, not while drawing


def _made_absolute(preferences: EMOTE_AP_preferences, name: str) -> bool:
    """Make a folder's path absolute, and return whether it was already.

    Preferences belong to no .blend: `//` would stand for another folder in the next one.
    """
    whole = whole_folder(getattr(preferences, name))
    if whole == getattr(preferences, name):
        return True
    setattr(preferences, name, whole)  # calls the update function again
    return False


class EMOTE_AP_preferences(bpy.types.AddonPreferences):
    """The add-on's preferences."""

    bl_idname = ROOT_PACKAGE

    models_folder: bpy.props.StringProperty(
        name="Models Folder",
        description="Folder with your own speech models and heads, each in a folder of its own",
        subtype="DIR_PATH",
        update=_models_folder_changed,
    )
    recogniser_folder: bpy.props.StringProperty(
        name="Speech Recogniser",
        description="Folder with an ONNX speech recogniser, which writes the transcript; empty for the one that is "
        "built in, for English",
        subtype="DIR_PATH",
        update=_recogniser_folder_changed,
    )

    landmarker_folder: bpy.props.StringProperty(
        name="Face Landmarker",
        description="Folder of the face landmarker, which finds faces in videos; empty for the extension EMOTE Face "
        "Landmarker, or one among the models",
        subtype="DIR_PATH",
        update=_landmarker_folder_changed,
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
        layout.separator()
        layout.prop(self, "landmarker_folder")
        problem = landmarker_problem()
        if problem:
            draw_landmarker_problem(layout, problem)
        else:
            paragraph(layout, "Faces in videos can be captured", "CHECKMARK")
        layout.separator()
        layout.prop(self, "recogniser_folder")
        if self.recogniser_folder:
            info = recogniser_info(self.recogniser_folder)
            paragraph(layout, info.problem or info.text, "ERROR" if info.problem else "CHECKMARK")
        for model in CATALOGUE:
            _draw_model(layout, model, self.recogniser_folder)


def _draw_model(layout: bpy.types.UILayout, model: CatalogueModel, chosen: str) -> None:
    """Draw a recogniser of the catalogue: what it is, whose, and the buttons for it."""
    box = layout.box()
    title, *facts = catalogue_lines(model)
    row = box.row(align=True)
    row.label(text=title, translate=False)
    state = downloaded(model)
    if state != "whole":
        label = "Continue Download" if state else "Download"
        row.operator("emote.download_recogniser", text=label, icon="IMPORT").name = model.name
    elif not chosen.rstrip("/\\").endswith(model.name):
        row.operator("emote.use_recogniser", text="Use").name = model.name
    if state:
        row.operator("emote.remove_recogniser", text="", icon="TRASH").name = model.name
    column = box.column(align=True)
    column.scale_y = 0.8
    for line in facts:
        column.label(text=line, translate=False)
