"""A picture with the points of faces drawn on it, and a number beside each face."""

from __future__ import annotations

import numpy as np

from .crops import Cropper, Patch, region_of_points
from .landmarker import DETECTOR_SIZE, POINTS_SIZE, Landmarker
from .people import find_faces
from .track import points_of

_POINT_COLOR, _IRIS_COLOR = (40, 255, 80), (255, 60, 40)
_FIRST_IRIS_POINT = 468
_LEAST_PRESENCE = 0.5
_DIGIT_SIZE = 0.25  # of a face's width
# Rows of the digits 0 to 9, 3 wide and 5 high; the highest bit is on the left.
_DIGITS = ("75557", "26227", "71747", "71717", "55711", "74717", "74757", "71222", "75757", "75717")


def points_of_faces(picture: np.ndarray, landmarker: Landmarker) -> list[np.ndarray]:
    """The (478, 3) points of each face in a picture, pixels, the largest face first.

    Args:
        picture: (h, w, 3) uint8.
        landmarker: the networks.
    """
    cropper = Cropper(POINTS_SIZE)
    found: list[np.ndarray] = []
    for region in find_faces(landmarker, Cropper(DETECTOR_SIZE), picture):
        presence = 0.0
        for _ in range(2):  # the detector's box is rough
            points, presence = points_of(landmarker, cropper, Patch.around(picture, region, POINTS_SIZE), region)
            region = region_of_points(points)
        if presence >= _LEAST_PRESENCE:
            found.append(points)
    return found


def with_number(picture: np.ndarray, points: np.ndarray, number: int) -> np.ndarray:
    """(h, w, 3) uint8: a copy of a picture with a number above a face, as far as the picture reaches.

    Args:
        picture: (h, w, 3) uint8.
        points: (478, 3) points of the face in pixels of the picture.
        number: 0 or more.
    """
    drawn = np.array(picture)
    left, top = points[:, :2].min(0)
    side = max(1, round(float(np.ptp(points[:, 0])) * _DIGIT_SIZE / 5))
    rows = [[int(_DIGITS[int(digit)][row]) for digit in str(number)] for row in range(5)]
    bits = np.array([[bit >> place & 1 for bit in row for place in (3, 2, 1, 0)] for row in rows], bool)
    mark = np.kron(np.pad(bits, ((1, 1), (0, 1))), np.ones((side, side), bool))
    y = min(max(0, round(float(top)) - len(mark)), drawn.shape[0] - 1)
    x = min(max(0, round(float(left))), drawn.shape[1] - 1)
    part = drawn[y : y + mark.shape[0], x : x + mark.shape[1]]
    part[:] = np.where(mark[: part.shape[0], : part.shape[1], None], _POINT_COLOR, 0)
    return drawn


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
