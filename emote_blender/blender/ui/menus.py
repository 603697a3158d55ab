"""The add-on's operators in Blender's own menus, where people look for them and where F3 finds them."""

from __future__ import annotations

from typing import Any

import bpy

from ..narrow import present
from ..takes.asset import TAKE_TAG
from .capture import draw_pick

# Menus of Blender that get our menu at their end.
_HOSTS = ("VIEW3D_MT_object_animation", "SEQUENCER_MT_strip")
# The former is of the add-on Pose Library, which may be off, and which Blender disables before this one when it quits.
_ASSET_HOSTS = ("ASSETBROWSER_MT_asset", "ASSETBROWSER_MT_context_menu")


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
        layout.operator("emote.use_selected", icon="ARMATURE_DATA")
        layout.separator()
        layout.operator("emote.alive_idle", text="Add Idle Motion to Head", icon="TIME")
        layout.operator("emote.apply_motion", text="Apply Speech Motion File…", icon="IMPORT")
        layout.operator("emote.import_capture", text="Import Face Capture…", icon="IMPORT")
        layout.operator("emote.capture", icon="FILE_MOVIE")
        layout.operator("emote.export_motion", text="Export Take…", icon="EXPORT")
        layout.operator("emote.check", text="Check Speech Animation", icon="VIEWZOOM")


def _draw(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    layout = present(menu.layout)
    layout.separator()
    layout.menu("EMOTE_MT_speech", icon="PLAY_SOUND")


def _draw_apply_take(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Draw Apply Take for a take in the Asset Browser."""
    asset = getattr(context, "asset", None)
    if asset is not None and asset.id_type == "ACTION" and TAKE_TAG in [tag.name for tag in asset.metadata.tags]:
        layout = present(menu.layout)
        layout.separator()
        layout.operator("emote.take_apply_asset", icon="PLAY_SOUND")


def add_to_menus() -> None:
    """Add our menu to Blender's, Apply Take to those of the Asset Browser, and Pick Face to the Image Editor."""
    for host in _HOSTS:
        getattr(bpy.types, host).append(_draw)
    for host in _asset_menus():
        host.append(_draw_apply_take)
    bpy.types.IMAGE_HT_header.append(draw_pick)


def remove_from_menus() -> None:
    """Undo `add_to_menus`."""
    bpy.types.IMAGE_HT_header.remove(draw_pick)
    for host in reversed(_asset_menus()):
        host.remove(_draw_apply_take)
    for host in reversed(_HOSTS):
        getattr(bpy.types, host).remove(_draw)


def _asset_menus() -> list[Any]:
    """The menus of assets that Blender has now."""
    return [getattr(bpy.types, name) for name in _ASSET_HOSTS if hasattr(bpy.types, name)]
