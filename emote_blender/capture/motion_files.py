"""Motions in files of any kind that this program knows: .npz, CSV, JSON, and text recordings of apps."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..motion import FaceMotion
from .app_texts import is_face_cap, is_ifacialmocap, read_face_cap, read_ifacialmocap
from .arkit_csv import read_arkit_csv, write_arkit_csv
from .clock import require_fps, seconds_of_start
from .json_motion import read_json_motion, write_json_motion
from .lines import text_lines
from .recording import Recording, motion_of_recording

logger = logging.getLogger(__name__)

MOTION_SUFFIX = ".npz"
WRITTEN_SUFFIXES = (MOTION_SUFFIX, ".csv", ".json")
READ_SUFFIXES = (*WRITTEN_SUFFIXES, ".txt", ".tsv")
CSV_FPS = 60.0
"""Frame rate at which a motion of another program is usually expected as CSV: that of Live Link Face."""


def load_motion(
    path: str | Path,
    fps: float | None = None,
    start: str = "",
    recorded_fps: float | None = None,
    warn: Callable[[str], None] = logger.warning,
) -> FaceMotion:
    """The motion in a file: of this program (.npz, .json), or captured (CSV, text) and then of the open basis.

    Args:
        path: the file; what it is follows from its content, .npz and .json from its name.
        fps: frames per second of the motion; None for those of the file.
        start: where in the file the motion, and the sound, begins: seconds from its first frame, or a timecode of it.
        recorded_fps: frames per second of a capture, in place of its times.
        warn: called with a sentence about what was assumed.

    Raises:
        InputError: if the file cannot be used.
    """
    path = Path(path)
    suffix = path.suffix.casefold()
    require_fps(fps)
    require_fps(recorded_fps)
    if suffix == MOTION_SUFFIX:
        motion = FaceMotion.load(path)
        return _from_start(motion, fps, seconds_of_start(start, 0.0) or 0.0, str(path))
    meta = None
    if suffix == ".json":
        recording, stated_fps, meta = read_json_motion(path)
        recorded_fps = recorded_fps or stated_fps
    else:
        recording = read_capture(path)
    first = float(recording.seconds[0]) if len(recording.seconds) and recorded_fps is None else 0.0
    begin = seconds_of_start(start, first, recording.timecode_count)
    motion, notes = motion_of_recording(recording, str(path), fps, begin, recorded_fps, meta)
    for note in notes:
        warn(f"{path.name}: {note}")
    return motion


def _from_start(motion: FaceMotion, fps: float | None, start: float, label: str) -> FaceMotion:
    """A motion from a time in seconds on, at a frame rate; None for its own."""
    if start == 0.0:
        return motion if fps is None else motion.resampled(fps)
    if start >= motion.duration_seconds:
        raise InputError(f"{label} lasts {motion.duration_seconds:.2f} s; give a start within it")
    rate = motion.fps if fps is None else fps
    count = max(1, round((motion.duration_seconds - start) * rate))
    return motion.sampled((start + np.arange(count) / rate) * motion.fps, rate)


def read_capture(path: Path) -> Recording:
    """The frames of a captured file: CSV, or a text recording; raises InputError if it is none."""
    lines = text_lines(path, "capture file")
    first = next(lines, None)
    if first is None:
        raise InputError(f"{path} is empty; choose a capture file")
    lines = itertools.chain([first], lines)
    read = (
        read_face_cap if is_face_cap(first[1]) else read_ifacialmocap if is_ifacialmocap(first[1]) else read_arkit_csv
    )
    return read(lines, str(path))


def save_motion(motion: FaceMotion, path: str | Path, fps: float | None = None) -> FaceMotion:
    """Write a motion in the format that the file's name says, and return it as it was written.

    Args:
        motion: the motion; for CSV and JSON with named components.
        path: a file of one of WRITTEN_SUFFIXES.
        fps: frames per second to write; None for CSV_FPS in CSV, else for the motion's own.

    Raises:
        InputError: if the name says no such format, the components have no names, or the file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.casefold()
    require_written_suffix(path)
    require_fps(fps)
    captured = motion.meta.get("capture")
    if fps is None and suffix == ".csv" and not captured:
        fps = CSV_FPS
    if fps is not None:
        motion = motion.resampled(fps)
    if suffix == MOTION_SUFFIX:
        motion.save(path)
    else:
        (write_arkit_csv if suffix == ".csv" else write_json_motion)(motion, path)
    return motion


def require_written_suffix(path: Path) -> None:
    """Raise InputError unless the file's name says a format that can be written."""
    if path.suffix.casefold() not in WRITTEN_SUFFIXES:
        raise InputError(f"{path} must end in .npz (motion), .csv (ARKit, Live Link Face) or .json")
