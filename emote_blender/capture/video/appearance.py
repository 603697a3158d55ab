"""Whether something is in front of a face, by the colours of its skin compared with the rest of the video.

The network places points on covered parts as if nothing were there. Then the picture at these points shows something
else than in other frames. Points that change by themselves (lips, eyes, brows, the outline) are not compared.
"""

from __future__ import annotations

import numpy as np

from .crops import Patch

# Bridge and sides of the nose, inner cheeks, forehead, around the mouth, chin: seen up to a yaw of 45 degrees.
SKIN_POINTS = np.array(
    [6, 197, 195, 5, 4, 198, 420, 50, 280, 205, 425, 36, 266, 101, 330, 203, 423, 151, 9, 8, 108, 337]
    + [164, 167, 393, 92, 322, 57, 287, 43, 273, 204, 424, 200, 199, 201, 421, 175]
)
LARGEST_PART = 0.07
"""Part of the skin's points that may have another colour in a face that is not covered."""

_DARKEST = 12.0  # added to colours, so that noise in the dark does not count
_DIFFERENT = 0.5  # of the logarithm of a colour: by two thirds
_LEAST_FRAMES = 5


def skin_colors(patch: Patch, points: np.ndarray) -> np.ndarray:
    """(N, 3) float32 logarithms of the colours at the skin's points, means of 3 x 3 pixels of the patch.

    Args:
        patch: the part of the picture around the face.
        points: (478, 3) points in pixels of the picture.
    """
    places = (points[SKIN_POINTS, :2] - (patch.left, patch.top)) / patch.factor
    height, width = patch.picture.shape[:2]
    x, y = (
        np.clip(np.floor(places[:, axis]).astype(int)[:, None] + (-1, 0, 1), 0, size - 1)
        for axis, size in enumerate((width, height))
    )
    colors = patch.picture[y[:, :, None], x[:, None, :]].astype(np.float32).mean((1, 2))
    return np.log(colors + np.float32(_DARKEST))


def covered_parts(colors: np.ndarray) -> np.ndarray:
    """(T,) part of the skin's points whose colour is not that of the other frames; 0 in a video of a few frames.

    The light on the whole face may change: only differences between points count.

    Args:
        colors: (T, N, 3) what `skin_colors` gives, NaN in frames without a face.
    """
    seen = ~np.isnan(colors[:, 0, 0])
    parts = np.zeros(len(colors))
    if seen.sum() < _LEAST_FRAMES:
        return parts
    relative = colors[seen] - np.median(colors[seen], axis=1, keepdims=True)
    different = np.abs(relative - np.median(relative, axis=0)).max(-1) > _DIFFERENT
    parts[seen] = different.mean(1)
    return parts
