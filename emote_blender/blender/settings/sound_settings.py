"""Properties that say which sound is spoken: a strip or a file. Scenes and heads have the same ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from ...sound_files.kinds import READABLE
from ..scene.strips import all_placed_strips

Update = Callable[[Any, bpy.types.Context], None]


def _strip_names(self: bpy.types.PropertyGroup, context: bpy.types.Context, text: str) -> list[str]:
    return [placed.name for placed in all_placed_strips(context) if text.lower() in placed.name.lower()]


def source_property(update: Update) -> Any:
    """A property that says whether a strip or a file is spoken."""
    return bpy.props.EnumProperty(
        name="Sound",
        description="Where the speech comes from",
        items=[
            ("STRIP", "Strip", "A sound strip of the Video Sequencer: its audible part, at its place on the timeline"),
            ("FILE", "File", "A sound file"),
        ],
        update=update,
        override={"LIBRARY_OVERRIDABLE"},
    )


def strip_property(update: Update) -> Any:
    """A property that names the sound strip."""
    return bpy.props.StringProperty(
        name="Strip",
        description="Sound strip to speak; empty for the active one, or the only one",
        search=_strip_names,
        search_options={"SUGGESTION"},
        update=update,
        override={"LIBRARY_OVERRIDABLE"},
    )


def audio_property(update: Update) -> Any:
    """A property that holds the path of the sound file."""
    return bpy.props.StringProperty(
        name="File",
        description=f"Sound file to speak: {READABLE}",
        subtype="FILE_PATH",
        options={"PATH_SUPPORTS_BLEND_RELATIVE"},
        update=update,
        override={"LIBRARY_OVERRIDABLE"},
    )


def frame_start_property(update: Update) -> Any:
    """A property that says on which frame a file's sound begins."""
    return bpy.props.IntProperty(
        name="Start Frame",
        description="Frame at which the file's sound begins",
        default=1,
        min=-1048574,
        max=1048574,
        update=update,
        override={"LIBRARY_OVERRIDABLE"},
    )
