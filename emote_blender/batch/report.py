"""The JSON report of a run, for people and scripts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..files.atomic_write import replacing


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


def write_report(path: str | Path, report: dict[str, Any]) -> None:
    """Write the report as JSON in UTF-8, whole or not at all; raises InputError if it cannot be written."""
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    with replacing(path) as temporary:
        # Linux has file names that are not UTF-8; Python's \udcf6 of such a byte is an escape of JSON, too.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
