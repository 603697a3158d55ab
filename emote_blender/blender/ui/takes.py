"""Takes: the lines of the head, the alternates of each line below it, and what can be done with one."""

from __future__ import annotations

import bpy

from ..narrow import present
from ..settings.head_settings import EMOTE_PG_head, head_settings
from ..settings.take_settings import EMOTE_PG_take
from ..takes.curves import edited_channels
from .panel_state import PanelState, panel_state
from .paragraph import paragraph
from .sidebar import SidebarPanel, shown_head

_BYTES_PER_MB = 1 << 20


class TakesPanel(SidebarPanel):
    """The takes of the head: lines that it speaks, and alternates of them"""

    bl_label = "Takes"
    bl_order = 30

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        state = panel_state(context)
        return bool(state.takes) or state.plays_old_take

    def draw(self, context: bpy.types.Context) -> None:
        layout, state = present(self.layout), panel_state(context)
        head = shown_head(state)
        if head is None:
            return
        if state.plays_old_take:
            paragraph(layout, "The head plays a take of an earlier version, which is not in the list", "INFO")
            layout.operator("emote.adopt_takes", icon="IMPORT")
        settings = head_settings(head)
        if len(settings.takes):
            self._draw_list(layout, settings)
        if 0 <= settings.active_take < len(settings.takes):
            self._draw_chosen(layout, settings.takes[settings.active_take], settings.active_take, state)

    def _draw_list(self, layout: bpy.types.UILayout, settings: EMOTE_PG_head) -> None:
        row = layout.row()
        rows = 3 if len(settings.takes) <= 3 else 5
        row.template_list("EMOTE_UL_takes", "", settings, "takes", settings, "active_take", rows=rows)
        buttons = row.column(align=True)
        buttons.operator("emote.take_duplicate", text="", icon="DUPLICATE")
        buttons.operator("emote.take_remove", text="", icon="REMOVE")
        buttons.menu("EMOTE_MT_takes", text="", icon="DOWNARROW_HLT")

    def _draw_chosen(self, layout: bpy.types.UILayout, take: EMOTE_PG_take, index: int, state: PanelState) -> None:
        size = f"{take.num_bytes / _BYTES_PER_MB:.2f} MB"
        parts = (take.emotion, f"{take.duration_seconds:.1f} s", size)
        layout.label(text=", ".join(filter(None, parts)), translate=False)
        column = layout.column(align=True)
        row = column.row(align=True)
        row.operator("emote.take_use", text="Set Aside" if take.in_use else "Use", icon="SOLO_ON").use = not take.in_use
        row.operator("emote.take_solo", text="Solo", icon="EVENT_S")
        row.operator("emote.take_compare", text="Compare", icon="UV_SYNC_SELECT")
        row = column.row(align=True)
        if state.is_editing:
            row.operator("emote.take_edit_done", text="Done", icon="CHECKMARK", depress=True)
        else:
            row.operator("emote.take_edit", text="Edit Keys", icon="KEYFRAME")
        row.operator("emote.take_show", text="NLA", icon="NLA")
        row.operator("emote.bake_action", text="Bake…", icon="ACTION")
        warning = state.takes[index].warning if index < len(state.takes) else None
        if warning is not None:
            column = layout.column(align=True)
            column.alert = True
            paragraph(column, warning.text.capitalize(), "ERROR")
            if warning.retime:
                layout.operator("emote.take_retime", text="Retime", icon="TIME")


class EMOTE_UL_takes(bpy.types.UIList):
    """The takes of a head, grouped by line"""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index, flt_flag) -> None:
        shown = panel_state(context).takes
        known = shown[index] if index < len(shown) else None
        row = layout.row(align=True)
        if known is not None and known.is_alternate:
            row.label(text="", icon="BLANK1")
        button = row.operator("emote.take_use", text="", icon="SOLO_ON" if item.in_use else "SOLO_OFF", emboss=False)
        button.take, button.use = item.name, not item.in_use
        row.label(text=item.name, translate=False)
        detail = row.row(align=True)
        detail.alignment = "RIGHT"
        if known is not None and known.warning is not None:
            detail.label(text="", icon="ERROR")
        detail.label(text=f"{item.duration_seconds:.1f} s", translate=False)

    def filter_items(self, context: bpy.types.Context, data, property: str):
        names = [item.name for item in getattr(data, property)]
        shown = panel_state(context).takes
        text = self.filter_name.lower()
        flags = [self.bitflag_filter_item if text in name.lower() else 0 for name in names]
        places = [row.place for row in shown] if len(shown) == len(names) else []
        return flags, places


class EMOTE_MT_takes(bpy.types.Menu):
    """More that can be done with the chosen take"""

    bl_label = "Take"

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        layout.operator("emote.take_rename", text="Rename…", icon="SORTALPHA")
        layout.operator("emote.take_mute", icon="MUTE_IPO_OFF")
        layout.operator("emote.take_retime", icon="TIME")
        layout.operator("emote.take_rebuild", icon="FILE_REFRESH")
        layout.operator("emote.take_apply_to", text="Apply to Another Head…", icon="COMMUNITY")
        layout.operator("emote.export_motion", text="Export Take…", icon="EXPORT")
        layout.operator("emote.take_mark_asset", icon="ASSET_MANAGER")
        layout.operator("emote.take_apply_asset", text="Apply Take…", icon="IMPORT")
        layout.separator()
        layout.operator("emote.bake_sparse", icon="IPO_BEZIER")
        action = _chosen_action(context)
        # Reads every key, 75 ms for a minute: when the menu is opened, but not whenever the panel is drawn.
        num_edited = len(edited_channels(action)) if action is not None else 0
        row = layout.row()
        row.enabled = num_edited > 0
        row.operator("emote.take_unlock", text=f"Reset {num_edited} Channels Edited by Hand", icon="UNLOCKED")
        layout.operator("emote.bake_restore", icon="LOOP_BACK")
        layout.separator()
        layout.operator("emote.adopt_takes", icon="IMPORT")


def _chosen_action(context: bpy.types.Context) -> bpy.types.Action | None:
    """The action of the take that the list has chosen."""
    head = shown_head(panel_state(context))
    settings = head_settings(head) if head is not None else None
    if settings is None or not 0 <= settings.active_take < len(settings.takes):
        return None
    return settings.takes[settings.active_take].action
