"""Files: motion files and captures in and out, the user's own models and heads."""

from __future__ import annotations

import bpy

from ..narrow import present
from .sidebar import SidebarPanel


class FilesPanel(SidebarPanel):
    """Motion files and captures in and out, and models and heads of your own"""

    bl_label = "Files"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 70

    def draw(self, context: bpy.types.Context) -> None:
        column = present(self.layout).column(align=True)
        column.operator("emote.apply_motion", text="Apply Motion File…", icon="IMPORT")
        column.operator("emote.import_capture", text="Import Face Capture…", icon="IMPORT")
        column.operator("emote.take_apply_asset", text="Apply Take…", icon="ASSET_MANAGER")
        column.operator("emote.export_motion", text="Export Take…", icon="EXPORT")
        column = present(self.layout).column(align=True)
        column.operator("emote.convert", text="Convert EMOTE Checkpoint…", icon="IMPORT").kind = "EMOTE"
        column.operator("emote.convert", text="Convert FLAME Model…", icon="IMPORT").kind = "FLAME"
        column.operator("emote.refresh_models", icon="FILE_REFRESH")
