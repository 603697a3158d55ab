"""Rewrite a take when the object that its eyes look at is moved by hand, or the head is."""

from __future__ import annotations

import bpy

from ...errors import EmoteError
from ..head.rig import rig_of
from .gaze_target import takes_with_moved_targets
from .rewrite import rewrite
from .slider_watch import is_playing


def start() -> None:
    """Add the handler."""
    bpy.app.handlers.depsgraph_update_post.append(_after_evaluation)


def stop() -> None:
    """Undo `start`."""
    bpy.app.handlers.depsgraph_update_post.remove(_after_evaluation)


@bpy.app.handlers.persistent
def _after_evaluation(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    # Another frame of the scene is no such event: Blender reports it by frame_change_post.
    if not depsgraph.id_type_updated("OBJECT") or is_playing():
        return
    if not any(update.is_updated_transform for update in depsgraph.updates):
        return
    for item in bpy.data.objects:
        if item.type != "MESH" or item.library is not None or not len(item.emote.takes):
            continue
        if not any(take.alive.look_at is not None for take in item.emote.takes):
            continue
        try:
            for take in takes_with_moved_targets(rig_of(item)):
                rewrite(item, take)
        except EmoteError:
            pass  # the panel says what is wrong with a head; a moved object has nowhere to report it
