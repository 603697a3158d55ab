"""Emotion and its intensity over time: the condition that EMOTE receives beside the sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import InputError
from .files.csv_table import read_csv_table

EMOTIONS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
NUM_INTENSITIES = 3  # mild, medium, high
MAX_INTENSITY = float(NUM_INTENSITIES - 1)
DEFAULT_EMOTION = "neutral"
DEFAULT_INTENSITY = 1.0


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
        if not (weights >= 0).all() or not np.allclose(weights.sum(axis=1), 1.0, atol=1e-5):
            raise ValueError("each row of emotion_weights must be non-negative and sum to 1")
        for value in intensity:
            check_intensity(value)
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "emotion_weights", weights)
        object.__setattr__(self, "intensity", intensity)

    @classmethod
    def constant(cls, emotion: str = DEFAULT_EMOTION, intensity: float = DEFAULT_INTENSITY) -> EmotionTrack:
        """One emotion at one intensity (0 to 2) from start to end; raises InputError if either is not allowed."""
        check_intensity(intensity)
        return cls(np.zeros(1), one_hot(emotion)[None], np.array([intensity], dtype=np.float64))

    @classmethod
    def from_csv(cls, path: str | Path) -> EmotionTrack:
        """The track of a CSV file with the columns time_seconds, emotion and, optionally, intensity (1).

        Raises:
            InputError: naming file and line, if a value is missing or not allowed, or the times descend.
        """
        rows = read_csv_table(path, required=("time_seconds", "emotion"), optional=("intensity",))
        if not rows:
            raise InputError(f"{path} has no rows; write at least one line such as 0,happy,2 under the header")
        times: list[float] = []
        weights: list[np.ndarray] = []
        intensities: list[float] = []
        for row in rows:
            if not row.values["time_seconds"]:
                raise InputError(f"{row.place}: time_seconds is empty; write the time in seconds")
            time = row.number("time_seconds", 0.0)
            if times and time < times[-1]:
                raise InputError(f"{row.place}: time {time:g} s comes after {times[-1]:g} s; sort the rows by time")
            try:
                weights.append(one_hot(row.values["emotion"]))
                intensity = check_intensity(row.number("intensity", DEFAULT_INTENSITY))
            except InputError as error:
                text = str(error)
                raise (error if text.startswith(row.place) else InputError(f"{row.place}: {text}")) from None
            times.append(time)
            intensities.append(intensity)
        return cls(np.array(times), np.stack(weights), np.array(intensities))

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
