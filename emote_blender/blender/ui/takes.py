"""Takes: the lines of the head, the alternates of each line below it, and what can be done with one."""

from __future__ import annotations

import bpy

from ..narrow import present
from .panel_state import panel_state
from .sidebar import SidebarPanel, shown_head

_BYTES_PER_MB = 1 << 20


class TakesPanel(SidebarPanel):
    """The takes of the head: lines that it speaks, and alternates of them"""

    bl_label = "Takes"
    bl_order = 30

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        head = shown_head(panel_state(context))
        return head is not None and len(head.emote.takes) > 0  # type: ignore[attr-defined]

    def draw(self, context: bpy.types.Context) -> None:
        layout, head = present(self.layout), shown_head(panel_state(context))
        if head is None:
            return
        settings = head.emote  # type: ignore[attr-defined]
        rows = 3 if len(settings.takes) < 4 else 5
        layout.template_list("EMOTE_UL_takes", "", settings, "takes", settings, "active_take", rows=rows)


class EMOTE_UL_takes(bpy.types.UIList):
    """The takes of a head, grouped by line"""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index, flt_flag) -> None:
        shown = panel_state(context).takes
        row = layout.row(align=True)
        known = shown[index] if index < len(shown) else None
        if known is not None and known.is_alternate:
            row.label(text="", icon="BLANK1")
        row.label(text="", icon="SOLO_ON" if item.in_use else "SOLO_OFF")
        row.prop(item, "name", text="", emboss=False)
        detail = row.row()
        detail.alignment = "RIGHT"
        detail.label(text=f"{item.duration_seconds:.1f} s  {item.num_bytes / _BYTES_PER_MB:.1f} MB", translate=False)
        if known is not None and known.warning:
            row.label(text="", icon="ERROR")

    def filter_items(self, context: bpy.types.Context, data, property: str):
        names = [item.name for item in getattr(data, property)]
        shown = panel_state(context).takes
        text = self.filter_name.lower()
        flags = [self.bitflag_filter_item if text in name.lower() else 0 for name in names]
        places = [row.place for row in shown] if len(shown) == len(names) else []
        return flags, places
