"""Take Transcript: the words of a sound from a text of the file, or from the .txt file beside the sound."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...errors import InputError
from ...transcript.text import read_transcript
from ...transcript.timed_transcript import TimedTranscript
from ..narrow import present
from ..refusal import Result, refusing
from ..scene.strips import find_strip, strip_scene
from ..settings.chosen_head import speech_settings
from ..settings.transcript import strip_settings, text_file_beside, transcript_owner


class EMOTE_OT_take_transcript(bpy.types.Operator):
    """Take the transcript of the chosen sound from a text of this file, or from the .txt file beside the sound"""

    bl_idname = "emote.take_transcript"
    bl_label = "Take Transcript"
    bl_options = {"REGISTER", "UNDO"}

    text: bpy.props.StringProperty(
        name="Text",
        description="Name of a text of this file; empty for the .txt file beside the sound",
        options={"SKIP_SAVE"},
    )

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        settings = speech_settings(context)
        scene = strip_scene(context, settings.strip)
        owner = transcript_owner(scene, settings) or strip_settings(find_strip(scene, settings.strip))
        # A field of one line: line breaks become spaces.
        owner.transcript = " ".join(self._words(text_file_beside(scene, settings)).split())
        return {"FINISHED"}

    def _words(self, beside: Path | None) -> str:
        """The text that is meant; raises InputError."""
        if self.text:
            if self.text not in bpy.data.texts:
                raise InputError(f"this file has no text {self.text!r}; choose one in the text editor")
            return bpy.data.texts[self.text].as_string()
        if beside is None:
            raise InputError("no sound file is chosen; choose a file, or a strip")
        if not beside.is_file():
            raise InputError(f"{beside} not found; write the words there, or into the field")
        transcript = read_transcript(str(beside))
        return transcript.text if isinstance(transcript, TimedTranscript) else transcript


class EMOTE_MT_transcript(bpy.types.Menu):
    """Where a transcript can be taken from"""

    bl_label = "Take Transcript"

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        layout.operator("emote.take_transcript", text="Text File Beside the Sound", icon="FILE_TEXT")
        for text in bpy.data.texts:
            layout.operator("emote.take_transcript", text=text.name, icon="TEXT").text = text.name
