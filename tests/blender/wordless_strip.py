"""Sound strips for tests whose subject is not the words: nothing is recognised in them, which takes time."""

from __future__ import annotations

import bpy

from emote_blender.blender.compat import new_sound_strip


def new_wordless_strip(
    scene: bpy.types.Scene, name: str, filepath: str, channel: int, frame_start: int
) -> bpy.types.SoundStrip:
    """A new sound strip of which the sound alone is followed."""
    strip = new_sound_strip(scene, name, filepath, channel, frame_start)
    strip.emote.transcript_mode = "NONE"
    return strip
