"""Rewrite the takes of a character when its table, its jaw or its bones have been changed.

Small work is done at once, so that the face follows a slider; more is done when the slider rests. After undo, redo and
loading, takes that were written with another table than the character has are written again.
"""

from __future__ import annotations

import time
import zlib

import bpy

from ...errors import EmoteError
from ..settings import live
from ..settings.character_settings import EMOTE_PG_character, row_of
from ..settings.head_settings import head_settings
from .rewrite import rewrite

REST_SECONDS = 0.25  # after which a slider is at rest
_AT_ONCE_SECONDS = 0.08  # rewriting that takes no longer is done at once
_POLL_SECONDS = 0.05
_SETTINGS = "armature jaw jaw_bone neck_bone head_bone left_eye_bone right_eye_bone jaw_strength calibrate".split()

_due: dict[int, float] = {}  # when the table of a character, by session identifier, counts as at rest
_seconds: dict[int, float] = {}  # how long its takes took to write


def start() -> None:
    """Follow every change of a character."""
    live.listen("character", follow)
    for event in _EVENTS:
        getattr(bpy.app.handlers, event).append(_resume)


def stop() -> None:
    """Undo `start`."""
    for event in _EVENTS:
        getattr(bpy.app.handlers, event).remove(_resume)
    live.stop_listening("character", follow)
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    _due.clear()
    _seconds.clear()


def follow(head: bpy.types.Object, settings: bpy.types.PropertyGroup) -> None:
    """Rewrite the takes of a character that was changed, now or when the slider rests; for `live.listen`."""
    character = head_settings(head).character
    if not character.is_set_up or head.library is not None:
        return
    if bpy.app.background or _seconds.get(head.session_uid, 0.0) <= _AT_ONCE_SECONDS:
        rewrite_takes(head)
        return
    _wait_for_rest(head)


def rewrite_takes(head: bpy.types.Object) -> list[str]:
    """Write every take of a character again; return what keeps takes from being written, one sentence each."""
    began = time.perf_counter()
    problems = []
    settings = head_settings(head)
    for take in settings.takes:
        if take.action is None:
            continue
        try:
            rewrite(head, take)
        except EmoteError as error:
            problems.append(str(error))
    settings.character.written_digest = _digest(settings.character)
    _seconds[head.session_uid] = time.perf_counter() - began
    scene = bpy.context.scene
    if scene is not None and len(settings.takes):
        scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    return problems


def _digest(character: EMOTE_PG_character) -> str:
    """A digest of everything in a character that decides how its takes are written."""
    parts = [repr(getattr(character, name)) for name in _SETTINGS]
    parts += [repr(row_of(entry)) for entry in character.rows]
    parts += [repr(entry.mesh) for entry in character.meshes]
    return f"{zlib.crc32(chr(10).join(parts).encode()):08x}"


def _wait_for_rest(head: bpy.types.Object) -> None:
    _due[head.session_uid] = time.monotonic() + REST_SECONDS
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_POLL_SECONDS)


def _tick() -> float | None:
    """Rewrite the takes of characters that are at rest; for a timer."""
    for uid, due in list(_due.items()):
        if time.monotonic() >= due:
            del _due[uid]
            head = next((item for item in bpy.data.objects if item.session_uid == uid), None)
            if head is not None:
                rewrite_takes(head)
    return _POLL_SECONDS if _due else None


@bpy.app.handlers.persistent
def _resume(*_: object) -> None:
    """Write takes again that were written with another table than their character has now."""
    _due.clear()
    for head in bpy.data.objects:
        if head.type != "MESH" or head.library is not None:
            continue
        settings = head_settings(head)
        character = settings.character
        if character.is_set_up and len(settings.takes) and character.written_digest not in ("", _digest(character)):
            if bpy.app.background:
                rewrite_takes(head)
            else:
                _wait_for_rest(head)


_EVENTS = "undo_post", "redo_post", "load_post"
