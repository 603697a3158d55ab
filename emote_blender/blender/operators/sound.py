"""Add Sound: a sound file as a strip, where the head's scene can use it."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...sound_files.kinds import READABLE
from ...sound_files.read import require_decodable
from ...sound_files.with_aud import AudSound
from ..blend_paths import absolute
from ..compat import all_strips, new_sound_strip, sequencer_scene, show_in_sequencers, strip_timing
from ..narrow import present
from ..refusal import Result, refusing
from ..settings.chosen_head import speech_settings

_SOUNDS = "*.wav;*.flac;*.ogg;*.oga;*.opus;*.mp3;*.m4a;*.aac;*.aif;*.aiff;*.mp4;*.mov;*.mkv;*.webm"


class EMOTE_OT_add_sound(bpy.types.Operator):
    """Add a sound file to the sequencer and let the head speak it"""

    bl_idname = "emote.add_sound"
    bl_label = "Add Sound"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(
        name="File",
        description=f"Sound file: {READABLE}",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    filter_glob: bpy.props.StringProperty(default=_SOUNDS, options={"HIDDEN"})
    frame_start: bpy.props.IntProperty(
        name="Start Frame",
        description="Frame at which the sound begins; at the playhead if not given",
        default=1,
        options={"SKIP_SAVE"},
    )
    in_sync: bpy.props.BoolProperty(
        name="Play in Sync",
        description="Let playback follow the sound (Sync to Audio), so that face and voice do not drift apart",
        default=True,
    )
    lengthen: bpy.props.BoolProperty(
        name="Lengthen Scene",
        description="Let the scene's frame range reach the end of the sound",
        default=True,
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        if self.filepath:
            return self.execute(context)
        present(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        path = absolute(self.filepath)
        require_decodable(Path(path), AudSound)  # raises: Blender itself makes a silent strip of what it cannot read
        scene = sequencer_scene(context)
        start = self.frame_start if self.properties.is_property_set("frame_start") else scene.frame_current
        strip = add_sound_strip(scene, path, start)
        show_in_sequencers(scene, only_empty=True)
        if self.in_sync and scene.sync_mode == "NONE":
            scene.sync_mode = "AUDIO_SYNC"
        end = round(strip_timing(strip).right) - 1
        if self.lengthen and end > scene.frame_end:
            scene.frame_end = end
        settings = speech_settings(context)
        settings.source, settings.strip = "STRIP", strip.name
        self.report({"INFO"}, f"{strip.name}: frames {start} to {end}")
        return {"FINISHED"}


def add_sound_strip(scene: bpy.types.Scene, path: str, frame_start: int) -> bpy.types.SoundStrip:
    """A new strip of a sound file, active and alone selected, on the lowest channel with room for it."""
    before = all_strips(scene)
    # Made above all others and then moved down: its length is known only now.
    top = max((strip.channel for strip in before), default=0) + 1
    strip = new_sound_strip(scene, Path(path).stem, path, channel=top, frame_start=frame_start)
    place = strip_timing(strip)
    editor = present(scene.sequence_editor)
    taken = {
        other.channel
        for other in editor.strips
        if other != strip and strip_timing(other).left < place.right and strip_timing(other).right > place.left
    }
    strip.channel = next(channel for channel in range(1, top + 1) if channel not in taken)
    for other in before:
        other.select = False
    strip.select = True
    editor.active_strip = strip
    return strip
