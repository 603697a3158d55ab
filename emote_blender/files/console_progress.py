"""What a command tells on stderr while it works: sentences, and how far it is, on one line of a terminal."""

from __future__ import annotations

import shutil
import sys
from typing import TextIO

_STEP_PERCENT = 25


def say(text: str) -> None:
    """Returns nothing; writes one line on stderr."""
    _write(sys.stderr, text + "\n")


class ProgressLine:
    """A function of (fraction, text) that shows them.

    A terminal's line is written over; a file or a pipe gets a line when the text changes and at every quarter.
    """

    def __init__(self, stream: TextIO, label: str) -> None:
        """`label` stands in front of every line, for example the name of the audio file."""
        self._stream = stream
        self._label = label
        self._is_terminal = stream.isatty()
        self._width = 0
        self._last_text = ""
        self._next_percent = 0

    def __call__(self, fraction: float, text: str) -> None:
        """Shows that `fraction` (0 to 1) of what `text` names is done."""
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
        """Takes the line away, so that something else can be written there."""
        if self._is_terminal and self._width:
            _write(self._stream, "\r" + " " * self._width + "\r")
            self._width = 0


def _write(stream: TextIO, text: str) -> None:
    """Writes at once, whatever the stream's encoding has no sign for as an escape."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
