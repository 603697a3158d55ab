"""The command `generate`: one audio file to one motion or scene file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..batch.report import write_report
from ..batch.runner import Decoder, check_files, check_job, open_session, run_job
from ..batch.table import Job, check_output_suffix, given_transcript
from ..emotion import DEFAULT_EMOTION, DEFAULT_INTENSITY, EMOTIONS, EmotionTrack
from ..files.console_progress import ProgressLine, show, warn
from ..files.pasted_path import pasted_path
from ..motion_tools.refine import Refinement
from ..sound_files.kinds import READABLE
from ..transcript.language import AUTO
from .arguments import chosen_life, life_arguments, model_arguments, recogniser_argument, refinement_argument


def add_generate_command(commands: Any) -> None:
    """Add `generate` to the parsers of the program."""
    parents = [model_arguments(), life_arguments(), refinement_argument(), recogniser_argument()]
    command = commands.add_parser("generate", parents=parents, help="animate one audio file")
    command.add_argument("audio", type=pasted_path, metavar="AUDIO", help=READABLE)
    command.add_argument(
        *("-o", "--output"),
        type=pasted_path,
        required=True,
        metavar="OUT",
        help="OUT.npz (motion), OUT.csv (ARKit, as of Live Link Face, 60 fps), OUT.json or OUT.blend (scene)",
    )
    command.add_argument(
        "--emotion",
        metavar="NAME",
        help=f"{', '.join(EMOTIONS)}, or a mix such as 'happy 0.6 + sad 0.4' (default: {DEFAULT_EMOTION})",
    )
    command.add_argument(
        "--intensity", type=float, metavar="0..2", help=f"0 mild, 1 medium, 2 high (default: {DEFAULT_INTENSITY:g})"
    )
    command.add_argument(
        "--track", type=pasted_path, metavar="TRACK.csv", help="emotion over time: time_seconds,emotion,intensity"
    )
    command.add_argument("--speaker", metavar="NAME", help="speaking style (default: the model's first)")
    command.add_argument(
        "--transcript",
        metavar="auto|none|TEXT|FILE",
        help="what is said, which the mouth follows: auto to recognise the words, the words themselves, or a text or "
        "subtitle file (default: none)",
    )
    command.add_argument(
        "--language", metavar="L", help="of the transcript, for example de or en-gb (default: found out by itself)"
    )
    command.set_defaults(run=_checked_generate(command))


def generate(arguments: argparse.Namespace, decode: Decoder) -> int:
    """Write one motion or scene file for one audio file, and return the exit code."""
    output: Path = arguments.output
    check_output_suffix(output)
    condition: dict[str, str | float]
    if arguments.track:
        track, condition = EmotionTrack.from_csv(arguments.track, warn), {"track": str(arguments.track)}
    else:
        emotion = (arguments.emotion or DEFAULT_EMOTION).lower()
        intensity = DEFAULT_INTENSITY if arguments.intensity is None else arguments.intensity
        track, condition = EmotionTrack.constant(emotion, intensity), {"emotion": emotion, "intensity": intensity}
    job = Job(
        arguments.audio,
        output,
        track,
        condition,
        arguments.speaker,
        given_transcript(arguments.transcript),
        arguments.language or AUTO,
        chosen_life(arguments),
        Refinement.parse(arguments.refine),
    )
    check_files(job, arguments.report, arguments.track)
    session = open_session(arguments, decode, [job])
    check_job(job, session)
    progress = ProgressLine(sys.stderr, job.audio.name)
    try:
        report = run_job(job, session, progress)
    finally:
        progress.clear()
    if arguments.report:
        write_report(arguments.report, report)
    show(f"wrote {output}: {report['frames']} frames at {report['fps']:g} fps in {report['seconds']['total']:.1f} s")
    return 0


def _checked_generate(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace, Decoder], int]:
    """`generate` with the check that the parser cannot express."""

    def run(arguments: argparse.Namespace, decode: Decoder) -> int:
        if arguments.track and (arguments.emotion is not None or arguments.intensity is not None):
            parser.error(
                "--track already says the emotion and intensity over time; leave out --emotion and --intensity"
            )
        if arguments.language is not None and arguments.transcript is None:
            parser.error("--language is the transcript's; add --transcript, or leave it out")
        return generate(arguments, decode)

    return run
