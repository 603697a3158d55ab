"""What a sound file announces, and what of it is not there, read from its bytes without decoding them.

Decoders skip what they cannot use without a word. The warnings must be the same with any of them.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from pathlib import Path

from . import flac, matroska, mp4, mpeg_audio, ogg, riff
from .layout import Data, Layout


def read_layout(path: Path) -> Layout:
    """The layout of a file that is not empty; one that knows nothing if its kind is not among those read here."""
    readers: tuple[Callable[[Data], Layout | None], ...] = (
        riff.read,
        flac.read,
        mp4.read,
        matroska.read,
        ogg.read,
        mpeg_audio.read,
    )
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for read in readers:
            try:
                layout = read(data)
            except (struct.error, IndexError):  # the file ends in a header
                return Layout()
            if layout is not None:
                return layout
    return Layout()
