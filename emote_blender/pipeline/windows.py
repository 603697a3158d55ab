"""Windows of long clips: ranges of frames that overlap and are cross-faded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FADE_FRAMES = 32


@dataclass(frozen=True, eq=False)
class Window:
    """A window of a clip.

    Attributes:
        start: its first frame.
        stop: the frame after its last one.
        weights: (num_frames,) weights in the cross-fades; over all windows, the weights of a frame sum to 1.
    """

    start: int
    stop: int
    weights: np.ndarray

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return self.stop - self.start

    def add_to(self, whole: np.ndarray, part: np.ndarray) -> None:
        """Add this window's values (num_frames, D) to those of the clip (T, D), weighted."""
        whole[self.start : self.stop] += part * self.weights[:, None]


def check_window_frames(max_frames: int, overlap: int, multiple: int) -> None:
    """Raise ValueError if windows of at most `max_frames` frames are too short for `plan_windows`."""
    lowest = overlap + 2 * FADE_FRAMES + 3 * multiple
    if max_frames < lowest:
        raise ValueError(
            f"windows must be at least {lowest} frames long ({overlap} of overlap, 2 x {FADE_FRAMES} of "
            f"cross-fade, 3 x {multiple} of rounding), found {max_frames}"
        )


def plan_windows(num_frames: int, multiple: int, max_frames: int, overlap: int) -> list[Window]:
    """Windows of about equal length that cover a clip, each starting at a multiple of `multiple` frames.

    A latent represents `multiple` frames, which must be the same frames in every window. The middle FADE_FRAMES of an
    overlap are a linear cross-fade; the outer frames of an overlap are context only.

    Args:
        num_frames: length of the clip.
        multiple: frames of a latent.
        max_frames: no window is longer.
        overlap: frames that neighbouring windows share: context at both ends, and the cross-fade in the middle.

    Raises:
        ValueError: if `max_frames` is too short (see `check_window_frames`).
    """
    check_window_frames(max_frames, overlap, multiple)
    if num_frames <= max_frames:
        return [Window(0, num_frames, np.ones(num_frames, dtype=np.float32))]
    span = num_frames - overlap
    # Rounding the starts makes a window up to `multiple` frames longer than span / count + overlap.
    count = -(-span // (max_frames - overlap - multiple))
    starts = [index * span // count // multiple * multiple for index in range(count)]
    stops = [start + overlap for start in starts[1:]] + [num_frames]
    margin = (overlap - FADE_FRAMES) // 2
    rise = (np.arange(FADE_FRAMES, dtype=np.float32) + 0.5) / FADE_FRAMES
    windows = []
    for index, (start, stop) in enumerate(zip(starts, stops)):
        weights = np.ones(stop - start, dtype=np.float32)
        if index > 0:
            weights[:margin] = 0.0
            weights[margin : margin + FADE_FRAMES] = rise
        if index < count - 1:
            weights[-margin:] = 0.0
            weights[-margin - FADE_FRAMES : -margin] = 1.0 - rise
        windows.append(Window(start, stop, weights))
    return windows
