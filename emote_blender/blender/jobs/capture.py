"""From a video to a take: find the face, fit a head to it, and mix it with what the sound gives.

`prepare` and `finish` touch the scene and belong to the main thread; `compute` touches no bpy.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...capture.video.crops import Cropper
from ...capture.video.face_track import FaceTrack
from ...capture.video.fit.clip import ClipFit, fit_track
from ...capture.video.frames import MOST_FPS, Frame, Frames
from ...capture.video.landmarker import DETECTOR_SIZE, Landmarker
from ...capture.video.mix import ALL_FROM_VIDEO, Offset
from ...capture.video.people import find_faces
from ...capture.video.track import track_face
from ...errors import InputError, ModelError
from ...files.paths import DEFAULT_HEAD, find_head
from ...flame.model import FaceModel
from ...motion import FaceMotion
from ...motion_tools.life import STILL
from ...motion_tools.raw_take import CapturedFace, RawTake
from ...motion_tools.timing import frames_per_second
from ...retarget.compatibility import is_flame
from ...retarget.conversion import head_folder_of
from ...steps import reported_step
from ..head.head_rig import HeadRig
from ..head.rig import rig_of
from ..requirements import missing_sentence
from ..scene.movie_strips import ShownMovie
from ..settings.landmarker_info import landmarker_folder
from ..settings.take_settings import EMOTE_PG_take
from ..takes.channels import keys_of
from ..takes.make import Line, new_take, rig_warnings
from ..takes.transfer import for_head
from ..takes.video_mix import REGIONS, found_offset
from . import generation

_LEAST_CONFIDENCE = 0.1  # of an offset that is used
_SHOWN_OFFSET = 0.02  # seconds; smaller ones are none
_SEARCHED_SECONDS = 10.0  # for the person with a number
_SEARCHES_PER_SECOND = 5.0
_MOST_TRACKS = 4


@dataclass(frozen=True)
class Choices:
    """What the user asked for.

    Attributes:
        head: mesh object of the head.
        person: 0 for the largest face, else its number when faces are counted from the largest one.
        near: a place beside the face where it is first seen, in pixels of the picture; None for none.
        mirrored: whether the video shows the scene mirrored.
        neutral_frame: scene frame on which the face is neutral; None to search.
    """

    head: bpy.types.Object
    person: int = 0
    near: tuple[float, float] | None = None
    mirrored: bool = False
    neutral_frame: int | None = None


@dataclass(frozen=True)
class Request:
    """The input of `compute`, and identifiers by which `finish` finds head and scene again.

    Attributes:
        head_uid: session identifier of the head's mesh object.
        head_name: the head's name, for messages.
        scene_uid: session identifier of the scene on whose timeline the video is.
        movie: the video.
        person: see `Choices`.
        near: see `Choices`.
        neutral_seconds: time in the part of the video at which the face is neutral; None to search.
        landmarker: folder of the networks that find the face.
        fitted_head: head folder of the face that is fitted.
        speech: what is spoken to it; None to follow the video alone.
        lead_seconds: time in the part of the video at which the take begins.
        warnings: what the user should know although nothing is wrong, one sentence each.
    """

    head_uid: int
    head_name: str
    scene_uid: int
    movie: ShownMovie
    person: int
    near: tuple[float, float] | None
    neutral_seconds: float | None
    landmarker: Path
    fitted_head: Path
    speech: generation.Request | None
    lead_seconds: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Performance:
    """The result of `compute`.

    Attributes:
        fit: the face of the video.
        track: what it was fitted to.
        speech: what the sound gives; None without one.
    """

    fit: ClipFit
    track: FaceTrack
    speech: generation.Speech | None


def prepare(
    scene: bpy.types.Scene, choices: Choices, movie: ShownMovie, speech: generation.Request | None, sound_frame: float
) -> Request:
    """The request for these choices; finds every mistake that can be found before the video is read.

    Args:
        scene: the scene on whose timeline the video is.
        choices: the user's.
        movie: the video.
        speech: what is spoken to it, or None.
        sound_frame: scene frame at which that begins.

    Raises:
        InputError: if the head cannot be animated, or the neutral frame is not in the video.
        ModelError: if the landmarker is missing or cannot run here.
    """
    if missing := missing_sentence():
        raise ModelError(missing)
    rig = rig_of(choices.head)
    fps = frames_per_second(scene.render.fps, scene.render.fps_base)
    neutral_seconds = None
    if choices.neutral_frame is not None:
        neutral_seconds = (choices.neutral_frame - movie.frame_start) / fps
        seconds = movie.part.num_frames / movie.part.fps
        if not 0 <= neutral_seconds <= seconds:
            last = movie.frame_start + int(seconds * fps)
            raise InputError(
                f"the neutral frame {choices.neutral_frame} is not in the video, which is on frames "
                f"{movie.frame_start} to {last}; mark another, or none"
            )
    part = replace(movie.part, flip_x=movie.part.flip_x != choices.mirrored)
    lead = (sound_frame - movie.frame_start) / fps if speech is not None else 0.0
    return Request(
        head_uid=choices.head.session_uid,
        head_name=choices.head.name,
        scene_uid=scene.session_uid,
        movie=replace(movie, part=part),
        person=choices.person,
        near=choices.near,
        neutral_seconds=neutral_seconds,
        landmarker=landmarker_folder(),
        fitted_head=_fitted_head(rig),
        speech=speech,
        lead_seconds=lead,
        warnings=rig_warnings("the captured motion", rig.basis, rig),
    )


def _fitted_head(rig: HeadRig) -> Path:
    """The folder of the head that is fitted: a FLAME head's own where it is there, else the open head's."""
    own = head_folder_of(rig.basis) if rig.target is None and is_flame(rig.basis) else None
    if own is not None and FaceModel.load(own).num_expression == rig.num_expression:
        return own
    return find_head(DEFAULT_HEAD)


def compute(
    request: Request, frames: Frames, progress: Callable[[float, str], None], cancelled: Callable[[], bool]
) -> Performance:
    """The face of the video, and the speech to it. Touches no bpy, but for `frames` on the main thread.

    Raises:
        InputError: if the video shows no face that can be used, or the sound cannot be used.
        ModelError: if a model is damaged.
        Cancelled: if `cancelled` returns True.
    """

    def stage(start: float, end: float) -> Callable[[float, str], None]:
        return lambda fraction, text: progress(start + fraction * (end - start), text)

    begin = 0.0 if request.speech is None else 0.3
    speech = None
    if request.speech is not None:
        speech = generation.compute(request.speech, stage(0.0, begin), cancelled)
    track = _track(request, frames, stage(begin, 0.9), cancelled)
    step = reported_step(progress, cancelled)
    step(0.9, "Fitting the head")
    fit = fit_track(
        FaceModel.load(request.fitted_head),
        track,
        fps=min(request.movie.part.fps, MOST_FPS),
        neutral_seconds=request.neutral_seconds,
    )
    step(1.0, "Writing the take")
    return Performance(fit, track, speech)


_tracks: OrderedDict[tuple, FaceTrack] = OrderedDict()  # the last ones: another fit of the same video needs no decoding


def forget_tracks() -> None:
    """Drop the tracks that are kept."""
    _tracks.clear()


def _track(
    request: Request, frames: Frames, progress: Callable[[float, str], None], cancelled: Callable[[], bool]
) -> FaceTrack:
    part = request.movie.part
    state = part.path.stat()
    key = (part, state.st_mtime_ns, state.st_size, request.person, request.near, request.landmarker)
    if key not in _tracks:
        step = reported_step(progress, cancelled)
        step(0.0, "Loading the face landmarker")
        landmarker = Landmarker(request.landmarker)
        label = f"{request.movie.name!r}"
        near = request.near
        if near is None and request.person:
            near = _place_of_person(frames, landmarker, request.person, label, step)
        _tracks[key] = track_face(frames, landmarker, near, step, label, {"video": part.path.name})
        while len(_tracks) > _MOST_TRACKS:
            _tracks.popitem(last=False)
    _tracks.move_to_end(key)
    return _tracks[key]


def _place_of_person(
    frames: Frames, landmarker: Landmarker, number: int, label: str, step: Callable[[float, str], None]
) -> tuple[float, float]:
    """Where the face with a number is, counted from the largest one, when so many are first seen; pixels."""
    cropper, most, next_search = Cropper(DETECTOR_SIZE), 0, 0.0
    for frame in _first_seconds(frames):
        step(0.0, "Searching for people")
        if frame.seconds < next_search:
            continue
        next_search = frame.seconds + 1 / _SEARCHES_PER_SECOND
        faces = find_faces(landmarker, cropper, frame.picture)
        most = max(most, len(faces))
        if len(faces) >= number:
            scale = frames.size[0] / frame.picture.shape[1]
            chosen = faces[number - 1]
            return chosen.x * scale, chosen.y * scale
    raise InputError(
        f"{label} shows {most or 'no'} face{'s' if most > 1 else ''} at once in its first {_SEARCHED_SECONDS:.0f} s, "
        f"not {number}; choose another number, or 0 for the largest face"
    )


def _first_seconds(frames: Frames) -> Iterator[Frame]:
    for frame in frames:
        if frame.seconds > _SEARCHED_SECONDS:
            return
        yield frame


def finish(request: Request, performance: Performance) -> tuple[EMOTE_PG_take, int, Offset | None]:
    """The new take on the head, the frame on which it begins, and how far the picture is behind the sound.

    Raises:
        InputError: if head, scene or strip were deleted or changed since `prepare`.
        ModelError: if the motion cannot be converted to the head.
    """
    head, scene = generation.present_head_and_scene(
        request.head_uid, request.head_name, request.scene_uid, "the video was read"
    )
    rig, fit, speech = rig_of(head), performance.fit, performance.speech
    motion = for_head(rig, RawTake(fit.motion)).emotional
    captured = CapturedFace(motion, fit.valid, request.lead_seconds)
    meta: dict[str, Any] = {"video": _about(request, performance)}
    offset = None
    if speech is None or request.speech is None:
        line = Line(request.movie.name, request.movie.frame_start)
        raw = RawTake(_still(motion, request))
        mix = {name: getattr(ALL_FROM_VIDEO, name) for name in REGIONS}
        meta["capture"] = {"fps": motion.fps}
    else:
        raw, line = speech.raw, generation.present_line(scene, request.speech.sound)
        offset = found_offset(rig, raw, captured, keys_of(raw.emotional, rig))
        is_sure = offset is not None and offset.confidence >= _LEAST_CONFIDENCE
        offset = offset if is_sure else None
        mix = {} if offset is None else {"offset_seconds": offset.seconds}
        meta["video"]["offset_seconds"] = None if offset is None else round(offset.seconds, 3)
    raw = replace(raw, emotional=replace(raw.emotional, meta={**raw.emotional.meta, **meta}), captured=captured)
    take = new_take(head, raw, scene, line, STILL, mix)
    # Blender shows a new action only once it evaluates a frame.
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    return take, round(line.frame_start), offset


def _still(motion: FaceMotion, request: Request) -> FaceMotion:
    """A face at rest for as long as the video, of the captured motion's components."""
    seconds = request.movie.part.num_frames / request.movie.part.fps
    num_frames = max(1, round(seconds * motion.fps))
    names = ("face", "expression_names", "transfer")
    meta = {name: motion.meta[name] for name in names if name in motion.meta}
    return FaceMotion(np.zeros((num_frames, motion.num_expression)), np.zeros((num_frames, 3)), motion.fps, meta=meta)


def _about(request: Request, performance: Performance) -> dict[str, Any]:
    """What a take's metadata says of its video."""
    fit = performance.fit
    residual = float(np.nanmedian(fit.residual)) if np.isfinite(fit.residual).any() else None
    return {
        "name": request.movie.part.path.name,
        "seen": round(float(fit.valid.mean()), 3),
        "people": performance.track.meta.get("people", 1),
        "neutral_seconds": [round(float(second), 3) for second in fit.neutral_seconds[:1]],
        "residual_mm": None if residual is None else round(residual, 2),
    }


def remarks(request: Request, performance: Performance, offset: Offset | None) -> list[str]:
    """What the user should know of the result, one sentence each."""
    track, fit = performance.track, performance.fit
    lines = list(track.meta.get("notes", ()))
    if not len(fit.neutral_seconds):
        lines.append("no neutral moment was found in the video; mark a frame as neutral if the face looks tense or sad")
    gaps = track.gaps()
    lines.extend(
        f"{gap.start_seconds:.2f} to {gap.stop_seconds:.2f} s of the video: {gap.reason.sentence_part}"
        for gap in gaps[:5]
    )
    if len(gaps) > 5:
        lines.append(f"and {len(gaps) - 5} more parts of the video in which the face is not seen well")
    if request.speech is not None and offset is None:
        lines.append("picture and sound could not be compared: the take plays them as the strips lie")
    return lines


def summary(performance: Performance, offset: Offset | None) -> str:
    """How well the face was seen, for the line about the take."""
    text = f"the face seen in {performance.fit.valid.mean():.0%}"
    if offset is None:
        return text
    if abs(offset.seconds) < _SHOWN_OFFSET:
        return f"{text}, in time with the sound"
    side = "behind" if offset.seconds > 0 else "before"
    return f"{text}, the picture {abs(offset.seconds):.2f} s {side} the sound"
