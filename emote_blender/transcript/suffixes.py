"""What files with the words of a sound are called; what they are, is found by their content."""

from __future__ import annotations

SUBTITLE_SUFFIXES = (
    *(".srt", ".vtt", ".webvtt", ".ass", ".ssa", ".sbv", ".sub", ".ttml", ".dfxp", ".itt", ".smi", ".sami", ".lrc"),
    *(".textgrid", ".eaf", ".json", ".json3", ".srv1", ".srv2", ".srv3", ".tsv"),
)
# What may be chosen as a transcript; of files with the same name, the first is taken.
SUFFIXES = (".txt", *SUBTITLE_SUFFIXES)
