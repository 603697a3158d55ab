"""Captured frames as a file holds them, and the motion that they describe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import InputError
from ..motion import FaceMotion
from ..retarget.signals import ARKIT_NAMES
from .clock import FrameTimes, frame_times
from .columns import ANGLE_NAMES, motion_of_columns

MAX_FRAMES = 2_000_000  # 9 hours at 60 frames per second
_BLOCK_ROWS = 4096
_LONGEST_LEAD = 600.0  # seconds that the first pose is held at most
_LARGEST_TURN = 1.7  # radians of yaw or pitch; beyond, angles are in degrees
_LARGEST_ROLL = 3.3  # a phone on its side rolls by a quarter turn


@dataclass(frozen=True, eq=False)
class Recording:
    """The frames of a capture file.

    Attributes:
        names: names of the columns (`columns.COLUMN_NAMES`).
        values: (T, C) shapes from 0 to 1 and angles in radians, float32.
        seconds: (T,) times of the frames; empty if the file has none.
        start: the first time as the file writes it; "" without times.
        timecode_count: frames that its timecodes count in a second; None without timecodes.
        notes: sentences about what was assumed or left out.
    """

    names: tuple[str, ...]
    values: np.ndarray
    seconds: np.ndarray
    start: str = ""
    timecode_count: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(eq=False)
class Rows:
    """The rows of a file, gathered in blocks of float32.

    Attributes:
        place: the file, for error sentences.
        num_columns: values of a row.
        num_rows: rows that were added.
        num_lost: rows without usable values.
        first_loss: why the first of them has none.
    """

    place: str
    num_columns: int
    num_rows: int = 0
    num_lost: int = 0
    first_loss: str = ""
    _blocks: list[np.ndarray] = field(default_factory=list)
    _open: list[list[float]] = field(default_factory=list)

    def add(self, values: list[float]) -> None:
        """Add a row of finite numbers."""
        if self.num_rows >= MAX_FRAMES:
            raise InputError(f"{self.place} has more than {MAX_FRAMES:,} frames; cut it into parts")
        self.num_rows += 1
        self._open.append(values)
        if len(self._open) == _BLOCK_ROWS:
            self._blocks.append(np.array(self._open, np.float32))
            self._open.clear()

    def lose(self, reason: str) -> None:
        """Count a row without usable values."""
        self.num_lost += 1
        self.first_loss = self.first_loss or reason

    def array(self) -> np.ndarray:
        """(T, C) the values; raises InputError if there are none."""
        if not self.num_rows:
            detail = f"; {self.first_loss}" if self.first_loss else ""
            raise InputError(f"{self.place} has no frame with values{detail}; record again or choose another file")
        if self._open:
            self._blocks.append(np.array(self._open, np.float32))
            self._open.clear()
        self._blocks = [np.concatenate(self._blocks)]
        return self._blocks[0]

    def notes(self) -> list[str]:
        """A sentence about lost rows, if there are any."""
        if not self.num_lost:
            return []
        rows = "1 row has" if self.num_lost == 1 else f"{self.num_lost} rows have"
        return [f"{rows} no usable values and {'is' if self.num_lost == 1 else 'are'} bridged: {self.first_loss}"]


def in_usual_units(names: Iterable[str], values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Shapes from 0 to 1 and angles in radians, and sentences about what was converted; may change `values`.

    Args:
        names: names of the columns.
        values: (T, C) as the file holds them: shapes as shares or in per cent, angles in radians or degrees.
    """
    names, notes = list(names), []
    shapes = [column for column, name in enumerate(names) if name not in ANGLE_NAMES]
    most = float(np.abs(values[:, shapes]).max()) if shapes else 0.0
    if most > 10.0 or most > 1.0 and _are_whole(values[:, shapes]):
        values[:, shapes] /= 100.0
        notes.append(f"values up to {most:g} are taken as per cent")
    angles = [column for column, name in enumerate(names) if name in ANGLE_NAMES]
    rolls = [column for column in angles if names[column].endswith("Roll")]
    turns = [column for column in angles if column not in rolls]
    largest = [float(np.abs(values[:, part]).max()) if part else 0.0 for part in (turns, rolls)]
    if largest[0] > _LARGEST_TURN or largest[1] > _LARGEST_ROLL:
        values[:, angles] = np.radians((values[:, angles] + 180.0) % 360.0 - 180.0)
        notes.append(f"angles up to {max(largest):.4g} are taken as degrees")
    return values, notes


def _are_whole(values: np.ndarray) -> bool:
    return bool((values == np.round(values)).all())


def motion_of_recording(
    recording: Recording,
    label: str,
    fps: float | None = None,
    start_seconds: float | None = None,
    recorded_fps: float | None = None,
    meta: dict[str, Any] | None = None,
) -> tuple[FaceMotion, list[str]]:
    """The motion of the open basis that was captured, and sentences about what was assumed.

    Times count, not numbers of frames: frames that were dropped are interpolated, repeated ones left out. Frames on an
    even grid are kept as they are if no other frame rate or start is asked for.

    Args:
        recording: the frames.
        label: the file, for error sentences.
        fps: frames per second of the motion; None for those of the recording.
        start_seconds: time on the recording's clock at which the motion, and the sound, begins; None for its first.
        recorded_fps: frames per second of the recording, in place of its times.
        meta: further metadata of the motion; None for what is known of the capture.

    Raises:
        InputError: if the start is not near the recording, or its times span too long.
    """
    notes = list(recording.notes)
    num_frames = len(recording.values)
    if recorded_fps is None and len(recording.seconds):
        times = frame_times(recording.seconds)
        if not len(times.seconds):
            notes.append(f"its times do not advance as those of a face do; its rows are taken as {times.rate:g} fps")
    else:
        if recorded_fps is None:
            notes.append("it states no times; its rows are taken as 60 fps")
        times = FrameTimes(np.arange(num_frames), np.empty(0), recorded_fps or 60.0, True)
    seconds = times.seconds if len(times.seconds) else np.arange(num_frames) / times.rate
    if times.is_even:
        seconds = seconds[0] + np.arange(len(seconds)) / times.rate
    elif len(times.kept) == num_frames:
        longest = float(np.diff(seconds).max())
        notes.append(f"frames are missing (the longest gap is {longest:.2f} s) and are interpolated")
    if len(times.kept) < num_frames:
        notes.append(f"{num_frames - len(times.kept)} rows that repeat a time or step back are left out")
    values = recording.values[times.kept]
    columns = {name: values[:, number] for number, name in enumerate(recording.names)}
    capture = {"start": recording.start, "fps": times.rate} if recording.start else {"fps": times.rate}
    motion = motion_of_columns(columns, times.rate, {"capture": capture} if meta is None else meta)
    begin = seconds[0] if start_seconds is None else start_seconds
    if begin > seconds[-1]:
        raise InputError(
            f"{label} ends {begin - seconds[-1]:.2f} s before the start that was asked for; give a time within it"
        )
    if begin < seconds[0] - _LONGEST_LEAD:
        raise InputError(
            f"{label} begins {seconds[0] - begin:.0f} s after the start that was asked for; give a time near its first"
        )
    rate = times.rate if fps is None else fps
    if rate == times.rate and times.is_even and begin == seconds[0]:
        return motion, notes
    count = int(np.floor((seconds[-1] - begin) * rate + 1e-3)) + 1
    if count > MAX_FRAMES:
        raise InputError(
            f"the times of {label} span {(seconds[-1] - begin) / 3600:.1f} hours ({count:,} frames); correct them, or "
            "give the frame rate at which it was recorded"
        )
    grid = begin + np.arange(count) / rate
    return motion.sampled(np.interp(grid, seconds, np.arange(len(seconds))), rate), notes


def require_shapes(names: Iterable[str], label: str) -> None:
    """Raise InputError unless at least one column is a blend shape."""
    if not any(name in ARKIT_NAMES for name in names):
        raise InputError(
            f"{label} names none of ARKit's blend shapes, such as JawOpen; choose a capture of Live Link Face, "
            "Face Cap or another app that writes them"
        )
