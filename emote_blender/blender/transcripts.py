"""The words of a sound: where the scene keeps them, and taking them from a text of the file or beside the sound."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..errors import EmoteError, InputError
from ..transcript.language import AUTO
from ..transcript.text import read_transcript
from . import changes
from .blend_paths import absolute
from .refusal import refusing
from .sound_strips import find_strip, strip_scene


def _language_names(self: bpy.types.PropertyGroup, context: bpy.types.Context, text: str) -> list[str]:
    from ..transcript.espeak import open_espeak

    try:
        known = open_espeak().languages()
    except EmoteError:
        known = ()
    return [code for code in (AUTO, *known) if code.startswith(text.lower())]


def _transcript_changed(self: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    changes.note()


def transcript_property(options: set[str]) -> object:
    """A property that holds a transcript; `options` as of bpy.props."""
    return bpy.props.StringProperty(
        name="Transcript",
        description="The words that are spoken, or a .txt file with them: lips and tongue follow them where they fit "
        "the sound. Optional; without them the sound alone is followed",
        options=options,
        update=_transcript_changed,
    )


def language_property(options: set[str]) -> object:
    """A property that holds a transcript's language; `options` as of bpy.props."""
    return bpy.props.StringProperty(
        name="Language",
        description="Language of the transcript: auto to guess it, or a code such as en-gb, de, fr, pt-br",
        default=AUTO,
        search=_language_names,
        search_options={"SUGGESTION"},
        options=options,
    )


class EMOTE_PG_strip(bpy.types.PropertyGroup):
    """What is known of the speech in a sound strip."""

    transcript: transcript_property(set())
    language: language_property(set())


def transcript_owner(scene: bpy.types.Scene, settings: bpy.types.PropertyGroup) -> bpy.types.PropertyGroup | None:
    """Who keeps `transcript` and `language` of the sound that is chosen: its strip, or the settings for a file."""
    if settings.source == "FILE":
        return settings
    try:
        return find_strip(scene, settings.strip).emote
    except InputError:
        return None


def text_file_beside(scene: bpy.types.Scene, settings: bpy.types.PropertyGroup) -> Path | None:
    """The .txt file beside the chosen sound's file, whether it is there or not."""
    if settings.source == "FILE":
        sound = absolute(settings.audio)
    else:
        try:
            strip = find_strip(scene, settings.strip)
        except InputError:
            return None
        sound = bpy.path.abspath(strip.sound.filepath, library=strip.sound.library) if strip.sound else ""
    return Path(sound).with_suffix(".txt") if Path(sound).name else None


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
    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, settings = strip_scene(context), context.scene.emote
        owner = transcript_owner(scene, settings)
        if owner is None:
            find_strip(scene, settings.strip)  # raises, and says which strips there are
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
        return read_transcript(str(beside))


class EMOTE_MT_transcript(bpy.types.Menu):
    """Where a transcript can be taken from"""

    bl_label = "Take Transcript"

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.operator("emote.take_transcript", text="Text File Beside the Sound", icon="FILE_TEXT")
        for text in bpy.data.texts:
            self.layout.operator("emote.take_transcript", text=text.name, icon="TEXT").text = text.name
