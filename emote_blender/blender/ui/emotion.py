"""Emotion: what the voice feels, constant or over time, and the button that generates."""

from __future__ import annotations

import bpy

from ..jobs.job_operator import draw_progress
from ..jobs.live_emotion import problem_of, shown_take
from ..narrow import present, window_scene
from ..settings.head_settings import MIX, EMOTE_PG_head
from ..settings.properties import result_about
from .emotion_presets import EMOTE_MT_emotion_presets
from .mix_picture import mix_icon
from .panel_state import PanelState, panel_state
from .paragraph import paragraph
from .sidebar import SidebarPanel, shown_head, shown_settings, two_columns


class EmotionPanel(SidebarPanel):
    """What the voice feels, and the button that generates the animation"""

    bl_label = "Emotion"
    bl_order = 20

    def draw(self, context: bpy.types.Context) -> None:
        layout, state = present(self.layout), panel_state(context)
        settings = shown_settings(context, state)
        if isinstance(settings, EMOTE_PG_head):
            self._draw_presets(layout)
            self._draw_emotion(layout, settings)
            self._draw_over_time(layout, settings, state)
        else:
            column = two_columns(layout)
            column.prop(settings, "emotion")
            column.prop(settings, "intensity")
        self._draw_generate(layout, window_scene(context), state)

    def _draw_presets(self, layout: bpy.types.UILayout) -> None:
        row = layout.row(align=True)
        row.menu("EMOTE_MT_emotion_presets", text=EMOTE_MT_emotion_presets.bl_label)
        row.operator("emote.add_emotion_preset", text="", icon="ADD")
        row.operator("emote.add_emotion_preset", text="", icon="REMOVE").remove_active = True

    def _draw_emotion(self, layout: bpy.types.UILayout, settings: EMOTE_PG_head) -> None:
        column = two_columns(layout, decorate=True)
        column.active = not settings.over_time
        column.prop(settings, "emotion")
        amount = column.column()
        # Without an emotion there is nothing to strengthen.
        amount.enabled = settings.emotion != "NEUTRAL"
        row = amount.row(align=True)
        row.prop(settings, "amount", slider=True)
        row.prop(settings, "live", text="", icon="LINKED" if settings.live else "UNLINKED")
        if settings.emotion == MIX and not settings.over_time:
            self._draw_weights(column, settings)

    def _draw_weights(self, column: bpy.types.UILayout, settings: EMOTE_PG_head) -> None:
        if icon := mix_icon(settings):
            column.template_icon(icon_value=icon, scale=5.0)
        for prop in settings.weights.bl_rna.properties:
            if prop.type == "FLOAT":
                column.prop(settings.weights, prop.identifier, slider=True)

    def _draw_over_time(self, layout: bpy.types.UILayout, settings: EMOTE_PG_head, state: PanelState) -> None:
        layout.prop(settings, "over_time")
        if not settings.over_time:
            return
        row = layout.row()
        row.template_list("EMOTE_UL_moments", "", settings, "moments", settings, "active_moment", rows=3)
        buttons = row.column(align=True)
        buttons.operator("emote.add_moment", text="", icon="ADD").at_playhead = False
        buttons.operator("emote.remove_moment", text="", icon="REMOVE")
        buttons.menu("EMOTE_MT_moments", text="", icon="DOWNARROW_HLT")
        row = layout.row(align=True)
        row.operator("emote.add_moment", text="At Playhead", icon="KEYTYPE_KEYFRAME_VEC")
        row.operator("emote.moments_from_markers", icon="MARKER_HLT")
        if 0 <= settings.active_moment < len(settings.moments):
            moment = settings.moments[settings.active_moment]
            column = two_columns(layout)
            column.prop(moment, "mix" if moment.emotion == MIX else "emotion")
            column.prop(moment, "transition")
        if state.list_is_unused:
            paragraph(layout, "The emotion has keys that were set by hand: they count, the list does not", "INFO")
            layout.operator("emote.replace_emotion_keys")

    def _draw_generate(self, layout: bpy.types.UILayout, scene: bpy.types.Scene, state: PanelState) -> None:
        if draw_progress(layout):
            return
        row = layout.row(align=True)
        row.scale_y = 1.5
        button = row.row(align=True)
        button.enabled = not state.why_not
        button.operator("emote.generate", icon="PLAY_SOUND")
        row.menu("EMOTE_MT_generate", text="", icon="DOWNARROW_HLT")
        head = shown_head(state)
        if head is not None and shown_take(head) is not None:
            layout.operator("emote.rerender", icon="FILE_REFRESH")
            if problem := problem_of(head):
                paragraph(layout, problem, "ERROR")
        if state.why_not:
            paragraph(layout, state.why_not, "ERROR")
        elif result := result_about(scene, head):
            paragraph(layout, result, "NONE")


class EMOTE_UL_moments(bpy.types.UIList):
    """The emotions over time"""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index, flt_flag) -> None:
        row = layout.row(align=True)
        row.prop(item, "time", text="", emboss=False)
        row.prop(item, "mix" if item.emotion == MIX else "emotion", text="", emboss=False)
        row.prop(item, "amount", text="", emboss=False)


class EMOTE_MT_moments(bpy.types.Menu):
    """More about emotions over time"""

    bl_label = "Emotions Over Time"

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        layout.operator("emote.suggest_emotion", icon="SOUND")
        layout.operator("emote.replace_emotion_keys", icon="KEYFRAME")
        layout.operator("emote.import_emotion", text="Import CSV…", icon="IMPORT")
        layout.operator("emote.export_emotion", text="Export CSV…", icon="EXPORT")


class EMOTE_MT_generate(bpy.types.Menu):
    """Generate for more than one strip"""

    bl_label = "Generate"

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        layout.operator("emote.generate", text="All Selected Strips", icon="SEQ_SEQUENCER").strips = "SELECTED"
