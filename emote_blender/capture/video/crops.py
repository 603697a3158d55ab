"""Square crops around a face: where they lie, what they show, and points in them.

Places in a picture are in pixels from its left and top edges: the centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_RIGHT_EYE, _LEFT_EYE = 33, 263  # outer corners
_DETECTED_MARGIN = 2.0  # side of the crop, in sizes of the detector's box (as in MediaPipe)
_LARGEST_BLOCK = 16  # sums of 16 x 16 bytes fit into 16 bits
_POINTS_MARGIN = 1.5  # the same, in sizes of the square around the points


@dataclass(frozen=True)
class Region:
    """A square in a picture, turned so that the face in it is upright.

    Attributes:
        x: centre, pixels.
        y: centre, pixels.
        side: length of its sides, pixels.
        angle: turn from the picture's upright, radians, clockwise as seen.
    """

    x: float
    y: float
    side: float
    angle: float

    @property
    def face_width(self) -> float:
        """About the width of the face in it, pixels."""
        return self.side / _POINTS_MARGIN

    def scaled(self, factor: float) -> Region:
        """The same square in a picture that is `factor` times as large."""
        return Region(self.x * factor, self.y * factor, self.side * factor, self.angle)

    def distance(self, other: Region) -> float:
        """Distance of the centres of two squares, pixels."""
        return math.hypot(self.x - other.x, self.y - other.y)


def region_of_box(
    x: float, y: float, size: float, right_eye: tuple[float, float], left_eye: tuple[float, float]
) -> Region:
    """The region of a detected face: centre and size of its box, and its eyes, in pixels."""
    angle = math.atan2(left_eye[1] - right_eye[1], left_eye[0] - right_eye[0])
    return Region(x, y, _DETECTED_MARGIN * size, angle)


def region_of_points(points: np.ndarray) -> Region:
    """The region of a face of which (478, 2 or more) points are known, in pixels."""
    across = points[_LEFT_EYE, :2] - points[_RIGHT_EYE, :2]
    angle = math.atan2(across[1], across[0])
    turn = _rotation(angle)
    upright = points[:, :2] @ turn  # coordinates along the region's sides
    low, high = upright.min(0), upright.max(0)
    x, y = turn @ ((low + high) / 2)
    return Region(float(x), float(y), _POINTS_MARGIN * float((high - low).max()), angle)


def points_in_picture(points: np.ndarray, region: Region) -> np.ndarray:
    """(478, 3) points in pixels of the picture, from (478, 3) points in fractions of a region."""
    placed = np.empty_like(points)
    centred = points[:, :2] - 0.5
    placed[:, :2] = region.side * (centred @ _rotation(region.angle).T) + (region.x, region.y)
    placed[:, 2] = region.side * points[:, 2]
    return placed


@dataclass(frozen=True, eq=False)
class Patch:
    """The part of a picture around a region, made smaller where it has more detail than a crop.

    Attributes:
        framed: (h + 2, w + 2, 4) uint8 as `framed_part` gives it: red, green, blue and an unused byte.
        left: place of its left edge in the whole picture, pixels.
        top: place of its top edge in the whole picture, pixels.
        factor: pixels of the whole picture for each of the patch.
    """

    framed: np.ndarray
    left: int
    top: int
    factor: int

    @property
    def picture(self) -> np.ndarray:
        """(h, w, 3) uint8, without the frame."""
        return self.framed[1:-1, 1:-1, :3]

    @classmethod
    def around(cls, picture: np.ndarray, region: Region, size: int, margin: float = 1.0) -> Patch:
        """The patch around a region.

        Args:
            picture: (H, W, 3) uint8, the whole picture.
            region: the region.
            size: width of the crops that will be cut, pixels; the region is at most twice as large in the patch.
            margin: size of the patch in sizes of the region.
        """
        factor = min(max(1, int(region.side / size)), _LARGEST_BLOCK)
        height, width = picture.shape[:2]
        left, top, right, bottom = _bounds(region, margin, 2 * factor, width, height)
        return cls(framed_part(picture[top:bottom, left:right], factor), left, top, factor)

    def shows(self, region: Region, width: int, height: int) -> bool:
        """Whether the patch shows what a picture of this size shows of a region."""
        left, top, right, bottom = _bounds(region, 1.0, 0, width, height)
        rows, columns = (self.factor * size for size in self.picture.shape[:2])
        return (
            left >= self.left
            and top >= self.top
            and right < self.left + columns + self.factor
            and bottom < self.top + rows + self.factor
        )


class Cropper:
    """Cuts crops of one size.

    Its arrays are kept from one crop to the next: to get new memory takes longer than to compute in it. So a crop holds
    until the next is cut, and an object is for one thread.
    """

    def __init__(self, size: int) -> None:
        """`size` is the width and height of the crops, pixels."""
        self.size = size
        self._places = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
        self._x, self._y, self._column, self._row, self._upper, self._lower = (
            np.empty((size, size), np.float32) for _ in range(6)
        )
        self._index = np.empty((size, size), np.intp)
        # The pixels to the upper left, upper right, lower left and lower right of each of the crop's, four bytes each.
        self._corners = np.empty((4, size, size), np.uint32)
        self._crop = np.empty((size, size, 3), np.float32)

    def cut(self, patch: Patch, region: Region) -> np.ndarray:
        """(size, size, 3) float32 RGB from 0 to 1: what a region shows, black outside of the patch.

        Args:
            patch: the patch.
            region: the region, in pixels of the whole picture.
        """
        inside = Region(region.x - patch.left, region.y - patch.top, region.side, region.angle)
        height, width = patch.framed.shape[:2]
        self._place(inside.scaled(1 / patch.factor), height - 2, width - 2)
        return self._sample(patch.framed.view(np.uint32).reshape(-1), width)

    def _place(self, region: Region, height: int, width: int) -> None:
        """Set the places of the crop's pixels in a patch of this size, which has a frame of one pixel around it."""
        cos, sin = (region.side * turn(region.angle) * self._places for turn in (np.cos, np.sin))
        # From the centre of the frame's first pixel.
        np.subtract.outer(-sin, -cos, out=self._x)
        np.add.outer(cos, sin, out=self._y)
        for values, middle, limit in ((self._x, region.x, width), (self._y, region.y, height)):
            values += np.float32(middle + 0.5)
            np.clip(values, 0, limit + 0.99, out=values)

    def _sample(self, pixels: np.ndarray, width: int) -> np.ndarray:
        """The crop, interpolated between pixels (H x W) of four bytes, in rows of a width."""
        x, y, column, row, index = self._x, self._y, self._column, self._row, self._index
        np.floor(x, out=column)
        np.floor(y, out=row)
        x -= column
        y -= row
        row *= width  # exact: a patch has fewer than 2**24 pixels
        row += column
        index[...] = row
        # Gathering is what takes the time: the three colours of a pixel together.
        for corner, offset in zip(self._corners, (0, 1, width, width + 1)):
            np.take(pixels[offset:], index, out=corner, mode="clip")
        corners = self._corners.view(np.uint8).reshape(4, self.size, self.size, 4)
        # One colour after the other: numpy is slow where the last axis is short.
        for color in range(3):
            upper_left, upper_right, lower_left, lower_right = corners[..., color]
            upper = self._between(upper_left, upper_right, self._upper)
            lower = self._between(lower_left, lower_right, self._lower)
            lower -= upper
            lower *= y
            lower += upper
            np.multiply(lower, np.float32(1 / 255), out=self._crop[..., color])
        return self._crop

    def _between(self, left: np.ndarray, right: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Values (uint8) interpolated from left to right."""
        np.subtract(right, left, out=out, dtype=np.float32)
        out *= self._x
        out += left
        return out


def _bounds(region: Region, margin: float, border: int, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the upright box around a region, within a picture of this size."""
    reach = margin * region.side * (abs(math.cos(region.angle)) + abs(math.sin(region.angle))) / 2 + border
    left, right = (int(min(max(value, 0), width)) for value in (region.x - reach, region.x + reach + 1))
    top, bottom = (int(min(max(value, 0), height)) for value in (region.y - reach, region.y + reach + 1))
    return left, top, right, bottom


def framed_part(part: np.ndarray, factor: int = 1) -> np.ndarray:
    """(h + 2, w + 2, 4) uint8: a part of a picture with a frame of one black pixel; the fourth byte is not used.

    Args:
        part: (H, W, 3) uint8.
        factor: each pixel is the mean of factor x factor ones, at most 16; the rest at two edges is left out.
    """
    height, width = part.shape[0] // factor, part.shape[1] // factor
    if not height or not width:
        return np.zeros((3, 3, 4), np.uint8)
    framed = np.empty((height + 2, width + 2, 4), np.uint8)
    framed[[0, -1]] = framed[:, [0, -1]] = 0
    columns = _column_means(part[: height * factor, : width * factor], factor)
    for color in range(3):
        framed[1:-1, 1:-1, color] = columns[:, color :: 3 * factor]
    return framed


def _column_means(part: np.ndarray, factor: int) -> np.ndarray:
    """(h, N) means of factor x factor pixels from each pixel on: contiguous, and so faster than those of blocks alone.

    The colours of a pixel follow each other; N is 3 W less what the last block needs.
    """
    height, width = part.shape[0] // factor, part.shape[1]
    whole = part.reshape(height, factor, width * 3)
    if factor == 1:
        return whole[:, 0]
    rows = np.add(whole[:, 0], whole[:, 1], dtype=np.uint16)
    for row in range(2, factor):
        rows += whole[:, row]
    total = rows[:, : rows.shape[1] - 3 * (factor - 1)] + np.uint16(factor * factor // 2)
    for column in range(1, factor):
        total += rows[:, 3 * column : 3 * column + total.shape[1]]
    total //= factor * factor
    return total


def _rotation(angle: float) -> np.ndarray:
    """(2, 2) matrix that turns columns clockwise as seen, with y downwards."""
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin], [sin, cos]], np.float32)
