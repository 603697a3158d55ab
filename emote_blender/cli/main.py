"""The command line: generate, batch, convert, info, train, evaluate.

`python -m emote_blender ...` and `blender --command emote ...` are the same program. Exit codes: 0 all went well,
1 something of the user's cannot be used (one sentence on stderr), 2 wrong usage, 130 cancelled.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..audio import load_audio
from ..batch.report import StageClock, write_report
from ..batch.runner import Decoder, check_files, check_job, open_session, run_job, run_row
from ..batch.table import COLUMNS, Job, check_output_suffix, read_jobs
from ..emotion import DEFAULT_EMOTION, DEFAULT_INTENSITY, EMOTIONS, EmotionTrack
from ..engine.open_engine import DEFAULT_DEVICE, DEFAULT_ENGINE, ENGINES
from ..errors import Cancelled, EmoteError, InputError
from ..files.atomic_write import check_writable
from ..files.console_progress import ProgressLine, say
from ..files.paths import DEFAULT_MODEL
from ..transcript.language import AUTO
from ..transcript.text import read_transcript
from ..version import package_version
from .convert import add_convert_command
from .training import add_evaluate_command, add_train_command

EXIT_FAILED, EXIT_CANCELLED = 1, 130


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
        code = arguments.run(arguments, decode or load_audio)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read the output has seen enough, as in `info | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except EmoteError as error:
        say(f"error: {error}")
        return EXIT_CANCELLED if isinstance(error, Cancelled) else EXIT_FAILED
    except KeyboardInterrupt:
        say("cancelled; nothing half-written is left")
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
    check_files(job, arguments.report)
    session = open_session(arguments, decode, needs_head=output.suffix.lower() == ".blend")
    check_job(job, session.config)
    progress = ProgressLine(sys.stderr, job.audio.name)
    try:
        report = run_job(job, session, progress)
    finally:
        progress.clear()
    if arguments.report:
        write_report(arguments.report, report)
    print(f"wrote {output}: {report['frames']} frames at {report['fps']:g} fps in {report['seconds']['total']:.1f} s")
    return 0


def batch(arguments: argparse.Namespace, decode: Decoder) -> int:
    """Exit code of `batch`: the jobs of a CSV file, one after the other, with one loaded model."""
    folder = Path(arguments.output)
    rows = read_jobs(arguments.jobs, folder)
    needs_head = any(row.job and row.job.output.suffix.lower() == ".blend" for row in rows)
    session = open_session(arguments, decode, needs_head)
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
            results.append(run_row(row, session, ProgressLine(sys.stderr, f"[{number}/{len(rows)}] {row.audio}")))
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
    model_and_head.add_argument(
        "--engine",
        choices=ENGINES,
        default=DEFAULT_ENGINE,
        help="what runs the model (default: %(default)s); torch needs a checkout with torch",
    )
    model_and_head.add_argument(
        "--device", default=DEFAULT_DEVICE, metavar="NAME", help="cpu; with --engine torch also cuda or mps"
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
    command.set_defaults(run=_checked_generate(command))

    command = commands.add_parser("batch", parents=[model_and_head], help="animate the audio files of a CSV file")
    command.add_argument("jobs", metavar="JOBS.csv", help=f"columns {', '.join(COLUMNS)}")
    command.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the output files")
    command.set_defaults(run=batch)

    command = commands.add_parser("info", help="list models and heads, or describe one or a motion file")
    command.add_argument("what", nargs="?", metavar="MODEL|HEAD|MOTION", help="name, folder or .npz")
    command.set_defaults(run=info)
    add_convert_command(commands)
    add_train_command(commands)
    add_evaluate_command(commands)
    return parser


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
