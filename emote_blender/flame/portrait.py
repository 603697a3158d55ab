"""A small picture of a face by numpy alone: for icons, where no renderer is at hand."""

from __future__ import annotations

import numpy as np

from .model import FaceModel

_LIGHT = np.array([-0.35, 0.45, 0.82])  # towards it, in the face model's axes: from the viewer's upper left
_AMBIENT = 0.35
_SPLITS = 5  # points along each edge of a triangle
_OVERSAMPLING = 2


def portrait(model: FaceModel, vertices: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 4) RGBA from 0 to 1, first row at the bottom: the face from the front, outside it transparent.

    Every triangle is drawn as points, the nearest of a pixel counts.

    Args:
        model: the face model, for triangles and colours.
        vertices: (V, 3) posed vertices in the model's axes: y up, the face towards +z.
        size: width and height in pixels.
    """
    wide = size * _OVERSAMPLING
    corners = vertices[model.faces]  # (F, 3, 3)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    facing = normals[:, 2] > 0
    corners, normals, faces = corners[facing], normals[facing], model.faces[facing]
    colours = np.full((len(vertices), 3), 0.7) if model.vertex_colors is None else model.vertex_colors[:, :3]
    light = _AMBIENT + (1 - _AMBIENT) * np.maximum(normals @ (_LIGHT / np.linalg.norm(_LIGHT)), 0)
    shares = np.array(
        [(i, j, _SPLITS - i - j) for i in range(_SPLITS + 1) for j in range(_SPLITS + 1 - i)], dtype=np.float64
    )
    shares /= _SPLITS
    points = np.einsum("pk,fkc->fpc", shares, corners).reshape(-1, 3)
    shaded = np.einsum("pk,fkc->fpc", shares, colours[faces]) * light[:, None, None]
    low, span = _frame(model)
    place = np.floor((points[:, :2] - low) / span * wide).astype(int)
    inside = ((place >= 0) & (place < wide)).all(axis=1)
    place, depth, shaded = place[inside], points[inside, 2], shaded.reshape(-1, 3)[inside]
    order = np.argsort(depth, kind="stable")  # of several points on a pixel the last one written stays
    picture = np.zeros((wide, wide, 4), np.float32)
    picture[place[order, 1], place[order, 0]] = np.concatenate([shaded, np.ones((len(shaded), 1))], axis=1)[order]
    covered = picture.reshape(size, _OVERSAMPLING, size, _OVERSAMPLING, 4).sum(axis=(1, 3))
    # Points leave gaps: one covered part of a pixel is enough.
    picture = covered / np.maximum(covered[..., 3:], 1.0)
    return picture


def _frame(model: FaceModel) -> tuple[np.ndarray, float]:
    """Lower left corner (2,) and width of the square that the picture shows: around the joints of jaw and eyes."""
    joints = model.J_regressor @ model.v_template
    eyes = joints[3:5].mean(axis=0)
    span = 3.1 * float(np.linalg.norm(joints[3] - joints[4]))
    return np.array([eyes[0] - span / 2, eyes[1] - 0.66 * span]), span
