"""Transcripts: where strips, and heads for a file, keep the words of a sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import bpy

from ...errors import EmoteError, InputError
from ...transcript.language import AUTO
from ..blend_paths import absolute
from ..scene import changes
from ..scene.strips import find_strip
from .transcript_state import AUTO_MODE, MODE_ITEMS, TranscriptSettings, mode_after_typing

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import PropertyFlagItems  # the stubs' own name

Update = Callable[[Any, bpy.types.Context], None]


class SpeechSettings(TranscriptSettings, Protocol):
    """The settings of a head, or of a scene for its heads: a sound, its words, and the model that speaks them."""

    @property
    def id_data(self) -> bpy.types.ID | None:
        """The data-block that has them."""
        ...

    source: str
    strip: str
    audio: str
    frame_start: int
    model: str
    speaker: str


def _language_names(self: bpy.types.PropertyGroup, context: bpy.types.Context, text: str) -> list[str]:
    from ...transcript.espeak import open_espeak

    try:
        known = open_espeak().languages()
    except EmoteError:
        known = ()
    return [code for code in (AUTO, *known) if code.startswith(text.lower())]


def words_changed(self: Any, context: bpy.types.Context) -> None:
    """Forget how the words before fitted, and note whose words these are: an update of a transcript."""
    self.transcript_mode = mode_after_typing(self)
    language_changed(self, context)


def language_changed(self: Any, context: bpy.types.Context) -> None:
    """Forget how the words fitted: an update of a transcript's language."""
    self.num_words = self.num_fitting = 0  # of the words before
    changes.note()


def _mode_changed(self: Any, context: bpy.types.Context) -> None:
    changes.note()


_OF_A_SOUND = "If the field is empty, the words are recognised"


def transcript_property(
    options: set[PropertyFlagItems], update: Update | None = None, special: str = _OF_A_SOUND
) -> Any:
    """A property that holds a transcript; `options` and `update` as in bpy.props, `special`: a further sentence."""
    return bpy.props.StringProperty(
        name="Transcript",
        description="The words that are spoken, or a file with them (.txt, .srt, ...): lips and tongue follow them "
        f"where they fit the sound. {special}",
        options=options,
        update=update,
        override={"LIBRARY_OVERRIDABLE"},
    )


def language_property(options: set[PropertyFlagItems], update: Update | None = None) -> Any:
    """A property that holds a transcript's language; `options` and `update` as in bpy.props."""
    return bpy.props.StringProperty(
        name="Language",
        description="Language that is spoken: auto to find it out, or a code such as en-gb, de, fr, pt-br",
        default=AUTO,
        search=_language_names,
        search_options={"SUGGESTION"},
        options=options,
        update=update,
        override={"LIBRARY_OVERRIDABLE"},
    )


def mode_property(update: Update = _mode_changed) -> Any:
    """A property that says where the words come from; `update` as in bpy.props."""
    return bpy.props.EnumProperty(
        name="Words",
        description="Where the words of the sound come from",
        items=MODE_ITEMS,
        default=AUTO_MODE,
        update=update,
        override={"LIBRARY_OVERRIDABLE"},
    )


def recognised_property() -> Any:
    """A property that keeps the words as they were recognised."""
    return bpy.props.StringProperty(
        name="Recognised",
        description="The words as the speech recogniser understood them",
        options={"HIDDEN"},
        override={"LIBRARY_OVERRIDABLE"},
    )


def recognition_property() -> Any:
    """A property that keeps what `transcript_state.Recognised` holds."""
    return bpy.props.StringProperty(
        name="Recognition",
        description="What is known of the recognised words, as JSON",
        options={"HIDDEN"},
        override={"LIBRARY_OVERRIDABLE"},
    )


def cues_property() -> Any:
    """A property that keeps the times of the words, as `transcript_state.keep_cues` writes them."""
    return bpy.props.StringProperty(
        name="Cues",
        description="Times of the words in the sound file, as JSON",
        options={"HIDDEN"},
        override={"LIBRARY_OVERRIDABLE"},
    )


def num_words_property() -> Any:
    """A property that counts the words of the transcript, once they were compared with the sound."""
    return bpy.props.IntProperty(
        name="Words",
        description="Number of words in the transcript; 0 until it was spoken",
        min=0,
        options={"HIDDEN"},
        override={"LIBRARY_OVERRIDABLE"},
    )


def num_fitting_property() -> Any:
    """A property that counts the words that fitted the sound."""
    return bpy.props.IntProperty(
        name="Fitting Words",
        description="Number of words that fitted the sound",
        min=0,
        options={"HIDDEN"},
        override={"LIBRARY_OVERRIDABLE"},
    )


class EMOTE_PG_strip(bpy.types.PropertyGroup):
    """The settings of a sound strip: the words that it speaks."""

    transcript: transcript_property(set(), words_changed)
    language: language_property(set(), language_changed)
    transcript_mode: mode_property()
    recognised: recognised_property()
    recognition: recognition_property()
    cues: cues_property()
    num_words: num_words_property()
    num_fitting: num_fitting_property()


def strip_settings(strip: bpy.types.Strip) -> EMOTE_PG_strip:
    """The settings of a strip."""
    return strip.emote  # type: ignore[attr-defined] # a pointer property that `register` adds


def transcript_owner(scene: bpy.types.Scene, settings: SpeechSettings) -> SpeechSettings | EMOTE_PG_strip | None:
    """The settings with `transcript` and `language` of the chosen sound: its strip's, or the head's for a file."""
    if settings.source == "FILE":
        return settings
    try:
        return strip_settings(find_strip(scene, settings.strip).strip)
    except InputError:
        return None


def sound_path(scene: bpy.types.Scene, settings: SpeechSettings) -> Path | None:
    """The path of the chosen sound's file; None without a sound."""
    if settings.source == "FILE":
        sound = absolute(settings.audio)
    else:
        try:
            strip = find_strip(scene, settings.strip).strip
        except InputError:
            return None
        sound = bpy.path.abspath(strip.sound.filepath, library=strip.sound.library) if strip.sound else ""
    return Path(sound) if Path(sound).name else None
