"""The command `batch`: the sounds and videos of a CSV file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..batch.report import BatchReport, earlier_results
from ..batch.runner import Decoder, Session, check_report_is_no_input, job_digest, open_session, run_row
from ..batch.table import COLUMNS, NO_TRANSCRIPT, BatchRow, read_jobs
from ..errors import Cancelled, InputError
from ..files.atomic_write import check_writable, remove_leftovers
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
    command = commands.add_parser("batch", parents=parents, help="animate the sounds and videos of a table")
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
    command.add_argument(
        "--resume", action="store_true", help="leave out the rows that were done according to the file of --report"
    )

    def run(arguments: argparse.Namespace, decode: Decoder) -> int:
        if arguments.resume and arguments.report is None:
            command.error("--resume goes by the report of the run before; add --report R.json to both")
        return batch(arguments, decode)

    command.set_defaults(run=run)


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
        check_report_is_no_input(
            report_path, [arguments.jobs, *(path for row in rows if row.job for path in row.job.inputs)]
        )
    # A report inside the folder can only be checked once the folder exists; any other one before it is made.
    if report_path and not report_path.resolve().is_relative_to(folder.resolve()):
        check_writable(report_path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be created ({error.strerror}); choose another folder") from error
    if report_path:
        check_writable(report_path)
    head = {"jobs": str(arguments.jobs), "output": str(folder), "version": package_version()}
    report = BatchReport(report_path, head, len(rows))
    if arguments.resume and report_path:
        _keep_earlier(report, rows, session, report_path)
    num_kept, cancelled = len(report.results), False
    for number, row in enumerate(rows, start=1):
        if number in report.results:
            continue
        progress = ProgressLine(sys.stderr, f"[{number}/{len(rows)}] {' '.join(row.audio.split())}")
        try:
            report.add(number, run_row(row, session, progress))
        except (KeyboardInterrupt, Cancelled):
            cancelled = True
            break
    report.write()
    counts = f"{len(report.results) - report.num_failed} of {len(rows)} done, {report.num_failed} failed"
    show(counts + (f", {num_kept} done before" if num_kept else "") + (", cancelled" * cancelled))
    return EXIT_CANCELLED if cancelled else EXIT_FAILED if report.num_failed else 0


def _keep_earlier(report: BatchReport, rows: list[BatchRow], session: Session, path: Path) -> None:
    """Put the rows into the report that an earlier run has done, and remove what it left half-written.

    Args:
        report: the new report.
        rows: of the table.
        session: of the run.
        path: the earlier run's report.
    """
    earlier = earlier_results(path)
    for folder in {row.job.output.parent for row in rows if row.job}:
        remove_leftovers(folder)
    for number, row in enumerate(rows, start=1):
        if row.job and row.job.output.is_file() and (kept := earlier.get(job_digest(row.job, session))):
            report.results[number] = {**kept, "line": row.line}
