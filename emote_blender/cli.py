"""The command line: generate, batch, convert, info, train.

`python -m emote_blender ...` and `blender --command emote ...` are the same program. Exit codes: 0 all went well,
1 something of the user's cannot be used (one sentence on stderr), 2 wrong usage, 130 cancelled.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .audio import Waveform, load_audio, require_file
from .batch import COLUMNS, BatchRow, Job, check_output_suffix, read_jobs
from .convert_cli import add_convert_command
from .emotion import DEFAULT_EMOTION, DEFAULT_INTENSITY, EMOTIONS, EmotionTrack
from .errors import Cancelled, EmoteError, InputError
from .matching import check_fits_head, version_warning
from .output import check_writable
from .paths import DEFAULT_MODEL, find_head, find_model
from .progress import ProgressLine
from .report import StageClock, write_report
from .transcript.language import AUTO
from .transcript.text import read_transcript
from .version import package_version

if TYPE_CHECKING:
    from .emote.config import EMOTEConfig
    from .pipeline import EMOTEPipeline

logger = logging.getLogger(__name__)

EXIT_FAILED, EXIT_USAGE, EXIT_CANCELLED = 1, 2, 130

Decoder = Callable[[Path], Waveform]


@dataclass
class Session:
    """What one call of the program works with: a model, a head where one is needed, and how sound is decoded.

    Attributes:
        config: the model's configuration.
        model_folder: the model's folder.
        head_folder: the head for .blend files, None where only motion files are written.
        decode: reads an audio file.
        pipeline: None until the first job needs it, then kept.
    """

    config: EMOTEConfig
    model_folder: Path
    head_folder: Path | None
    decode: Decoder
    pipeline: EMOTEPipeline | None = None


def main(argv: Sequence[str] | None = None, decode: Decoder | None = None) -> int:
    """The exit code of the command in `argv` (None: of this process).

    Args:
        argv: what stands after the program's name.
        decode: reads an audio file; Blender gives its own decoder. None: soundfile.
    """
    parser = _parser("python -m emote_blender" if decode is None else "blender --command emote")
    try:
        arguments = parser.parse_args(argv)
        logging.basicConfig(
            level=logging.INFO if arguments.verbose else logging.WARNING,
            format="%(levelname)s %(name)s: %(message)s",
            stream=sys.stderr,
        )
        return arguments.run(arguments, decode or load_audio)
    except EmoteError as error:
        _say(f"error: {error}")
        return EXIT_CANCELLED if isinstance(error, Cancelled) else EXIT_FAILED
    except KeyboardInterrupt:
        _say("cancelled; nothing half-written is left")
        return EXIT_CANCELLED
    except SystemExit as leaving:  # argparse: 0 after --help, 2 after wrong usage
        return int(leaving.code or 0)


def generate(arguments: argparse.Namespace, decode: Decoder) -> int:
    """Exit code of `generate`: one audio file to one motion or scene file."""
    output = Path(arguments.output)
    check_output_suffix(output)
    condition: dict[str, str | float]
    if arguments.track:
        track, condition = EmotionTrack.from_csv(arguments.track), {"track": arguments.track}
    else:
        emotion = (arguments.emotion or DEFAULT_EMOTION).lower()
        intensity = DEFAULT_INTENSITY if arguments.intensity is None else arguments.intensity
        track, condition = EmotionTrack.constant(emotion, intensity), {"emotion": emotion, "intensity": intensity}
    transcript = None if arguments.transcript is None else read_transcript(arguments.transcript)
    job = Job(
        Path(arguments.audio), output, track, condition, arguments.speaker, transcript, arguments.language or AUTO
    )
    _check_files(job, arguments.report)
    session = _open_session(arguments, decode, needs_head=output.suffix.lower() == ".blend")
    _check_job(job, session.config)
    progress = ProgressLine(sys.stderr, job.audio.name)
    try:
        report = _run(job, session, progress)
    finally:
        progress.clear()
    report["seed"] = arguments.seed
    if arguments.report:
        write_report(arguments.report, report)
    print(f"wrote {output}: {report['frames']} frames at {report['fps']:g} fps in {report['seconds']['total']:.1f} s")
    return 0


def batch(arguments: argparse.Namespace, decode: Decoder) -> int:
    """Exit code of `batch`: the jobs of a CSV file, one after the other, with one loaded model."""
    folder = Path(arguments.output)
    rows = read_jobs(arguments.jobs, folder)
    needs_head = any(row.job and row.job.output.suffix.lower() == ".blend" for row in rows)
    session = _open_session(arguments, decode, needs_head)
    report_path: Path | None = arguments.report
    if report_path and any(row.job and row.job.output == report_path.resolve() for row in rows):
        raise InputError(
            f"--report and a row of {arguments.jobs} both name {report_path}; give the report another name"
        )
    # A report inside the folder can only be tried once the folder is there; any other before it is made.
    if report_path and not report_path.resolve().is_relative_to(folder.resolve()):
        check_writable(report_path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be created ({error.strerror}); choose another folder") from error
    if report_path:
        check_writable(report_path)
    clock = StageClock()
    results: list[dict[str, Any]] = []
    cancelled = False
    for number, row in enumerate(rows, start=1):
        try:
            results.append(_run_row(row, session, ProgressLine(sys.stderr, f"[{number}/{len(rows)}] {row.audio}")))
        except (KeyboardInterrupt, Cancelled):
            cancelled = True
            break
    num_failed = sum(result["status"] == "failed" for result in results)
    if report_path:
        report = {
            "jobs": str(arguments.jobs),
            "output": str(folder),
            "rows": len(rows),
            "done": len(results) - num_failed,
            "failed": num_failed,
            "not_run": len(rows) - len(results),
            "seconds": clock.summary()["total"],
            "version": package_version(),
            "results": results,
        }
        write_report(report_path, report)
    print(f"{len(results) - num_failed} of {len(rows)} done, {num_failed} failed" + (", cancelled" * cancelled))
    return EXIT_CANCELLED if cancelled else EXIT_FAILED if num_failed else 0


def info(arguments: argparse.Namespace, decode: Decoder) -> int:
    """Exit code of `info`: what is installed, or what a model, a head or a motion file is."""
    from .describe import describe, describe_installed

    print(describe(arguments.what) if arguments.what else describe_installed())
    return 0


def train(arguments: argparse.Namespace, decode: Decoder) -> int:
    """Exit code of `train`; raises InputError where training, or what it needs, is not installed."""
    from importlib.util import find_spec

    if find_spec(f"{__package__}.training") is None:
        raise InputError(
            "the extension does not bring the training code; get the project's source and run "
            "`python -m emote_blender train` there"
        )
    if find_spec("accelerate") is None:
        raise InputError(
            "training needs the Python package accelerate, which is not here; run `pip install accelerate`"
        )
    from .training.train_cli import train_command

    return train_command(arguments)


def evaluate(arguments: argparse.Namespace, decode: Decoder) -> int:
    """Exit code of `evaluate`; raises InputError where the training code, which judges models, is not installed."""
    from importlib.util import find_spec

    if find_spec(f"{__package__}.training") is None:
        raise InputError(
            "the extension does not bring the code that judges models; get the project's source and run "
            "`python -m emote_blender evaluate` there"
        )
    from .training.evaluate_cli import evaluate_command

    return evaluate_command(arguments)


def _parser(program: str) -> argparse.ArgumentParser:
    """The parser of all commands; `run` of its result is the command's function."""
    parser = argparse.ArgumentParser(prog=program, description="Speech and an emotion to facial animation.")
    parser.add_argument("--version", action="version", version=package_version())
    parser.add_argument("--verbose", action="store_true", help="also show what is done in detail, on stderr")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    model_and_head = argparse.ArgumentParser(add_help=False)
    model_and_head.add_argument(
        "--model", default=DEFAULT_MODEL, help="name or folder of the speech model (default: %(default)s)"
    )
    model_and_head.add_argument(
        "--head", help="name or folder of the head for a .blend (default: the one the model was made for)"
    )
    model_and_head.add_argument("--report", type=Path, metavar="R.json", help="write what was done, as JSON")

    command = commands.add_parser("generate", parents=[model_and_head], help="animate one audio file")
    command.add_argument("audio", metavar="AUDIO", help="wav, flac, ogg or mp3")
    command.add_argument("-o", "--output", required=True, metavar="OUT", help="OUT.npz (motion) or OUT.blend (scene)")
    command.add_argument("--emotion", metavar="NAME", help=f"{', '.join(EMOTIONS)} (default: {DEFAULT_EMOTION})")
    command.add_argument(
        "--intensity", type=float, metavar="0..2", help=f"0 mild, 1 medium, 2 high (default: {DEFAULT_INTENSITY:g})"
    )
    command.add_argument("--track", metavar="TRACK.csv", help="emotion over time: time_seconds,emotion,intensity")
    command.add_argument("--speaker", metavar="NAME", help="speaking style (default: the model's first)")
    command.add_argument("--transcript", metavar="TEXT|FILE", help="what is said, or a .txt file: the mouth follows it")
    command.add_argument(
        "--language", metavar="L", help="of the transcript, for example de or en-gb (default: guessed from it)"
    )
    command.add_argument("--seed", type=int, default=0, help="kept in the report; the model draws no random numbers")
    command.set_defaults(run=_checked_generate(command))

    command = commands.add_parser("batch", parents=[model_and_head], help="animate the audio files of a CSV file")
    command.add_argument("jobs", metavar="JOBS.csv", help=f"columns {', '.join(COLUMNS)}")
    command.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the output files")
    command.set_defaults(run=batch)

    command = commands.add_parser("info", help="list models and heads, or describe one or a motion file")
    command.add_argument("what", nargs="?", metavar="MODEL|HEAD|MOTION", help="name, folder or .npz")
    command.set_defaults(run=info)
    add_convert_command(commands)
    _add_train_command(commands)
    _add_evaluate_command(commands)
    return parser


def _add_train_command(commands: Any) -> None:
    command = commands.add_parser("train", help="train FLINT, EMOTE, its audio encoder or the networks that watch it")
    command.add_argument("task", choices=("flint", "emotion", "lips", "encoder", "emote"), help="what to train")
    command.add_argument("--config", required=True, metavar="F", help="a .toml file, or the name of a shipped config")
    command.add_argument("--data", type=Path, metavar="D", help="folder of the data that the config is for")
    command.add_argument("--head", metavar="H", help="name or folder of the head (default: the config's)")
    command.add_argument(
        "--init", type=Path, metavar="CKPT", help="checkpoint or run folder whose weights to start from"
    )
    command.add_argument(
        "-o", "--output", metavar="FOLDER", help="folder of the run (default: runs/ and the config's name)"
    )
    command.add_argument("--resume", action="store_true", help="go on with the run in FOLDER")
    command.add_argument(
        "--set", action="append", metavar="TABLE.KEY=VALUE", help="another value than the config's; may be repeated"
    )
    command.set_defaults(run=train)


def _add_evaluate_command(commands: Any) -> None:
    command = commands.add_parser("evaluate", help="measure how good a speech model is")
    command.add_argument("model", metavar="MODEL", help="name or folder of the speech model")
    command.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="D",
        help="prepared part of the corpus, folder of parts, processed MEAD, or folder of motions with their sound",
    )
    command.add_argument("--head", metavar="H", help="name or folder of the head (default: the model's)")
    command.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="write scores.json, table.md and pictures there"
    )
    command.add_argument("--limit", type=int, default=100, metavar="N", help="clips per part (default: %(default)s)")
    command.add_argument("--json", action="store_true", help="print JSON instead of the table")
    command.add_argument(
        "--transcript", action="store_true", help="tell the model what is said, where the data know it"
    )
    command.add_argument(
        "--wrong-words", type=float, default=0.0, metavar="0..1", help="share of the transcripts' words that are wrong"
    )
    command.set_defaults(run=evaluate)


def _checked_generate(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace, Decoder], int]:
    """`generate`, after the rule that the parser cannot express."""

    def run(arguments: argparse.Namespace, decode: Decoder) -> int:
        if arguments.track and (arguments.emotion is not None or arguments.intensity is not None):
            parser.error(
                "--track already says the emotion and intensity over time; leave out --emotion and --intensity"
            )
        if arguments.language is not None and arguments.transcript is None:
            parser.error("--language is the transcript's; add --transcript, or leave it out")
        return generate(arguments, decode)

    return run


def _open_session(arguments: argparse.Namespace, decode: Decoder, needs_head: bool) -> Session:
    """Model and head by their small files; raises EmoteError if one is missing or they do not belong together."""
    from .emote.config import load_config

    model_folder = find_model(arguments.model)
    config = load_config(model_folder)
    head_folder = None
    if needs_head or arguments.head:
        from .flame.model import FaceModel

        head_folder = find_head(arguments.head or config.face)
        head, source = FaceModel.load(head_folder), f"model {config.name}"
        check_fits_head(source, config.face, config.num_expression, config.expression_names, head)
        warning = version_warning(source, config.face, head)
        if warning:
            _say(f"warning: {warning}")
    if needs_head:
        _require_blender()
    return Session(config, model_folder, head_folder, decode)


def _require_blender() -> None:
    """Raises InputError where Blender's Python module is missing."""
    from importlib.util import find_spec

    if find_spec("bpy") is None:
        raise InputError(
            "a .blend can only be written by Blender, which is not here; run `blender --command emote ...`, "
            "install the Python module bpy, or write a .npz"
        )


def _check_files(job: Job, report: Path | None) -> None:
    """Raises InputError if a file cannot be read or written, before any work is done."""
    require_file(job.audio)
    check_writable(job.output)
    if report:
        check_writable(report)
        if report.resolve() == job.output.resolve():
            raise InputError(f"--report and --output both name {report}; give the report another name")


def _check_job(job: Job, config: EMOTEConfig) -> None:
    """Raises EmoteError if the model has no such speaker, or can make nothing of the transcript."""
    if job.speaker and job.speaker not in config.speakers:
        raise InputError(f"unknown speaker {job.speaker!r}; model {config.name} has {', '.join(config.speakers)}")
    if job.transcript is not None:
        from .pipeline import require_transcript_use
        from .transcript.pronunciation import require_language

        require_transcript_use(config)
        require_language(job.language)


def _run_row(row: BatchRow, session: Session, progress: ProgressLine) -> dict[str, Any]:
    """The report of one row; a row that fails is reported, so that the others still run."""
    if row.job is None:
        _say(f"error: {row.error}")
        return {"line": row.line, "input": row.audio, "status": "failed", "error": row.error}
    failed = {"line": row.line, "input": str(row.job.audio), "output": str(row.job.output), "status": "failed"}
    try:
        _check_job(row.job, session.config)
        require_file(row.job.audio)
        row.job.output.parent.mkdir(parents=True, exist_ok=True)
        check_writable(row.job.output)
        report = _run(row.job, session, progress)
    except Cancelled:
        raise
    except EmoteError as error:
        progress.clear()
        _say(f"error: line {row.line}: {error}")
        return {**failed, "error": str(error)}
    except Exception as error:  # a fault of ours must not cost the night's other rows; its traceback is shown
        progress.clear()
        logger.exception("line %d of the batch failed", row.line)
        return {**failed, "error": f"unexpected {type(error).__name__}: {error}"}
    progress.clear()
    return {"line": row.line, "status": "done", **report}


def _run(job: Job, session: Session, progress: ProgressLine) -> dict[str, Any]:
    """Writes the output of one job and gives its report."""
    clock = StageClock()
    with clock.stage("decode"):
        progress(0.0, "reading audio")
        waveform = session.decode(job.audio)
    with clock.stage("load_model"):
        if session.pipeline is None:
            progress(0.0, "loading model")
            from .pipeline import EMOTEPipeline

            session.pipeline = EMOTEPipeline.from_pretrained(str(session.model_folder))
    with clock.stage("encode"):
        features = session.pipeline.encode(
            waveform, progress=progress, transcript=job.transcript, language=job.language
        )
    with clock.stage("generate"):
        motion = session.pipeline.generate(features, job.track, speaker=job.speaker, progress=progress)
        motion = replace(motion, meta={**motion.meta, "audio": job.audio.name})
    with clock.stage("write"):
        progress(1.0, "writing")
        if job.output.suffix.lower() == ".blend":
            from .blender.scene_file import write_blend

            assert session.head_folder is not None  # opened with the session
            write_blend(job.output, motion, session.head_folder, job.audio, fps=motion.fps)
        else:
            motion.save(job.output)
    fit = features.transcript_report
    if fit is not None:
        progress.clear()
        for sentence in fit.sentences():
            _say(f"warning: {job.audio.name}: {sentence}")
    return {
        "input": str(job.audio),
        "duration_seconds": round(waveform.duration_seconds, 3),
        "model": session.config.name,
        "face": session.config.face,
        "licence": session.config.licence,
        "head": str(session.head_folder) if session.head_folder else None,
        "speaker": job.speaker or session.config.speakers[0],
        **job.condition,
        **({"transcript": fit.as_dict()} if fit is not None else {}),
        "frames": motion.num_frames,
        "fps": motion.fps,
        "seconds": clock.summary(),
        "output": str(job.output),
        "version": package_version(),
    }


def _say(text: str) -> None:
    """One line on stderr, whatever its encoding cannot show as an escape."""
    encoding = sys.stderr.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr, flush=True)
