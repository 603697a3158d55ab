"""Takes: the lines of the head, the alternates of each line below it, and what can be done with one."""

from __future__ import annotations

import bpy

from ..narrow import present
from ..settings.head_settings import EMOTE_PG_head, head_settings
from ..settings.take_settings import EMOTE_PG_take
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
        layout.label(text=f"{take.emotion}, {take.duration_seconds:.1f} s, {size}", translate=False)
        column = layout.column(align=True)
        row = column.row(align=True)
        row.operator("emote.take_use", text="Set Aside" if take.in_use else "Use", icon="SOLO_ON").use = not take.in_use
        row.operator("emote.take_solo", text="Solo", icon="EVENT_S")
        draw_known(row, "emote.take_compare", text="Compare", icon="UV_SYNC_SELECT")
        row = column.row(align=True)
        draw_known(row, "emote.take_edit", text="Edit Keys", icon="KEYFRAME")
        draw_known(row, "emote.take_show", text="Show in NLA", icon="NLA")
        draw_known(row, "emote.bake_action", text="Bake…", icon="ACTION")
        warning = state.takes[index].warning if index < len(state.takes) else None
        if warning is not None:
            row = layout.row(align=True)
            row.alert = True
            paragraph(row, f"{take.name}: {warning.text}", "ERROR")
            if warning.retime:
                row.operator("emote.take_retime", text="Retime")


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
        layout.separator()
        draw_known(layout, "emote.bake_sparse", icon="IPO_BEZIER")
        draw_known(layout, "emote.take_unlock", icon="UNLOCKED")
        draw_known(layout, "emote.bake_restore", icon="LOOP_BACK")
        layout.separator()
        layout.operator("emote.adopt_takes", icon="IMPORT")


def draw_known(layout: bpy.types.UILayout, operator: str, text: str | None = None, icon: str = "NONE") -> None:
    """Draw a button if its operator is there."""
    group, name = operator.split(".")
    if hasattr(bpy.types, f"{group.upper()}_OT_{name}"):
        layout.operator(operator, text=text, icon=icon)
