"""Capture Face from Video: at once for scripts, on a thread with progress and Cancel for the button.

Only the main thread may call Blender's decoder: in a window it decodes some frames at every tick of a timer, while a
thread finds the face in them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import bpy

from ...errors import InputError
from ..blend_paths import absolute
from ..characters.choose import head_or_character
from ..check.find import worst_after
from ..jobs import capture, generation, worker
from ..jobs.handed_over import HandedOverFrames
from ..jobs.ready import may_animate
from ..narrow import expect, window_scene
from ..refusal import Result
from ..requirements import missing_sentence
from ..scene.movie_pictures import MoviePictures
from ..scene.movie_strips import ShownMovie, find_movie, shown_movie, sound_beside, whole_movie
from ..scene.placed_strip import PlacedStrip
from ..scene.strips import line_scene
from ..settings.chosen_head import own_settings
from ..settings.landmarker_info import landmarker_problem
from ..settings.properties import scene_settings
from ..settings.video_settings import (
    has_neutral_property,
    mirrored_property,
    movie_file_property,
    movie_strip_property,
    neutral_frame_property,
    person_property,
    place_property,
    sound_property,
    start_property,
)
from .panel_job import PanelJob

_SKIP_SAVE = {"SKIP_SAVE"}


class OnVideo:
    """Arguments that say which video is meant; what is left out comes from the scene's settings."""

    strip: movie_strip_property(_SKIP_SAVE)
    filepath: movie_file_property(_SKIP_SAVE)
    frame_start: start_property(_SKIP_SAVE)

    def given(self, context: bpy.types.Context, name: str) -> Any:
        """An argument, or the setting of its name."""
        properties: Any = self.properties  # type: ignore[attr-defined] # of the operator
        return getattr(self if properties.is_property_set(name) else scene_settings(window_scene(context)).video, name)

    def movie_strip(self, context: bpy.types.Context) -> bpy.types.MovieStrip | None:
        """The movie strip that is meant; None for a file.

        Raises:
            InputError: if there is none, or no file is chosen.
        """
        settings = scene_settings(window_scene(context)).video
        if self.filepath:
            return None
        if self.strip or settings.source == "STRIP":
            return find_movie(context, self.strip or settings.strip)
        if not settings.filepath:
            raise InputError("no video file is chosen; choose one, or a movie strip")
        return None

    def movie(self, context: bpy.types.Context, strip: bpy.types.MovieStrip | None) -> ShownMovie:
        """What is captured; raises InputError if it cannot be read."""
        if strip is not None:
            return shown_movie(strip)
        path = Path(absolute(self.given(context, "filepath")))
        return whole_movie(path, self.given(context, "frame_start"))


class CaptureJob(OnVideo, PanelJob):
    """Base of the operator, beside `bpy.types.Operator`."""

    kept: ClassVar[tuple[str, ...]] = (*PanelJob.kept, "_pictures", "_frames", "_warnings")
    tick_seconds: ClassVar[float] = 0.03
    _decoding_seconds: ClassVar[float] = 0.03  # of each tick; the rest of the time is the window's

    head: bpy.props.StringProperty(name="Head", description="Name of the head", options=_SKIP_SAVE)
    use_sound: sound_property(_SKIP_SAVE)
    mirrored: mirrored_property(_SKIP_SAVE)
    person: person_property(_SKIP_SAVE)
    place: place_property(_SKIP_SAVE)
    has_neutral: has_neutral_property(_SKIP_SAVE)
    neutral_frame: neutral_frame_property(_SKIP_SAVE)

    _pictures: MoviePictures | None = None
    _frames: HandedOverFrames | None = None

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        missing = missing_sentence() or landmarker_problem()
        if missing:
            cls.poll_message_set(missing)
            return False
        return may_animate(cls, sets_up=True)

    def execute(self, context: bpy.types.Context) -> Result:
        try:
            return self.run_now(context)
        finally:
            self._close()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        # In background Blender runs no modal operator.
        return self.execute(context) if bpy.app.background else self.run_in_window(context)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        is_over = True
        try:
            if event.type == "TIMER" and self._frames is not None:
                self._frames.serve(self._decoding_seconds)
            result = super().modal(context, event)
            is_over = not result & {"RUNNING_MODAL", "PASS_THROUGH"}
            return result
        finally:
            if is_over:
                self._close()

    def cancel(self, context: bpy.types.Context) -> None:
        super().cancel(context)
        if not self.has_orphan():
            self._close()

    def start_job(self, request: capture.Request) -> None:
        if self._pictures is not None:
            self._frames = HandedOverFrames(self._pictures)
        super().start_job(request)

    def prepare(self, context: bpy.types.Context) -> capture.Request:
        """The request, from the given arguments and, for all others, the scene's settings."""
        self.begin(context)
        head, set_up = head_or_character(context, self.head)
        self._head_uid = head.session_uid
        strip = self.movie_strip(context)
        movie = self.movie(context, strip)
        scene = line_scene(context, head) if strip is None else expect(strip.id_data, bpy.types.Scene)
        speech, sound_frame, notes = self._speech(context, head, strip, scene)
        place = tuple(self.given(context, "place"))
        choices = capture.Choices(
            head=head,
            person=self.given(context, "person"),
            near=(place[0], place[1]) if any(place) else None,
            mirrored=self.given(context, "mirrored"),
            neutral_frame=self.given(context, "neutral_frame") if self._has_neutral(context) else None,
        )
        request = capture.prepare(scene, choices, movie, speech, sound_frame)
        self._pictures = MoviePictures(request.movie.part)
        self._warnings = (*set_up, *notes, *request.warnings)
        return request

    def _has_neutral(self, context: bpy.types.Context) -> bool:
        return self.properties.is_property_set("neutral_frame") or self.given(context, "has_neutral")

    def _speech(
        self,
        context: bpy.types.Context,
        head: bpy.types.Object,
        strip: bpy.types.MovieStrip | None,
        scene: bpy.types.Scene,
    ) -> tuple[generation.Request | None, float, list[str]]:
        """The request for the sound beside the video, the frame on which it begins, and remarks."""
        if strip is None or not self.given(context, "use_sound"):
            return None, 0.0, []
        beside = sound_beside(strip)
        if beside is None:
            return None, 0.0, [f"no sound strip lies beside {strip.name!r}: the whole face follows the video"]
        request = generation.prepare(scene, _speech_choices(context, head, beside))
        return request, request.sound.frame_start, list(request.warnings)

    def title_of(self, request: capture.Request) -> str:
        return f"The face of {request.movie.name!r}"

    def work_of(self, request: capture.Request) -> worker.Work:
        handed_over, pictures = self._frames, self._pictures

        def work(progress: worker.Progress, cancelled: worker.IsCancelled) -> capture.Performance:
            if handed_over is not None:
                handed_over.cancelled = cancelled
                return capture.compute(request, handed_over, progress, cancelled)
            assert pictures is not None
            return capture.compute(request, pictures, progress, cancelled)

        return work

    def finish(self, context: bpy.types.Context, request: capture.Request, result: capture.Performance) -> None:
        self._close()
        take, frame_start, offset = capture.finish(request, result)
        if request.speech is not None and result.speech is not None:
            generation.keep_words(request.speech, result.speech)
            motion = result.speech.raw.emotional
            speech_lines = [*generation.misfits(request.speech, motion), *result.speech.sound_warnings]
            speech_lines += result.speech.warnings
        else:
            speech_lines = []
        line = f"{generation.describe_action(take.action, frame_start)}; {capture.summary(result, offset)}"
        troubles = worst_after(context, request.head_uid)
        for warning in dict.fromkeys(
            (*self._warnings, *capture.remarks(request, result, offset), *speech_lines, *troubles)
        ):
            self.report({"WARNING"}, warning)
        self.report({"INFO"}, line)
        self.show_result("; but ".join((line, *troubles)))

    def _close(self) -> None:
        """Remove from the file what decoding needed."""
        if self._pictures is not None:
            self._pictures.close()
            self._pictures = None


class EMOTE_OT_capture(CaptureJob, bpy.types.Operator):
    """Put the face of a video on the head as a take: brows, lids, gaze and head, and mouth and jaw from the sound"""

    bl_idname = "emote.capture"
    bl_label = "Capture Face from Video"
    # Not REGISTER: redo would read the video again at every change.
    bl_options = {"UNDO"}


def _speech_choices(context: bpy.types.Context, head: bpy.types.Object, placed: PlacedStrip) -> generation.Choices:
    """What Generate would ask for with the head's settings and this strip."""
    own = own_settings(context, head)
    return generation.Choices(
        head=head,
        strip=placed.name,
        audio="",
        frame_start=own.frame_start,
        emotion=None,
        intensity=None,
        speaker=own.speaker,
        model=own.model,
    )


CLASSES = (EMOTE_OT_capture,)
