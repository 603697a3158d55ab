"""What a sound data-block holds that Blender's Python does not show.

- `bSound.offset_time`: Add > Movie puts the sound of a video that begins later than the picture on a whole frame, and
  keeps the fraction here. 5.2 shares the data-block with strips that are added as sound.
- `bSound.stream_index`: 5.2 adds a strip for each sound track of a video.

They are read from the data-block's memory, at the place that this Blender itself describes (4.5, 5.0 and 5.2).
"""

from __future__ import annotations

import ctypes
import functools
import logging
import math
import tempfile
from pathlib import Path

import bpy

from ...errors import InputError
from ...files.blend_structs import Field, fields_of

logger = logging.getLogger(__name__)

_MOST_SECONDS = 1.0  # an offset is less than a frame; anything else is none
_MOST_TRACKS = 256
_PATH_FIELD, _PATH_BYTES = "name", 64  # the path has its first name in files


def hidden_offset(sound: bpy.types.Sound) -> float:
    """Seconds by which Blender plays a sound later than its strip says; negative if earlier, 0 if it is not known."""
    address = _address(sound, "offset_time", "double")
    seconds = ctypes.c_double.from_address(address).value if address is not None else 0.0
    return seconds if math.isfinite(seconds) and abs(seconds) <= _MOST_SECONDS else 0.0


def sound_track(sound: bpy.types.Sound) -> int:
    """The number of the sound track of its file that Blender plays; 0, the first one, in all versions before 5.2."""
    address = _address(sound, "stream_index", "short")
    track = ctypes.c_int16.from_address(address).value if address is not None else 0
    return track if 0 <= track <= _MOST_TRACKS else 0


def _address(sound: bpy.types.Sound, name: str, kind: str) -> int | None:
    """Where a field of a sound lies in memory; None if this Blender has no such field, or describes it wrongly."""
    fields = _fields()
    field, path = fields.get(name), fields.get(_PATH_FIELD)
    if field is None or field.type != kind or path is None:
        return None
    # The path, which Python does show, must be where the description says.
    shown = sound.filepath.encode("utf-8", "surrogateescape")[: min(_PATH_BYTES, path.num_bytes - 1)]
    if ctypes.string_at(sound.as_pointer() + path.offset, len(shown)) != shown:
        logger.warning("the memory of a sound is not laid out as Blender describes it; its offset is taken as 0")
        return None
    return sound.as_pointer() + field.offset


@functools.cache
def _fields() -> dict[str, Field]:
    """The fields of this Blender's sound data-blocks; none if they cannot be found out."""
    try:
        with tempfile.TemporaryDirectory(prefix="emote-") as folder:
            path = Path(folder) / "structs.blend"
            bpy.data.libraries.write(str(path), set(), compress=False)
            return fields_of(path.read_bytes(), "bSound")
    except (OSError, RuntimeError, InputError) as error:
        logger.warning("the offset of sounds is not known: %s", error)
        return {}
