"""Soft regions of a FLAME mesh, found from its joints, its pieces and its landmarks.

FLAME's own masks need a login and are not used. These regions are weights and masks for smoothing, which need a soft
edge of some millimetres rather than a sharp line.
"""

from __future__ import annotations

import numpy as np

from .model import FaceModel

_NOSE_BASE = 33  # iBUG number
_RIGHT_EYE, _LEFT_EYE = slice(36, 42), slice(42, 48)  # iBUG numbers from the image's left, the person's right
_EYEBALL_WEIGHT = 0.9  # the whole piece follows the eye's joint
_LIPS_REACH, _LIDS_REACH = 0.006, 0.006  # metres from the landmarks' line at which a weight has fallen to a half
_SPLIT_WIDTH = 0.008  # metres over which the upper face becomes the lower one
_POINTS_PER_EDGE = 8


def compute_regions(model: FaceModel) -> tuple[dict[str, np.ndarray], list[str]]:
    """Region weights (V,), 0 to 1, by name, and a sentence about each region that could not be found.

    `eye_left` and `eye_right` are the eyeballs. `lids_left`, `lids_right` and `lips` are near their landmarks, without
    eyeballs. `upper_face` and `lower_face` sum to 1 everywhere, with a soft border at the height of the nose's base.
    """
    regions, remarks = {}, []
    eyeballs = np.zeros(model.num_vertices, bool)
    pieces = connected_pieces(model.faces, model.num_vertices)
    for side in ("left", "right"):
        joint = model.joint_names.index(f"{side}_eye")
        inside = rigid_pieces(pieces, model.lbs_weights[:, joint])
        if inside.any():
            regions[f"eye_{side}"] = inside.astype(np.float32)
            eyeballs |= inside
        else:
            remarks.append(f"no piece of the mesh follows the {side} eye alone: no region eye_{side}")
    points = _landmark_points(model)
    if points is None:
        remarks.append("without landmarks: no regions for lips and lids, and the face is divided by its joints")
    else:
        outlines = {
            "lips": ((points[48:60], points[60:68]), _LIPS_REACH),
            "lids_right": ((points[_RIGHT_EYE],), _LIDS_REACH),
            "lids_left": ((points[_LEFT_EYE],), _LIDS_REACH),
        }
        for name, (loops, reach) in outlines.items():
            distance = np.min([_distance(model.v_template, _closed_line(loop)) for loop in loops], axis=0)
            weights = np.where(eyeballs, 0.0, _falloff(distance, reach))
            regions[name] = weights.astype(np.float32)
    height = (model.v_template[:, 1] - _split_height(model, points)) / _SPLIT_WIDTH
    upper = _falloff(0.5 - height, 0.5)
    upper[eyeballs] = 1.0
    regions["upper_face"] = upper.astype(np.float32)
    regions["lower_face"] = 1 - regions["upper_face"]
    return dict(sorted(regions.items())), remarks


def _landmark_points(model: FaceModel) -> np.ndarray | None:
    """(68, 3) landmarks on the template in iBUG's order; NaN for those of the jaw line if the model has none."""
    if model.landmark_faces is None or model.landmark_barycentrics is None:
        return None
    corners = model.v_template[model.faces[model.landmark_faces]]  # (L, 3, 3)
    points = np.einsum("lcd,lc->ld", corners, model.landmark_barycentrics)
    missing = np.full((68 - len(points), 3), np.nan)
    return np.concatenate([missing, points])


def _split_height(model: FaceModel, points: np.ndarray | None) -> float:
    """Height (y) between upper and lower face, metres: the nose's base, or a third of the way from eyes to neck."""
    if points is not None:
        return float(points[_NOSE_BASE, 1])
    joints = dict(zip(model.joint_names, model.joints(), strict=True))
    eyes = (joints["left_eye"] + joints["right_eye"]) / 2
    return float(eyes[1] + (joints["neck"][1] - eyes[1]) / 3)


def connected_pieces(faces: np.ndarray, num_vertices: int) -> np.ndarray:
    """(V,) number of the connected piece that each vertex belongs to: the smallest vertex in it."""
    label = np.arange(num_vertices)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    while True:
        lowest = label.copy()
        smaller = np.minimum(label[edges[:, 0]], label[edges[:, 1]])
        np.minimum.at(lowest, edges[:, 0], smaller)
        np.minimum.at(lowest, edges[:, 1], smaller)
        lowest = lowest[lowest]  # follow the labels of labels: some dozen rounds for any mesh
        if np.array_equal(lowest, label):
            return label
        label = lowest


def rigid_pieces(pieces: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(V,) bool: whether a vertex belongs to a piece that follows one joint as a whole."""
    smallest = np.ones(len(pieces))
    np.minimum.at(smallest, pieces, weights)
    return smallest[pieces] > _EYEBALL_WEIGHT


def _closed_line(corners: np.ndarray) -> np.ndarray:
    """(P, 3) points along the closed line through the corners."""
    part = np.linspace(0, 1, _POINTS_PER_EDGE, endpoint=False)[:, None, None]
    return (corners * (1 - part) + np.roll(corners, -1, axis=0) * part).reshape(-1, 3)


def _distance(vertices: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(V,) metres from each vertex to the nearest point."""
    return np.sqrt(((vertices[:, None] - points) ** 2).sum(-1).min(1))


def _falloff(distance: np.ndarray, reach: float) -> np.ndarray:
    """Smooth weights: 1 at distance 0, a half at `reach`, 0 from twice that on."""
    part = np.clip(distance / (2 * reach), 0, 1)
    return 1 - part**2 * (3 - 2 * part)
