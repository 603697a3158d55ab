"""SubRip, WebVTT, SubViewer and YouTube's SBV: a line with two times, then lines of text.

Also what editors and translators make of them: hours left out or above 99, a period for the comma, spaces within times,
`->` for `-->`, no empty line between cues, everything in one line.
"""

from __future__ import annotations

import re

from .written_cue import WrittenCue

# Digits are bounded, so that no text makes the search slow.
_CLOCK = r"[-−]?\d{1,6} ?(?:: ?\d{1,6} ?){1,3}(?:[.,] ?\d{1,9})?"
_SECONDS = r"[-−]?\d{1,9}[.,]\d{1,9}"
_ARROW = r" *(?:-{1,3} ?(?:>|&gt;)|→|⟶) *"
_TIMES_WITH_ARROW = re.compile(rf"({_CLOCK}|{_SECONDS}){_ARROW}({_CLOCK}|{_SECONDS})")
_TIMES_IN_A_LINE = re.compile(rf"\[?({_CLOCK}) *(?:,|-|–|—) *({_CLOCK})\]?", re.MULTILINE)
_COUNTER = re.compile(r"#?\d+[.:]?")


def is_time_lines(text: str) -> bool:
    """Whether the text has a line of two times."""
    return _TIMES_WITH_ARROW.search(text) is not None or any(
        _TIMES_IN_A_LINE.fullmatch(line.strip()) for line in text.splitlines()
    )


def read_time_lines(text: str) -> list[WrittenCue]:
    """The cues of such a text, in its order."""
    is_vtt = text.lstrip("\ufeff \r\n\t").startswith("WEBVTT")
    lines = _in_lines(text)
    times = [_times(line) for line in lines]
    places = [place for place, found in enumerate(times) if found is not None]
    has_counters = bool(places) and _COUNTER.fullmatch(_before(lines, places[0])) is not None
    cues = []
    for number, place in enumerate(places):
        end = places[number + 1] if number + 1 < len(places) else len(lines)
        body = lines[place + 1 : end]
        if number + 1 < len(places):
            body = _without_identifier(body, has_counters)
        if is_vtt:
            # An empty line ends the cue; what follows is a note, a style or the name of the next cue.
            body = body[: body.index("")] if "" in body else body
        found = times[place]
        assert found is not None
        cues.append(WrittenCue("\n".join(body).strip(), *found))
    return cues


def seconds_of(clock: str) -> float:
    """Seconds of a time: [[hours:]minutes:]seconds with a fraction, or hours:minutes:seconds:frames.

    A fourth number of three digits is a fraction; of two, frames, taken as 30 per second.
    """
    clock = clock.replace(" ", "").replace(",", ".").replace("−", "-")
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


def _in_lines(text: str) -> list[str]:
    """Lines without spaces around them; times that stand within a line are lines of their own."""
    text = text.lstrip("\ufeff")
    lines: list[str] = []
    for line in text.splitlines():
        line = line.strip()
        found = list(_TIMES_WITH_ARROW.finditer(line))
        if len(found) < 2 and not (found and found[0].start() and "\n" not in text.strip()):
            lines.append(line)
            continue
        start = 0
        for match in found:
            before = line[start : match.start()].strip()
            counter = re.search(r"(?:^|\s)(\d+)$", before)
            if counter:
                lines += [before[: counter.start()], "", counter.group(1)]
            else:
                lines += [before, ""]
            lines.append(match.group())
            start = match.end()
        lines.append(line[start:].strip())
    return lines


def _times(line: str) -> tuple[float, float] | None:
    """Start and end of a line of times; None for any other line."""
    match = _TIMES_WITH_ARROW.search(line) if ">" in line or "&gt;" in line or "→" in line or "⟶" in line else None
    match = match or (_TIMES_IN_A_LINE.fullmatch(line) if line[-1:].isdigit() or line[-1:] == "]" else None)
    return None if match is None else (seconds_of(match.group(1)), seconds_of(match.group(2)))


def _before(lines: list[str], place: int) -> str:
    """The last line before a place that is not empty."""
    return next((line for line in reversed(lines[:place]) if line), "")


def _without_identifier(body: list[str], has_counters: bool) -> list[str]:
    """The lines of a cue without the number or name of the next, which stands before its times."""
    end = len(body)
    while end and not body[end - 1]:
        end -= 1
    if end and has_counters and _COUNTER.fullmatch(body[end - 1]):
        end -= 1
    return body[:end]
