"""The command `batch`: the audio files of a CSV file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..batch.report import StageClock, write_report
from ..batch.runner import Decoder, check_report_is_no_input, open_session, run_row
from ..batch.table import COLUMNS, NO_TRANSCRIPT, read_jobs
from ..errors import Cancelled, InputError
from ..files.atomic_write import check_writable
from ..files.console_progress import ProgressLine, show, warn
from ..files.pasted_path import pasted_path
from ..motion_tools.refine import Refinement
from ..transcript.language import AUTO
from ..version import package_version
from .arguments import (
    EXIT_CANCELLED,
    EXIT_FAILED,
    chosen_life,
    life_arguments,
    model_arguments,
    recogniser_argument,
    refinement_argument,
)


def add_batch_command(commands: Any) -> None:
    """Add `batch` to the parsers of the program."""
    parents = [model_arguments(), life_arguments(), refinement_argument(), recogniser_argument()]
    command = commands.add_parser("batch", parents=parents, help="animate the audio files of a table")
    command.add_argument(
        "jobs", type=pasted_path, metavar="JOBS.csv", help=f"CSV or JSON Lines, with the columns {', '.join(COLUMNS)}"
    )
    command.add_argument(
        "-o", "--output", type=pasted_path, required=True, metavar="DIR", help="folder for the output files"
    )
    command.add_argument(
        "--transcript",
        choices=(AUTO, NO_TRANSCRIPT),
        default=NO_TRANSCRIPT,
        help="of rows whose column transcript is empty: auto to recognise the words (default: none)",
    )
    command.set_defaults(run=batch)


def batch(arguments: argparse.Namespace, decode: Decoder) -> int:
    """Run the jobs of a CSV file in order with one loaded model, and return the exit code."""
    folder: Path = arguments.output
    refinement = Refinement.parse(arguments.refine)
    rows = read_jobs(arguments.jobs, folder, chosen_life(arguments), refinement, arguments.transcript, warn)
    session = open_session(arguments, decode, [row.job for row in rows if row.job])
    report_path: Path | None = arguments.report
    if report_path and any(row.job and row.job.output == report_path.resolve() for row in rows):
        raise InputError(
            f"--report and a row of {arguments.jobs} both name {report_path}; give the report another name"
        )
    if report_path:
        check_report_is_no_input(report_path, [arguments.jobs, *(row.job.audio for row in rows if row.job)])
    # A report inside the folder can only be checked once the folder exists; any other one before it is made.
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
            results.append(
                run_row(row, session, ProgressLine(sys.stderr, f"[{number}/{len(rows)}] {' '.join(row.audio.split())}"))
            )
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
    show(f"{len(results) - num_failed} of {len(rows)} done, {num_failed} failed" + (", cancelled" * cancelled))
    return EXIT_CANCELLED if cancelled else EXIT_FAILED if num_failed else 0
