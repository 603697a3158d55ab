"""What inference gave for one line, in the form that a take keeps: enough to refine it again without the model."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from ..files.array_archive import read_arrays
from ..motion import FaceMotion

_FORMAT = 1
_PARTS = ("expression", "jaw", "eyes", "neck", "lids", "eye_offsets")
_PREFIXES = ("", "neutral_", "captured_")
_SEEN = "captured_seen"
_ARRAYS = {*(prefix + name for prefix in _PREFIXES for name in _PARTS), _SEEN, "loudness_db", "pitch_hz", "meta", "fps"}


@dataclass(frozen=True, eq=False)
class Prosody:
    """Loudness and pitch of the voice, one value per frame of the motion.

    Attributes:
        loudness_db: (T,) level of the sound, dB of full scale, float32; -100 for silence.
        pitch_hz: (T,) fundamental frequency, Hz, float32; 0 where the sound is not voiced.
    """

    loudness_db: np.ndarray
    pitch_hz: np.ndarray


@dataclass(frozen=True, eq=False)
class CapturedFace:
    """The face of a video, as it was fitted.

    Attributes:
        motion: of the same components as the take's motions, at a frame rate of its own.
        seen: (T,) bool, its frames in which the face was seen.
        start_seconds: time in it at which the take begins.
    """

    motion: FaceMotion
    seen: np.ndarray
    start_seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class RawTake:
    """The motion of a line as the model gave it.

    Attributes:
        emotional: the motion with the emotion that was asked for.
        neutral: the same line without emotion, with the same number of frames, or None.
        prosody: of the line's sound, or None.
        exact: whether float32 is stored, as of a motion that was not generated here; else float16.
        captured: a face to mix with these motions, or None.
    """

    emotional: FaceMotion
    neutral: FaceMotion | None = None
    prosody: Prosody | None = None
    exact: bool = False
    captured: CapturedFace | None = None

    def to_bytes(self) -> bytes:
        """The take as a compressed archive.

        Unless the take is exact, arrays are rounded to float16 (11 bits: 0.0005 of a full expression).
        """
        arrays: dict[str, np.ndarray] = {}
        captured = self.captured
        motions = (self.emotional, self.neutral, captured and captured.motion)
        for prefix, motion in zip(_PREFIXES, motions, strict=True):
            if motion is not None:
                parts = {name: getattr(motion, name) for name in _PARTS}
                arrays |= {prefix + name: values for name, values in parts.items() if values is not None}
        if self.prosody is not None:
            arrays |= {"loudness_db": self.prosody.loudness_db, "pitch_hz": self.prosody.pitch_hz}
        arrays = {name: values.astype(np.float32 if self.exact else np.float16) for name, values in arrays.items()}
        meta: dict[str, Any] = {"format": _FORMAT, "fps": self.emotional.fps, "meta": self.emotional.meta}
        if captured is not None:
            motion = captured.motion
            arrays[_SEEN] = captured.seen.astype(np.uint8)
            meta["captured"] = {"fps": motion.fps, "start_seconds": captured.start_seconds, "meta": motion.meta}
        content = io.BytesIO()
        text = json.dumps(meta, ensure_ascii=False, sort_keys=True)
        np.savez_compressed(content, meta=np.array(text), **arrays)
        return content.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> RawTake:
        """The take that `to_bytes` wrote, or the one motion that versions 0.1 and 0.2 kept.

        Raises:
            InputError: if the bytes are something else, or damaged.
        """
        try:
            arrays = read_arrays(io.BytesIO(content), _ARRAYS, "the stored motion")
            stored = json.loads(str(arrays.pop("meta")))
            exact = arrays["expression"].dtype != np.float16
            arrays = {name: values.astype(np.float32) for name, values in arrays.items()}
            if "fps" in arrays:  # 0.1 and 0.2
                stored = {"fps": arrays.pop("fps"), "meta": stored}
            if stored.get("format", _FORMAT) != _FORMAT:
                raise InputError("the stored motion was written by a newer version; update the add-on")
            if not all(np.isfinite(values).all() for values in arrays.values()):
                raise InputError("the stored motion holds values that are not numbers")
            return _take_of(arrays, float(stored["fps"]), dict(stored["meta"]), exact, stored.get("captured"))
        except InputError:
            raise
        # zlib.error, EOFError, OSError, struct.error, SyntaxError (in a header) ...: numpy's reader documents none.
        except Exception as error:
            raise InputError(f"the stored motion is damaged ({error})") from error


def _take_of(
    arrays: dict[str, np.ndarray], fps: float, meta: dict[str, Any], exact: bool, of_capture: dict[str, Any] | None
) -> RawTake:
    def motion(prefix: str, meta: dict[str, Any], fps: float = fps) -> FaceMotion:
        parts: dict[str, Any] = {name: arrays.get(prefix + name) for name in _PARTS[2:]}
        return FaceMotion(arrays[f"{prefix}expression"], arrays[f"{prefix}jaw"], fps, **parts, meta=meta)

    emotional = motion("", meta)
    neutral = motion("neutral_", {}) if "neutral_expression" in arrays else None
    if neutral is not None and neutral.expression.shape != emotional.expression.shape:
        raise InputError("the stored motion's neutral rendering has another size")
    prosody = None
    if "loudness_db" in arrays:
        prosody = Prosody(arrays["loudness_db"], arrays["pitch_hz"])
        if not prosody.loudness_db.shape == prosody.pitch_hz.shape == (emotional.num_frames,):
            raise InputError("the stored motion's loudness and pitch have another length")
    return RawTake(emotional, neutral, prosody, exact, _captured_of(arrays, motion, of_capture))


def _captured_of(
    arrays: dict[str, np.ndarray], motion: Callable[..., FaceMotion], of_capture: dict[str, Any] | None
) -> CapturedFace | None:
    if of_capture is None:
        return None
    captured = motion("captured_", dict(of_capture["meta"]), float(of_capture["fps"]))
    seen = arrays[_SEEN].astype(bool)
    if seen.shape != (captured.num_frames,):
        raise InputError("the stored capture's frames do not say each whether a face was seen")
    return CapturedFace(captured, seen, float(of_capture["start_seconds"]))
