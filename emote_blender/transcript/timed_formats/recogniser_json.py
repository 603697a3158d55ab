"""What speech recognisers write as JSON: Whisper in its many forms, Vosk, those of the clouds; YouTube's captions."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from .time_lines import seconds_of
from .written_cue import TimedText, WrittenCue

# Where the pieces of text are, sentences before words: Whisper; transformers; whisper.cpp; AssemblyAI; WhisperX; Vosk.
_LISTS = ("segments", "chunks", "transcription", "utterances", "words", "word_segments", "result", "results", "events")
_TEXTS = ("text", "punctuated_word", "word", "transcript", "content")
_STARTS = ("start", "start_time", "startTime", "ts", "begin")
_ENDS = ("end", "end_time", "endTime", "end_ts")
_MOST_DEEP = 6
_CLOCK = re.compile(r"-?\d{1,6}(?::\d{1,6}){1,2}(?:[.,]\d{1,9})?")
_LONGEST_IN_SECONDS = 60.0  # a piece that would be longer on average is timed in milliseconds


def read_json(text: str) -> TimedText | None:
    """The pieces of text with times in such a file; None if the text is no JSON, or holds none."""
    data = _loaded(text)
    cues = _cues(data)
    return TimedText(cues, _language(data)) if cues else None


def words_of_json(text: str) -> str | None:
    """The words of a recogniser's file without times, {"text": "..."}; None if the text is no JSON, "" for another."""
    data = _loaded(text)
    items = data if isinstance(data, list) else [data]
    if not all(isinstance(item, dict) for item in items):
        return None
    return "\n".join(piece for item in items if isinstance(piece := _first(item, _TEXTS), str))


def _loaded(text: str) -> Any:
    """The value of a JSON text, or the list of the values of JSON Lines; None if the text is neither."""
    text = text.strip()
    if text[:1] not in ("{", "["):
        return None
    decoder, values, place = json.JSONDecoder(), [], 0
    try:
        while place < len(text):
            value, place = decoder.raw_decode(text, place)
            values.append(value)
            place += len(text[place : place + 100]) - len(text[place : place + 100].lstrip())
    except (ValueError, RecursionError):
        return None
    return values[0] if len(values) == 1 else values


def _cues(data: Any, depth: int = 0) -> list[WrittenCue]:
    """The cues of the first list of pieces that holds any: of the known names, then of any."""
    if depth > _MOST_DEEP:
        return []
    if isinstance(data, list):
        cues = [cue for item in data if isinstance(item, dict) and (cue := _cue(item)) is not None]
        return _in_seconds(cues, data) if cues else [cue for item in data for cue in _cues(item, depth + 1)]
    if isinstance(data, dict):
        for name in (*(name for name in _LISTS if name in data), *data):
            if isinstance(data[name], list | dict) and (cues := _cues(data[name], depth + 1)):
                return cues
    return []


def _cue(item: dict[str, Any]) -> WrittenCue | None:
    """A piece of text with its times; None if it is something else. A time that cannot be read is NaN."""
    if isinstance(item.get("segs"), list) and "tStartMs" in item:  # YouTube's json3
        shown = "".join(str(part.get("utf8", "")) for part in item["segs"] if isinstance(part, dict))
        begin, length = _seconds(item["tStartMs"]) / 1000.0, _seconds(item.get("dDurationMs"))
        return WrittenCue(shown, begin, None if math.isnan(length) else begin + length / 1000.0)
    best = item.get("alternatives")  # Amazon's words
    named = {**best[0], **item} if isinstance(best, list) and best and isinstance(best[0], dict) else item
    # Rev's words; a value with another name of its time is that of a curve or a mouth shape.
    text = item.get("value") if "ts" in item else _first(named, _TEXTS)
    if not isinstance(text, str):
        return None
    start, end, scale = _first(item, _STARTS), _first(item, _ENDS), 1.0
    offsets, stamp = item.get("offsets"), item.get("timestamp", item.get("timestamps"))
    if isinstance(offsets, dict):
        start, end, scale = offsets.get("from"), offsets.get("to"), 1000.0
    elif isinstance(stamp, dict):
        start, end = stamp.get("from"), stamp.get("to")
    elif isinstance(stamp, list) and len(stamp) == 2:
        start, end = stamp
    elif start is None and end is None:
        return None
    begin, stop = _seconds(start) / scale, _seconds(end) / scale
    if math.isnan(stop):
        stop = begin + _seconds(item.get("duration", item.get("dur")))
    return WrittenCue(text, begin, None if math.isnan(stop) else stop)


def _first(item: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The first of these entries that there is."""
    return next((item[name] for name in names if name in item), None)


def _seconds(value: Any) -> float:
    """A number, a number as text ("1.5s"), or a clock; NaN for all else."""
    if isinstance(value, str):
        value = value.strip().removesuffix("s")
        if _CLOCK.fullmatch(value):
            return seconds_of(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def _in_seconds(cues: list[WrittenCue], data: list[Any]) -> list[WrittenCue]:
    """The cues in seconds, if they were in whole milliseconds."""
    lengths = [cue.end_seconds - cue.start_seconds for cue in cues if cue.end_seconds is not None]
    known = [length for length in lengths if math.isfinite(length)]
    is_whole = all(isinstance(_first(item, _STARTS), int) for item in data if isinstance(item, dict))
    if not is_whole or not known or sum(known) / len(known) < _LONGEST_IN_SECONDS:
        return cues
    return [
        WrittenCue(cue.text, cue.start_seconds / 1e3, None if cue.end_seconds is None else cue.end_seconds / 1e3)
        for cue in cues
    ]


def _language(data: Any) -> str:
    """The language that the file names."""
    if not isinstance(data, dict):
        return ""
    inner = data.get("result")
    found = (
        data.get("language") or data.get("language_code") or (inner.get("language") if isinstance(inner, dict) else "")
    )
    return found if isinstance(found, str) else ""
