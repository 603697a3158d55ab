"""Emotion and its intensity over time: the condition that EMOTE receives beside the sound."""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import InputError
from .files.atomic_write import replacing
from .files.table import TableRow, read_table

logger = logging.getLogger(__name__)

EMOTIONS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
NUM_INTENSITIES = 3  # mild, medium, high
MAX_INTENSITY = float(NUM_INTENSITIES - 1)
DEFAULT_EMOTION = "neutral"
DEFAULT_INTENSITY = 1.0
_LARGEST_WEIGHT = 1e300  # that a mix may sum up without overflow
_SUM_TOLERANCE = 1e-5  # weights whose sum is as near to 1 are left as they are


@dataclass(frozen=True, eq=False)
class EmotionTrack:
    """Emotion and intensity at key times, linear between them and constant before the first and after the last.

    Two keys at one time make a cut: the first applies up to that time, the second from it on.

    Attributes:
        times: (K,) seconds from the start of the sound, not descending, K >= 1.
        emotion_weights: (K, 8) one column per name of EMOTIONS, not negative, rows sum to 1.
        intensity: (K,) 0 (mild) to 2 (high).
    """

    times: np.ndarray
    emotion_weights: np.ndarray
    intensity: np.ndarray

    def __post_init__(self) -> None:
        times = np.atleast_1d(np.asarray(self.times, dtype=np.float64))
        weights = np.atleast_2d(np.asarray(self.emotion_weights, dtype=np.float64))
        intensity = np.atleast_1d(np.asarray(self.intensity, dtype=np.float64))
        num_keys = len(times)
        if num_keys == 0 or weights.shape != (num_keys, len(EMOTIONS)) or intensity.shape != (num_keys,):
            raise ValueError(
                f"times (K,), emotion_weights (K, {len(EMOTIONS)}) and intensity (K,) with K >= 1 expected, "
                f"found {times.shape}, {weights.shape}, {intensity.shape}"
            )
        if not np.isfinite(times).all() or (np.diff(times) < 0).any():
            raise ValueError("times must be finite and must not descend")
        if not (weights >= 0).all() or not np.allclose(weights.sum(axis=1), 1.0, atol=_SUM_TOLERANCE):
            raise ValueError("each row of emotion_weights must be non-negative and sum to 1")
        for value in intensity:
            check_intensity(value)
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "emotion_weights", weights)
        object.__setattr__(self, "intensity", intensity)

    @classmethod
    def constant(cls, emotion: str = DEFAULT_EMOTION, intensity: float = DEFAULT_INTENSITY) -> EmotionTrack:
        """One emotion, or a mix (see `parse_mix`), at one intensity (0 to 2) from start to end.

        Raises:
            InputError: if emotion or intensity are not allowed.
        """
        check_intensity(intensity)
        return cls(np.zeros(1), parse_mix(emotion)[None], np.array([intensity], dtype=np.float64))

    @classmethod
    def from_csv(cls, path: str | Path, warn: Callable[[str], None] = logger.warning) -> EmotionTrack:
        """The track of a CSV file, or of JSON Lines, one key per row; see `read_table`.

        Columns: `time_seconds`; `emotion`, a name or a mix such as "happy 0.6 + surprise 0.4", or instead one column
        for each emotion with its weight (empty for 0; weights are divided by their sum); and, optionally, `intensity`
        (1).

        Raises:
            InputError: naming file, line and column, if a value is missing or not allowed, or the times descend.
        """
        numbers = ("time_seconds", "intensity", *EMOTIONS)
        rows = read_table(path, ("time_seconds",), ("emotion", "intensity", *EMOTIONS), numbers, warn=warn)
        if not rows:
            raise InputError(f"{path} has no rows; write at least one line such as 0,happy,2 under the header")
        times: list[float] = []
        weights: list[np.ndarray] = []
        intensities: list[float] = []
        for row in rows:
            row.require_usable()
            if not row.values["time_seconds"]:
                raise InputError(f"{row.place}: time_seconds is empty; write the time in seconds")
            time = row.number("time_seconds", 0.0)
            if time < 0:
                raise InputError(
                    f"{row.place}: time_seconds is {time:g}; times count from the sound's start, from 0 on"
                )
            if times and time < times[-1]:
                raise InputError(f"{row.place}: time {time:g} s comes after {times[-1]:g} s; sort the rows by time")
            weights.append(_row_weights(row))
            try:
                intensities.append(check_intensity(row.number("intensity", DEFAULT_INTENSITY)))
            except InputError as error:
                text = str(error)
                raise (error if text.startswith(row.place) else InputError(f"{row.place}: {text}")) from None
            times.append(time)
        return cls(np.array(times), np.stack(weights), np.array(intensities))

    def to_csv(self, path: str | Path) -> None:
        """Write a CSV file, whole or not at all, from which `from_csv` makes the same track.

        The column `emotion` has the names; if a key is a mix, there is a column for each emotion instead.

        Raises:
            InputError: if the file cannot be written, or the track has times below 0.
        """
        if self.times[0] < 0:
            raise InputError(f"the track begins at {self.times[0]:g} s; a CSV file counts from the sound's start")
        is_pure = bool(
            (self.emotion_weights.max(axis=1) == 1.0).all() and (self.emotion_weights.sum(axis=1) == 1).all()
        )
        columns = ("emotion",) if is_pure else EMOTIONS
        with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("time_seconds", *columns, "intensity"))
            for time, row, intensity in zip(self.times, self.emotion_weights, self.intensity, strict=True):
                cells = [EMOTIONS[int(row.argmax())]] if is_pure else map(_shortest, row)
                writer.writerow((_shortest(time), *cells, _shortest(intensity)))

    @classmethod
    def from_meta(cls, meta: dict[str, Any]) -> EmotionTrack | None:
        """The track that a motion's metadata describes (`pipeline.describe_track`); None if it describes none."""
        track, emotion, intensity = meta.get("emotion_track"), meta.get("emotion"), meta.get("intensity")
        try:
            if track is not None:
                return cls(track["times_seconds"], track["emotion_weights"], track["intensity"])
            if emotion is not None and intensity is not None:
                return cls.constant(emotion, float(intensity))
        except (KeyError, TypeError, ValueError, InputError):
            return None  # a file that somebody else wrote
        return None

    def at(self, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Emotion weights (T, 8) and intensity (T,) at the times `seconds` (T,); float64."""
        seconds = np.asarray(seconds, dtype=np.float64)
        later = np.searchsorted(self.times, seconds, side="right")
        after = np.minimum(later, len(self.times) - 1)
        before = np.maximum(later - 1, 0)
        span = self.times[after] - self.times[before]
        part = np.divide(seconds - self.times[before], span, out=np.zeros_like(seconds), where=span > 0)
        weights = self.emotion_weights[before] * (1 - part)[:, None] + self.emotion_weights[after] * part[:, None]
        intensity = self.intensity[before] * (1 - part) + self.intensity[after] * part
        return weights, intensity

    def condition(self, num_frames: int, fps: float) -> tuple[np.ndarray, np.ndarray]:
        """Emotion (T, 8) and intensity (T, 3) per frame, float32; frame k stands at k / fps seconds."""
        weights, intensity = self.at(np.arange(num_frames) / fps)
        return weights.astype(np.float32), intensity_levels(intensity).astype(np.float32)


def one_hot(emotion: str) -> np.ndarray:
    """Weights (8,) of one emotion by its name, upper or lower case; raises InputError that lists the names."""
    name = str(emotion).strip().lower()
    if name not in EMOTIONS:
        raise InputError(f"unknown emotion {str(emotion)!r}; choose one of {', '.join(EMOTIONS)}")
    return np.eye(len(EMOTIONS))[EMOTIONS.index(name)]


def parse_mix(text: str) -> np.ndarray:
    """Weights (8,) of one emotion's name, or of a mix such as "happy 0.6 + surprise 0.4", divided by their sum.

    An emotion without a number counts 1. A number may have a decimal comma.

    Raises:
        InputError: that names the part which cannot be read.
    """
    text = str(text)
    parts = text.split("+")
    if len(parts) == 1:
        return one_hot(text)
    weights = np.zeros(len(EMOTIONS))
    for part in parts:
        found = re.fullmatch(r"([A-Za-z]+)\s*(\d*[.,]?\d+)?", part.strip())
        if found is None:
            raise InputError(
                f"{part.strip()!r} in the mix {text.strip()!r} is no emotion with a weight; "
                "write for example happy 0.6 + surprise 0.4"
            )
        weights += min(float((found[2] or "1").replace(",", ".")), _LARGEST_WEIGHT) * one_hot(found[1])
    if not weights.any():
        raise InputError(
            f"the weights of the mix {text.strip()!r} are all 0; write for example happy 0.6 + surprise 0.4"
        )
    return weights / weights.sum()


def normalised_weights(weights: np.ndarray) -> np.ndarray:
    """Rows of weights (..., 8) divided by their sums; rows of zeros become neutral.

    Rows that sum to 1 already stay as they are, bit for bit. Values below 0, and what is no number, count as 0.
    """
    weights = np.maximum(np.nan_to_num(np.asarray(weights, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0), 0.0)
    largest = weights.max(axis=-1, keepdims=True)
    weights = np.where(largest > 0, weights, one_hot("neutral"))
    scaled = weights / np.where(largest > 0, largest, 1.0)  # so that no sum is too large
    with np.errstate(over="ignore"):
        sums_to_1 = np.abs(weights.sum(axis=-1, keepdims=True) - 1.0) < _SUM_TOLERANCE
    return np.where(sums_to_1, weights, scaled / scaled.sum(axis=-1, keepdims=True))


def intensity_levels(intensity: np.ndarray | float, num_levels: int = NUM_INTENSITIES) -> np.ndarray:
    """Weights (..., num_levels) of the levels for intensities (...) from 0 to num_levels - 1.

    A whole number is one-hot, as EMOTE's levels are (spec/EMOTE.md, 3.2); a number between two levels is the linear
    interpolation of their one-hot vectors.
    """
    return np.maximum(0.0, 1.0 - np.abs(np.asarray(intensity)[..., None] - np.arange(num_levels)))


def check_intensity(intensity: float) -> float:
    """The intensity as it was given; raises InputError unless it is a number from 0 to 2."""
    if not 0.0 <= intensity <= MAX_INTENSITY:
        raise InputError(f"intensity {intensity:g} is outside 0 to {MAX_INTENSITY:g} (0 mild, 1 medium, 2 high)")
    return float(intensity)


def _row_weights(row: TableRow) -> np.ndarray:
    """Weights (8,) of a row: those of its column emotion, or of the eight columns."""
    given = [name for name in EMOTIONS if row.values[name]]
    if row.values["emotion"]:
        if given:
            raise InputError(f"{row.place}: emotion and {given[0]} are both given; leave one of them empty")
        try:
            return parse_mix(row.values["emotion"])
        except InputError as error:
            raise InputError(f"{row.place}: {error}") from None
    if not given:
        raise InputError(
            f"{row.place}: emotion is empty; write a name or a mix there, or weights in the columns "
            f"{EMOTIONS[0]} to {EMOTIONS[-1]}"
        )
    weights = np.array([row.number(name, 0.0) for name in EMOTIONS])
    for name, weight in zip(EMOTIONS, weights, strict=True):
        if weight < 0:
            raise InputError(f"{row.place}: {name} is {weight:g}; write a weight from 0 on")
    return normalised_weights(weights)


def _shortest(value: float) -> str:
    """The shortest decimal number that reads back as this value."""
    return repr(float(value)).removesuffix(".0")
