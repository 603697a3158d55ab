"""Motion of windows that were rendered before: a track that changes in one place is rendered anew there only."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

_MOST_BYTES = 32 << 20  # a minute of one track takes about half a megabyte


class RenderedWindows:
    """Motion of the windows of one clip, by window and condition. What was not used for longest goes first."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        """Keep up to `most_bytes` of motion."""
        self._most_bytes = most_bytes
        self._motion: OrderedDict[tuple[int, int, bytes], np.ndarray] = OrderedDict()
        self._num_bytes = 0
        self._lock = threading.Lock()

    def motion(self, start: int, condition: np.ndarray, render: Callable[[], np.ndarray]) -> np.ndarray:
        """The motion (T, E + 3) of a window.

        Args:
            start: the window's first frame.
            condition: (T, C) its condition.
            render: renders it; called if it is not known.
        """
        key = (start, len(condition), hashlib.sha256(np.ascontiguousarray(condition).tobytes()).digest())
        with self._lock:
            if key in self._motion:
                self._motion.move_to_end(key)
                return self._motion[key]
        motion = render()
        with self._lock:
            if key not in self._motion:
                self._num_bytes += motion.nbytes
            self._motion[key] = motion
            while self._num_bytes > self._most_bytes:
                self._num_bytes -= self._motion.popitem(last=False)[1].nbytes
        return motion
