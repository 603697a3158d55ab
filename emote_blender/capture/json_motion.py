"""Motions as JSON: a list of names, and a list of values for each frame.

    {"format": "emote-motion", "version": 1, "fps": 60.0, "names": ["eyeBlinkLeft", ..., "headYaw", ...],
     "frames": [[0.0, ...], ...], "meta": {...}}

The names are those of ARKit, nine angles of head and eyes in radians (see `columns`), and further components. JSON of
Audio2Face is read, too: exportFps, facsNames, weightMat.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..files.atomic_write import replacing
from ..files.text_file import read_text_file
from ..motion import FaceMotion
from .columns import ANGLE_NAMES, columns_of_motion, known_column
from .recording import Recording, Rows, in_usual_units, require_shapes

_FORMAT = "emote-motion"
_VERSION = 1
_MAX_BYTES = 256 << 20
_FPS_KEYS = ("fps", "exportFps", "frameRate", "framerate")
_NAMES_KEYS = ("names", "facsNames", "blendShapeNames", "blendshapes")
_FRAMES_KEYS = ("frames", "weightMat", "weights")
_LARGEST_SUM = 1e6


def write_json_motion(motion: FaceMotion, path: str | Path) -> None:
    """Write a motion with named components as JSON, whole or not at all.

    Raises:
        InputError: if the motion's components have no names, or the file cannot be written.
    """
    columns = columns_of_motion(motion)
    meta = {key: value for key, value in motion.meta.items() if key not in ("expression_names", "face")}
    head = {"format": _FORMAT, "version": _VERSION, "fps": motion.fps, "names": list(columns), "meta": meta}
    values = np.stack(list(columns.values()), axis=1)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "frames": [\n')
        for number, row in enumerate(values):
            # 9 digits distinguish any two float32 numbers.
            file.write((",\n" if number else "") + "[" + ", ".join(f"{value:.9g}" for value in row.tolist()) + "]")
        file.write("\n]}\n")


def read_json_motion(path: Path) -> tuple[Recording, float, dict[str, Any]]:
    """The frames of a JSON file, their frame rate, and metadata.

    Raises:
        InputError: if it is no such file.
    """
    place = str(path)
    text, _ = read_text_file(path, "JSON file", _MAX_BYTES, "choose a motion as JSON")
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise InputError(f"{path} is nested too deeply; choose a motion as JSON") from error
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON ({error}); export it again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} is not a JSON object with fps, names and frames; choose a motion as JSON")
    version = content.get("version", _VERSION)
    if content.get("format", _FORMAT) == _FORMAT and version != _VERSION:
        raise InputError(f"{path} has version {version!r} of the format; update EMOTE")
    names, frames = _entry(content, _NAMES_KEYS, place), _entry(content, _FRAMES_KEYS, place)
    rate = _entry(content, _FPS_KEYS, place)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 1.0 <= rate <= 1000.0:
        raise InputError(f"{path}: fps must be a number from 1 to 1000, found {rate!r}")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{path}: names must be a list of texts")
    if not isinstance(frames, list):
        raise InputError(f"{path}: frames must be a list of lists of numbers")
    known = [known_column(name) or name for name in names]
    if len(set(known)) < len(known):
        twice = next(name for name in known if known.count(name) > 1)
        raise InputError(f"{path} names {twice} twice; leave one out")
    require_shapes(known, place)
    return _recording(frames, known, place), float(rate), _meta(content.get("meta"))


def _recording(frames: list[Any], names: list[str], place: str) -> Recording:
    rows = Rows(place, len(names))
    for number, row in enumerate(frames):
        if not isinstance(row, list) or len(row) != len(names):
            found = f"{len(row)} values" if isinstance(row, list) else type(row).__name__
            raise InputError(f"{place}: frame {number} must be a list of {len(names)} numbers, found {found}")
        if any(type(value) not in (int, float) for value in row):
            raise InputError(f"{place}: frame {number} holds something else than numbers")
        try:
            is_usable = sum(map(abs, row)) < _LARGEST_SUM
        except OverflowError:  # an integer of hundreds of digits
            is_usable = False
        if not is_usable:
            raise InputError(f"{place}: frame {number} holds NaN, infinity or a number that no shape has")
        rows.add(row)
    values, notes = in_usual_units(names, rows.array())
    return Recording(tuple(names), values, np.empty(0), notes=tuple(notes))


def _entry(content: dict[str, Any], keys: tuple[str, ...], place: str) -> Any:
    """The value of the first key that is there."""
    for key in keys:
        if key in content:
            return content[key]
    raise InputError(f"{place} has no {keys[0]!r}; choose a motion as JSON with fps, names and frames")


def _meta(meta: Any) -> dict[str, Any]:
    """What a file says of how the motion was made; what describes the arrays is left out."""
    kept = meta if isinstance(meta, dict) else {}
    return {key: value for key, value in kept.items() if key not in ("expression_names", "face", *ANGLE_NAMES)}
