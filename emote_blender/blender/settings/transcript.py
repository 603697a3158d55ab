"""Transcripts: where the scene and its strips keep the words of a sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ...errors import EmoteError, InputError
from ...transcript.language import AUTO
from ..blend_paths import absolute
from ..scene import changes
from ..scene.strips import find_strip

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import PropertyFlagItems  # the stubs' own name

    from .properties import EMOTE_PG_settings


def _language_names(self: bpy.types.PropertyGroup, context: bpy.types.Context, text: str) -> list[str]:
    from ...transcript.espeak import open_espeak

    try:
        known = open_espeak().languages()
    except EmoteError:
        known = ()
    return [code for code in (AUTO, *known) if code.startswith(text.lower())]


def _transcript_changed(self: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    changes.note()


def transcript_property(options: set[PropertyFlagItems]) -> Any:
    """A property that holds a transcript; `options` as in bpy.props."""
    return bpy.props.StringProperty(
        name="Transcript",
        description="The words that are spoken, or a .txt file with them: lips and tongue follow them where they fit "
        "the sound. Optional; without them the sound alone is followed",
        options=options,
        update=_transcript_changed,
    )


def language_property(options: set[PropertyFlagItems]) -> Any:
    """A property that holds a transcript's language; `options` as in bpy.props."""
    return bpy.props.StringProperty(
        name="Language",
        description="Language of the transcript: auto to guess it, or a code such as en-gb, de, fr, pt-br",
        default=AUTO,
        search=_language_names,
        search_options={"SUGGESTION"},
        options=options,
    )


class EMOTE_PG_strip(bpy.types.PropertyGroup):
    """The settings of a sound strip: the words that it speaks."""

    transcript: transcript_property(set())
    language: language_property(set())


def strip_settings(strip: bpy.types.Strip) -> EMOTE_PG_strip:
    """The settings of a strip."""
    return strip.emote  # type: ignore[attr-defined] # a pointer property that `register` adds


def transcript_owner(scene: bpy.types.Scene, settings: EMOTE_PG_settings) -> EMOTE_PG_settings | EMOTE_PG_strip | None:
    """The settings with `transcript` and `language` of the chosen sound: its strip's, or the scene's for a file."""
    if settings.source == "FILE":
        return settings
    try:
        return strip_settings(find_strip(scene, settings.strip))
    except InputError:
        return None


def text_file_beside(scene: bpy.types.Scene, settings: EMOTE_PG_settings) -> Path | None:
    """The path of the .txt file beside the chosen sound's file, whether it exists or not; None without a sound."""
    if settings.source == "FILE":
        sound = absolute(settings.audio)
    else:
        try:
            strip = find_strip(scene, settings.strip)
        except InputError:
            return None
        sound = bpy.path.abspath(strip.sound.filepath, library=strip.sound.library) if strip.sound else ""
    return Path(sound).with_suffix(".txt") if Path(sound).name else None
