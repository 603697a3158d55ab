"""Sound files through Blender's own decoder, so that the face follows what Blender plays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .kinds import not_decodable
from .layout import TOLERANCE_SECONDS, Layout

_PIECE_SECONDS = 60
# To how much a hole is located. Every step of the search decodes up to the end: of long sounds seven must do.
_HOLE_SECONDS, _LONG_SECONDS, _LONG_SHARE = 0.05, 120.0, 1 / 128


class AudSound:
    """The first sound track of a file, as Blender plays it.

    Attributes:
        sample_rate: samples per second.
    """

    def __init__(self, path: Path, layout: Layout, source: Path) -> None:
        """Open a file.

        Args:
            path: the file, for error sentences.
            layout: its layout.
            source: the file, or a copy of the part of it that can be decoded.

        Raises:
            InputError: if it cannot be decoded, or holds no sound.
        """
        import aud

        self._layout = layout
        try:
            self._sound = aud.Sound(str(source.absolute()))  # type: ignore[call-arg] # the stubs lack this constructor
            # Reading .specs first raises on a bad file; .data() alone would abort Blender (4.5, 5.0).
            self.sample_rate: float = self._sound.specs[0]
        except aud.error as error:  # type: ignore[misc] # the stubs do not call it an exception
            raise not_decodable(path, layout.trouble) from error

    def blocks(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the samples to `stop`: the index of the first, and (n, C) float32.

        The decoder begins at `start` where it seeks exactly to the sample. Elsewhere the sound before it is decoded
        too, and held in memory: it lands 1024 samples late in ogg, 312 late in opus, sometimes one sample off in mp3,
        and anywhere in adpcm (measured on 4.5, 5.0 and 5.2).
        """
        stop_seconds = (stop + 0.5) / self.sample_rate  # half a sample more: the decoder rounds down
        if not self._layout.seeks_exactly:
            yield 0, self._part(0, stop_seconds)
            return
        # At whole seconds ffmpeg's rounding of time stamps is never a sample off.
        for second in range(int(max(0, start) // self.sample_rate), math.ceil(stop / self.sample_rate), _PIECE_SECONDS):
            piece = self._part(second, min(second + _PIECE_SECONDS, stop_seconds))
            yield second * round(self.sample_rate), piece
            if len(piece) < _PIECE_SECONDS * self.sample_rate:
                return

    def find_hole(self, lost_seconds: float) -> float | None:
        """Time of the last sound that cannot be decoded though more follows; None if there is none."""
        announced = self._layout.announced_seconds
        if announced is None:
            return None
        # What the decoder finds from a time on to the end is complete only behind the last hole.
        first, last = 0.0, announced - TOLERANCE_SECONDS
        if not self._is_complete_from(last, announced):
            return None
        exact_to = _LONG_SHARE * announced if announced > _LONG_SECONDS else _HOLE_SECONDS
        while last - first > exact_to:
            middle = (first + last) / 2
            first, last = (first, middle) if self._is_complete_from(middle, announced) else (middle, last)
        return max(0.0, last - lost_seconds)

    def _is_complete_from(self, seconds: float, announced: float) -> bool:
        """Whether all is there from a time on to the end."""
        found = len(self._part(seconds, announced + 1.0)) / self.sample_rate
        return seconds + found > announced - TOLERANCE_SECONDS

    def _part(self, start_seconds: float, stop_seconds: float) -> np.ndarray:
        """The samples (n, C) between two times, as far as the decoder finds them."""
        return self._sound.limit(start_seconds, stop_seconds).data()
