"""SubRip, WebVTT, SubViewer, YouTube's SBV and the log of Whisper: a line with two times, then lines of text.

Also what editors and translators make of them: hours left out or above 99, a period for the comma, spaces within times,
`->` for `-->`, no empty line between cues, everything in one line.
"""

from __future__ import annotations

import math
import re

from .written_cue import TimedText, WrittenCue

# Digits are bounded, so that no text makes the search slow.
_CLOCK = r"[-−]?(?:\d{1,6} ?(?:[:;] ?\d{1,6} ?){1,3}(?:[.,] ?\d{1,9})?|\d{1,2}\.\d{2}\.\d{2}[.,]\d{1,3})"
_SECONDS = r"[-−]?\d{1,9}[.,]\d{1,9}"
_ARROW = r" {0,4}(?:-{1,3} ?(?:>|&gt;)|→|⟶) {0,4}"
_WITH_ARROW = re.compile(rf"(?<![\d:.,])(\[?)({_CLOCK}|{_SECONDS}){_ARROW}({_CLOCK}|{_SECONDS})")
_WITHOUT_ARROW = re.compile(rf"\[?({_CLOCK}) {{0,4}}[-–—,] {{0,4}}({_CLOCK})\]?")
# A line of times of which one or both are lost: "00:00:01,000 -->", "??:??:01 --> 00:00:02".
_DAMAGED_TIMES = re.compile(rf"([-−\d:;., xX?]{{0,30}}?){_ARROW}([-−\d:;., xX?]{{0,30}})")
_ARROW_SIGN = re.compile(">|&gt;|→|⟶")
_COUNTER = re.compile(r"#?\d{1,9}[.:]?")
_HALF_TIMES = re.compile(r"\d{1,6}:[-\d:;., >]{0,40}")
_BEFORE_TIMES = re.compile(r"(?:#?\d{1,9}[.:)]?\s+)?")
_COUNTER_AT_END = re.compile(r"(?:^|\s)(\d{1,9})$")
_VTT_LANGUAGE = re.compile(r"^Language:[ \t]*([\w-]{2,35})[ \t]*$", re.MULTILINE)


def read_time_lines(text: str) -> TimedText | None:
    """The cues of such a text; None if no line has two times."""
    is_vtt = text.lstrip().startswith("WEBVTT")
    lines = _lines(text)
    times = [_times(line) for line in lines]
    if any(times):
        times = [found or _damaged_times(line) for found, line in zip(times, lines)]
    places = [place for place, found in enumerate(times) if found is not None]
    if not places:
        return TimedText([]) if is_vtt else None
    header = [line for line in lines[: places[0]] if line]
    before = header[-1] if header else ""
    if not is_vtt and not _ARROW_SIGN.search(lines[places[0]]) and not all(map(_is_header, header)):
        return None  # a span of time in prose
    has_counters = _COUNTER.fullmatch(before) is not None
    cues = []
    for place, end in zip(places, [*places[1:], len(lines)]):
        found = times[place]
        assert found is not None
        body = [found[2], *lines[place + 1 : end]] if found[2] else lines[place + 1 : end]
        if is_vtt:
            body = _vtt_body(body)
        if end == len(lines):
            body = _without_half_times(body)
        if end < len(lines) or len(body) < end - place - 1:
            body = _without_counter(body, has_counters)
        cues.append(WrittenCue("\n".join(body).strip(), found[0], found[1]))
    language = _VTT_LANGUAGE.search(text[:1000]) if is_vtt else None
    return TimedText(cues, language.group(1) if language else "")


def seconds_of(clock: str) -> float:
    """Seconds of a time that matches `_CLOCK`: [[hours:]minutes:]seconds.fraction, or hours:minutes:seconds:frames.

    A fourth number of three digits is a fraction; of two, frames, taken as 30 per second.
    """
    clock = clock.replace(" ", "").replace(",", ".").replace("−", "-").replace(";", ":")
    clock = clock.replace(".", ":", clock.count(".") - 1)  # 00.00.01.500
    sign = -1.0 if clock.startswith("-") else 1.0
    parts = clock.lstrip("-").split(":")
    fraction = 0.0
    if len(parts) == 4:
        last = parts.pop()
        fraction = float(last) / (1000.0 if len(last) >= 3 else 30.0)
    seconds = 0.0
    for part in parts:
        seconds = 60.0 * seconds + float(part)
    return sign * (seconds + fraction)


def _lines(text: str) -> list[str]:
    """Lines without spaces around them; of a text in one line, times and counters are lines of their own."""
    text = text.strip()
    if "\n" in text:
        return [line.strip() for line in text.split("\n")]
    lines: list[str] = []
    start = 0
    for match in _WITH_ARROW.finditer(text):
        before = text[start : match.start()].strip()
        counter = _COUNTER_AT_END.search(before[-12:])
        if counter:
            before = before[: len(before) - len(counter.group(1))].strip()
        lines += [before, "", *([counter.group(1)] if counter else []), match.group()]
        start = match.end()
    return [*lines, text[start:].strip()]


def _times(line: str) -> tuple[float, float | None, str] | None:
    """Start, end, and text of a line of times; None for any other line.

    What stands behind the times is text only if they are in brackets, as in Whisper's log; else it is settings.
    """
    if _ARROW_SIGN.search(line):
        match = _WITH_ARROW.search(line)
        if match and _BEFORE_TIMES.fullmatch(line[: match.start()]):
            rest = line[match.end() :].lstrip()
            text = rest[1:].strip() if match.group(1) and rest.startswith("]") else ""
            return seconds_of(match.group(2)), seconds_of(match.group(3)), text
    elif (line[:1].isdigit() or line[:1] in "[-") and ":" in line and (match := _WITHOUT_ARROW.fullmatch(line)):
        return seconds_of(match.group(1)), seconds_of(match.group(2)), ""
    return None


def _damaged_times(line: str) -> tuple[float, float | None, str] | None:
    """What is left of the times of a line: NaN for a start that is lost, None for an end; None for any other line."""
    if not _ARROW_SIGN.search(line) or ":" not in line:
        return None
    match = _DAMAGED_TIMES.fullmatch(line)
    if match is None:
        return None
    start, end = (re.fullmatch(_CLOCK, part.strip()) for part in match.groups())
    return seconds_of(start.group()) if start else math.nan, seconds_of(end.group()) if end else None, ""


def _is_header(line: str) -> bool:
    """Whether a line may stand before the first line of times without an arrow: a counter, or SubViewer's settings."""
    return line.startswith("[") or _COUNTER.fullmatch(line) is not None


def _vtt_body(body: list[str]) -> list[str]:
    """The lines until an empty one; what follows is a note, a style, or the name of the next cue.

    YouTube's captions begin with a line of one space, which is lost here as in many editors.
    """
    start = next((index for index, line in enumerate(body) if line), len(body))
    if start and start < len(body) and body[start].startswith(("NOTE", "STYLE", "REGION")):
        return []
    end = next((index for index in range(start, len(body)) if not body[index]), len(body))
    return body[start:end]


def _without_half_times(body: list[str]) -> list[str]:
    """The lines of the last cue without the beginning of times, where the file breaks off."""
    end = len(body)
    while end and not body[end - 1]:
        end -= 1
    return body[: end - 1] if end and _HALF_TIMES.fullmatch(body[end - 1]) else body


def _without_counter(body: list[str], has_counters: bool) -> list[str]:
    """The lines of a cue without the number of the next, which stands before its times."""
    end = len(body)
    while end and not body[end - 1]:
        end -= 1
    if end and has_counters and _COUNTER.fullmatch(body[end - 1]):
        end -= 1
    return body[:end]
