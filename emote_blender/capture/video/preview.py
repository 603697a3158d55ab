"""A picture with the tracked points drawn on it."""

from __future__ import annotations

import numpy as np

_POINT_COLOR, _IRIS_COLOR = (40, 255, 80), (255, 60, 40)
_FIRST_IRIS_POINT = 468


def with_points(picture: np.ndarray, points: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """(h, w, 3) uint8: a copy of a picture with a mark at each point, larger in larger pictures.

    Args:
        picture: (h, w, 3) uint8, of the video's size or smaller.
        points: (478, 3) points in pixels of the video; nothing is drawn if they are NaN.
        image_size: width and height of the video, pixels.
    """
    drawn = np.array(picture)
    if np.isnan(points).any():
        return drawn
    height, width = drawn.shape[:2]
    x = np.floor(points[:, 0] * width / image_size[0]).astype(int)
    y = np.floor(points[:, 1] * height / image_size[1]).astype(int)
    radius = max(width, height) // 640
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            inside = (x + dx >= 0) & (x + dx < width) & (y + dy >= 0) & (y + dy < height)
            for part, color in (
                (slice(0, _FIRST_IRIS_POINT), _POINT_COLOR),
                (slice(_FIRST_IRIS_POINT, None), _IRIS_COLOR),
            ):
                kept = inside[part]
                drawn[(y[part] + dy)[kept], (x[part] + dx)[kept]] = color
    return drawn
