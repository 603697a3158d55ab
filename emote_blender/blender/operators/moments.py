"""Emotion over time: the list of moments, timeline markers, keys, and CSV files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np

from ...audio import SAMPLE_RATE
from ...emotion import EMOTIONS, EmotionTrack
from ...errors import InputError
from ...motion_tools.emotion_suggestion import suggested_moments
from ...motion_tools.emotion_timeline import Moment, begins_with_emotion, mix_text, parse_emotion
from ...motion_tools.prosody import measure_prosody
from ...motion_tools.timing import MOTION_FPS, frames_per_second
from ..blend_paths import absolute
from ..head.linked import linked_sentence
from ..jobs.ready import may_animate
from ..narrow import present, window_scene
from ..refusal import Result, refusing
from ..scene import emotion_keys
from ..scene.emotion_track import chosen_weights, head_track, span_in
from ..scene.strips import FileSound, StripSound, find_strip, line_scene, read_strip, strip_scene
from ..settings import live
from ..settings.chosen_head import chosen_head, own_settings
from ..settings.head_settings import MIX, EMOTE_PG_moment, head_settings
from ..settings.lists import added, taken_out

_SECONDS_APART = 1.0  # of a line that is added below the last one
_MOST_NAMED = 3  # markers in a report


class _HeadOperator(bpy.types.Operator):
    """Base of operators that work on the emotion of a head."""

    bl_options = {"REGISTER", "UNDO"}

    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the chosen one", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_animate(cls)

    def chosen(self, context: bpy.types.Context) -> bpy.types.Object:
        """The head; raises InputError if there is none, or it is linked from another file."""
        head = chosen_head(context, self.head)
        if head.library is not None:
            raise InputError(linked_sentence(head, head.library))
        return head


class EMOTE_OT_add_moment(_HeadOperator):
    """Add a line to the emotions over time: the emotion that is chosen above, from a time on"""

    bl_idname = "emote.add_moment"
    bl_label = "Add Moment"

    at_playhead: bpy.props.BoolProperty(
        name="At Playhead",
        description="Use the current frame's time; otherwise a second after the last line",
        default=True,
        options={"SKIP_SAVE"},
    )

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head, scene = self.chosen(context), window_scene(context)
        settings = head_settings(head)
        seconds = (scene.frame_current + scene.frame_subframe) / _fps(scene)
        if not self.at_playhead and len(settings.moments):
            seconds = max(line.time for line in settings.moments) + _SECONDS_APART
        line = _add(head, Moment(seconds, chosen_weights(settings), settings.amount))
        settings.active_moment = len(settings.moments) - 1
        settings.over_time = True
        _call_for_keys(self, head)
        self.report({"INFO"}, f"{line.emotion.capitalize()} from {seconds:.2f} s on")
        return {"FINISHED"}


class EMOTE_OT_remove_moment(_HeadOperator):
    """Remove the chosen line from the emotions over time"""

    bl_idname = "emote.remove_moment"
    bl_label = "Remove Moment"

    index: bpy.props.IntProperty(
        name="Line", description="Number of the line, from 0; -1 for the chosen one", default=-1, options={"SKIP_SAVE"}
    )

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head = self.chosen(context)
        settings = head_settings(head)
        index = settings.active_moment if self.index < 0 else self.index
        if not 0 <= index < len(settings.moments):
            raise InputError(f"the list has {len(settings.moments)} lines; choose the one to remove")
        if not taken_out(settings.moments, index):
            raise InputError(
                "this moment comes from the file that the head is linked from; set its amount to 0 instead"
            )
        settings.active_moment = min(settings.active_moment, len(settings.moments) - 1)
        _call_for_keys(self, head)
        return {"FINISHED"}


class EMOTE_OT_moments_from_markers(_HeadOperator):
    """Add a line for each timeline marker named after an emotion, such as anger 1.5; earlier markers' lines go"""

    bl_idname = "emote.moments_from_markers"
    bl_label = "From Markers"

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head = self.chosen(context)
        scene = strip_scene(context, head=head)
        found, unread = _read_markers(scene)
        if not found:
            raise InputError(
                "no timeline marker is named after an emotion; name one, for example, anger 1.5"
                + (f" ({_listed(unread)} cannot be read)" if unread else "")
            )
        _replace_lines(head, "MARKERS", [Moment(*emotion) for emotion in found])
        _call_for_keys(self, head)
        if unread:
            self.report(
                {"WARNING"}, f"{len(unread)} markers begin with an emotion but cannot be read: {_listed(unread)}"
            )
        self.report({"INFO"}, f"{len(found)} moments from markers")
        return {"FINISHED"}


class EMOTE_OT_suggest_emotion(_HeadOperator):
    """Suggest when the chosen emotion is stronger and weaker, by loudness and pitch: they do not show which it is"""

    bl_idname = "emote.suggest_emotion"
    bl_label = "Suggest"

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head = self.chosen(context)
        settings = head_settings(head)
        weights = chosen_weights(settings)
        if weights[EMOTIONS.index("neutral")] == 1.0:
            raise InputError("choose an emotion first: a voice shows when it is strong, not which emotion it is")
        sound, scene = _sound(context, head)
        waveform = sound.decode().resampled(SAMPLE_RATE)
        num_frames = int(waveform.duration_seconds * MOTION_FPS)
        prosody = measure_prosody(waveform.samples, SAMPLE_RATE, num_frames)
        found = suggested_moments(prosody, weights, settings.amount)
        if not found:
            raise InputError(f"no speech was found in {sound.name!r}; choose a line that speaks")
        start = sound.frame_start / _fps(scene)
        _replace_lines(head, "SUGGESTION", [replace(moment, seconds=start + moment.seconds) for moment in found])
        _call_for_keys(self, head)
        self.report({"INFO"}, f"{len(found)} moments suggested from loudness and pitch")
        return {"FINISHED"}


class EMOTE_OT_replace_emotion_keys(_HeadOperator):
    """Replace the emotion's keys that were set by hand by those of the list of moments"""

    bl_idname = "emote.replace_emotion_keys"
    bl_label = "Replace Keys"

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        emotion_keys.write_list(self.chosen(context), replace=True)
        return {"FINISHED"}


class EMOTE_OT_import_emotion(_HeadOperator):
    """Key the emotions of a CSV file (time_seconds, emotion, intensity) from the start of the line on"""

    bl_idname = "emote.import_emotion"
    bl_label = "Import Emotions"

    filepath: bpy.props.StringProperty(
        name="File", description="CSV file", subtype="FILE_PATH", options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"}
    )
    filter_glob: bpy.props.StringProperty(default="*.csv;*.tsv;*.txt;*.jsonl;*.ndjson", options={"HIDDEN"})
    replace: bpy.props.BoolProperty(
        name="Replace Keys",
        description="Replace the keys that the emotion has now",
        default=False,
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        present(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head = self.chosen(context)
        track = EmotionTrack.from_csv(absolute(self.filepath), lambda sentence: self.report({"WARNING"}, sentence))
        if emotion_keys.owner_of_keys(head) != "NOBODY" and not self.replace:
            raise InputError(f"the emotion of {head.name!r} has keys already; switch on Replace Keys to lose them")
        frame_start, scene, _ = _line(context, head)
        emotion_keys.write_track(head, track, frame_start, _fps(scene))
        head_settings(head).over_time = True
        self.report({"INFO"}, f"{len(track.times)} keys from frame {frame_start:g} on")
        return {"FINISHED"}


class EMOTE_OT_export_emotion(_HeadOperator):
    """Write the head's emotion during the line to a CSV file, for other lines or the command line"""

    bl_idname = "emote.export_emotion"
    bl_label = "Export Emotions"
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(
        name="File", description="CSV file", subtype="FILE_PATH", options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"}
    )
    filter_glob: bpy.props.StringProperty(default="*.csv", options={"HIDDEN"})
    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        self.filepath = self.filepath or "emotions.csv"
        present(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head = self.chosen(context)
        frame_start, scene, duration = _line(context, head)
        track = head_track(head, span_in(scene, frame_start, duration))
        track.to_csv(bpy.path.ensure_ext(absolute(self.filepath), ".csv"))
        self.report({"INFO"}, f"Wrote {len(track.times)} keys")
        return {"FINISHED"}


def _add(head: bpy.types.Object, moment: Moment) -> EMOTE_PG_moment:
    """A new line of a head's list."""
    settings = head_settings(head)
    with live.together("emotion", head, settings):
        line = added(settings.moments)
        line.time, line.amount, line.transition = moment.seconds, moment.amount, moment.transition_seconds
        if moment.weights.max() == 1.0:
            line.emotion = EMOTIONS[int(moment.weights.argmax())].upper()
        else:
            line.emotion, line.mix = MIX, mix_text(moment.weights)
    return line


def _replace_lines(head: bpy.types.Object, made_by: str, moments: list[Moment]) -> None:
    """Replace the lines of a list that this made earlier by new ones, and let the emotion change over time."""
    settings = head_settings(head)
    with live.together("emotion", head, settings):
        for index in reversed(range(len(settings.moments))):
            if settings.moments[index].made_by == made_by:
                settings.moments.remove(index)
        for moment in moments:
            _add(head, moment).made_by = made_by
        settings.over_time = True
    settings.active_moment = len(settings.moments) - 1


def _call_for_keys(operator: bpy.types.Operator, head: bpy.types.Object) -> None:
    """Write the list's keys; where the artist's are left alone, say so."""
    try:
        emotion_keys.write_list(head)
    except InputError as error:
        operator.report({"WARNING"}, str(error))


def _read_markers(scene: bpy.types.Scene) -> tuple[list[tuple[float, np.ndarray, float]], list[str]]:
    """Seconds, weights and amount of each marker that is an emotion; names of those that only begin like one."""
    fps, found, unread = _fps(scene), [], []
    for marker in sorted(scene.timeline_markers, key=lambda marker: marker.frame):
        if not begins_with_emotion(marker.name):
            continue
        try:
            found.append((marker.frame / fps, *parse_emotion(marker.name)))
        except InputError:
            unread.append(marker.name)
    return found, unread


def _listed(names: list[str]) -> str:
    """The first names of some, quoted."""
    return ", ".join(map(repr, names[:_MOST_NAMED])) + (", …" if len(names) > _MOST_NAMED else "")


def _sound(context: bpy.types.Context, head: bpy.types.Object) -> tuple[StripSound | FileSound, bpy.types.Scene]:
    """The sound of a head's chosen line, and the scene in which it lies; raises InputError if there is none."""
    own = own_settings(context, head)
    if own.source != "FILE":
        scene = strip_scene(context, own.strip, head)
        return read_strip(find_strip(scene, own.strip)), scene
    if not own.audio:
        raise InputError("no sound file is chosen; choose a file, or a strip")
    return FileSound(Path(absolute(own.audio)), own.frame_start), line_scene(context, head)


def _line(context: bpy.types.Context, head: bpy.types.Object) -> tuple[float, bpy.types.Scene, float | None]:
    """First frame, scene and length in seconds of a head's chosen line; the scene's range without a sound."""
    try:
        sound, scene = _sound(context, head)
    except InputError:
        scene = line_scene(context, head)
        return scene.frame_start, scene, (scene.frame_end - scene.frame_start + 1) / _fps(scene)
    return sound.frame_start, scene, sound.duration_seconds if isinstance(sound, StripSound) else None


def _fps(scene: bpy.types.Scene) -> float:
    return frames_per_second(scene.render.fps, scene.render.fps_base)
