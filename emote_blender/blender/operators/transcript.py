"""Take Transcript: the words of a sound from a file, a text of this file, or the text strips over the sound."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...errors import InputError
from ...transcript.suffixes import SUFFIXES
from ...transcript.timed_transcript import TimedTranscript
from ..blend_paths import absolute
from ..narrow import present
from ..refusal import Result, refusing
from ..scene.placed_strip import frames_on_timeline
from ..scene.strips import find_strip, read_strip, strip_scene
from ..scene.transcript_sources import files_beside, text_strips_over
from ..settings.chosen_head import speech_settings
from ..settings.transcript import SpeechSettings, sound_path, strip_settings, transcript_owner
from ..settings.transcript_state import AUTO_MODE, NONE, holds_own_words, keep_cues, one_line

_GLOB = ";".join(f"*{suffix}" for suffix in SUFFIXES)


class EMOTE_OT_take_transcript(bpy.types.Operator):
    """Take the transcript of the chosen sound from a file, from a text of this file, or from text strips over it"""

    bl_idname = "emote.take_transcript"
    bl_label = "Take Transcript"
    bl_options = {"REGISTER", "UNDO"}

    source: bpy.props.EnumProperty(
        name="Source",
        description="Where the words are; a text or a file that is given counts before it",
        items=[
            ("BESIDE", "Beside the Sound", "The text or subtitles beside the sound's file, with the same name"),
            ("STRIPS", "Text Strips", "The text strips of the sequencer over the sound"),
            ("FILE", "File", "A file that is chosen"),
        ],
        options={"SKIP_SAVE"},
    )
    text: bpy.props.StringProperty(name="Text", description="Name of a text of this file", options={"SKIP_SAVE"})
    filepath: bpy.props.StringProperty(
        name="File",
        description="Text or subtitles with the words of the sound",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    filter_glob: bpy.props.StringProperty(default=_GLOB, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        if self.source != "FILE" or self.filepath:
            return self.execute(context)
        present(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        settings = speech_settings(context)
        scene = strip_scene(context, settings.strip)
        owner = transcript_owner(scene, settings) or strip_settings(find_strip(scene, settings.strip).strip)
        if present(owner.id_data).library is not None:
            raise InputError("the sound is linked from another file; give it its words there")
        transcript, source = self._words(scene, settings, owner.language)
        if isinstance(transcript, TimedTranscript):
            keep_cues(owner, transcript)
            for warning in transcript.warnings:
                self.report({"WARNING"}, warning)
        else:
            owner.transcript = one_line(transcript)
        self.report({"INFO"}, f"{len(owner.transcript.split())} words from {source}")
        return {"FINISHED"}

    def _words(
        self, scene: bpy.types.Scene, settings: SpeechSettings, language: str
    ) -> tuple[str | TimedTranscript, str]:
        """The words, with times in the sound's file if they have any, and where they are from; raises InputError."""
        # Here, as enabling the add-on needs no readers of files.
        from ...transcript.text import read_transcript, transcript_of_text

        if self.text:
            if self.text not in bpy.data.texts:
                raise InputError(f"this file has no text {self.text!r}; choose one in the text editor")
            name = f"the text {self.text!r}"
            return transcript_of_text(bpy.data.texts[self.text].as_string(), name), name
        if self.filepath:
            return read_transcript(str(path := Path(absolute(self.filepath)))), path.name
        if self.source == "FILE":
            raise InputError("no file is given; choose a file with the words of the sound")
        if self.source == "STRIPS":
            return _text_strips(scene, settings), "text strips"
        sound = sound_path(scene, settings)
        if sound is None:
            raise InputError("no sound file is chosen; choose a file, or a strip")
        beside = files_beside(sound, language)
        if not beside:
            raise InputError(f"{sound.with_suffix('.txt')} not found; write the words there, or into the field")
        return read_transcript(str(beside[0])), beside[0].name


def _text_strips(scene: bpy.types.Scene, settings: SpeechSettings) -> TimedTranscript:
    """The words of the text strips over the chosen sound, with times in its file; raises InputError."""
    if settings.source == "FILE":
        found, name = text_strips_over(scene, settings.frame_start, float("inf"), settings.frame_start), "the sound"
        if found is not None:
            return found
    else:
        placed = find_strip(scene, settings.strip)
        sound, name = read_strip(placed), repr(placed.name)
        found = text_strips_over(scene, *frames_on_timeline(placed), sound.frame_start)
        if found is not None:
            return sound.timed_in_file(found)
    raise InputError(f"no text strip lies over {name}; put text strips over the sound in the sequencer")


class EMOTE_MT_transcript(bpy.types.Menu):
    """Where the words of the sound come from"""

    bl_label = "Take Transcript"

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        settings = speech_settings(context)
        owner = transcript_owner(strip_scene(context, settings.strip), settings)
        if owner is not None and holds_own_words(owner):
            again = layout.operator("emote.transcribe", text="Recognise Again, Replace Words", icon="FILE_REFRESH")
            again.overwrite = True
        else:
            layout.operator("emote.transcribe", icon="OUTLINER_OB_SPEAKER")
        layout.separator()
        layout.operator("emote.take_transcript", text="File Beside the Sound", icon="FILE_TEXT").source = "BESIDE"
        layout.operator("emote.take_transcript", text="Text Strips Over the Sound", icon="SEQUENCE").source = "STRIPS"
        layout.operator("emote.take_transcript", text="Transcript File…", icon="FILEBROWSER").source = "FILE"
        for text in bpy.data.texts:
            layout.operator("emote.take_transcript", text=text.name, icon="TEXT", translate=False).text = text.name
        if owner is not None:
            layout.separator()
            if owner.transcript_mode == NONE:
                layout.prop_enum(owner, "transcript_mode", AUTO_MODE, text="Follow the Words")
            else:
                layout.prop_enum(owner, "transcript_mode", NONE, text="Follow the Sound Alone")
