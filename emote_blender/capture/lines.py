"""The lines of a text file of any size, in little memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError
from ..files.text_file import decode_text

_LARGEST_LINE = 64 << 10  # characters; a line of Live Link Face has 830
_SAMPLE_BYTES = 4096
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_lines(path: Path, kind: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file that are not blank, stripped, with their numbers from 1.

    Args:
        path: the file.
        kind: what it should be, for error sentences: "capture file".

    Raises:
        InputError: if it cannot be read, is no text, or has a line that no capture has.
    """
    try:
        with path.open("rb") as file:
            sample = file.read(_SAMPLE_BYTES)
        encoding = next((name for mark, name in _MARKS if sample.startswith(mark)), None)
        if encoding is None:
            # Cut at a line's end, as a character may be cut at the sample's.
            end = sample.rfind(b"\n") + 1 if len(sample) == _SAMPLE_BYTES else 0
            decode_text(sample[: end or None], str(path), f"choose a {kind}")
        # Numbers are ASCII: letters of an unknown code page can only be in titles that are not used.
        with path.open(encoding=encoding or "utf-8", errors="replace", newline=None) as text:
            number = 0
            while line := text.readline(_LARGEST_LINE + 1):
                number += 1
                if len(line) > _LARGEST_LINE:
                    raise InputError(f"{path} line {number} is longer than {_LARGEST_LINE} characters; choose a {kind}")
                if "\0" in line:
                    raise InputError(f"{path} line {number} is not text; choose a {kind}")
                if line := line.strip("\ufeff \t\r\n\x1a"):
                    yield number, line
    except FileNotFoundError as error:
        raise InputError(f"{path} not found; check the path of the {kind}") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read ({reason}); choose a {kind}") from error
