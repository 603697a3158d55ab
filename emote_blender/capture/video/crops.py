"""Square crops around a face: where they lie, what they show, and points in them.

Places in a picture are in pixels from its left and top edges: the centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

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
        picture: (h, w, 3) uint8.
        left: place of its left edge in the whole picture, pixels.
        top: place of its top edge in the whole picture, pixels.
        factor: pixels of the whole picture for each of the patch.
    """

    picture: np.ndarray
    left: int
    top: int
    factor: int

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
        part = picture[top:bottom, left:right]
        if right - left < factor or bottom - top < factor:
            return cls(np.zeros((1, 1, 3), np.uint8), left, top, factor)
        return cls(part if factor == 1 else _block_means(part, factor), left, top, factor)

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

    def copied(self) -> Patch:
        """The same patch without a reference to the whole picture."""
        return replace(self, picture=self.picture.copy())


class Cropper:
    """Cuts crops of one size.

    Its arrays are kept from one crop to the next: to get new memory takes longer than to compute in it. So a crop holds
    until the next is cut, and an object is for one thread.
    """

    def __init__(self, size: int) -> None:
        """`size` is the width and height of the crops, pixels."""
        self.size = size
        self._places = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
        self._x, self._y, self._column, self._row, self._upper, self._lower, self._right = (
            np.empty((size, size), np.float32) for _ in range(7)
        )
        self._index = np.empty((size, size), np.intp)
        self._crop = np.empty((size, size, 3), np.float32)
        self._planes = np.empty(0, np.float32)

    def cut(self, patch: Patch, region: Region) -> np.ndarray:
        """(size, size, 3) float32 RGB from 0 to 1: what a region shows, black outside of the patch.

        Args:
            patch: the patch.
            region: the region, in pixels of the whole picture.
        """
        inside = Region(region.x - patch.left, region.y - patch.top, region.side, region.angle)
        self._place(inside.scaled(1 / patch.factor), *patch.picture.shape[:2])
        return self._sample(patch.picture)

    def _place(self, region: Region, height: int, width: int) -> None:
        """Set the places of the crop's pixels in a patch of this size, which has a frame of one pixel around it."""
        cos, sin = (region.side * turn(region.angle) * self._places for turn in (np.cos, np.sin))
        # From the centre of the frame's first pixel.
        np.subtract.outer(-sin, -cos, out=self._x)
        np.add.outer(cos, sin, out=self._y)
        for values, middle, limit in ((self._x, region.x, width), (self._y, region.y, height)):
            values += np.float32(middle + 0.5)
            np.clip(values, 0, limit + 0.99, out=values)

    def _sample(self, patch: np.ndarray) -> np.ndarray:
        """The crop, interpolated between the pixels of a patch (H, W, 3) uint8."""
        height, width = patch.shape[0] + 2, patch.shape[1] + 2
        if self._planes.size < 3 * height * width:
            self._planes = np.empty(3 * height * width, np.float32)
        planes = self._planes[: 3 * height * width].reshape(3, height, width)
        planes[:, [0, -1]] = planes[:, :, [0, -1]] = 0
        planes[:, 1:-1, 1:-1] = patch.transpose(2, 0, 1)
        x, y, column, row, index = self._x, self._y, self._column, self._row, self._index
        np.floor(x, out=column)
        np.floor(y, out=row)
        x -= column
        y -= row
        row *= width  # exact: a patch has fewer than 2**24 pixels
        row += column
        index[...] = row
        # One colour after the other: numpy is slow where the last axis is short.
        for color, plane in enumerate(planes.reshape(3, -1)):
            upper = self._between(plane, self._upper)
            lower = self._between(plane[width:], self._lower)
            lower -= upper
            lower *= y
            lower += upper
            np.multiply(lower, np.float32(1 / 255), out=self._crop[..., color])
        return self._crop

    def _between(self, plane: np.ndarray, out: np.ndarray) -> np.ndarray:
        """The values at the places in the plane, interpolated from left to right."""
        np.take(plane, self._index, out=out, mode="clip")
        np.take(plane[1:], self._index, out=self._right, mode="clip")
        self._right -= out
        self._right *= self._x
        out += self._right
        return out


def _bounds(region: Region, margin: float, border: int, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the upright box around a region, within a picture of this size."""
    reach = margin * region.side * (abs(math.cos(region.angle)) + abs(math.sin(region.angle))) / 2 + border
    left, right = (int(min(max(value, 0), width)) for value in (region.x - reach, region.x + reach + 1))
    top, bottom = (int(min(max(value, 0), height)) for value in (region.y - reach, region.y + reach + 1))
    return left, top, right, bottom


def _block_means(picture: np.ndarray, factor: int) -> np.ndarray:
    """The means of blocks of factor x factor pixels (uint8), at most 16; the rest at two edges is left out."""
    height, width = picture.shape[0] // factor, picture.shape[1] // factor
    whole = picture[: height * factor, : width * factor].reshape(height, factor, width * factor * 3)
    rows = whole[:, 0].astype(np.uint16)
    for row in range(1, factor):
        rows += whole[:, row]
    # Sums at every place, of which one in `factor` is taken: contiguous, and so faster than the sums of blocks.
    total = rows[:, : rows.shape[1] - 3 * (factor - 1)].copy()
    for column in range(1, factor):
        total += rows[:, 3 * column : 3 * column + total.shape[1]]
    total += factor * factor // 2
    total //= factor * factor
    padded = np.zeros((height, width * factor * 3), np.uint8)
    padded[:, : total.shape[1]] = total
    return padded.reshape(height, width, factor, 3)[:, :, 0]


def _rotation(angle: float) -> np.ndarray:
    """(2, 2) matrix that turns columns clockwise as seen, with y downwards."""
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin], [sin, cos]], np.float32)
