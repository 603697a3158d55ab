"""What inference gave for one line, in the form that a take keeps: enough to refine it again without the model."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from ..files.array_archive import read_arrays
from ..motion import FaceMotion

_FORMAT = 1
_PARTS = ("expression", "jaw", "eyes", "neck", "lids", "eye_offsets")
_ARRAYS = {*_PARTS, *(f"neutral_{name}" for name in _PARTS), "loudness_db", "pitch_hz", "meta", "fps"}


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
class RawTake:
    """The motion of a line as the model gave it.

    Attributes:
        emotional: the motion with the emotion that was asked for.
        neutral: the same line without emotion, with the same number of frames, or None.
        prosody: of the line's sound, or None.
        exact: whether float32 is stored, as of a motion that was not generated here; else float16.
    """

    emotional: FaceMotion
    neutral: FaceMotion | None = None
    prosody: Prosody | None = None
    exact: bool = False

    def to_bytes(self) -> bytes:
        """The take as a compressed archive.

        Unless the take is exact, arrays are rounded to float16 (11 bits: 0.0005 of a full expression).
        """
        arrays: dict[str, np.ndarray] = {}
        for prefix, motion in (("", self.emotional), ("neutral_", self.neutral)):
            if motion is not None:
                parts = {name: getattr(motion, name) for name in _PARTS}
                arrays |= {prefix + name: values for name, values in parts.items() if values is not None}
        if self.prosody is not None:
            arrays |= {"loudness_db": self.prosody.loudness_db, "pitch_hz": self.prosody.pitch_hz}
        meta = {"format": _FORMAT, "fps": self.emotional.fps, "meta": self.emotional.meta}
        content = io.BytesIO()
        np.savez_compressed(
            content,
            meta=np.array(json.dumps(meta, ensure_ascii=False, sort_keys=True)),
            **{name: values.astype(np.float32 if self.exact else np.float16) for name, values in arrays.items()},
        )
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
            return _take_of(arrays, float(stored["fps"]), dict(stored["meta"]), exact)
        except InputError:
            raise
        # zlib.error, EOFError, OSError, struct.error, SyntaxError (in a header) ...: numpy's reader documents none.
        except Exception as error:
            raise InputError(f"the stored motion is damaged ({error})") from error


def _take_of(arrays: dict[str, np.ndarray], fps: float, meta: dict[str, Any], exact: bool) -> RawTake:
    def motion(prefix: str, meta: dict[str, Any]) -> FaceMotion:
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
    return RawTake(emotional, neutral, prosody, exact)
