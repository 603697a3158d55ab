"""What a head remembers: how it feels, and its takes. Stored on the head's mesh object as `head.emote`."""

from __future__ import annotations

import bpy

from ...emotion import EMOTIONS
from .take_settings import EMOTE_PG_take

EMOTION_ITEMS = [(name.upper(), name.capitalize(), f"The voice speaks with {name}") for name in EMOTIONS]
EMOTION_ITEMS[EMOTIONS.index("neutral")] = ("NEUTRAL", "Neutral", "No emotion: the words alone move the face")


class EMOTE_PG_head(bpy.types.PropertyGroup):
    """The settings of a head, on its mesh object."""

    takes: bpy.props.CollectionProperty(type=EMOTE_PG_take, override={"LIBRARY_OVERRIDABLE", "USE_INSERTION"})
    active_take: bpy.props.IntProperty(
        name="Take", description="The take that the panel shows", default=-1, min=-1, override={"LIBRARY_OVERRIDABLE"}
    )


def head_settings(head: bpy.types.Object) -> EMOTE_PG_head:
    """The settings of a head."""
    return head.emote  # type: ignore[attr-defined] # a pointer property that `register` adds
