"""The normal equations of a frame: how landmarks, seen where they are, move its unknowns (Gauss-Newton).

A landmark is off by its distance at the head's depth, metres, so that nothing depends on the size of the picture.
Landmarks that lie beside each other are off together: differences between the inner lips, and between the lids, are
known far better than places, and count by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..landmark_groups import (
    BROWS,
    CHIN,
    INNER_LIP_PAIRS,
    LEFT_IRIS,
    LEFT_LID_PAIRS,
    LEFT_LIDS,
    LIPS,
    NUM_LANDMARKS,
    OUTLINE,
    RIGHT_IRIS,
    RIGHT_LID_PAIRS,
    RIGHT_LIDS,
)
from .camera import Camera, HeadPose
from .fitted_face import JAW_UNIT, FittedFace

PLACE_METRES = 3e-3
"""Standard deviation for which a place counts; more than its noise, as hundreds of places are off alike."""
_PAIR_METRES = 1.0e-3
_HUBER = 1.1  # standard deviations beyond which a place counts less
_WEIGHTS = (
    (np.arange(NUM_LANDMARKS), 1.0),
    (LIPS, 1.6),
    (np.concatenate([RIGHT_LIDS, LEFT_LIDS]), 1.6),
    (BROWS, 1.6),
    (np.concatenate([RIGHT_IRIS, LEFT_IRIS]), 2.0),
    (OUTLINE, 0.15),
    (CHIN, 0.8),
)
PAIRS = np.concatenate([INNER_LIP_PAIRS, RIGHT_LID_PAIRS, LEFT_LID_PAIRS])
_INSIDE = np.setdiff1d(np.arange(NUM_LANDMARKS), OUTLINE)
_GROUP = 13  # unknowns of which the products are worked out together


def landmark_weights() -> np.ndarray:
    """(478,) weight of each landmark."""
    weights = np.empty(NUM_LANDMARKS)
    for landmarks, weight in _WEIGHTS:
        weights[landmarks] = weight
    return weights


@dataclass(frozen=True, eq=False)
class Equations:
    """H x = g of steps of the unknowns, from the landmarks alone; the pose's six come first.

    Attributes:
        system: (T, 6 + N + 3, 6 + N + 3).
        wanted: (T, 6 + N + 3).
        residual: (T,) root mean square distance of the landmarks without the outline, metres.
    """

    system: np.ndarray
    wanted: np.ndarray
    residual: np.ndarray


@dataclass(frozen=True, eq=False)
class Linearised:
    """What the landmarks of some frames say around a pose and an expression.

    Attributes:
        columns: (T, 6 + N + 3, R) float32 derivative of the rows by the pose and by the other unknowns.
        left: (T, R) what is left of the rows; the first 2 L rows are the places of landmarks, metres.
        weights: (R,) weight of each row.
        turned: (T, 2, L, 3) float32 derivative of the places by the landmarks of the neutral face.
    """

    columns: np.ndarray
    left: np.ndarray
    weights: np.ndarray
    turned: np.ndarray

    @property
    def pose(self) -> np.ndarray:
        """(T, R, 6) derivative of the rows by the pose."""
        return np.swapaxes(self.columns[:, :6], 1, 2)

    @property
    def values(self) -> np.ndarray:
        """(T, R, N + 3) derivative by the other unknowns."""
        return np.swapaxes(self.columns[:, 6:], 1, 2)


def linearised(face: FittedFace, camera: Camera, pose: HeadPose, values: np.ndarray, pixels: np.ndarray) -> Linearised:
    """The rows of some frames.

    Args:
        face: the head.
        camera: the camera.
        pose: of the head in each frame.
        values: (T, N + 3) the other unknowns.
        pixels: (T, L, 2) the landmarks.
    """
    num_frames, num_landmarks = pixels.shape[:2]
    points, jaw, arms = face.posed(values)
    turned = np.matmul(points, np.swapaxes(pose.rotation, 1, 2))
    seen = turned + pose.translation[:, None]
    metres = (-seen[:, :, 2].mean(1) / camera.focal)[:, None, None]  # of a pixel
    left = np.swapaxes((pixels - camera.pixels(seen)) * metres, 1, 2)  # (T, 2, L)
    # numpy is fast along the last axis, which is that of the landmarks from here on.
    by_point = _last(camera.directions(seen) * metres[..., None], 1)  # (T, 2, 3, L)
    rotation, jaw = np.asarray(pose.rotation, np.float32), np.asarray(jaw, np.float32)
    by_head = np.matmul(np.swapaxes(rotation, 1, 2)[:, None], by_point)  # in the head's axes
    # Skinning turns a landmark's displacement by the weighted mean of no turn and the jaw's.
    jaw_weights = np.asarray(face.jaw_weights, np.float32)
    by_rest = by_head + jaw_weights * np.matmul(np.swapaxes(jaw - np.eye(3, dtype=np.float32), 1, 2)[:, None], by_head)
    columns = np.empty((num_frames, 6 + face.num_values, 2 * (num_landmarks + len(PAIRS))), np.float32)
    places = columns[:, :, : 2 * num_landmarks].reshape(num_frames, -1, 2, num_landmarks)
    places[:, :3] = np.swapaxes(_cross(_last(turned, 1)[:, None], by_point), 1, 2)
    places[:, 3:6] = np.swapaxes(by_point, 1, 2)
    _multiply(by_rest, _displacements(face), places[:, 6:])
    by_jaw = _cross(_last(arms, 1)[:, None], by_head) * (jaw_weights * np.float32(JAW_UNIT))
    places[:, -3:] += np.swapaxes(by_jaw, 1, 2)
    of_pairs = places[..., PAIRS[:, 0]] - places[..., PAIRS[:, 1]]
    columns[:, :, 2 * num_landmarks :] = of_pairs.reshape(num_frames, -1, 2 * len(PAIRS))
    pairs_left = left[..., PAIRS[:, 0]] - left[..., PAIRS[:, 1]]
    rows_left = np.concatenate([left.reshape(num_frames, -1), pairs_left.reshape(num_frames, -1)], axis=1)
    weights = np.r_[np.tile(landmark_weights() / PLACE_METRES, 2), np.full(2 * len(PAIRS), 1 / _PAIR_METRES)]
    return Linearised(columns, rows_left, weights, np.swapaxes(by_rest, 2, 3))


def equations(rows: Linearised) -> Equations:
    """The normal equations of linearised rows, in which places that are far off count less (Huber's weights)."""
    off = np.abs(rows.left * rows.weights)
    weights = rows.weights * np.sqrt(np.minimum(1.0, _HUBER / np.maximum(off, 1e-12)))
    columns = rows.columns * weights[:, None].astype(np.float32)
    left = (rows.left * weights).astype(np.float32)
    wanted = np.einsum("tcr,tr->tc", columns, left).astype(np.float64)
    return Equations(_products(columns), wanted, residual_metres(rows))


def _products(columns: np.ndarray) -> np.ndarray:
    """(T, C, C) products of columns (T, C, R), each with each, in double precision.

    Official Blender builds have a numpy without BLAS, whose matrix product takes seven times as long as this.
    """
    system = np.empty((len(columns), columns.shape[1], columns.shape[1]))
    for start in range(0, columns.shape[1], _GROUP):
        group = slice(start, start + _GROUP)
        found = np.einsum("tcr,tdr->tcd", columns[:, group], columns[:, start:])
        system[:, group, start:] = found
        system[:, start:, group] = np.swapaxes(found, 1, 2)
    return system


def residual_metres(rows: Linearised) -> np.ndarray:
    """(T,) root mean square distance of the landmarks but those of the outline, metres."""
    places = rows.left[:, : 2 * NUM_LANDMARKS].reshape(len(rows.left), 2, NUM_LANDMARKS)[:, :, _INSIDE]
    return np.sqrt((places**2).sum(1).mean(1))


def _last(array: np.ndarray, axis: int) -> np.ndarray:
    """A float32 copy in which an axis is the last."""
    return np.ascontiguousarray(np.moveaxis(array, axis, -1), np.float32)


def _cross(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The cross product of vectors along the last axis but one."""
    x, y, z = np.moveaxis(first, -2, 0)
    u, v, w = np.moveaxis(second, -2, 0)
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u], axis=-2)


def _multiply(by_point: np.ndarray, displacements: np.ndarray, out: np.ndarray) -> None:
    """Write derivatives (T, 2, 3, L) by points, times what moves the points (N, 3, L), into (T, N, 2, L)."""
    np.multiply(by_point[:, None, :, 0], displacements[:, None, 0], out=out)
    part = np.empty_like(out)
    for axis in (1, 2):
        np.multiply(by_point[:, None, :, axis], displacements[:, None, axis], out=part)
        out += part


@lru_cache(maxsize=2)
def _displacements(face: FittedFace) -> np.ndarray:
    """(N + 3, 3, L) float32 displacement of the landmarks by each unknown; of the jaw, its correctives alone."""
    by_jaw = _corrective_directions(face.jaw_correctives) * JAW_UNIT
    return np.ascontiguousarray(np.concatenate([face.directions, by_jaw], axis=2).T, np.float32)


def _corrective_directions(correctives: np.ndarray) -> np.ndarray:
    """(L, 3, 3) displacement by a radian of the jaw about each axis, near rest."""
    axes = np.eye(3)
    entries = np.stack([np.cross(axis, axes).T.ravel() for axis in axes])  # of the matrix of each axis' cross product
    return np.einsum("ak,klc->lca", entries, correctives)
