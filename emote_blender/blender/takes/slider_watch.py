"""Rewrite a take when the keyframes of its sliders have changed.

A property's update function is not called for its keyframes, so edits of the head's action are found after Blender has
evaluated them. A playing animation changes no keyframe; what is keyed during playback is read when it stops.
"""

from __future__ import annotations

import bpy

from ...errors import EmoteError
from ..narrow import present
from ..settings.head_settings import head_settings
from .refinement import takes_with_other_keys
from .rewrite import rewrite


def start() -> None:
    """Add the handlers."""
    for event, handler in _HANDLERS:
        getattr(bpy.app.handlers, event).append(handler)


def stop() -> None:
    """Undo `start`."""
    for event, handler in reversed(_HANDLERS):
        getattr(bpy.app.handlers, event).remove(handler)


def rewrite_changed() -> None:
    """Rewrite every take in the file whose sliders have other keyframes than when its curves were written."""
    for item in bpy.data.objects:
        if item.type == "MESH" and item.library is None and len(head_settings(item).takes):
            for take in takes_with_other_keys(item):
                try:
                    rewrite(item, take)
                except EmoteError:
                    pass  # the panel says what is wrong with a head; a keyframe has nowhere to report it


@bpy.app.handlers.persistent
def _after_evaluation(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    if not depsgraph.id_type_updated("ACTION") or is_playing():
        return
    originals = (present(update.id).original for update in depsgraph.updates)
    edited = {original for original in originals if isinstance(original, bpy.types.Action)}
    if any(_plays(item, edited) for item in bpy.data.objects):
        rewrite_changed()


@bpy.app.handlers.persistent
def _after_playback_or_undo(*_: object) -> None:
    if not is_playing():
        rewrite_changed()


def _plays(item: bpy.types.Object, actions: set[bpy.types.Action]) -> bool:
    """Whether this object's sliders of takes may be keyed in one of these actions."""
    data = item.animation_data
    return data is not None and data.action in actions and item.type == "MESH"


def is_playing() -> bool:
    """Whether any window plays the animation."""
    manager = bpy.context.window_manager
    return manager is not None and any(window.screen.is_animation_playing for window in manager.windows)


_HANDLERS = (
    ("depsgraph_update_post", _after_evaluation),
    ("animation_playback_post", _after_playback_or_undo),
    ("undo_post", _after_playback_or_undo),
    ("redo_post", _after_playback_or_undo),
)
