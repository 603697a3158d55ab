"""Recognise Words: the words of strips or of a head's sound file, written into their transcripts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy

from ...errors import Cancelled, EmoteError, InputError
from ...transcript.language import AUTO
from ...transcript.recognisers.interface import Recognition
from ..blend_paths import absolute
from ..jobs import worker
from ..jobs.ready import is_free
from ..jobs.recognition import Place, fill_in, no_speech_sentence, place_of_file, place_of_strip, recognise
from ..narrow import present, window_scene
from ..refusal import Result
from ..scene.strips import FileSound, StripSound, chosen_strips, read_strip, selected_strips, strip_scene
from ..settings.chosen_head import chosen_head, speech_settings
from ..settings.recogniser_info import recogniser_folder
from ..settings.transcript import strip_settings
from ..settings.transcript_state import describe_words, holds_own_words
from .panel_job import PanelJob

_SHOWN_LETTERS = 40  # of words that would be replaced


@dataclass(frozen=True)
class Line:
    """A sound whose words are recognised.

    Attributes:
        sound: the sound.
        place: where its words are kept.
        language: that is spoken.
        recogniser_folder: folder of the speech recogniser; empty for the one that comes with the add-on.
    """

    sound: StripSound | FileSound
    place: Place
    language: str
    recogniser_folder: str


class EMOTE_OT_transcribe(PanelJob, bpy.types.Operator):
    """Recognise the words of the sound and write them into its transcript, where they can be corrected"""

    bl_idname = "emote.transcribe"
    bl_label = "Recognise Words"
    bl_options = {"UNDO"}

    kept = (*PanelJob.kept, "_left_alone", "_overwrites")

    strip: bpy.props.StringProperty(
        name="Strip",
        description="Name of a sound strip; empty for the chosen sound",
        options={"SKIP_SAVE"},
    )
    strips: bpy.props.EnumProperty(
        name="Strips",
        description="Which sounds are recognised",
        items=[
            ("ONE", "One", "The given strip, or the chosen sound"),
            ("SELECTED", "All Selected Strips", "Every selected sound strip, one after the other"),
        ],
        options={"SKIP_SAVE"},
    )
    overwrite: bpy.props.BoolProperty(
        name="Overwrite",
        description="Replace words that were written or corrected by hand, too",
        default=False,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return is_free(cls)

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        if getattr(properties, "overwrite", False):
            return "Recognise the words again. They replace the words in the field, the corrected ones too"
        return ""

    def execute(self, context: bpy.types.Context) -> Result:
        return self.run_now(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        # In background Blender runs no modal operator.
        return self.run_now(context) if bpy.app.background else self.run_in_window(context)

    def title_of(self, request: list[Line]) -> str:
        return f"The transcript of {request[0].sound.name!r}" if len(request) == 1 else f"{len(request)} transcripts"

    def work_of(self, request: list[Line]) -> worker.Work:
        return lambda progress, cancelled: recognise_all(request, progress, cancelled)

    def prepare(self, context: bpy.types.Context) -> list[Line]:
        """The sounds, without those whose words were written by hand; raises InputError if none is left."""
        self.begin(context)
        self._overwrites = self.overwrite
        self._left_alone: list[str] = []
        lines = self._lines(context)
        wanted = []
        for line in lines:
            words = present(line.place.find())
            if line.place.is_linked:
                raise InputError(f"{line.sound.name!r} is linked from another file; recognise its words there")
            if holds_own_words(words) and not self.overwrite:
                self._left_alone.append(_kept_sentence(line.sound.name, words.transcript))
            else:
                wanted.append(line)
        if not wanted:
            raise InputError(self._left_alone[0])
        return wanted

    def _lines(self, context: bpy.types.Context) -> list[Line]:
        """The sounds that are asked for; raises InputError."""
        folder = recogniser_folder()
        settings = speech_settings(context)
        if self.strips == "ONE" and not self.strip and settings.source == "FILE":
            if not settings.audio:
                raise InputError("no sound file is chosen; choose a file, or a strip")
            sound = FileSound(Path(absolute(settings.audio)), settings.frame_start)
            place = place_of_file(window_scene(context), _head(context))
            return [Line(sound, place, settings.language or AUTO, folder)]
        scene = strip_scene(context, self.strip or settings.strip)
        if self.strips == "SELECTED":
            strips = selected_strips(scene)
            if not strips:
                raise InputError(f"no sound strip of scene {scene.name!r} is selected; select the strips first")
        else:
            strips = chosen_strips(scene, self.strip or settings.strip)
        lines = []
        for strip in strips:
            language = strip_settings(strip.strip).language or AUTO
            try:
                lines.append(Line(read_strip(strip), place_of_strip(strip), language, folder))
            except InputError as error:
                self._left_alone.append(str(error))
        return lines

    def finish(self, context: bpy.types.Context, request: list[Line], result: list[Recognition | EmoteError]) -> None:
        sentences = []
        failures: list[EmoteError] = []
        for line, found in zip(request, result, strict=True):
            name = line.sound.name
            if isinstance(found, EmoteError):
                failures.append(found)
            elif not found.words:
                failures.append(InputError(no_speech_sentence(name)))
            elif line.place.find() is None:
                failures.append(InputError(f"{name!r} was renamed or deleted meanwhile; recognise its words again"))
            elif not fill_in(line.place, found, overwrite=self._overwrites):
                failures.append(InputError(f"the words of {name!r} were changed meanwhile, and are kept as they are"))
            else:
                sentences.append(f"{name}: {_count(found)}; {describe_words(present(line.place.find()))}")
                self.report({"INFO"}, sentences[-1])
        if not sentences:
            raise failures[0]
        for sentence in (*map(str, failures), *self._left_alone):
            self.report({"WARNING"}, sentence)
        total = len(request) + len(self._left_alone)
        several = f"the words of {len(sentences)} of {total} sounds were recognised"
        self.show_result(several if total > 1 else sentences[0])


def recognise_all(
    lines: list[Line], progress: Callable[[float, str], None], cancelled: Callable[[], bool]
) -> list[Recognition | EmoteError]:
    """The words of several sounds, one after the other, or why there are none. Touches no bpy.

    Raises:
        Cancelled: if `cancelled` returns True.
    """
    results: list[Recognition | EmoteError] = []
    for number, line in enumerate(lines):

        def part(fraction: float, text: str, number: int = number, name: str = line.sound.name) -> None:
            progress((number + fraction) / len(lines), text if len(lines) == 1 else f"{name}: {text}")

        try:
            results.append(recognise(line.sound, line.language, line.recogniser_folder, part, cancelled))
        except Cancelled:
            raise
        except EmoteError as error:
            results.append(error)
    return results


def _head(context: bpy.types.Context) -> bpy.types.Object | None:
    """The chosen head; None if there is none."""
    try:
        return chosen_head(context)
    except InputError:
        return None


def _count(found: Recognition) -> str:
    return "1 word" if len(found.words) == 1 else f"{len(found.words)} words"


def _kept_sentence(name: str, transcript: str) -> str:
    """Why the words of a sound are not replaced."""
    shown = transcript if len(transcript) <= _SHOWN_LETTERS else f"{transcript[:_SHOWN_LETTERS].rstrip()}…"
    return (
        f"the words of {name!r} were written by hand ({shown!r}) and are kept; clear them, or recognise again with "
        "Overwrite to replace them"
    )
