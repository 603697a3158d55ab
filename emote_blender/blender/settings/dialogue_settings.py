"""The dialogue of a scene: which strip is spoken by which head, and how. Stored as `scene.emote.dialogue`."""

from __future__ import annotations

import bpy

from ...emotion import DEFAULT_INTENSITY, MAX_INTENSITY
from ..head.rig import is_head
from .head_settings import EMOTION_ITEMS

HEADS_OWN = "HEAD"
"""Emotion of a line that is spoken with what is set on its head."""
_EMOTION_ITEMS = [(HEADS_OWN, "As Set on the Head", "The head's own emotion, also over time"), *EMOTION_ITEMS]


class EMOTE_PG_line(bpy.types.PropertyGroup):
    """A line of a dialogue."""

    enabled: bpy.props.BoolProperty(name="Speak", description="Let the line be spoken", default=True)
    strip: bpy.props.StringProperty(name="Strip", description="Name of the sound strip")
    head: bpy.props.PointerProperty(
        name="Head",
        description="Head or character that speaks the line",
        type=bpy.types.Object,
        poll=lambda self, item: is_head(item),
    )
    emotion: bpy.props.EnumProperty(name="Emotion", description="What the voice feels", items=_EMOTION_ITEMS)
    intensity: bpy.props.FloatProperty(
        name="Intensity",
        description="How strongly it is felt: 0 mild, 1 medium, 2 high",
        default=DEFAULT_INTENSITY,
        min=0.0,
        max=MAX_INTENSITY,
        precision=2,
        step=10,
    )


class EMOTE_PG_dialogue(bpy.types.PropertyGroup):
    """The lines of a scene's dialogue."""

    lines: bpy.props.CollectionProperty(type=EMOTE_PG_line, name="Lines", description="The lines in the order of time")
    active_line: bpy.props.IntProperty(name="Line", description="The chosen line of the list", default=-1, min=-1)
