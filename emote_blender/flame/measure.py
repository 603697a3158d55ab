"""Measures taken on the posed mesh."""

import numpy as np

from ..errors import ModelError
from .model import FaceModel

LIPS_CLOSED_GAP = 0.0005
"""Metres: lips with a smaller gap count as closed.

On the open head the gap is -0.32 mm at rest and 0.53 mm with the jaw open by 0.01 rad.
"""

MIDLINE_HALF_WIDTH = 0.0005
"""Metres: lip vertices within this distance of the midline on the template stand for the middle of the mouth."""

UPPER_INNER_LIP_LANDMARK, LOWER_INNER_LIP_LANDMARK = 62, 66  # iBUG 68 points, counted from 0


def lip_gap(face_model: FaceModel, vertices: np.ndarray) -> np.ndarray:
    """Return (...) the opening between the lips at the middle of the mouth, metres; negative where they overlap.

    The gap is the height of the upper lip's lowest point minus that of the lower lip's highest point, over the lip
    vertices on the midline. The extremes, unlike a fixed pair of vertices, keep the measure valid when the lips
    roll or press. A head without lip regions is measured at the two inner-lip landmarks of the iBUG 68 points.

    Args:
        face_model: the head that `vertices` belong to.
        vertices: (..., V, 3) posed vertices, metres, without root or neck rotation (the gap is measured along y).

    Raises:
        ModelError: the head has neither lip regions nor 68 landmarks.
    """
    vertices = np.asarray(vertices)
    if {"lips_upper", "lips_lower"} <= set(face_model.regions):
        upper, lower = (midline_vertices(face_model, name) for name in ("lips_upper", "lips_lower"))
        return vertices[..., upper, 1].min(-1) - vertices[..., lower, 1].max(-1)
    if face_model.landmark_faces is None or len(face_model.landmark_faces) != 68:
        raise ModelError("the lip gap needs a head with the regions lips_upper and lips_lower or with 68 landmarks")
    points = landmarks(face_model, vertices, [UPPER_INNER_LIP_LANDMARK, LOWER_INNER_LIP_LANDMARK])
    return points[..., 0, 1] - points[..., 1, 1]


def landmarks(face_model: FaceModel, vertices: np.ndarray, indices=slice(None)) -> np.ndarray:
    """Return (..., L, 3) landmark positions, metres, on (..., V, 3) posed vertices.

    Raises:
        ModelError: the head has no landmarks.
    """
    triangles, barycentrics = face_model.landmark_faces, face_model.landmark_barycentrics
    if triangles is None or barycentrics is None:
        raise ModelError(f"the head '{face_model.basis}' has no landmarks; choose one whose head folder holds them")
    corners = face_model.faces[triangles[indices]]  # (L, 3)
    return np.einsum("...lcd,lc->...ld", np.asarray(vertices)[..., corners, :], barycentrics[indices])


def midline_vertices(face_model: FaceModel, region: str) -> np.ndarray:
    """Return (N,) indices of a region's vertices at the midline of the template."""
    near = np.abs(face_model.v_template[:, 0]) < MIDLINE_HALF_WIDTH
    return np.flatnonzero(near & (face_model.regions[region] > 0.5))
