"""The same places on two faces of different meshes, found from their geometry.

Eyes, the line between the closed lips, the tip of the nose and the chin, and landmarks where both heads have them, are
laid over each other by a smooth warp; then each point of one face is the nearest place of the other. Everything is in
millimetres of a head of usual size, measured from the point between the eyes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import ModelError
from .face_shape import FaceShape

_LINE_PARTS = np.array([0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0])
STATIONS = np.array([0.5, 0.35, 0.65, 0.2, 0.8])
"""Places along the line between the lips, from its right end to its left one; the middle first."""
_LIP_POINTS = 4  # of each lip at a station
_CELL_MM, _HIDDEN_MM = 3.0, 8.0  # vertices this far behind others of their cell are inside the mouth, or behind lids
_ABOVE_EYES_MM, _BELOW_LIPS_MM, _BEHIND_EYES_MM = 50.0, 55.0, 45.0
_DENSE_MM, _COARSE_MM = 12.0, 8.0  # all vertices this near the lips, elsewhere one for each cell of this size
_JAW_STEP_MM = 20.0  # what a jaw's weight of 1 counts when places are compared: an upper lip is no lower one
_NEIGHBOURS = 3
_NUM_WITHOUT_INNER_LIPS = 43  # of the 51 landmarks: the rest lies on the line between the lips
_STIFFNESS = 1e-3


@dataclass(frozen=True, eq=False)
class Places:
    """Places on a face, each the weighted mean of some vertices.

    Attributes:
        vertices: (P, K) numbers of the vertices.
        weights: (P, K) their weights, which sum to 1.
    """

    vertices: np.ndarray
    weights: np.ndarray

    def of(self, values: np.ndarray) -> np.ndarray:
        """(P, ...) the places' values of (V, ...) values of vertices."""
        picked = values[self.vertices]
        return np.einsum("pk,pk...->p...", self.weights.astype(picked.dtype), picked)


@dataclass(frozen=True, eq=False)
class LipVertices:
    """Vertices of both lips at the stations along the mouth.

    Attributes:
        upper: (S, K) vertices of the upper lip.
        lower: (S, K) vertices of the lower lip.
    """

    upper: np.ndarray
    lower: np.ndarray


@dataclass(frozen=True, eq=False)
class Correspondence:
    """Two faces laid over each other.

    Attributes:
        first: places on the first face.
        second: the same places on the second one.
        lip_nearness: (P,) 1 at the lips, falling to 0.
        first_lips: vertices of the first face's lips.
        second_lips: vertices of the second face's lips.
    """

    first: Places
    second: Places
    lip_nearness: np.ndarray
    first_lips: LipVertices
    second_lips: LipVertices


def correspondence(first: FaceShape, second: FaceShape) -> Correspondence:
    """The same places on two faces.

    Raises:
        ModelError: if a face has no mouth that its jaw opens, or no eyes.
    """
    faces = [_Face(shape) for shape in (first, second)]
    warp = _warp(*_marks(*faces))
    points = faces[0].sampled()
    warped = warp(faces[0].points[points])
    candidates = np.flatnonzero(faces[1].visible)
    apart = ((warped[:, None] - faces[1].points[candidates]) ** 2).sum(2)
    apart += (_JAW_STEP_MM * (first.jaw_weights[points][:, None] - second.jaw_weights[candidates])) ** 2
    nearest = np.argpartition(apart, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
    weights = 1.0 / (np.take_along_axis(apart, nearest, axis=1) + 0.05)
    return Correspondence(
        Places(points[:, None], np.ones((len(points), 1))),
        Places(candidates[nearest], weights / weights.sum(1, keepdims=True)),
        np.clip(1.0 - faces[0].from_lips[points] / _DENSE_MM, 0.0, 1.0),
        faces[0].lips(),
        faces[1].lips(),
    )


def face_warp(first: FaceShape, second: FaceShape) -> Callable[[np.ndarray], np.ndarray]:
    """The map that takes points (P, 3) of the first face, in its unit, to the same places of the second one.

    Raises:
        ModelError: if a face has no mouth that its jaw opens, or no eyes.
    """
    faces = _Face(first), _Face(second)
    warp = _warp(*_marks(*faces))
    return lambda points: warp(faces[0].in_millimetres(points)) * second.millimetre + faces[1].eyes


class _Face:
    """A face in millimetres, with its mouth."""

    def __init__(self, shape: FaceShape):
        contact = shape.lip_contact()
        if contact is None or not {"left_eye", "right_eye"} <= set(shape.joints):
            raise ModelError(
                f"the head ({shape.basis}) has no mouth that its jaw opens, or no eyes, so that motions cannot be "
                "converted for it; choose a motion of its own basis"
            )
        self.shape = shape
        self.eyes = (np.asarray(shape.joints["left_eye"]) + shape.joints["right_eye"]) / 2
        self.points = self.in_millimetres(shape.vertices)
        self.line = _line(self.in_millimetres(contact))
        self.skin = shape.skin()
        self.visible = self.skin & self._in_face() & self._in_front()
        self.from_lips = np.full(len(self.points), np.inf)
        box = ((self.points > self.line.min(0) - 30) & (self.points < self.line.max(0) + 30)).all(1)
        self.from_lips[box] = np.sqrt(((self.points[box][:, None] - self.line) ** 2).sum(2).min(1))

    def in_millimetres(self, points: np.ndarray) -> np.ndarray:
        """Points of the head from the point between the eyes, in millimetres of a head of usual size."""
        return (np.asarray(points, np.float32) - self.eyes) / self.shape.millimetre

    def place(self, part: float | np.ndarray) -> np.ndarray:
        """The place at a part of the way from the right to the left corner of the mouth."""
        along = np.linspace(0.0, 1.0, len(self.line))
        return np.stack([np.interp(part, along, column) for column in self.line.T], axis=-1)

    def _in_face(self) -> np.ndarray:
        height, depth = self.points[:, 1], self.points[:, 2]
        lips = float(self.place(0.5)[1])
        return (height < _ABOVE_EYES_MM) & (height > lips - _BELOW_LIPS_MM) & (depth > -_BEHIND_EYES_MM)

    def _in_front(self) -> np.ndarray:
        """(V,) bool: vertices with no skin far in front of them."""
        cell = np.floor(self.points[:, :2] / _CELL_MM).astype(int)
        cell -= cell.min(0)
        number = cell[:, 0] * (cell[:, 1].max() + 1) + cell[:, 1]
        front = np.full(number.max() + 1, -np.inf)
        np.maximum.at(front, number[self.skin], self.points[self.skin, 2])
        return self.points[:, 2] > front[number] - _HIDDEN_MM

    def sampled(self) -> np.ndarray:
        """(P,) vertices: all near the lips, and evenly spread ones elsewhere."""
        near = self.visible & (self.from_lips < _DENSE_MM)
        far = np.flatnonzero(self.visible & ~near)
        cell = np.floor(self.points[far] / _COARSE_MM).astype(int)
        _, first = np.unique(cell, axis=0, return_index=True)
        return np.concatenate([np.flatnonzero(near), far[np.sort(first)]])

    def lips(self) -> LipVertices:
        """The lips' vertices at the stations: those nearest to the line between the lips."""
        is_lower = self.shape.jaw_weights >= 0.5
        near = self.visible & (self.from_lips < _DENSE_MM)
        sides = []
        for side in (near & ~is_lower, near & is_lower):
            numbers = np.flatnonzero(side)
            apart = self.points[numbers][:, None] - self.place(STATIONS)
            distance = np.linalg.norm(apart * [3.0, 1.0, 1.0], axis=2)  # the station's own column first
            sides.append(numbers[np.argsort(distance, axis=0)[:_LIP_POINTS].T])
        return LipVertices(*sides)

    def profile_marks(self) -> np.ndarray:
        """(2, 3) tip of the nose and chin: the foremost points of the midline above and below the lips."""
        lips = self.place(0.5)
        middle = self.visible & (np.abs(self.points[:, 0] - lips[0]) < 4.0)
        height = self.points[:, 1] - lips[1]
        return np.stack(
            [
                self._foremost(middle & (height > 8.0) & (self.points[:, 1] < -8.0)),
                self._foremost(middle & (height < -20.0) & (height > -_BELOW_LIPS_MM)),
            ]
        )

    def _foremost(self, among: np.ndarray) -> np.ndarray:
        if not among.any():
            return self.place(0.5)
        numbers = np.flatnonzero(among)
        return self.points[numbers[np.argmax(self.points[numbers, 2])]]

    def eye_marks(self) -> np.ndarray:
        """(2, 3) joints of the left and of the right eye."""
        return self.in_millimetres(np.stack([self.shape.joints["left_eye"], self.shape.joints["right_eye"]]))


def _line(contact: np.ndarray) -> np.ndarray:
    """(N, 3) the line between the lips from the character's right to the left, of scattered points on it."""
    order = contact[np.argsort(contact[:, 0])]
    edges = np.linspace(order[0, 0], order[-1, 0], 16)
    at = (edges[:-1] + edges[1:]) / 2
    parts = [order[(order[:, 0] >= low) & (order[:, 0] <= high)] for low, high in zip(edges[:-1], edges[1:])]
    means = np.array([part.mean(0) if len(part) else np.full(3, np.nan) for part in parts])
    known = ~np.isnan(means[:, 0])
    line = np.stack([np.interp(at, at[known], means[known, axis]) for axis in range(3)], axis=1)
    return np.concatenate([order[:1], line, order[-1:]])


def _marks(first: _Face, second: _Face) -> tuple[np.ndarray, np.ndarray]:
    """(M, 3) places that are the same on both faces."""
    marks = []
    for face in (first, second):
        found = [face.eye_marks(), face.profile_marks(), face.place(_LINE_PARTS)]
        inner = face.shape.landmarks
        if inner is not None and first.shape.landmarks is not None and second.shape.landmarks is not None:
            brows_to_lips = face.in_millimetres(inner[:_NUM_WITHOUT_INNER_LIPS])
            found = [face.eye_marks(), brows_to_lips, face.place(_LINE_PARTS[1:-1])]
        marks.append(np.concatenate(found))
    return marks[0], marks[1]


def _warp(source: np.ndarray, target: np.ndarray):
    """A function that takes points (N, 3) as the smoothest map does that takes source marks to target marks.

    A biharmonic spline: radial functions r and an affine part, with a little stiffness against marks that disagree.
    """
    count = len(source)
    radial = np.linalg.norm(source[:, None] - source, axis=2) - _STIFFNESS * count * np.eye(count)
    affine = np.concatenate([np.ones((count, 1)), source], axis=1)
    ridge = 1e-6 * np.eye(4)
    system = np.block([[radial, affine], [affine.T, -ridge]])
    solution = np.linalg.solve(system, np.concatenate([target, np.zeros((4, 3))]))

    def warp(points: np.ndarray) -> np.ndarray:
        spread = np.linalg.norm(points[:, None] - source, axis=2)
        return spread @ solution[:count] + solution[count] + points @ solution[count + 1 :]

    return warp
