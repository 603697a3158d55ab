"""Formats with one time or one cue per line: lyrics (LRC), stamped transcripts, Audacity's labels, MicroDVD, MPL2."""

from __future__ import annotations

import re

from .time_lines import seconds_of
from .written_cue import TimedText, WrittenCue

_LYRICS_TIME = re.compile(r"\[(?:(\d{1,3}):(?=\d{2}:\d{2}))?(\d{1,4}):(\d{1,2})(?:[.:](\d{1,3}))?\][ \t]{0,4}")
_LYRICS_TAG = re.compile(r"\[([A-Za-z#]{1,12}):([^\]\n]*)\]")
# "0:12", "[00:01:12]", "Anna 0:12", "Speaker 1 (00:12):"
_STAMP = re.compile(
    r"(?:[^\W\d_][\w .'’-]{0,30}[ \t]{1,4})?[\[(]?(?P<clock>(?:\d{1,3}:)?\d{1,3}:\d{2}(?:[.,]\d{1,3})?)[\])]?:?"
)
# "00:00:12 Anna: words", "(0:12) words", "0:12 Anna: words"; "12:30 words" may be a time of day.
_CLOCK = r"(?:\d{1,3}:)?\d{1,3}:\d{2}(?:[.,]\d{1,3})?"
_SPEAKER = r"[^\W\d_][\w .'’-]{0,30}:[ \t]"
_STAMPED_LINE = re.compile(
    rf"(?:(\d{{1,3}}:\d{{2}}:\d{{2}}(?:[.,]\d{{1,3}})?)|\(({_CLOCK})\)|({_CLOCK})(?=[ \t]{{1,4}}{_SPEAKER}))"
    r"[ \t]{1,4}(\S.*)"
)
_NUMBER = r"-?\d{1,12}(?:[.,]\d{1,12})?"
_LABEL = re.compile(rf"({_NUMBER})\t({_NUMBER})(?:\t(.*))?")
_TSV_HEADER = "start\tend\ttext"
_MICRODVD = re.compile(r"\{ ?(\d{1,9}) ?\}\{ ?(\d{0,9}) ?\}(.*)")
_MPL2 = re.compile(r"\[(\d{1,9})\]\[(\d{0,9})\](.*)")
_FILM_FPS = 23.976  # of a MicroDVD file that does not name its frame rate


def read_lyrics(text: str) -> TimedText | None:
    """The cues of an LRC file, each until the next begins; None if most lines have no time in brackets."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    timed = [line for line in lines if _LYRICS_TIME.match(line)]
    tags = {match[1].lower(): match[2] for line in lines if (match := _LYRICS_TAG.fullmatch(line))}
    if not timed or 2 * (len(timed) + len(tags)) <= len(lines):
        return None
    try:
        offset = float(tags.get("offset", "0")) / 1000.0  # milliseconds; positive: earlier
    except ValueError:
        offset = 0.0
    cues = []
    for line in timed:
        starts, place = [], 0
        while match := _LYRICS_TIME.match(line, place):  # a chorus has a time for each repetition
            hours, minutes, seconds, fraction = match.groups()
            whole = 3600.0 * int(hours or 0) + 60.0 * int(minutes) + int(seconds)
            starts.append(whole + float(f"0.{fraction or 0}") - offset)
            place = match.end()
        words = re.sub(r"<\d{1,4}:\d{1,2}(?:[.:]\d{1,3})?>", " ", line[place:])
        cues += [WrittenCue(words, start, None) for start in starts]
    return TimedText(sorted(cues, key=lambda cue: cue.start_seconds))


def read_stamps(text: str) -> TimedText | None:
    """The cues of a transcript with a line for each time, as YouTube, Otter and Rev show it; None if it is none.

    The line has the time alone, or the name of the speaker with it, and the words follow on the next lines; or every
    line has a time and its words.
    """
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    stamped = [_STAMPED_LINE.fullmatch(line) for line in lines]
    if len(lines) > 1 and all(stamped):
        cues = [WrittenCue(match[4], seconds_of(match[1] or match[2] or match[3]), None) for match in stamped if match]
        starts = [cue.start_seconds for cue in cues]
        return TimedText(cues) if starts == sorted(starts) else None
    stamps = [(place, match) for place, line in enumerate(lines) if (match := _STAMP.fullmatch(line))]
    if len(stamps) < 2 or stamps[0][0] > 0 or 4 * len(stamps) < len(lines):
        return None
    starts = [seconds_of(match["clock"]) for _, match in stamps]
    if starts != sorted(starts):
        return None
    ends = [*(place for place, _ in stamps[1:]), len(lines)]
    return TimedText(
        [
            WrittenCue("\n".join(lines[place + 1 : end]), start, None)
            for (place, _), start, end in zip(stamps, starts, ends)
        ]
    )


def read_labels(text: str) -> TimedText | None:
    """The cues of a label track of Audacity, or of Whisper's TSV in milliseconds; None if a line is no label."""
    lines = [line for line in text.split("\n") if line.strip()]
    is_tsv = bool(lines) and lines[0].strip().lower() == _TSV_HEADER
    cues = []
    for line in lines[1:] if is_tsv else lines:
        if line.startswith("\\\t"):  # frequencies of the label above
            continue
        match = _LABEL.fullmatch(line)
        if match is None:
            return None
        start, end = (float(number.replace(",", ".")) / (1000.0 if is_tsv else 1.0) for number in match.groups()[:2])
        # A label at one point ends where the next begins.
        cues.append(WrittenCue(match.group(3) or "", start, None if start == end else end))
    return TimedText(cues) if cues else None


def read_frame_lines(text: str) -> TimedText | None:
    """The cues of MicroDVD (frames in braces) or MPL2 (tenths of seconds in brackets); None if a line is neither."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    pattern = _MICRODVD if text.lstrip().startswith("{") else _MPL2
    matches = [pattern.fullmatch(line) for line in lines]
    if not matches or not all(matches):
        return None
    found = [match.groups() for match in matches if match]
    rate = 10.0 if pattern is _MPL2 else _FILM_FPS
    if pattern is _MICRODVD and re.fullmatch(r"\d{1,3}([.,]\d{1,6})?", found[0][2].strip()):
        rate = float(found.pop(0)[2].replace(",", ".")) or _FILM_FPS
    cues = [
        WrittenCue(_frame_text(words), int(start) / rate, int(end) / rate if end else None)
        for start, end, words in found
    ]
    return TimedText(cues)


def _frame_text(text: str) -> str:
    """The text with line breaks, without the formats {y:i} of MicroDVD and / of MPL2."""
    text = re.sub(r"\{[A-Za-z]:[^{}]*\}", "", text)
    return "\n".join(line.strip().removeprefix("/") for line in text.split("|"))
