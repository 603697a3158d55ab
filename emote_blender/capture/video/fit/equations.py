"""The normal equations of a frame: how landmarks, seen where they are, move its unknowns (Gauss-Newton).

A landmark is off by its distance at the head's depth, metres, so that nothing depends on the size of the picture.
Landmarks that lie beside each other are off together: differences between the inner lips, and between the lids, are
known far better than places, and count by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

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
from .camera import Camera, HeadPose, pose_directions
from .fitted_face import JAW_UNIT, FittedFace

PLACE_METRES = 4e-3
"""Standard deviation for which a place counts; more than its noise, as hundreds of places are off alike."""
_PAIR_METRES = 1.0e-3
_HUBER = 1.1  # standard deviations beyond which a place counts less
_WEIGHTS = (
    (np.arange(NUM_LANDMARKS), 0.6),
    (LIPS, 1.6),
    (np.concatenate([RIGHT_LIDS, LEFT_LIDS]), 1.6),
    (BROWS, 1.6),
    (np.concatenate([RIGHT_IRIS, LEFT_IRIS]), 2.0),
    (OUTLINE, 0.15),
    (CHIN, 0.8),
)
PAIRS = np.concatenate([INNER_LIP_PAIRS, RIGHT_LID_PAIRS, LEFT_LID_PAIRS])


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
        pose: (T, R, 6) derivative of the rows by the pose.
        values: (T, R, N + 3) derivative by the other unknowns.
        left: (T, R) what is left of the rows; the first 2 L rows are the places of landmarks, metres.
        weights: (R,) weight of each row.
        turned: (T, 2, L, 3) derivative of the places by the landmarks of the neutral face.
    """

    pose: np.ndarray
    values: np.ndarray
    left: np.ndarray
    weights: np.ndarray
    turned: np.ndarray


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
    by_point = camera.directions(seen) * metres[..., None]  # (T, L, 2, 3)
    left = (pixels - camera.pixels(seen)) * metres
    by_pose = pose_directions(by_point, turned).astype(np.float32)
    by_head = np.einsum("tlac,tcd->tald", by_point, pose.rotation)  # (T, 2, L, 3), in the head's axes
    # Skinning turns a landmark's displacement by the weighted mean of no turn and the jaw's.
    by_rest = by_head + face.jaw_weights[:, None] * np.matmul(by_head, (jaw - np.eye(3))[:, None])
    by_values = _times(by_rest, face.directions)
    by_jaw = np.cross(arms[:, None], by_head) * face.jaw_weights[:, None]
    by_jaw += _times(by_rest, _corrective_directions(face.jaw_correctives))
    of_values = np.concatenate([by_values, (by_jaw * JAW_UNIT).astype(np.float32)], axis=3)  # (T, 2, L, N + 3)
    by_pose, left = np.moveaxis(by_pose, 2, 1), np.moveaxis(left, 2, 1)
    rows = [(array, array[:, :, PAIRS[:, 0]] - array[:, :, PAIRS[:, 1]]) for array in (by_pose, of_values, left)]
    flat = [np.concatenate([part.reshape(num_frames, -1, *part.shape[3:]) for part in parts], axis=1) for parts in rows]
    weights = np.r_[np.tile(landmark_weights() / PLACE_METRES, 2), np.full(2 * len(PAIRS), 1 / _PAIR_METRES)]
    return Linearised(flat[0], flat[1], flat[2], weights, by_rest)


def equations(rows: Linearised) -> Equations:
    """The normal equations of linearised rows, in which places that are far off count less (Huber's weights)."""
    off = np.abs(rows.left * rows.weights)
    weights = rows.weights * np.sqrt(np.minimum(1.0, _HUBER / np.maximum(off, 1e-12)))
    both = np.concatenate([rows.pose, rows.values], axis=2)
    both *= weights[:, :, None].astype(np.float32)
    left = (rows.left * weights).astype(np.float32)
    transposed = np.swapaxes(both, 1, 2)
    system = np.matmul(transposed, both).astype(np.float64)
    wanted = np.matmul(transposed, left[:, :, None])[..., 0].astype(np.float64)
    return Equations(system, wanted, residual_metres(rows))


def residual_metres(rows: Linearised) -> np.ndarray:
    """(T,) root mean square distance of the landmarks but those of the outline, metres."""
    inside = np.setdiff1d(np.arange(NUM_LANDMARKS), OUTLINE)
    places = rows.left[:, : 2 * NUM_LANDMARKS].reshape(len(rows.left), 2, NUM_LANDMARKS)[:, :, inside]
    return np.sqrt((places**2).sum(1).mean(1))


def _times(by_point: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(T, 2, L, N) derivatives (T, 2, L, 3) by points, times what moves the points (L, 3, N)."""
    by_point, directions = by_point.astype(np.float32), directions.astype(np.float32)  # half the memory to move
    found = by_point[..., 0, None] * directions[:, 0]
    found += by_point[..., 1, None] * directions[:, 1]
    found += by_point[..., 2, None] * directions[:, 2]
    return found


def _corrective_directions(correctives: np.ndarray) -> np.ndarray:
    """(L, 3, 3) displacement by a radian of the jaw about each axis, near rest."""
    axes = np.eye(3)
    entries = np.stack([np.cross(axis, axes).T.ravel() for axis in axes])  # of the matrix of each axis' cross product
    return np.einsum("ak,klc->lca", entries, correctives)
