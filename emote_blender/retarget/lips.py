"""What shape keys and the jaw do to the lips of a face, in millimetres of a head of usual size."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from ..files.paths import DEFAULT_HEAD, find_head
from ..flame.model import FaceModel
from ..motion_tools.rotation import axis_angle_to_matrix
from .mouth import COLUMNS, Mouth, find_mouth

_BLOCK = 2000  # frames that are posed at a time
_MIDDLE = slice(len(COLUMNS) // 2 - 1, len(COLUMNS) // 2 + 2)
_OPENED_RADIANS = 0.2
_LEAST_MM = 1e-3


@dataclass(frozen=True, eq=False)
class LipShape:
    """The shape of a mouth in each frame, relative to closed lips at rest, mm.

    Attributes:
        gap: (T, K) opening in each of `mouth.COLUMNS`; 0 where the lips touch, negative where they overlap.
        width: (T,) how much wider than at rest.
        forward: (T, 2) how far upper and lower lip are in front of where they are at rest.
        lower: (T,) height of the lower lip's edge in the middle, above that at rest.
        corners: (T, 2, 2) how far the right and the left corner are to the left of and above where they are at rest.
    """

    gap: np.ndarray
    width: np.ndarray
    forward: np.ndarray
    lower: np.ndarray
    corners: np.ndarray

    @property
    def opening(self) -> np.ndarray:
        """(T,) gap in the middle of the mouth."""
        return self.gap[:, _MIDDLE].mean(1)


@dataclass(frozen=True, eq=False)
class Lips:
    """The lips of a face, and what moves them. Lengths are mm in the face's axes (left, up, front).

    Attributes:
        mouth: the lips, by their places in `points`.
        points: (P, 3) vertices of the lips at rest.
        names: C names of shape keys.
        directions: (P, 3, C) displacement by each shape key at 1.
        jaw_weights: (P,) skinning weight of the jaw; zeros without a jaw that rotates.
        jaw_joint: (3,) the joint about which the jaw rotates.
    """

    mouth: Mouth
    points: np.ndarray
    names: tuple[str, ...]
    directions: np.ndarray
    jaw_weights: np.ndarray
    jaw_joint: np.ndarray

    def shape(self, values: np.ndarray, jaw: np.ndarray | None = None) -> LipShape:
        """The shape of the mouth in each frame.

        Args:
            values: (T, C) values of the shape keys.
            jaw: (T, 3) axis-angle in the face's axes, radians, or None.
        """
        blocks = [
            self._measure(
                self.posed(values[start : start + _BLOCK], None if jaw is None else jaw[start : start + _BLOCK])
            )
            for start in range(0, len(values), _BLOCK)
        ]
        parts = [np.concatenate(part) - rest for part, rest in zip(zip(*blocks, strict=True), self._rest, strict=True)]
        return LipShape(parts[0] + self.rest_gap, *parts[1:])

    @property
    def rest_gap(self) -> np.ndarray:
        """(K,) gap at rest: 0 if the mouth is closed."""
        return self._rest[0][0] - self.mouth.contact

    @property
    def width(self) -> float:
        """Width of the mouth at rest, mm."""
        return float(self._rest[1][0])

    @functools.cached_property
    def _rest(self) -> tuple[np.ndarray, ...]:
        return self._measure(self.points[None])

    def posed(self, values: np.ndarray, jaw: np.ndarray | None) -> np.ndarray:
        """(T, P, 3) points; shape keys come before the skinning."""
        moved = np.einsum("tc,xc->tx", values, self.directions.reshape(self.points.size, len(self.names)))
        points = moved.reshape(len(values), -1, 3) + self.points
        if jaw is not None:
            turn = axis_angle_to_matrix(jaw) - np.eye(3)
            points = points + self.jaw_weights[:, None] * np.einsum("tij,tpj->tpi", turn, points - self.jaw_joint)
        return points

    def _measure(self, points: np.ndarray) -> tuple[np.ndarray, ...]:
        """The fields of `LipShape`, not yet relative to rest."""
        upper, lower = points[:, self.mouth.upper], points[:, self.mouth.lower]  # (T, K, N, 3)
        edge = lower[..., 1].max(2)
        forward = np.stack([lip[:, _MIDDLE, :, 2].mean((1, 2)) for lip in (upper, lower)], axis=1)
        corners = points[:, self.mouth.corners, :2].mean(2)
        width = corners[:, 1, 0] - corners[:, 0, 0]
        return upper[..., 1].min(2) - edge, width, forward, edge[:, _MIDDLE].mean(1), corners


@functools.cache
def open_lips() -> Lips:
    """The lips of the open head; its expression components are the shape keys."""
    model = FaceModel.load(find_head(DEFAULT_HEAD))
    joints = dict(zip(model.joint_names, model.joints(), strict=True))
    jaw_weights = model.lbs_weights[:, model.joint_names.index("jaw")]
    opened = model.vertices(np.zeros(model.num_expression), np.array([_OPENED_RADIANS, 0.0, 0.0]))
    edges = np.concatenate([model.faces[:, [0, 1]], model.faces[:, [1, 2]], model.faces[:, [2, 0]]])
    eye_distance = float(np.linalg.norm(joints["left_eye"] - joints["right_eye"]))
    mouth = find_mouth(model.v_template, opened - model.v_template, edges, eye_distance)
    assert mouth is not None, "the open head has a mouth"
    return lips_at(
        mouth, model.v_template, model.expression_names or (), model.expression_dirs, jaw_weights, joints["jaw"]
    )


def lips_at(
    mouth: Mouth,
    vertices: np.ndarray,
    names: tuple[str, ...],
    directions: np.ndarray,
    jaw_weights: np.ndarray,
    jaw_joint: np.ndarray,
) -> Lips:
    """The lips of a face in millimetres, from arrays of the whole mesh in its own unit; see `Lips`.

    Shape keys that do not move the lips are left out, and those whose coordinates are no numbers.
    """
    chosen = mouth.vertices
    scale = 1.0 / mouth.millimetre
    moved = directions[chosen] * scale
    moving = np.flatnonzero(np.abs(moved).max((0, 1)) > _LEAST_MM)
    return Lips(
        mouth.at(chosen),
        vertices[chosen] * scale,
        tuple(names[index] for index in moving),
        np.ascontiguousarray(moved[:, :, moving]),
        np.asarray(jaw_weights, np.float64)[chosen],
        np.asarray(jaw_joint, np.float64) * scale,
    )
