"""The panel EMOTE in the sidebars of the 3D viewport and of the sequencer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..compat import sequencer_scene
from ..jobs.job_operator import draw_progress
from ..narrow import present, shape_keys_of, window_scene
from ..settings.model_info import ModelInfo
from ..settings.properties import EMOTE_PG_settings, scene_settings
from ..settings.transcript import EMOTE_PG_strip, strip_settings
from .panel_state import PanelState, panel_state
from .paragraph import paragraph

_NUM_IDENTITY_SLIDERS = 10

if TYPE_CHECKING:
    _Panel = bpy.types.Panel
else:
    _Panel = object  # a plain mixin at run time: only the registered classes derive from Blender's


class _SpeechPanel(_Panel):
    """The panel of both sidebars."""

    bl_label = "EMOTE"
    bl_category = "EMOTE"
    bl_region_type = "UI"

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        layout.use_property_split = True
        layout.use_property_decorate = False
        settings, state = scene_settings(window_scene(context)), panel_state(context)
        self._draw_head(settings)
        layout.separator()
        self._draw_sound(context, settings, state)
        layout.separator()
        self._draw_model(settings, state.model)
        self._draw_cautions(state)
        layout.separator()
        column = layout.column()
        column.prop(settings, "emotion")
        column.prop(settings, "intensity", slider=True)
        layout.separator()
        self._draw_generate(settings, state)
        layout.operator("emote.apply_motion", icon="IMPORT")

    def _draw_head(self, settings: EMOTE_PG_settings) -> None:
        column = present(self.layout).column()
        column.prop(settings, "head")
        row = column.row(align=True)
        row.use_property_split = False
        row.prop(settings, "new_head", text="")
        row.operator("emote.add_head", icon="ADD")

    def _draw_sound(self, context: bpy.types.Context, settings: EMOTE_PG_settings, state: PanelState) -> None:
        column = present(self.layout).column()
        column.row().prop(settings, "source", expand=True)
        if settings.source == "STRIP":
            column.prop(settings, "strip", icon="SOUND", placeholder=state.default_strip)
        else:
            column.prop(settings, "audio")
            column.prop(settings, "frame_start")
        owner = _transcript_owner(context, settings, state)
        if owner is not None:
            row = column.row(align=True)
            row.prop(owner, "transcript", placeholder="Words, if you have them")
            row.menu("EMOTE_MT_transcript", text="", icon="DOWNARROW_HLT")
            if owner.transcript.strip():
                column.prop(owner, "language")

    def _draw_model(self, settings: EMOTE_PG_settings, info: ModelInfo) -> None:
        column = present(self.layout).column()
        column.prop(settings, "model")
        if info.problem:
            paragraph(column, info.problem, "ERROR")
            return
        column.prop(settings, "speaker", placeholder=info.speakers[0])
        paragraph(column, f"Face {info.face}, licence {info.licence}", "INFO")

    def _draw_cautions(self, state: PanelState) -> None:
        for sentence in state.cautions:
            box = present(self.layout).box()
            box.alert = True
            paragraph(box, sentence, "ERROR")

    def _draw_generate(self, settings: EMOTE_PG_settings, state: PanelState) -> None:
        layout = present(self.layout)
        if draw_progress(layout):
            return
        row = layout.row()
        row.scale_y = 1.5
        row.enabled = not state.why_not
        row.operator("emote.generate", icon="PLAY_SOUND")
        if state.why_not:
            paragraph(layout, state.why_not, "ERROR")
        elif settings.last_result:
            paragraph(layout, settings.last_result, "NONE")


class EMOTE_PT_view3d(_SpeechPanel, bpy.types.Panel):
    """EMOTE in the 3D viewport."""

    bl_space_type = "VIEW_3D"


class EMOTE_PT_identity(bpy.types.Panel):
    """The first identity components of the chosen head."""

    bl_label = "Head Shape"
    bl_category = "EMOTE"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_parent_id = "EMOTE_PT_view3d"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(panel_state(context).identity_keys)

    def draw(self, context: bpy.types.Context) -> None:
        column = present(self.layout).column()
        column.use_property_split = True
        state = panel_state(context)
        head = bpy.data.objects.get((state.head, None))
        if head is not None:
            blocks = shape_keys_of(head).key_blocks
            for name in state.identity_keys[:_NUM_IDENTITY_SLIDERS]:
                if name in blocks:
                    column.prop(blocks[name], "value", text=name)
        column.operator("emote.update_joints", icon="BONE_DATA")


class EMOTE_PT_sequencer(_SpeechPanel, bpy.types.Panel):
    """EMOTE in the sequencer."""

    bl_space_type = "SEQUENCE_EDITOR"


def _transcript_owner(
    context: bpy.types.Context, settings: EMOTE_PG_settings, state: PanelState
) -> EMOTE_PG_settings | EMOTE_PG_strip | None:
    """The settings that hold the transcript of the chosen sound: its strip's, or the scene's for a file."""
    if settings.source == "FILE":
        return settings
    scene = sequencer_scene(context) if state.strips_are_elsewhere else window_scene(context)
    strip = scene.sequence_editor.strips_all.get(state.strip) if state.strip and scene.sequence_editor else None
    return strip_settings(strip) if strip is not None else None
