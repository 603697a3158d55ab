"""Speech: the sound that is spoken, its words, and the model that listens to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..narrow import present
from ..scene.strips import all_placed_strips
from ..settings.transcript import EMOTE_PG_strip, strip_settings
from .panel_state import PanelState, panel_state
from .paragraph import paragraph
from .sidebar import SidebarPanel, shown_settings, two_columns

if TYPE_CHECKING:
    from ..settings.transcript import SpeechSettings


class SpeechPanel(SidebarPanel):
    """The sound that is spoken, and its words"""

    bl_label = "Speech"
    bl_order = 10

    def draw(self, context: bpy.types.Context) -> None:
        state = panel_state(context)
        settings = shown_settings(context, state)
        column = present(self.layout).column()
        is_file = settings.source == "FILE"
        row = column.row(align=True)
        name = "" if is_file else settings.strip or state.default_strip
        text = "Sound File" if is_file else name or "No Sound"
        row.menu("EMOTE_MT_strips", text=text, icon="FILE_SOUND" if is_file else "SOUND", translate=not name)
        row.operator("emote.add_sound", text="Add Sound…", icon="ADD")
        if is_file:
            column.prop(settings, "audio", text="")
            row = column.row(align=True)
            row.prop(settings, "frame_start")
            if settings.audio:
                button = row.operator("emote.add_sound", text="Add as Strip", icon="SOUND")
                button.filepath, button.frame_start = settings.audio, settings.frame_start
        owner = _transcript_owner(settings, state)
        if owner is not None:
            _draw_words(column, owner, state)
        for sentence in state.remarks:
            paragraph(column, sentence, "ERROR")


def _draw_words(column: bpy.types.UILayout, owner: SpeechSettings | EMOTE_PG_strip, state: PanelState) -> None:
    words = state.words
    row = column.row(align=True)
    field = row.row(align=True)
    field.active = words.is_used
    field.prop(owner, "transcript", text="", placeholder=words.placeholder)
    row.operator("emote.transcribe", text="", icon="OUTLINER_OB_SPEAKER").strip = state.strip
    row.menu("EMOTE_MT_transcript", text="", icon="DOWNARROW_HLT")
    if words.line:
        paragraph(column, words.line, "NONE")
    if words.are_own and words.is_outdated:
        button = column.operator("emote.transcribe", text="Recognise Again", icon="FILE_REFRESH")
        button.strip, button.overwrite = state.strip, True
    if not words.is_used:
        return
    row = column.row()
    if owner.num_words:
        fit = owner.num_words == owner.num_fitting
        text = f"{owner.num_fitting}/{owner.num_words} words fit"
        row.label(text=text, icon="CHECKMARK" if fit else "ERROR", translate=False)
    language = row.row()
    language.ui_units_x = 3.5
    language.prop(owner, "language", text="")


class ModelPanel(SidebarPanel):
    """The model that listens to the sound, and whose way of speaking it takes"""

    bl_label = "Model and Speaker"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        state = panel_state(context)
        settings = shown_settings(context, state)
        column = two_columns(present(self.layout))
        row = column.row(align=True)
        row.prop(settings, "model_choice")
        row.operator("emote.choose_folder", text="", icon="FILE_FOLDER").kind = "MODEL"
        if state.model.problem:
            paragraph(column, state.model.problem, "ERROR")
            return
        column.prop(settings, "speaker_choice")
        for name, value in state.model_facts:
            split = column.split(factor=0.4)
            left = split.row()
            left.alignment = "RIGHT"
            left.label(text=name)
            split.label(text=value, translate=False)


class EMOTE_MT_strips(bpy.types.Menu):
    """Choose the sound that is spoken"""

    bl_label = "Sound"

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        layout.operator("emote.choose_strip", text="Active or Only Strip", icon="RESTRICT_SELECT_OFF").strip = ""
        for name in dict.fromkeys(placed.name for placed in all_placed_strips(context)):
            layout.operator("emote.choose_strip", text=name, icon="SOUND", translate=False).strip = name
        layout.separator()
        layout.operator("emote.choose_strip", text="Sound File", icon="FILE_SOUND").source = "FILE"


def _transcript_owner(settings: SpeechSettings, state: PanelState) -> SpeechSettings | EMOTE_PG_strip | None:
    """The settings that hold the transcript of the chosen sound: its strip's, or the head's for a file."""
    if settings.source == "FILE":
        return settings
    scene = bpy.data.scenes.get(state.strip_owner)
    editor = scene.sequence_editor if scene is not None else None
    strip = editor.strips_all.get(state.own_strip) if state.own_strip and editor is not None else None
    return strip_settings(strip) if strip is not None else None
