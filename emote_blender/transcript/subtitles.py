"""Timed texts of every kind as a transcript: subtitles, labels, annotations, and what recognisers write."""

from __future__ import annotations

from .timed_formats.time_lines import is_time_lines, read_time_lines
from .timed_formats.written_cue import WrittenCue
from .timed_transcript import Cue, TimedTranscript


def parse_timed_text(text: str) -> TimedTranscript | None:
    """The transcript in a text that holds times; None if it is a plain text."""
    if not is_time_lines(text):
        return None
    return _transcript(read_time_lines(text))


def _transcript(written: list[WrittenCue]) -> TimedTranscript | None:
    cues = [
        Cue(" ".join(cue.text.split()), cue.start_seconds, cue.end_seconds or cue.start_seconds)
        for cue in written
        if any(map(str.isalnum, cue.text))
    ]
    return TimedTranscript(tuple(sorted(cues, key=lambda cue: cue.start_seconds))) if cues else None
