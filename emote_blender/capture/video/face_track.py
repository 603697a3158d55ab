"""The result of tracking: 478 points and 52 scores of one face in each frame, and where they cannot be trusted."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ...files.array_archive import read_arrays
from ...files.atomic_write import replacing
from .landmarker import NUM_POINTS, SCORE_NAMES

_ARRAYS = ("times", "points", "scores", "reasons", "breaks", "image_size")


class Reason(IntEnum):
    """Why a frame's points cannot be trusted. The numbers are part of the file format."""

    NONE = 0
    NO_FACE = 1
    TOO_SMALL = 2
    TURNED_AWAY = 3
    COVERED = 4
    JUMPED = 5

    @property
    def sentence_part(self) -> str:
        """The reason in words."""
        return _WORDS[self]


_WORDS = {
    Reason.NONE: "the face is seen",
    Reason.NO_FACE: "no face",
    Reason.TOO_SMALL: "the face is too small",
    Reason.TURNED_AWAY: "the face is turned away",
    Reason.COVERED: "the face is covered or blurred",
    Reason.JUMPED: "the points jump",
}


@dataclass(frozen=True)
class Gap:
    """Frames in a row whose points cannot be trusted for one reason.

    Attributes:
        start: first frame.
        stop: the frame after the last one.
        start_seconds: time of the first frame.
        stop_seconds: time of the frame after the last one, or of the last one at the end of the track.
        reason: why.
    """

    start: int
    stop: int
    start_seconds: float
    stop_seconds: float
    reason: Reason


@dataclass(frozen=True, eq=False)
class FaceTrack:
    """One face in a video.

    Places are in pixels of the video as it is shown, from its left and top edges; depth is in the same unit, relative
    to the head, and falls towards the camera.

    Attributes:
        times: (T,) seconds from the beginning of the file, rising; T >= 1.
        points: (T, 478, 3) float32 x, y and depth; NaN where no face was found. A track of more than some minutes is
            mapped from a temporary file and cannot be written to.
        scores: (T, 52) float32 from 0 to 1, in the order of `landmarker.SCORE_NAMES`; NaN where no face was found.
        reasons: (T,) uint8, a `Reason` for each frame. Points are there, but not good, for all but NO_FACE.
        breaks: (T,) bool, frames in which the face is found anew: it may not be continuous with the frame before.
        image_size: width and height of the video as it is shown, pixels.
        meta: how it was made, in values that JSON can hold: video, mirrored, notes, people, sound_start_seconds, fps.
    """

    times: np.ndarray
    points: np.ndarray
    scores: np.ndarray
    reasons: np.ndarray
    breaks: np.ndarray
    image_size: tuple[int, int]
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        times = np.asarray(self.times, np.float64)
        if times.ndim != 1 or not len(times) or not (np.diff(times) > 0).all():
            raise ValueError("times must be (T,) and rise, with T >= 1")
        expected = {
            "points": (len(times), NUM_POINTS, 3),
            "scores": (len(times), len(SCORE_NAMES)),
            "reasons": (len(times),),
            "breaks": (len(times),),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must be {shape}, found {getattr(self, name).shape}")
        if (self.reasons > max(Reason)).any():
            raise ValueError(f"unknown reason {self.reasons.max()}")
        object.__setattr__(self, "times", times)

    @property
    def num_frames(self) -> int:
        """T, the number of frames."""
        return len(self.times)

    @property
    def is_seen(self) -> np.ndarray:
        """(T,) bool, frames whose points can be trusted."""
        return self.reasons == Reason.NONE

    @property
    def cuts(self) -> np.ndarray:
        """(T,) bool, frames in which the face is elsewhere than in the frame before, which shows it too."""
        has_face = self.reasons != Reason.NO_FACE
        return self.breaks & has_face & np.r_[False, has_face[:-1]]

    def seen_points(self) -> np.ndarray:
        """(T, 478, 3) points, NaN in all frames whose points cannot be trusted: what a fit takes."""
        return np.where(self.is_seen[:, None, None], self.points, np.float32(np.nan))

    def gaps(self) -> list[Gap]:
        """Frames whose points cannot be trusted, by reason, in the order of their times."""
        edges = [0, *(np.flatnonzero(np.diff(self.reasons)) + 1).tolist(), self.num_frames]
        return [
            Gap(start, stop, float(self.times[start]), float(self.times[min(stop, self.num_frames - 1)]), reason)
            for start, stop in zip(edges[:-1], edges[1:])
            if (reason := Reason(int(self.reasons[start]))) != Reason.NONE
        ]

    def remarks(self) -> list[str]:
        """What the video's reader noted, and where the face could not be seen, one sentence each."""
        gaps = [
            f"{gap.start_seconds:.2f} to {gap.stop_seconds:.2f} s: {gap.reason.sentence_part}" for gap in self.gaps()
        ]
        return [*self.meta.get("notes", ()), *gaps]

    def save(self, path: str | Path) -> None:
        """Write a track (.npz), whole or not at all; raises InputError if it cannot be written."""
        arrays: dict[str, Any] = {name: np.asarray(getattr(self, name)) for name in _ARRAYS}
        arrays["breaks"] = arrays["breaks"].astype(np.uint8)
        meta = json.dumps(self.meta, ensure_ascii=False, sort_keys=True)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, meta=np.array(meta), **arrays)

    @classmethod
    def load(cls, path: str | Path) -> FaceTrack:
        """The track in a file that `save` wrote; raises InputError for any other file."""
        path = Path(path)
        if not os.path.isfile(path):
            raise InputError(f"{path} not found; choose a face track (.npz)")
        try:
            arrays = read_arrays(path, {*_ARRAYS, "meta"}, f"{path}", "face track")
            meta = json.loads(str(arrays["meta"])) if "meta" in arrays else {}
        except InputError:
            raise
        except Exception as error:  # of many kinds, see `read_arrays`
            raise InputError(f"{path} is not a face track or is damaged ({error}); track the video again") from error
        if missing := [name for name in _ARRAYS if name not in arrays]:
            raise InputError(f"{path} has no {missing[0]!r}; choose a face track written by EMOTE")
        try:
            _require_sane(arrays, meta)
            width, height = (int(size) for size in arrays["image_size"])
            return cls(
                arrays["times"],
                arrays["points"].astype(np.float32, copy=False),
                arrays["scores"].astype(np.float32, copy=False),
                arrays["reasons"].astype(np.uint8),
                arrays["breaks"].astype(bool),
                (width, height),
                meta,
            )
        except ValueError as error:
            raise InputError(f"{path}: {error}; track the video again") from error


def _require_sane(arrays: dict[str, np.ndarray], meta: Any) -> None:
    """Raise ValueError for values that no tracking gives."""
    if not isinstance(meta, dict):
        raise ValueError("meta is not a JSON object")
    if arrays["image_size"].shape != (2,) or not (0 < arrays["image_size"]).all():
        raise ValueError("image_size must be two numbers above zero")
    if not np.isfinite(arrays["times"]).all():
        raise ValueError("times holds values that are not numbers")
    if arrays["reasons"].dtype != np.uint8:
        raise ValueError(f"reasons must be uint8, found {arrays['reasons'].dtype}")
    if len(arrays["reasons"]) != len(arrays["points"]):
        raise ValueError("reasons and points differ in length")
    there = arrays["reasons"] != Reason.NO_FACE
    for name in ("points", "scores"):
        if not np.isfinite(arrays[name][there]).all():
            raise ValueError(f"{name} holds values that are not numbers in frames with a face")
