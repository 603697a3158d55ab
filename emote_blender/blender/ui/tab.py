"""The tab EMOTE itself: which head speaks, and the buttons that add one."""

from __future__ import annotations

import bpy

from ..narrow import present, window_scene
from ..scene.find_head import heads_near
from ..settings import model_info
from ..settings.properties import scene_settings
from .panel_state import panel_state
from .paragraph import paragraph
from .sidebar import SidebarPanel


class TabPanel(SidebarPanel):
    """Make a head speak a sound strip with an emotion"""

    bl_label = "EMOTE"

    def draw(self, context: bpy.types.Context) -> None:
        layout, state = present(self.layout), panel_state(context)
        pinned = scene_settings(window_scene(context)).head is not None
        row = layout.row(align=True)
        row.menu("EMOTE_MT_heads", text=state.head or "No Head", icon="USER", translate=not state.head)
        row.operator("emote.pin_head", text="", icon="PINNED" if pinned else "UNPINNED", depress=pinned)
        row.menu("EMOTE_MT_add", text="", icon="ADD")
        if state.candidate:
            row = layout.row()
            row.scale_y = 1.3
            row.operator("emote.use_selected", icon="ARMATURE_DATA")
        elif not state.head:
            row = layout.row(align=True)
            row.operator("emote.use_selected", icon="ARMATURE_DATA")
            row.operator("emote.add_head", icon="USER")
        if state.linked:
            layout.operator("emote.make_animatable", icon="LIBRARY_DATA_OVERRIDE").head = state.linked
        for sentence in state.cautions:
            box = layout.box()
            box.alert = True
            paragraph(box, sentence, "ERROR")


class EMOTE_MT_heads(bpy.types.Menu):
    """Choose the head that speaks"""

    bl_label = "Heads"

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        heads = heads_near(context)
        for head in heads:
            layout.operator("emote.choose_head", text=head.name, icon="USER", translate=False).head = head.name
        if not heads:
            layout.label(text="The scene has no head that can speak")
        layout.separator()
        layout.operator("emote.use_selected", icon="ARMATURE_DATA")


class EMOTE_MT_add(bpy.types.Menu):
    """Add a head that can speak, or use one that is there"""

    bl_label = "Add Head"

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        layout.label(text="Add Head")
        for name in model_info.head_names():
            layout.operator("emote.add_head", text=name, icon="ADD", translate=False).head = name
        layout.operator("emote.choose_folder", text="Head Folder…", icon="FILE_FOLDER").kind = "HEAD"
        layout.separator()
        layout.operator("emote.use_selected", icon="ARMATURE_DATA")
        layout.operator("emote.set_up_character", text="Set Up by Hand", icon="PRESET").by_hand = True
