"""The add-on's operators in Blender's own menus, where people look for them and where F3 finds them."""

from __future__ import annotations

import bpy

from ..narrow import present

# Menus of Blender that get our menu at their end.
_HOSTS = ("VIEW3D_MT_object_animation", "SEQUENCER_MT_strip")


class EMOTE_MT_speech(bpy.types.Menu):
    """Make a head speak a sound strip with an emotion"""

    bl_label = "EMOTE Speech Animation"

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        layout.operator("emote.generate", icon="PLAY_SOUND")
        layout.operator("emote.generate", text="Generate for All Selected Strips").strips = "SELECTED"
        layout.operator("emote.transcribe", icon="OUTLINER_OB_SPEAKER")
        layout.operator("emote.transcribe", text="Recognise Words of All Selected Strips").strips = "SELECTED"
        layout.separator()
        layout.operator("emote.add_head", text="Add Speaking Head", icon="USER")
        layout.operator("emote.add_sound", text="Add Sound to Speak…", icon="SOUND")
        layout.operator("emote.use_selected", text="Let Selected Head Speak")
        layout.separator()
        layout.operator("emote.alive_idle", text="Add Idle Motion to Head", icon="TIME")
        layout.operator("emote.apply_motion", text="Apply Speech Motion File…", icon="IMPORT")
        layout.operator("emote.import_capture", text="Import Face Capture…", icon="IMPORT")
        layout.operator("emote.export_motion", text="Export Take…", icon="EXPORT")
        layout.operator("emote.check", text="Check Speech Animation", icon="VIEWZOOM")


def _draw(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    layout = present(menu.layout)
    layout.separator()
    layout.menu("EMOTE_MT_speech", icon="PLAY_SOUND")


def add_to_menus() -> None:
    """Add our menu to Blender's."""
    for host in _HOSTS:
        getattr(bpy.types, host).append(_draw)


def remove_from_menus() -> None:
    """Undo `add_to_menus`."""
    for host in reversed(_HOSTS):
        getattr(bpy.types, host).remove(_draw)
