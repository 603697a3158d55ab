"""Character: the shape of the head."""

from __future__ import annotations

import bpy

from ..narrow import present, shape_keys_of
from .panel_state import panel_state
from .sidebar import SidebarPanel, shown_head, two_columns


class CharacterPanel(SidebarPanel):
    """The head that speaks, as a character"""

    bl_label = "Character"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 50

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        state = panel_state(context)
        return bool(state.identity_keys) or state.needs_blink_keys or state.has_emotion_poses

    def draw(self, context: bpy.types.Context) -> None:
        state = panel_state(context)
        head = shown_head(state)
        if head is None:
            return
        column = two_columns(present(self.layout))
        if state.identity_keys:
            column.label(text="Head Shape")
        blocks = shape_keys_of(head).key_blocks
        for key, label in state.identity_keys:
            if key in blocks:
                column.prop(blocks[key], "value", text=label)
        if state.identity_keys:
            column.operator("emote.update_joints", icon="BONE_DATA")
        if state.has_emotion_poses:
            column.operator_menu_enum("emote.apply_emotion_pose", "emotion", icon="USER")
            column.operator("emote.make_pose_assets", icon="ASSET_MANAGER")
        if state.needs_blink_keys:
            column.operator("emote.add_blink_keys", icon="HIDE_ON")
