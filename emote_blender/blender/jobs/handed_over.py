"""Frames that the main thread decodes, as only it may call Blender, and a worker thread takes."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

from ...capture.video.frames import Frame
from ...errors import Cancelled, EmoteError
from ..scene.movie_pictures import MoviePictures

_MOST_WAITING = 8  # frames
_WAIT_SECONDS = 0.1


class HandedOverFrames:
    """The frames of `MoviePictures` for another thread; see `capture.video.frames.Frames`.

    The worker iterates, once at a time. The main thread calls `serve` again and again, and `pictures.close` at the end.

    Attributes:
        size: width and height of the video, pixels.
        duration_seconds: length of the video.
        notes: sentences about what was assumed or left out; complete once all frames were read.
        cancelled: asked while the worker waits.
    """

    def __init__(self, pictures: MoviePictures) -> None:
        self._pictures = pictures
        self.cancelled: Callable[[], bool] = lambda: False
        self.notes = pictures.notes
        self.size, self.duration_seconds = pictures.size, pictures.duration_seconds
        self._waiting: queue.Queue[Frame | EmoteError | None] = queue.Queue(_MOST_WAITING)
        self._wanted = threading.Event()
        self._source: Iterator[Frame] | None = None

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames on the worker's thread; raises Cancelled, and what decoding raised."""
        self._waiting = queue.Queue(_MOST_WAITING)
        self._source = iter(self._pictures)
        self._wanted.set()
        try:
            while (frame := self._next()) is not None:
                if isinstance(frame, EmoteError):
                    raise frame
                yield frame
        finally:
            self._wanted.clear()

    def serve(self, seconds: float) -> None:
        """Decode frames for this long, but at least one if the worker waits for any; on the main thread."""
        end = time.monotonic() + seconds
        while self._wanted.is_set() and self._source is not None and not self._waiting.full():
            frame: Frame | EmoteError | None
            try:
                frame = next(self._source, None)
            except EmoteError as error:
                frame = error
            self._waiting.put(frame)
            if not isinstance(frame, Frame):
                self._source = None
            if time.monotonic() >= end:
                return

    def _next(self) -> Frame | EmoteError | None:
        while True:
            try:
                return self._waiting.get(timeout=_WAIT_SECONDS)
            except queue.Empty:
                if self.cancelled():
                    raise Cancelled("cancelled; nothing was changed") from None
