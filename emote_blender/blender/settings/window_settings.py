"""What the panel shows of a character's table now: kept with the window manager, in no file and in no undo step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from ..narrow import present

PreviewListener = Callable[[float, float], None]
_preview_listeners: list[PreviewListener] = []

FILTER_ITEMS = [
    ("ALL", "All Rows", "Every row of the table"),
    ("UNSURE", "Uncertain", "Rows whose names only resemble a known one; they count once you switch them on"),
    ("LOST", "Target Is Gone", "Rows whose shape key or bone was deleted or renamed"),
    ("DRIVEN", "Target Has a Driver", "Rows whose shape key a driver sets, so that takes cannot move it"),
    ("DOUBLED", "Doubled", "Rows that move something a second time"),
    ("EDITED", "Edited", "Rows that you added or changed; a new proposal leaves them as they are"),
]


def listen_to_preview(listener: PreviewListener) -> None:
    """Call `listener(jaw, row)` whenever a preview slider is moved."""
    _preview_listeners.append(listener)


def stop_listening_to_preview(listener: PreviewListener) -> None:
    """Undo `listen_to_preview`."""
    _preview_listeners.remove(listener)


def _jaw_moved(settings: EMOTE_PG_window, context: bpy.types.Context) -> None:
    if settings.preview_row and settings.preview_jaw:
        settings["preview_row"] = 0.0
    _call(settings)


def _row_moved(settings: EMOTE_PG_window, context: bpy.types.Context) -> None:
    if settings.preview_jaw and settings.preview_row:
        settings["preview_jaw"] = 0.0
    _call(settings)


def _call(settings: EMOTE_PG_window) -> None:
    for listener in list(_preview_listeners):
        listener(settings.preview_jaw, settings.preview_row)


class EMOTE_PG_window(bpy.types.PropertyGroup):
    """The preview sliders and the filter of the table."""

    preview_jaw: bpy.props.FloatProperty(
        name="Preview Jaw",
        description="Open the mouth to see what the jaw does. Nothing is animated; at 0 everything is as it was",
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options={"SKIP_SAVE"},
        update=_jaw_moved,
    )
    preview_row: bpy.props.FloatProperty(
        name="Preview Row",
        description="Show what the chosen row moves. Nothing is animated; at 0 everything is as it was",
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options={"SKIP_SAVE"},
        update=_row_moved,
    )
    table_filter: bpy.props.EnumProperty(
        name="Show", description="Which rows of the table are listed", items=FILTER_ITEMS, options={"SKIP_SAVE"}
    )


def window_settings(context: bpy.types.Context) -> EMOTE_PG_window:
    """The settings of the window manager."""
    manager: Any = present(context.window_manager)  # `register` adds the property
    return manager.emote


def stop_preview() -> None:
    """End a preview, as moving the sliders to 0 does."""
    manager: Any = bpy.context.window_manager
    if manager is not None and hasattr(manager, "emote") and (manager.emote.preview_jaw or manager.emote.preview_row):
        end_preview()
        _call(manager.emote)


def end_preview() -> None:
    """Set the preview sliders to 0, without calling the listeners."""
    manager: Any = bpy.context.window_manager
    if manager is not None and hasattr(manager, "emote"):
        manager.emote["preview_jaw"] = manager.emote["preview_row"] = 0.0
