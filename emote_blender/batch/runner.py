"""Runs of the command line: a model, a head if one is needed, and jobs that use them."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..audio import Waveform
from ..capture.motion_files import MOTION_SUFFIX, save_motion
from ..capture.video.landmarker import Landmarker
from ..capture.video.mix import ALL_FROM_VIDEO
from ..capture.video.track_file import VideoReader
from ..emotion import EmotionTrack
from ..engine.open_engine import DEFAULT_DEVICE, DEFAULT_ENGINE
from ..errors import Cancelled, EmoteError, InputError
from ..files.atomic_write import check_writable
from ..files.console_progress import ProgressLine, say
from ..files.paths import HEAD_FILE, find_head, find_model
from ..motion_tools.life import add_life
from ..motion_tools.raw_take import CapturedFace, RawTake
from ..motion_tools.refine import RefinementMaps, refine
from ..motion_tools.rest import rest_warning
from ..retarget.compatibility import version_warning
from ..retarget.conversion import (
    check_can_show,
    conversion_notice,
    in_open_basis,
    raw_for_head,
    require_open_basis,
    shape_of_folder,
)
from ..sound_files.checks import require_file
from ..speech_model.weights_file import WEIGHTS_FILE
from ..transcript.automatic import language_code
from ..transcript.language import AUTO
from ..transcript.recognisers.choose import open_recogniser
from ..transcript.timed_transcript import TimedTranscript
from ..version import package_version
from .filmed import FilmedFace, film, film_report, mix_in, placed_on
from .report import StageClock
from .table import BatchRow, Job

if TYPE_CHECKING:
    from ..flame.model import FaceModel
    from ..pipeline import AudioFeatures, EMOTEPipeline
    from ..speech_model.config import EMOTEConfig

logger = logging.getLogger(__name__)

Decoder = Callable[[Path], Waveform]


@dataclass
class Session:
    """What all jobs of a run share: a model, a head if one is needed, and the decoder of sound.

    Attributes:
        config: the model's configuration.
        model_folder: the model's folder.
        head_folder: the head for .blend files; None if only motion files are written.
        decode: reads an audio file.
        engine: the engine of the model, see `engine.open_engine`.
        device: the device of the engine.
        pipeline: the loaded model; None until the first job needs it.
        recogniser: folder of the recogniser of words; "" for the one that is built in.
        face_maps: what refinement needs to know of the head; None if no job is refined.
        head: the head's face model; None if only motion files of the model's own basis are written.
        landmarker: what finds faces in videos; None until the first video.
        own_head: the head that the model speaks for; None until the first video.
        reader: how videos are read.
    """

    config: EMOTEConfig
    model_folder: Path
    head_folder: Path | None
    decode: Decoder
    engine: str = DEFAULT_ENGINE
    device: str = DEFAULT_DEVICE
    pipeline: EMOTEPipeline | None = None
    face_maps: RefinementMaps | None = None
    recogniser: str = ""
    head: FaceModel | None = None
    landmarker: Landmarker | None = None
    own_head: FaceModel | None = None
    reader: VideoReader = VideoReader()

    def head_of(self, job: Job) -> FaceModel:
        """The head to which the face in a video is fitted: the model's if it speaks too, else the chosen one."""
        from ..flame.model import FaceModel

        if self.head is not None and not job.speaks:
            return self.head
        if self.own_head is None:
            self.own_head = FaceModel.load(find_head(self.config.face))
        return self.own_head

    def open_landmarker(self) -> Landmarker:
        """The networks that find faces; raises ModelError if they are missing."""
        if self.landmarker is None:
            self.landmarker = Landmarker(self.reader.landmarker_folder())
        return self.landmarker


def open_session(arguments: argparse.Namespace, decode: Decoder, jobs: Sequence[Job]) -> Session:
    """The session of a run, from small files only; raises EmoteError if model and head are missing or do not fit."""
    from ..speech_model.config import load_config

    model_folder = find_model(arguments.model)
    config = load_config(model_folder)
    head_folder = face_maps = head = None
    needs_scene = any(job.output.suffix.lower() == ".blend" for job in jobs)
    refines = any(job.refinement.changes() for job in jobs)
    if needs_scene or refines or arguments.head:
        from ..flame.model import FaceModel
        from ..flame.refinement_maps import maps_of_model

        head_folder = find_head(arguments.head or config.face)
        head, source = FaceModel.load(head_folder), f"model {config.name}"
        check_can_show(source, config.face, config.num_expression, config.expression_names, head)
        warning = version_warning(source, config.face, head)
        if warning:
            say(f"warning: {warning}")
        notice = conversion_notice(source, config.face, config.expression_names, head)
        if notice:
            say(notice)
        if refines:
            face_maps = maps_of_model(head)
    if needs_scene:
        _require_blender()
    return Session(
        config,
        model_folder,
        head_folder,
        decode,
        arguments.engine,
        arguments.device,
        face_maps=face_maps,
        recogniser=arguments.recogniser,
        head=head,
        reader=arguments.reader,
    )


def _require_blender() -> None:
    """Raise InputError if Blender's Python module is missing."""
    from importlib.util import find_spec

    if find_spec("bpy") is None:
        raise InputError(
            "a .blend can only be written by Blender, which is not here; run `blender --command emote ...`, "
            "install the Python module bpy, or write a .npz"
        )


def check_files(job: Job, report: Path | None, track: Path | None) -> None:
    """Raise InputError if a file cannot be read or written, before any work is done.

    Args:
        job: the job.
        report: the report to write, if any.
        track: the file of the emotion track, if there is one.
    """
    require_file(job.audio)
    check_writable(job.output)
    if report:
        check_writable(report)
        if report.resolve() == job.output.resolve():
            raise InputError(f"--report and --output both name {report}; give the report another name")
        check_report_is_no_input(report, [job.audio, *([track] if track else [])])


def check_report_is_no_input(report: Path, inputs: Iterable[Path]) -> None:
    """Raise InputError if the report would be written over a file that the command reads."""
    place = report.resolve()
    if any(path.resolve() == place for path in inputs):
        raise InputError(f"--report names {report}, which is a file to read; give the report another name")


def check_job(job: Job, session: Session) -> None:
    """Raise EmoteError if the model has no such speaker, the transcript cannot be used, or Blender not take a name."""
    config = session.config
    if job.video is not None:
        session.reader.landmarker_folder()
        find_head(config.face)
    if job.output.suffix.lower() == ".blend":
        _require_name_for_blender(job.audio)
        _require_name_for_blender(job.output)
    elif job.output.suffix.lower() != MOTION_SUFFIX:
        require_open_basis(f"model {config.name}", config.face, config.expression_names, job.output.name)
    if job.speaker and job.speaker not in config.speakers:
        raise InputError(f"unknown speaker {job.speaker!r}; model {config.name} has {', '.join(config.speakers)}")
    if job.transcript == AUTO:
        if _uses_transcript(session):
            open_recogniser(language_code(job.language), session.recogniser)
    elif job.transcript is not None:
        from ..pipeline import require_transcript_use
        from ..transcript.pronunciation import require_language

        require_transcript_use(config)
        require_language(job.language)


def _require_name_for_blender(path: Path) -> None:
    """Raise InputError if the path is not UTF-8: Linux has such names, Blender has not."""
    if any("\udc80" <= letter <= "\udcff" for letter in str(path)):
        raise InputError(
            f"{path} has a name that is not in UTF-8, which Blender cannot take; rename the file or folder"
        )


def run_row(row: BatchRow, session: Session, progress: ProgressLine) -> dict[str, Any]:
    """Run one row and return its report; a failure is reported, so that the other rows still run."""
    if row.job is None:
        say(f"error: {row.error}")
        return {"line": row.line, "input": row.audio, "status": "failed", "error": row.error}
    failed = {"line": row.line, "input": str(row.job.audio), "output": str(row.job.output), "status": "failed"}
    try:
        check_job(row.job, session)
        if row.job.audio != row.job.video:
            require_file(row.job.audio)
        _make_folder(row.job.output.parent)
        check_writable(row.job.output)
        report = run_job(row.job, session, progress)
    except Cancelled:
        raise
    except EmoteError as error:
        progress.clear()
        say(f"error: {row.place}: {error}")
        return {**failed, "error": str(error)}
    except Exception as error:  # a fault of ours must not cost the night's other rows; its traceback is shown
        progress.clear()
        logger.exception("line %d of the batch failed", row.line)
        return {**failed, "error": f"unexpected {type(error).__name__}: {error}"}
    progress.clear()
    return {"line": row.line, "status": "done", **report, "digest": job_digest(row.job, session)}


def job_digest(job: Job, session: Session) -> str:
    """A digest of all that decides the output of a job: files, settings, model, head and version.

    Files count by name, size and time. A job with the same digest as before need not be done again.
    """
    decides = {
        "inputs": [_stamp(path) for path in job.inputs],
        "output": str(job.output),
        "condition": job.condition,
        "speaker": job.speaker,
        "transcript": repr(job.transcript),
        "language": job.language,
        "life": job.life.summary(),
        "refinement": job.refinement.summary(),
        "from_video": job.shares.summary() if job.video else None,
        "model": [session.config.name, _stamp(session.model_folder / WEIGHTS_FILE)],
        "head": None if session.head_folder is None else _stamp(session.head_folder / HEAD_FILE),
        "recogniser": session.recogniser,
        "version": package_version(),
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode(errors="backslashreplace")).hexdigest()


def _stamp(path: Path) -> list[str | int]:
    """Name, size and time of a file; the name alone if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return [str(path)]
    return [str(path.resolve()), found.st_size, found.st_mtime_ns]


def _make_folder(folder: Path) -> None:
    """Make the folder of an output; raises InputError if that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be made ({error.strerror}); write another output") from error


def run_job(job: Job, session: Session, progress: ProgressLine) -> dict[str, Any]:
    """Write the output of one job and return its report."""
    clock = StageClock()
    face = None
    if job.video is not None:
        with clock.stage("capture"):
            face = film(job.video, session.head_of(job), session.open_landmarker(), session.reader, progress)
    if face is not None and (not job.speaks or (face.sound_start_seconds is None and job.audio == job.video)):
        made = _captured(job, face)
    else:
        made = _spoken(job, session, progress, clock, face)
    # In a scene, refinement and life are settings of the take, which can be changed there.
    is_scene = job.output.suffix.lower() == ".blend"
    take, motion = made.take, made.take.emotional
    folder = session.head_folder
    if session.head is not None and folder is not None and not is_scene:  # a scene converts as it makes the take
        with clock.stage("convert"):
            take = raw_for_head(take, session.head, lambda: shape_of_folder(folder))
            motion = take.emotional
    if job.refinement.changes() and not is_scene:
        with clock.stage("refine"):
            assert session.face_maps is not None  # opened with the session
            meta = {**motion.meta, "refinement": job.refinement.summary()}
            motion = replace(refine(take, job.refinement, session.face_maps), meta=meta)
    if job.life.moves and not is_scene:
        with clock.stage("life"):
            motion = add_life(motion, take.prosody, job.life)
    with clock.stage("write"):
        progress(1.0, "writing")
        if is_scene:
            from ..blender.scene.scene_file import SceneWords, write_blend
            from ..blender.settings.registration import add_settings

            add_settings()
            assert session.head_folder is not None  # opened with the session
            words = SceneWords(job.transcript, job.language, made.features.recognition) if made.features else None
            sound = job.audio if made.has_sound else None
            where = job.output, take, session.head_folder, sound
            write_blend(*where, motion.fps, job.life, job.refinement, words, made.mix)
        else:
            if job.output.suffix.lower() != MOTION_SUFFIX:
                motion = in_open_basis(motion)
            motion = save_motion(motion, job.output)
    progress.clear()
    for warning in made.warnings:
        say(f"warning: {warning}")
    for sentence in _transcript_lines(job, made.features) if made.features else []:
        say(sentence)
    return {
        "input": str(job.audio),
        **({"video": str(job.video), "capture": made.capture} if job.video else {}),
        "duration_seconds": round(made.duration_seconds, 3),
        **({"model": session.config.name, "licence": session.config.licence} if made.features else {}),
        "face": motion.meta.get("face", session.config.face),
        "head": str(session.head_folder) if session.head_folder else None,
        **({"speaker": job.speaker or session.config.speakers[0]} if made.features else {}),
        **job.condition,
        **({"warnings": list(made.warnings)} if made.warnings else {}),
        **(_transcript_report(job, made.features) if made.features else {}),
        **({"life": job.life.summary()} if job.life.moves else {}),
        **({"refinement": job.refinement.summary()} if job.refinement.changes() else {}),
        **({"transfer": motion.meta["transfer"]} if "transfer" in motion.meta else {}),
        "frames": motion.num_frames,
        "fps": motion.fps,
        "seconds": clock.summary(),
        "output": str(job.output),
        "version": package_version(),
    }


@dataclass(frozen=True, eq=False)
class _Made:
    """What a job made, before conversion and refinement.

    Attributes:
        take: the motion.
        features: of the sound; None if the sound moves nothing.
        duration_seconds: of the sound, or of the video.
        has_sound: whether the job's sound can be played.
        warnings: one sentence each.
        capture: the report of the video; None without one.
        mix: how a scene's take mixes the face of the video, which it keeps; None if there is none to mix.
    """

    take: RawTake
    features: AudioFeatures | None
    duration_seconds: float
    has_sound: bool
    warnings: tuple[str, ...]
    capture: dict[str, Any] | None = None
    mix: dict[str, float] | None = None


def _captured(job: Job, face: FilmedFace) -> _Made:
    """The face of the video as it is."""
    assert job.video is not None
    has_sound = face.sound_start_seconds is not None or job.audio != job.video
    warnings = [f"{job.video.name}: {remark}" for remark in face.remarks]
    if job.speaks:
        warnings.append(f"{job.video.name} has no sound; the whole face was taken from the picture")
    motion = face.from_sound_start() if job.audio == job.video else face.motion
    meta = {**motion.meta, **job.condition, **({"audio": job.audio.name} if has_sound else {})}
    motion = replace(motion, meta={**meta, "version": package_version()})
    report = film_report(face, ALL_FROM_VIDEO, None)
    return _Made(RawTake(motion, exact=True), None, motion.duration_seconds, has_sound, tuple(warnings), report)


def _spoken(job: Job, session: Session, progress: ProgressLine, clock: StageClock, face: FilmedFace | None) -> _Made:
    """The motion of the sound, with the video's shares of the face if there is one."""
    with clock.stage("decode"):
        progress(0.0, "reading audio")
        waveform = session.decode(job.audio)
    with clock.stage("load_model"):
        if session.pipeline is None:
            progress(0.0, "loading model")
            from ..pipeline import EMOTEPipeline

            session.pipeline = EMOTEPipeline.from_pretrained(str(session.model_folder), session.engine, session.device)
    is_unusable = job.transcript == AUTO and not _uses_transcript(session)
    with clock.stage("encode"):
        features = session.pipeline.encode(
            waveform,
            progress=progress,
            transcript=None if is_unusable else job.transcript,
            language=job.language,
            recogniser=session.recogniser,
        )
    with clock.stage("generate"):
        motion = session.pipeline.generate(features, job.track, speaker=job.speaker, progress=progress)
        motion = replace(motion, meta={**motion.meta, "audio": job.audio.name})
    neutral = None
    if job.output.suffix.lower() == ".blend" or job.refinement.changes("emotion_strength"):
        with clock.stage("neutral"):
            neutral = session.pipeline.generate(features, EmotionTrack.constant("neutral"), speaker=job.speaker)
    warnings = waveform.warnings or rest_warning(neutral or motion, job.audio.name)
    take, report, mix = RawTake(motion, neutral, features.prosody), None, None
    if face is not None:
        assert job.video is not None
        with clock.stage("mix"):
            placed = placed_on(face, motion, job.audio == job.video)
            if job.output.suffix.lower() == ".blend":  # there the shares are settings of the take
                take = replace(take, captured=CapturedFace(face.motion, face.valid, placed.seconds))
                mix = job.shares.summary()
            else:
                mixed = partial(mix_in, face, shares=job.shares, placed=placed)
                take = replace(take, emotional=mixed(motion), neutral=None if neutral is None else mixed(neutral))
        remarks = [f"{job.video.name}: {remark}" for remark in (*face.remarks, *placed.warnings)]
        warnings, report = (*warnings, *remarks), film_report(face, job.shares, placed)
    return _Made(take, features, waveform.duration_seconds, True, tuple(warnings), report, mix)


def _uses_transcript(session: Session) -> bool:
    """Whether the model can use a transcript."""
    from ..pipeline import uses_transcript

    return uses_transcript(session.config)


def _transcript_lines(job: Job, features: AudioFeatures) -> list[str]:
    """What was recognised, and warnings about the transcript, a line each."""
    name, recognition, fit = job.audio.name, features.recognition, features.transcript_report
    if job.transcript != AUTO:
        misfits = fit.sentences() if fit is not None else []
        return [f"warning: {name}: {sentence}" for sentence in (*_faults(job), *misfits)]
    if recognition is None:
        unusable = f"the model {features.model} cannot use a transcript"
        return [f"warning: {name}: {unusable}; the sound alone was followed"]
    if not recognition.words:
        found = f"{recognition.recogniser} recognised no words ({recognition.language or 'any language'})"
        return [f"warning: {name}: {found}; the sound alone was followed; write the transcript if there is speech"]
    lines = [f"{name}: recognised ({recognition.recogniser}): {recognition.marked_text()}"]
    if fit is not None and fit.ignored:
        lines.append(f"warning: {name}: the recognised words do not fit the sound, which alone was followed")
    return lines


def _faults(job: Job) -> tuple[str, ...]:
    """What was wrong with the subtitles of a job, one sentence each."""
    return job.transcript.warnings if isinstance(job.transcript, TimedTranscript) else ()


def _transcript_report(job: Job, features: AudioFeatures) -> dict[str, Any]:
    """The entry "transcript" of a job's report; empty if none was followed."""
    recognition, fit = features.recognition, features.transcript_report
    if recognition is None and fit is None:
        return {}
    timed = isinstance(job.transcript, TimedTranscript)
    source = "recognised" if recognition is not None else "subtitles" if timed else "written"
    return {
        "transcript": {
            "source": source,
            **({"faults": list(faults)} if (faults := _faults(job)) else {}),
            **(recognition.as_dict() if recognition is not None else {}),
            **(fit.as_dict() if fit is not None else {}),
        }
    }
