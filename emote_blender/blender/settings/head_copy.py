"""From a scene's settings to its heads': scripts and old files set `scene.emote.emotion` and others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from ...motion_tools.emotion_timeline import amount_of_intensity
from ..narrow import expect
from ..scene.find_head import heads_in
from .head_settings import head_settings

# A scene's setting, and the head's that it is copied to; the model first, since it decides which speakers there are.
_COPIED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "model": ("model", str),
    "speaker": ("speaker", str),
    "emotion": ("emotion", str),
    "intensity": ("amount", amount_of_intensity),
    "source": ("source", str),
    "strip": ("strip", str),
    "audio": ("audio", str),
    "frame_start": ("frame_start", int),
    "recognised": ("recognised", str),
    "recognition": ("recognition", str),
    "cues": ("cues", str),
    "transcript": ("transcript", str),  # after those that say whose words these are
    "language": ("language", str),
    "transcript_mode": ("transcript_mode", str),  # after the transcript, which sets it too
}


def copy_to_heads(settings: bpy.types.PropertyGroup, name: str) -> None:
    """Copy a setting of a scene, which was just set, to every head of the scene."""
    target, converted = _COPIED[name]
    for head in heads_in(expect(settings.id_data, bpy.types.Scene)):
        if head.library is None:
            setattr(head_settings(head), target, converted(getattr(settings, name)))


def take_over(settings: bpy.types.PropertyGroup, head: bpy.types.Object) -> None:
    """Copy what is set in a scene, and not yet on the head, to the head."""
    own = head_settings(head)
    for name, (target, converted) in _COPIED.items():
        if settings.is_property_set(name) and not own.is_property_set(target):
            setattr(own, target, converted(getattr(settings, name)))


@bpy.app.handlers.persistent
def _fill_in_heads(*_: object) -> None:
    """Give the heads of a file of an earlier version the settings of their scenes."""
    for scene in bpy.data.scenes:
        for head in heads_in(scene):
            if head.library is None:
                take_over(scene.emote, head)


def add_handler() -> None:
    """Fill in the heads of every file that is opened."""
    bpy.app.handlers.load_post.append(_fill_in_heads)


def remove_handler() -> None:
    """Undo `add_handler`."""
    bpy.app.handlers.load_post.remove(_fill_in_heads)
