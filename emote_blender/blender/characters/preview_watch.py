"""Lets the preview sliders move the chosen character, and ends a preview before anything could keep it."""

from __future__ import annotations

import bpy

from ...errors import EmoteError
from ..settings.chosen_head import chosen_head
from ..settings.head_settings import head_settings
from ..settings.window_settings import end_preview, listen_to_preview, stop_listening_to_preview
from .preview import put_back, put_back_all, show_jaw, show_row
from .rig import is_character

_is_shown = False  # whether a preview may be shown, so that a playing animation need not look for one
_problem = ""


def start() -> None:
    """Follow the sliders, and end a preview when the file is saved, undone, rendered, played or replaced."""
    listen_to_preview(_follow)
    for event, handler in _HANDLERS:
        getattr(bpy.app.handlers, event).append(handler)


def stop() -> None:
    """Undo `start`."""
    put_back_all()
    for event, handler in reversed(_HANDLERS):
        getattr(bpy.app.handlers, event).remove(handler)
    stop_listening_to_preview(_follow)


def preview_problem() -> str:
    """Why the last preview showed nothing; empty if it did."""
    return _problem


def _follow(jaw: float, row: float) -> None:
    """Show what the sliders say; at 0 nothing."""
    global _is_shown, _problem
    _problem = ""
    try:
        head = chosen_head(bpy.context)
        if not is_character(head):
            return
        put_back(head)
        if jaw > 0:
            show_jaw(head, jaw)
        character = head_settings(head).character
        if row > 0 and 0 <= character.active_row < len(character.rows):
            show_row(head, character.active_row, row)
        _is_shown = jaw > 0 or row > 0
    except EmoteError as error:
        _problem = str(error)


@bpy.app.handlers.persistent
def _end(*_: object) -> None:
    """End a preview, if one is shown."""
    global _is_shown, _problem
    if _is_shown:
        _is_shown, _problem = False, ""
        put_back_all()
        end_preview()


@bpy.app.handlers.persistent
def _clean_up(*_: object) -> None:
    """Undo a preview that an undo step or a file holds."""
    _end()
    put_back_all()


_HANDLERS = (
    ("save_pre", _end),
    ("undo_pre", _end),
    ("redo_pre", _end),
    ("load_pre", _end),
    ("frame_change_pre", _end),
    ("render_init", _end),
    ("undo_post", _clean_up),
    ("redo_post", _clean_up),
    ("load_post", _clean_up),
)
