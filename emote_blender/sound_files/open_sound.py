"""A sound file opened by the decoder at hand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np

from ..errors import InputError
from ..files.temporary_copy import temporary_copy
from .kinds import no_sound_in, not_decodable, refuse_other_kinds
from .layout import Layout
from .read_layout import read_layout
from .with_aud import AudSound
from .with_av import AvSound

_COPIED_BYTES = 1 << 20


class OpenSound(Protocol):
    """A sound file that can be decoded: see `AudSound` and `AvSound`."""

    sample_rate: float

    def blocks(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the samples to `stop` at least from `start` on: the index of the first, and (n, C) float32."""

    def find_hole(self, lost_seconds: float) -> float | None:
        """Time of a hole that decoding shows; None if the sound only ends early. Called once all blocks were read."""


Decoder = Callable[[Path, Layout, Path], OpenSound]


@contextmanager
def open_sound(path: Path, decoder: Decoder | None = None) -> Iterator[tuple[OpenSound, Layout]]:
    """A sound file and its layout.

    Args:
        path: the file.
        decoder: opens it; None for PyAV, or Blender's decoder in a Blender without it.

    Raises:
        InputError: if it is no sound, holds none, or cannot be decoded here.
    """
    refuse_other_kinds(path)
    layout = read_layout(path)
    if layout.has_sound is False:
        raise no_sound_in(path)
    if layout.refused:
        raise not_decodable(path, layout.refused)
    opened = decoder or _decoder_here(path)
    if not layout.begins_at:
        yield opened(path, layout, path), layout
        return
    with temporary_copy(_bytes_from(path, layout.begins_at), path.suffix, str(path)) as copy:
        yield opened(path, layout, copy), layout


def _decoder_here(path: Path) -> Decoder:
    """The decoder that is installed; raises InputError if there is none."""
    if find_spec("av") is not None:
        return AvSound
    if "bpy" in sys.modules:  # aud can be imported only then
        return AudSound
    raise InputError(f"{path} cannot be read: outside Blender the library av is needed; install it (pip install av)")


def _bytes_from(path: Path, place: int) -> Iterator[bytes]:
    """Yield the bytes of a file from a place on: without a tag of wrong length, which decoders would follow."""
    with path.open("rb") as file:
        file.seek(place)
        while block := file.read(_COPIED_BYTES):
            yield block
