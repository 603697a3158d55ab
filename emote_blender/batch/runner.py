"""Runs of the command line: a model, a head if one is needed, and jobs that use them."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..audio import Waveform
from ..capture.motion_files import MOTION_SUFFIX, save_motion
from ..emotion import EmotionTrack
from ..engine.open_engine import DEFAULT_DEVICE, DEFAULT_ENGINE
from ..errors import Cancelled, EmoteError, InputError
from ..files.atomic_write import check_writable
from ..files.console_progress import ProgressLine, say
from ..files.paths import find_head, find_model
from ..motion_tools.life import add_life
from ..motion_tools.raw_take import RawTake
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
from ..transcript.automatic import language_code
from ..transcript.language import AUTO
from ..transcript.recognisers.choose import open_recogniser
from ..transcript.timed_transcript import TimedTranscript
from ..version import package_version
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
    return {"line": row.line, "status": "done", **report}


def _make_folder(folder: Path) -> None:
    """Make the folder of an output; raises InputError if that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be made ({error.strerror}); write another output") from error


def run_job(job: Job, session: Session, progress: ProgressLine) -> dict[str, Any]:
    """Write the output of one job and return its report."""
    clock = StageClock()
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
    # In a scene, refinement and life are settings of the take, which can be changed there.
    is_scene = job.output.suffix.lower() == ".blend"
    neutral = None
    if is_scene or job.refinement.changes("emotion_strength"):
        with clock.stage("neutral"):
            neutral = session.pipeline.generate(features, EmotionTrack.constant("neutral"), speaker=job.speaker)
    take = RawTake(motion, neutral, features.prosody)
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
            motion = add_life(motion, features.prosody, job.life)
    with clock.stage("write"):
        progress(1.0, "writing")
        if is_scene:
            from ..blender.scene.scene_file import SceneWords, write_blend
            from ..blender.settings.registration import add_settings

            add_settings()
            assert session.head_folder is not None  # opened with the session
            words = SceneWords(job.transcript, job.language, features.recognition)
            write_blend(job.output, take, session.head_folder, job.audio, motion.fps, job.life, job.refinement, words)
        else:
            if job.output.suffix.lower() != MOTION_SUFFIX:
                motion = in_open_basis(motion)
            motion = save_motion(motion, job.output)
    warnings = waveform.warnings or rest_warning(take.neutral or take.emotional, job.audio.name)
    progress.clear()
    for warning in warnings:
        say(f"warning: {warning}")
    for sentence in _transcript_lines(job, features):
        say(sentence)
    return {
        "input": str(job.audio),
        "duration_seconds": round(waveform.duration_seconds, 3),
        "model": session.config.name,
        "face": motion.meta.get("face", session.config.face),
        "licence": session.config.licence,
        "head": str(session.head_folder) if session.head_folder else None,
        "speaker": job.speaker or session.config.speakers[0],
        **job.condition,
        **({"warnings": list(warnings)} if warnings else {}),
        **_transcript_report(job, features),
        **({"life": job.life.summary()} if job.life.moves else {}),
        **({"refinement": job.refinement.summary()} if job.refinement.changes() else {}),
        **({"transfer": motion.meta["transfer"]} if "transfer" in motion.meta else {}),
        "frames": motion.num_frames,
        "fps": motion.fps,
        "seconds": clock.summary(),
        "output": str(job.output),
        "version": package_version(),
    }


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
