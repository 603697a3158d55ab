"""The times of a capture's frames: timecodes and numbers to seconds, and the frame rate they show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..files.table import parse_number

TIMECODE_RATE = 60.0
"""Frames that a timecode of Live Link Face counts per second, whatever rate was recorded."""
_RATES = (24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 72.0, 90.0, 100.0, 120.0, 240.0)
_NTSC_RATES = (24000 / 1001, 30000 / 1001, 60000 / 1001)
_COUNTS = (*_RATES, 1000.0)  # what the last field of a timecode may count; some write milliseconds there
_TIMECODE = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2})(?:([:;])(\d{1,4}(?:[.,]\d*)?)|([.,]\d+))?")
_DAY_SECONDS = 86400.0
_LEAST_RATE = 5.0  # no face is captured with fewer frames a second


@dataclass(frozen=True, eq=False)
class FrameTimes:
    """When frames were captured.

    Attributes:
        kept: (T',) numbers of the frames in order of time, without those that repeat a time.
        seconds: (T',) their times, ascending; empty if the times cannot be used.
        rate: frames per second.
        is_even: whether they lie on a grid of this rate, within half a frame.
    """

    kept: np.ndarray
    seconds: np.ndarray
    rate: float
    is_even: bool


def parse_timecode(text: str) -> tuple[float, float] | None:
    """Seconds, and the frames after them, of a timecode such as 13:04:31:22.652; None if it is none."""
    found = _TIMECODE.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds, _, frames, fraction = found.groups()
    whole = 3600.0 * int(hours) + 60.0 * int(minutes) + int(seconds)
    return whole + float((fraction or "0").replace(",", ".")), float((frames or "0").replace(",", "."))


def format_timecode(seconds: float) -> str:
    """The timecode of a time, as Live Link Face writes it: sixtieths of a second with thousandths of them."""
    thousandths = round(seconds * TIMECODE_RATE * 1000)
    frames, part = divmod(thousandths, 1000)
    whole, frame = divmod(frames, int(TIMECODE_RATE))
    return f"{whole // 3600 % 24:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}:{frame:02d}.{part:03d}"


def seconds_of_timecodes(whole: np.ndarray, frames: np.ndarray) -> tuple[np.ndarray, float]:
    """(T,) seconds of timecodes, and how many frames they count in a second, which is seen where one begins.

    Args:
        whole: (T,) seconds.
        frames: (T,) frames after them.
    """
    steps, seconds = np.diff(frames), np.diff(whole)
    within = steps[(seconds == 0) & (steps > 0)]
    step = float(np.median(within)) if len(within) else 1.0
    turns = step - steps[seconds == 1]
    most = float(frames.max()) if len(frames) else 0.0
    possible = [count for count in _COUNTS if count > np.floor(most)] or [most + 1.0]
    if len(turns):
        count = min(possible, key=lambda count: abs(count - float(np.median(turns))))
    else:
        count = TIMECODE_RATE if TIMECODE_RATE in possible else possible[0]
    midnights = np.concatenate([[0.0], np.cumsum(np.where(seconds < -_DAY_SECONDS / 2, _DAY_SECONDS, 0.0))])
    return whole + midnights[: len(whole)] + frames / count, float(count)


def number_unit(title: str, numbers: np.ndarray) -> float:
    """Seconds that one unit of a numeric time column lasts, by the column's title, else by the usual step."""
    title = re.sub(r"[\W_]+", " ", title.casefold())
    for pattern, unit in ((r"ms\b|milli", 1e-3), (r"\bus\b|micro", 1e-6), (r"\bns\b|nano", 1e-9)):
        if re.search(pattern, title):
            return unit
    if re.search(r"frame", title):
        return 1.0 / TIMECODE_RATE
    steps = np.diff(numbers)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    return next((unit for largest, unit in ((0.5, 1.0), (500.0, 1e-3), (5e5, 1e-6)) if step < largest), 1e-9)


def frame_times(seconds: np.ndarray) -> FrameTimes:
    """The rate and the order of frames by their times; a frame that is not after all before it is left out."""
    kept = np.concatenate([[0], 1 + np.flatnonzero(seconds[1:] > np.maximum.accumulate(seconds)[:-1])])
    times = seconds[kept]
    steps = np.diff(times)
    if len(seconds) == 1:
        return FrameTimes(kept, times, TIMECODE_RATE, True)
    if 2 * len(kept) <= len(seconds) or 1.0 / np.median(steps) < _LEAST_RATE:
        return FrameTimes(np.arange(len(seconds)), np.empty(0), TIMECODE_RATE, True)
    span, count = float(times[-1] - times[0]), len(times) - 1
    grid = times[0] + np.arange(len(times)) * (span / count)
    if float(np.abs(times - grid).max()) < 0.5 * span / count:
        return FrameTimes(kept, times, _usual_rate(count / span, 0.5 / count), True)
    return FrameTimes(kept, times, _usual_rate(1.0 / float(np.median(steps)), 0.02), False)


def _usual_rate(rate: float, tolerance: float) -> float:
    """The usual frame rate within a share `tolerance` of this one, else this one."""
    usual = min((*_RATES, *_NTSC_RATES), key=lambda other: abs(other - rate))
    return usual if abs(usual - rate) <= min(tolerance, 0.02) * rate else rate


def time_titles(titles: Sequence[str]) -> int | None:
    """The number of the column that holds the time; None if there is none."""
    plain = [re.sub(r"[\W_\d]+", "", title.casefold()) for title in titles]
    for pattern in (
        r"timecode",
        r"(time|timestamp|t)",
        r"(time|timestamp|elapsed).*|.*(seconds|millis\w*)",
        r"frame\w*",
    ):
        for number, title in enumerate(plain):
            if re.fullmatch(pattern, title):
                return number
    return None


def seconds_of_start(text: str, first: float, count: float | None = None) -> float | None:
    """The time on a recording's clock that a person writes: seconds from its first frame, or a timecode.

    Args:
        text: the time; "" for None.
        first: time of the first frame on the clock.
        count: frames that the recording's timecodes count in a second; None if it has none.

    Raises:
        InputError: if the text is no time, or a timecode of a recording without timecodes.
    """
    text = text.strip()
    if not text:
        return None
    time = parse_timecode(text)
    if time is not None and count is None:
        raise InputError(f"the file has no timecodes, so it cannot begin at {text}; give seconds from its first frame")
    if time is not None and count is not None:
        seconds = time[0] + time[1] / count
        return seconds + _DAY_SECONDS if seconds < first - _DAY_SECONDS / 2 else seconds
    number = parse_number(text, has_decimal_commas=True)
    if number is None:
        raise InputError(f"a start is seconds or a timecode such as 13:04:31:22.5, found {text!r}")
    return first + number


def require_fps(fps: float | None) -> None:
    """Raise InputError unless a frame rate that was asked for is one; None is."""
    if fps is not None and not 1.0 <= fps <= 1000.0:
        raise InputError(f"frames per second must be from 1 to 1000, found {fps:g}")
