"""A few points of a face, posed quickly: what components and jaw do to places and to the lips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..motion_tools.rotation import axis_angle_to_matrix
from .correspondence import LipVertices, Places
from .face_shape import FaceShape


@dataclass(frozen=True, eq=False)
class FacePoints:
    """Points of a face, millimetres of a head of usual size, from the joint of the jaw.

    Attributes:
        rest: (P, 3) at rest.
        directions: (E, 3 P) displacement by each component at 1.
        jaw_weights: (P,) skinning weight of the jaw.
        correctives: (9, 3 P) displacement by each entry of R - I of the jaw, or None.
    """

    rest: np.ndarray
    directions: np.ndarray
    jaw_weights: np.ndarray
    correctives: np.ndarray | None

    @property
    def num_points(self) -> int:
        """P, the number of points."""
        return len(self.rest)

    def displaced(self, expression: np.ndarray, jaw: np.ndarray) -> np.ndarray:
        """(T, P, 3) displacement of the points, mm; the joint of the jaw stays where it is at rest.

        Args:
            expression: (T, E) coefficients.
            jaw: (T, 3) axis-angle, radians.
        """
        turn = (axis_angle_to_matrix(jaw) - np.eye(3)).astype(np.float32)  # (T, 3, 3)
        moved = np.einsum("te,ec->tc", expression.astype(np.float32), self.directions)
        if self.correctives is not None:
            moved += np.einsum("te,ec->tc", turn.reshape(-1, 9), self.correctives)
        moved = moved.reshape(len(expression), -1, 3)
        turned = np.einsum("tij,tpj->tpi", turn, self.rest + moved)
        turned *= self.jaw_weights[:, None]
        return moved + turned

    def jaw_directions(self) -> np.ndarray:
        """(3, 3 P) displacement per radian of the jaw's rotation about each axis, for small angles."""
        axes = np.eye(3, dtype=np.float32)
        turned = np.stack([np.cross(axis, self.rest) for axis in axes]) * self.jaw_weights[:, None]
        directions = turned.reshape(3, -1)
        if self.correctives is not None:
            entries = np.stack([np.cross(axis, axes).T.ravel() for axis in axes])
            directions = directions + entries @ self.correctives
        return directions.astype(np.float32)


def points_at(shape: FaceShape, places: Places, columns: np.ndarray) -> FacePoints:
    """The points at some places of a face.

    Args:
        shape: the face.
        places: where.
        columns: (E,) numbers of the components.
    """
    unit = shape.millimetre
    rest = (places.of(np.asarray(shape.vertices, np.float32)) - shape.jaw_joint) / unit
    used = np.unique(places.vertices)
    number = np.zeros(len(shape.vertices), np.intp)
    number[used] = np.arange(len(used))
    local = Places(number[places.vertices], places.weights)
    directions = local.of(np.ascontiguousarray(shape.directions[used][:, :, columns], np.float32)) / unit  # (P, 3, E)
    correctives = None
    if shape.jaw_correctives is not None:
        correctives = local.of(np.moveaxis(shape.jaw_correctives[:, used], 0, -1)) / unit
        correctives = _flat(correctives)
    return FacePoints(
        rest.astype(np.float32), _flat(directions), places.of(shape.jaw_weights).astype(np.float32), correctives
    )


def _flat(directions: np.ndarray) -> np.ndarray:
    """(E, 3 P) of (P, 3, E)."""
    return np.ascontiguousarray(directions.reshape(-1, directions.shape[2]).T, np.float32)


@dataclass(frozen=True, eq=False)
class LipPoints:
    """The lips at some stations along the mouth.

    Attributes:
        points: the upper lip's points of all stations, then the lower lip's.
        num_stations: number of stations.
    """

    points: FacePoints
    num_stations: int

    def gap(self, expression: np.ndarray, jaw: np.ndarray) -> np.ndarray:
        """(T, S) opening between the lips at each station, mm, negative where they overlap.

        It is the height of the upper lip's lowest point over the lower lip's highest one, as `flame.measure.lip_gap`.
        """
        displaced = self.points.displaced(expression, jaw)
        height = (displaced[..., 1] + self.points.rest[:, 1]).reshape(len(displaced), 2, self.num_stations, -1)
        return height[:, 0].min(2) - height[:, 1].max(2)

    def gap_at_rest(self) -> np.ndarray:
        """(S,) the opening at rest."""
        height = self.points.rest[:, 1].reshape(2, self.num_stations, -1)
        return height[0].min(1) - height[1].max(1)


def lip_points_at(shape: FaceShape, lips: LipVertices, columns: np.ndarray) -> LipPoints:
    """The lips of a face; `columns` (E,) are the numbers of the components."""
    vertices = np.concatenate([lips.upper.ravel(), lips.lower.ravel()])[:, None]
    places = Places(vertices, np.ones(vertices.shape))
    return LipPoints(points_at(shape, places, columns), len(lips.upper))
