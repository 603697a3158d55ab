"""Cues as a file has them, before their text is cleaned and their times are checked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WrittenCue:
    """A cue as it is written.

    Attributes:
        text: with its markup and line breaks.
        start_seconds: any number, also not finite.
        end_seconds: any number, also before the start; None if the format or the file gives none.
    """

    text: str
    start_seconds: float
    end_seconds: float | None


@dataclass(frozen=True)
class TimedText:
    """What a reader of one format found.

    Attributes:
        cues: in the order of the file; may be empty.
        language: language tag that the file names; "" if it names none.
    """

    cues: list[WrittenCue]
    language: str = ""


class DamagedText(Exception):
    """A text of a known format cannot be read; says what is wrong, without the name of the file."""
