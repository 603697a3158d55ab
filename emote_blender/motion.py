"""Motion of a face: expression, jaw, eyes and neck per frame, from a speech model and for a head."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .errors import InputError
from .files.array_archive import read_arrays
from .files.atomic_write import replacing
from .motion_tools.rotation import axis_angle_to_quaternion, quaternion_to_axis_angle, slerp

_ROTATIONS = "jaw", "eyes", "neck"
_WIDTHS = {"jaw": 3, "eyes": 6, "neck": 3, "lids": 2, "eye_offsets": 6}
_ARRAYS = {"expression", "fps", "meta", *_WIDTHS}


@dataclass(frozen=True, eq=False)
class FaceMotion:
    """The motion of a face; frame k is at k / fps seconds from the start of the sound.

    Attributes:
        expression: (T, E) expression coefficients, float32, T >= 1.
        jaw: (T, 3) jaw rotation as axis-angle, radians, in the head's frame, float32.
        fps: frames per second.
        eyes: (T, 6) left then right eye rotation as axis-angle, radians, or None.
        neck: (T, 3) neck rotation as axis-angle, radians, or None.
        meta: how it was made, in values that JSON can hold: model, face, expression_names, emotion, intensity,
            speaker, audio, version, licence.
        lids: (T, 2) closure of the left and of the right lid, 0 open to 1 closed, for a basis that names no blinks;
            or None.
        eye_offsets: (T, 6) what a capture states about pitch, yaw and roll of the left and of the right eye beyond its
            eyeLook... components, radians; for export only; or None.
    """

    expression: np.ndarray
    jaw: np.ndarray
    fps: float
    eyes: np.ndarray | None = None
    neck: np.ndarray | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    lids: np.ndarray | None = None
    eye_offsets: np.ndarray | None = None

    def __post_init__(self) -> None:
        expression = np.asarray(self.expression, dtype=np.float32)
        if expression.ndim != 2 or not len(expression):
            raise ValueError(f"expression must be (T, E) with T >= 1, found {expression.shape}")
        if not np.isfinite(self.fps) or self.fps <= 0:
            raise ValueError(f"fps must be above zero, found {self.fps}")
        object.__setattr__(self, "expression", expression)
        object.__setattr__(self, "fps", float(self.fps))
        for name, width in _WIDTHS.items():
            values = getattr(self, name)
            if values is None and name != "jaw":
                continue
            values = np.asarray(values, dtype=np.float32)
            if values.shape != (len(expression), width):
                raise ValueError(f"{name} must be ({len(expression)}, {width}), found {values.shape}")
            object.__setattr__(self, name, values)

    @property
    def num_frames(self) -> int:
        """T, the number of frames."""
        return len(self.expression)

    @property
    def num_expression(self) -> int:
        """E, the number of expression components."""
        return self.expression.shape[1]

    @property
    def duration_seconds(self) -> float:
        """Length in seconds, each frame lasting 1 / fps."""
        return self.num_frames / self.fps

    def save(self, path: str | Path) -> None:
        """Write a motion file (.npz), whole or not at all; raises InputError if it cannot be written."""
        arrays = {"expression": self.expression, "jaw": self.jaw, "eyes": self.eyes, "neck": self.neck}
        arrays |= {"lids": self.lids, "eye_offsets": self.eye_offsets}
        given: dict[str, Any] = {name: values for name, values in arrays.items() if values is not None}
        meta = json.dumps(self.meta, ensure_ascii=False, sort_keys=True)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, fps=np.float64(self.fps), meta=np.array(meta), **given)

    @classmethod
    def load(cls, path: str | Path) -> FaceMotion:
        """The motion in a file that `save` wrote; raises InputError for any other file."""
        path = Path(path)
        if not os.path.isfile(path):
            raise InputError(f"{path} not found; choose a motion file (.npz)")
        try:
            arrays = read_arrays(path, _ARRAYS, f"{path}")
            meta = json.loads(str(arrays["meta"])) if "meta" in arrays else {}
        except InputError:
            raise
        # zlib.error, EOFError, OSError, struct.error, SyntaxError (in a header) ...: numpy's reader documents none.
        except Exception as error:
            raise InputError(f"{path} is not a motion file or is damaged ({error}); generate it again") from error
        for name in ("expression", "jaw", "fps"):
            if name not in arrays:
                raise InputError(f"{path} has no {name!r}; choose a motion file written by EMOTE")
        if not isinstance(meta, dict):
            raise InputError(f"{path}: meta is not a JSON object; generate the motion again")
        for name, values in arrays.items():
            if name != "meta" and not np.isfinite(values).all():
                raise InputError(f"{path}: {name} holds values that are not numbers; generate the motion again")
        if arrays["fps"].size != 1:
            raise InputError(f"{path}: fps must be one number, found shape {arrays['fps'].shape}")
        try:
            return cls(
                arrays["expression"],
                arrays["jaw"],
                float(arrays["fps"].reshape(())),
                arrays.get("eyes"),
                arrays.get("neck"),
                meta,
                arrays.get("lids"),
                arrays.get("eye_offsets"),
            )
        except ValueError as error:
            raise InputError(f"{path}: {error}; generate the motion again") from error

    @property
    def sound_seconds(self) -> float:
        """Length in seconds of the sound that was spoken, if it is known, else of the motion.

        A motion that was made for a strip may last up to a frame longer than the strip.
        """
        stated = self.meta.get("sound_seconds")
        if isinstance(stated, int | float) and abs(stated - self.duration_seconds) < 2 / self.fps:
            return float(stated)
        return self.duration_seconds

    def resampled(self, fps: float, duration_seconds: float | None = None) -> FaceMotion:
        """The same motion at `fps`: coefficients interpolated linearly, rotations on arcs, the last pose held.

        Args:
            fps: frames per second of the result.
            duration_seconds: length of the result, rounded to whole frames; None for the motion's own.
        """
        num_frames = max(1, round((self.duration_seconds if duration_seconds is None else duration_seconds) * fps))
        if (fps, num_frames) == (self.fps, self.num_frames):
            return self
        return self.sampled(np.arange(num_frames) * (self.fps / fps), fps)

    def sampled(self, position: np.ndarray, fps: float) -> FaceMotion:
        """The motion at any of its frames, interpolated as in `resampled`; the first and last pose are held.

        Args:
            position: (T',) frames of this motion, with fractions.
            fps: frames per second of the result.
        """
        position = np.clip(position, 0, self.num_frames - 1)
        before = np.floor(position).astype(int)
        after = np.minimum(before + 1, self.num_frames - 1)
        part = position - before
        parts: dict[str, Any] = {
            name: values[before] * (1 - part)[:, None] + values[after] * part[:, None]
            for name in ("expression", "lids", "eye_offsets")
            if (values := getattr(self, name)) is not None
        }
        parts |= {
            name: _between(getattr(self, name), before, after, part)
            for name in _ROTATIONS
            if getattr(self, name) is not None
        }
        return replace(self, fps=fps, **parts)

    def slice(self, start_seconds: float, end_seconds: float | None = None) -> FaceMotion:
        """The frames from the one nearest to `start_seconds` to before `end_seconds`, or to the end if that is None.

        Raises:
            ValueError: if no frame lies between them.
        """
        start = max(0, round(start_seconds * self.fps))
        end = self.num_frames if end_seconds is None else min(self.num_frames, round(end_seconds * self.fps))
        if end <= start:
            raise ValueError(f"no frame from {start_seconds} s to {end_seconds} s of {self.duration_seconds:g} s")
        parts: dict[str, Any] = {
            name: getattr(self, name)[start:end] for name in _WIDTHS if getattr(self, name) is not None
        }
        return replace(self, expression=self.expression[start:end], **parts)


def _between(axis_angle: np.ndarray, before: np.ndarray, after: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Axis-angle vectors (T', 3 n) on the arcs between the frames `before` and `after` of `axis_angle` (T, 3 n)."""
    quaternions = axis_angle_to_quaternion(axis_angle.reshape(len(axis_angle), -1, 3))
    blended = slerp(quaternions[before], quaternions[after], np.broadcast_to(part[:, None], (len(part), 1)))
    return quaternion_to_axis_angle(blended).reshape(len(part), -1)
