"""The settings as properties of scenes, strips and the mesh objects of heads, all of them named `emote`."""

from __future__ import annotations

import atexit
from typing import Any

import bpy

from .character_settings import EMOTE_PG_character, EMOTE_PG_character_mesh, EMOTE_PG_mapping_row
from .dialogue_settings import EMOTE_PG_dialogue, EMOTE_PG_line
from .head_settings import EMOTE_PG_head, EMOTE_PG_moment, EMOTE_PG_weights
from .properties import EMOTE_PG_settings
from .take_settings import EMOTE_PG_alive, EMOTE_PG_capture, EMOTE_PG_refine, EMOTE_PG_take
from .transcript import EMOTE_PG_strip
from .video_settings import EMOTE_PG_video
from .window_settings import EMOTE_PG_window

SETTINGS = (
    EMOTE_PG_line,
    EMOTE_PG_dialogue,
    EMOTE_PG_video,
    EMOTE_PG_settings,
    EMOTE_PG_strip,
    EMOTE_PG_refine,
    EMOTE_PG_alive,
    EMOTE_PG_capture,
    EMOTE_PG_take,
    EMOTE_PG_weights,
    EMOTE_PG_moment,
    EMOTE_PG_mapping_row,
    EMOTE_PG_character_mesh,
    EMOTE_PG_character,
    EMOTE_PG_head,
    EMOTE_PG_window,
)
_PROPERTY = "emote"
_OWNERS = (
    (bpy.types.Scene, EMOTE_PG_settings),
    (bpy.types.Strip, EMOTE_PG_strip),
    (bpy.types.Object, EMOTE_PG_head),
    (bpy.types.WindowManager, EMOTE_PG_window),
)

_added = False


def add_settings() -> None:
    """Add the properties, if they are not there yet."""
    global _added
    if _added:
        return
    for cls in SETTINGS:
        bpy.utils.register_class(cls)
    for owner, group in _OWNERS:
        # Overridable, or a linked head with a library override would forget the takes that are added to it.
        settings: Any = bpy.props.PointerProperty(type=group, override={"LIBRARY_OVERRIDABLE"})  # type: ignore[func-returns-value]
        setattr(owner, _PROPERTY, settings)
    _added = True
    if bpy.app.module:
        # Blender's Python module hangs or crashes when Python ends while classes are registered (4.5, 5.0).
        atexit.register(remove_settings)


def remove_settings() -> None:
    """Undo `add_settings`."""
    global _added
    if not _added:
        return
    atexit.unregister(remove_settings)
    for owner, _ in reversed(_OWNERS):
        delattr(owner, _PROPERTY)
    for cls in reversed(SETTINGS):
        bpy.utils.unregister_class(cls)
    _added = False
