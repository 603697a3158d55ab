"""SubStation Alpha: the lines of dialogue of .ass and .ssa files."""

from __future__ import annotations

import re

from .time_lines import seconds_of
from .written_cue import TimedText, WrittenCue

_ASS_FIELDS = "layer,start,end,style,name,marginl,marginr,marginv,effect,text"
_TIME = re.compile(r"-?\d{1,4}:\d{1,2}:\d{1,2}(?:[.,:]\d{1,3})?")
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9]\d*[^{}]*\}.*?(?:\{[^{}]*\\p0[^{}]*\}|$)")
_BRACES = re.compile(r"\{[^{}]*\}")


def read_substation(text: str) -> TimedText | None:
    """The lines of dialogue, without overrides, drawings and comments; None if the text is no such file."""
    is_whole = re.match(r"\s*(?:;.*\s+)*\[(?:Script Info|V4\+? Styles|Events)\]", text[:5000], re.IGNORECASE)
    fields = _ASS_FIELDS.split(",")
    cues = []
    for line in text.split("\n"):
        kind, colon, rest = line.strip().partition(":")
        if not colon:
            continue
        if kind.lower() == "format" and "text" in rest.lower() and "start" in rest.lower():
            fields = [field.strip().lower() for field in rest.split(",")]
        elif kind == "Dialogue":
            values = dict(zip(fields, rest.split(",", len(fields) - 1)))
            start, end = values.get("start", "").strip(), values.get("end", "").strip()
            if _TIME.fullmatch(start) and _TIME.fullmatch(end):
                cues.append(WrittenCue(_words(values.get("text", "")), seconds_of(start), seconds_of(end)))
    return TimedText(cues) if cues or is_whole else None


def _words(text: str) -> str:
    text = _BRACES.sub("", _DRAWING.sub("", text))
    return text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
