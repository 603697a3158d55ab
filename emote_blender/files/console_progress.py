"""Output of a command: its result on stdout; messages, and progress on one line of a terminal, on stderr."""

from __future__ import annotations

import shutil
import sys
from typing import TextIO

_STEP_PERCENT = 25


def say(text: str) -> None:
    """Write one line to stderr."""
    _write(sys.stderr, text + "\n")


def show(text: str) -> None:
    """Write a result to stdout."""
    _write(sys.stdout, text + "\n")


def warn(sentence: str) -> None:
    """Write a warning to stderr."""
    say(f"warning: {sentence}")


class ProgressLine:
    """A function of (fraction, text) that shows the progress.

    In a terminal it overwrites its line; a file or a pipe gets a line when the text changes and at every quarter.
    """

    def __init__(self, stream: TextIO, label: str) -> None:
        """Show progress on `stream`; `label` begins every line, for example the name of the audio file."""
        self._stream = stream
        self._label = label
        self._is_terminal = stream.isatty()
        self._width = 0
        self._last_text = ""
        self._next_percent = 0

    def __call__(self, fraction: float, text: str) -> None:
        """Show that `fraction` (0 to 1) of the step `text` is done."""
        percent = int(100 * min(1.0, max(0.0, fraction)))
        line = f"{self._label}: {text} {percent} %"
        if self._is_terminal:
            line = line[: shutil.get_terminal_size().columns - 1]
            _write(self._stream, "\r" + line.ljust(self._width))
            self._width = len(line)
        elif text != self._last_text or percent >= self._next_percent:
            _write(self._stream, line + "\n")
            self._last_text = text
            self._next_percent = (percent // _STEP_PERCENT + 1) * _STEP_PERCENT

    def clear(self) -> None:
        """Clear the line, so that something else can be written there."""
        if self._is_terminal and self._width:
            _write(self._stream, "\r" + " " * self._width + "\r")
            self._width = 0


def _write(stream: TextIO, text: str) -> None:
    """Write at once; characters that the stream's encoding lacks are escaped."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
