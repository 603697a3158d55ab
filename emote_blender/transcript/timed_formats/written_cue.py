"""A cue as a file has it, before its text is cleaned and its times are checked."""

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
