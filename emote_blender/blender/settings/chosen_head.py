"""The head that operators and panel mean, and the settings that count: the pinned head's, or the selected one's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ...errors import InputError
from ..narrow import window_scene
from ..scene.find_head import choose_head
from .head_copy import take_over
from .head_settings import head_settings
from .properties import scene_settings

if TYPE_CHECKING:
    from .transcript import SpeechSettings


def chosen_head(context: bpy.types.Context, name: str = "") -> bpy.types.Object:
    """The head of this name; without a name the pinned one, the selected one or the only one; raises InputError."""
    return choose_head(context, name, scene_settings(window_scene(context)).head)


def own_settings(context: bpy.types.Context, head: bpy.types.Object) -> SpeechSettings:
    """The settings of a head, filled in with what is set in the scene; for a linked head, the scene's."""
    shared = scene_settings(window_scene(context))
    if head.library is not None:
        return shared
    take_over(shared, head)
    return head_settings(head)


def speech_settings(context: bpy.types.Context) -> SpeechSettings:
    """The settings that say what is spoken: the chosen head's, or the scene's if no head is chosen."""
    try:
        return head_settings(chosen_head(context))
    except InputError:
        return scene_settings(window_scene(context))
