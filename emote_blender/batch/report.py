"""The JSON report of a run, for people and scripts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files.atomic_write import replacing

_WRITE_SECONDS = 5.0  # between two writings of a batch's report


class StageClock:
    """Seconds spent per stage of a run.

    Attributes:
        seconds: stage -> seconds, in the order in which the stages began.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to the stage `name`."""
        start = time.perf_counter()
        self.seconds.setdefault(name, 0.0)
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - start

    def summary(self) -> dict[str, float]:
        """Seconds per stage and in total, to a millisecond."""
        stages = {name: round(value, 3) for name, value in self.seconds.items()}
        return {**stages, "total": round(time.perf_counter() - self._start, 3)}


class BatchReport:
    """The report of a batch, written now and then while it runs, so that a killed batch can go on.

    Attributes:
        results: of the rows that are done, by their number, from 1.
    """

    def __init__(self, path: Path | None, head: dict[str, Any], num_rows: int) -> None:
        """Begin a report.

        Args:
            path: the file; None to write none.
            head: what the report begins with.
            num_rows: rows of the table.
        """
        self.results: dict[int, dict[str, Any]] = {}
        self._path, self._head, self._num_rows = path, head, num_rows
        self._clock = StageClock()
        self._last = time.perf_counter()

    @property
    def num_failed(self) -> int:
        """Rows that failed."""
        return sum(result["status"] == "failed" for result in self.results.values())

    def add(self, number: int, result: dict[str, Any]) -> None:
        """Add the result of a row, and write the report if the last writing is some seconds ago."""
        self.results[number] = result
        if time.perf_counter() - self._last > _WRITE_SECONDS:
            self.write()

    def write(self) -> None:
        """Write the report, if there is a file for it; raises InputError if it cannot be written."""
        if self._path is None:
            return
        counts = {
            "rows": self._num_rows,
            "done": len(self.results) - self.num_failed,
            "failed": self.num_failed,
            "not_run": self._num_rows - len(self.results),
            "seconds": self._clock.summary()["total"],
        }
        results = [self.results[number] for number in sorted(self.results)]
        write_report(self._path, {**self._head, **counts, "results": results})
        self._last = time.perf_counter()


def earlier_results(path: Path) -> dict[str, dict[str, Any]]:
    """The rows that an earlier run has done, by their digest, from its report; empty if there is none.

    Raises:
        InputError: the file is no report of a batch.
    """
    if not path.is_file():
        return {}
    try:
        results = json.loads(path.read_text(encoding="utf-8"))["results"]
        return {result["digest"]: result for result in results if result["status"] == "done"}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no report of a batch; delete it, or name another one with --report") from error


def write_report(path: str | Path, report: dict[str, Any]) -> None:
    """Write the report as JSON in UTF-8, whole or not at all; raises InputError if it cannot be written."""
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    with replacing(path) as temporary:
        # Linux has file names that are not UTF-8; Python's \udcf6 of such a byte is an escape of JSON, too.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
