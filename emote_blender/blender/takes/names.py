"""Names of takes: the line, the emotion and its amount, and a number for alternates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy

from ...emotion import EmotionTrack
from ...motion_tools.emotion_timeline import track_label
from ..settings.take_settings import EMOTE_PG_take

# Bytes that a name of a data-block may have in Blender 4.5.
_MOST_BYTES = 63


def emotion_label(meta: dict[str, Any]) -> str:
    """Emotion and amount of a motion by its metadata, such as "Anger 1.00"; empty if it states none."""
    track = EmotionTrack.from_meta(meta)
    if track is not None:
        return track_label(track)
    emotion = meta.get("emotion")  # one that EMOTE does not know, or without its intensity
    return emotion.capitalize() if isinstance(emotion, str) else ""


def take_name(line: str, meta: dict[str, Any]) -> str:
    """Name of a take of a line, such as "line_01 · Anger 1.00", and " · Video" if it keeps the face of one."""
    return " · ".join(filter(None, [line, emotion_label(meta), "Video" if meta.get("video") else ""]))


def free_take_name(name: str, takes: Iterable[EMOTE_PG_take], own: bpy.types.Action | None = None) -> str:
    """The name, with a number if a take of this head or an action has it, and short enough for an action.

    Args:
        name: the wanted name.
        takes: of the head.
        own: an action whose name counts as free.
    """
    taken = {take.name for take in takes}
    number = 1
    while True:
        suffix = "" if number == 1 else f" ({number})"
        candidate = _cut(name, _MOST_BYTES - len(suffix)) + suffix
        if candidate not in taken and bpy.data.actions.get(candidate) in (None, own):
            return candidate
        number += 1


def _cut(name: str, num_bytes: int) -> str:
    """The name, cut to a number of bytes in UTF-8 at a whole character."""
    return name.encode()[:num_bytes].decode(errors="ignore").rstrip()
