"""Frames that the main thread decodes, as only it may call Blender, and a worker thread takes."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator

from ...capture.video.frames import Frame, Frames
from ...errors import Cancelled, EmoteError

_MOST_WAITING = 8  # frames
_WAIT_SECONDS = 0.1


class _Reading:
    """One reading of the frames, from the first one on.

    Attributes:
        source: gives them on the main thread.
        waiting: those that the worker has not taken; at the end None, or an error.
        is_over: whether nothing more is to be decoded.
    """

    def __init__(self, source: Iterator[Frame]) -> None:
        self.source = source
        self.waiting: queue.Queue[Frame | EmoteError | None] = queue.Queue(_MOST_WAITING)
        self.is_over = False


class HandedOverFrames:
    """Frames for another thread than the one that decodes them.

    The worker iterates, once at a time. The main thread calls `serve` again and again.

    Attributes:
        size: width and height of the video, pixels.
        duration_seconds: length of the video.
        notes: sentences about what was assumed or left out; complete once all frames were read.
        cancelled: asked while the worker waits.
    """

    def __init__(self, pictures: Frames) -> None:
        self._pictures = pictures
        self.cancelled: Callable[[], bool] = lambda: False
        self.notes = pictures.notes
        self.size, self.duration_seconds = pictures.size, pictures.duration_seconds
        self._reading: _Reading | None = None

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames on the worker's thread; raises Cancelled, and what decoding raised."""
        self._reading = reading = _Reading(iter(self._pictures))
        try:
            while (frame := self._next(reading)) is not None:
                if isinstance(frame, EmoteError):
                    raise frame
                yield frame
        finally:
            reading.is_over = True

    def serve(self, seconds: float) -> None:
        """Decode frames for this long, but at least one if the worker may take it; on the main thread."""
        end = time.monotonic() + seconds
        reading = self._reading  # the worker may begin another one at any time
        while reading is not None and not reading.is_over and not reading.waiting.full():
            frame: Frame | EmoteError | None
            try:
                frame = next(reading.source, None)
            except EmoteError as error:
                frame = error
            reading.waiting.put(frame)
            if not isinstance(frame, Frame):
                reading.is_over = True
            if time.monotonic() >= end:
                return

    def _next(self, reading: _Reading) -> Frame | EmoteError | None:
        while True:
            try:
                return reading.waiting.get(timeout=_WAIT_SECONDS)
            except queue.Empty:
                if self.cancelled():
                    raise Cancelled("cancelled; nothing was changed") from None
