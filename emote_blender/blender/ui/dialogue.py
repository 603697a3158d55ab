"""Dialogue: which strip is spoken by which head."""

from __future__ import annotations

import bpy

from ..narrow import present, window_scene
from ..settings.dialogue_settings import HEADS_OWN
from ..settings.properties import result_about, scene_settings
from .panel_state import panel_state
from .paragraph import paragraph
from .sidebar import SidebarPanel, two_columns


class DialoguePanel(SidebarPanel):
    """Several strips spoken by several heads in one go"""

    bl_label = "Dialogue"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 25

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        dialogue = scene_settings(window_scene(context)).dialogue
        if not len(dialogue.lines):
            layout.operator("emote.fill_dialogue", icon="PRESET_NEW")
            return
        row = layout.row()
        rows = 3 if len(dialogue.lines) <= 3 else 6
        row.template_list("EMOTE_UL_lines", "", dialogue, "lines", dialogue, "active_line", rows=rows)
        buttons = row.column(align=True)
        buttons.operator("emote.fill_dialogue", text="", icon="FILE_REFRESH")
        buttons.operator("emote.remove_line", text="", icon="REMOVE")
        buttons.operator("emote.remove_line", text="", icon="TRASH").every = True
        if 0 <= dialogue.active_line < len(dialogue.lines):
            line = dialogue.lines[dialogue.active_line]
            column = two_columns(layout)
            column.prop(line, "head")
            column.prop(line, "emotion")
            if line.emotion not in (HEADS_OWN, "NEUTRAL"):
                column.prop(line, "intensity")
        button = layout.row()
        button.scale_y = 1.3
        button.operator("emote.generate_dialogue", icon="PLAY_SOUND")
        # Otherwise the result stands below the button of a single line.
        if panel_state(context).why_not and (result := result_about(window_scene(context), None)):
            paragraph(layout, result, "NONE")


class EMOTE_UL_lines(bpy.types.UIList):
    """The lines of a dialogue"""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index, flt_flag) -> None:
        row = layout.row(align=True)
        row.prop(item, "enabled", text="")
        names = row.split(factor=0.5, align=True)
        names.active = item.enabled
        strip = names.row(align=True)
        strip.alert = item.strip not in panel_state(context).strip_names
        if strip.alert:
            strip.label(text="", icon="ERROR")
        strip.label(text=item.strip, translate=False)
        right = names.row(align=True)
        head = right.row(align=True)
        head.alert = item.head is None
        head.label(text=item.head.name if item.head else "No Head", translate=item.head is None)
        if item.emotion != HEADS_OWN:
            right.label(text=item.emotion.capitalize())
