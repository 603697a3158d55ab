"""The 68 iBUG landmarks as points on triangles."""

import numpy as np

from .brows_and_lashes import BROW_X, BROW_Y
from .interpolation import MIRROR
from .surface import front_surface

# the left half of the face's contour, from the ear to the chin
CONTOUR = np.array(
    [
        (0.0685, 0.014, 0.022),
        (0.0670, -0.002, 0.024),
        (0.0640, -0.018, 0.026),
        (0.0595, -0.034, 0.028),
        (0.0535, -0.049, 0.033),
        (0.0450, -0.063, 0.041),
        (0.0335, -0.0755, 0.052),
        (0.0180, -0.0845, 0.066),
        (0.0, -0.0885, 0.071),
    ]
)
NOSE_BRIDGE_ROWS, NOSE_BASE_ROW = (32, 30, 28, 26), 23
# loop indices of a lid's margin: from the inner corner over the upper lid, and from the outer corner over the upper lid
LEFT_EYE_LOOP, RIGHT_EYE_LOOP = (25, 21, 15, 11, 7, 1), (11, 15, 21, 25, 1, 7)
OUTER_LIP_LOOP = (33, 29, 25, 22, 19, 15, 11, 7, 3, 0, 41, 37)
INNER_LIP_LOOP = (33, 27, 22, 17, 11, 5, 0, 39)
OUTER_LIP_RING, CONTACT_RING, LID_MARGIN_RING = 4, 7, 5


def landmark_embedding(mesh):
    """(68,) triangles and (68, 3) barycentric coordinates of the landmarks on a HeadMesh."""
    skin_faces = np.where((mesh.faces < len(mesh.skin.keys)).all(1))[0]
    triangles, barycentrics = [], []
    for point in _landmark_points(mesh):
        nearest, weights = _closest_point(mesh.vertices, mesh.faces[skin_faces], point)
        triangles.append(skin_faces[nearest])
        barycentrics.append(weights)
    return np.array(triangles, np.int32), np.array(barycentrics, np.float32)


def _landmark_points(mesh):
    """(68, 3) points near the surface, from the character's right: 0 contour, 17 brows, 27 nose, 36 eyes, 48 mouth."""

    def vertex(*key):
        return mesh.vertices[mesh.skin.index[key]]

    points = np.zeros((68, 3))
    for i, point in enumerate(CONTOUR):
        points[i], points[16 - i] = point * MIRROR, point
    station = np.linspace(0.3, 7.6, 5)
    brow = front_surface(np.interp(station, np.arange(9), BROW_X), np.interp(station, np.arange(9), BROW_Y))
    for i, point in enumerate(brow):
        points[22 + i], points[21 - i] = point, point * MIRROR
    for i, row in enumerate(NOSE_BRIDGE_ROWS):
        points[27 + i] = vertex("g", row, 0)
    points[33] = vertex("g", NOSE_BASE_ROW, 0)
    points[34] = vertex("g", NOSE_BASE_ROW, 1) * 0.4 + vertex("g", NOSE_BASE_ROW, 2) * 0.6
    points[35] = vertex("g", NOSE_BASE_ROW, 3)
    points[32], points[31] = points[34] * MIRROR, points[35] * MIRROR
    points[36:42] = [vertex("eye", -1, LID_MARGIN_RING, k) for k in RIGHT_EYE_LOOP]
    points[42:48] = [vertex("eye", 1, LID_MARGIN_RING, k) for k in LEFT_EYE_LOOP]
    points[48:60] = [vertex("mouth", OUTER_LIP_RING, k) for k in OUTER_LIP_LOOP]
    points[60:68] = [vertex("mouth", CONTACT_RING, k) for k in INNER_LIP_LOOP]
    return points


def _closest_point(vertices, faces, point):
    """The triangle nearest to a point, and the barycentric coordinates (3,) of its nearest point."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    first, second, offset = b - a, c - a, point - a
    d00, d01, d11 = (first * first).sum(1), (first * second).sum(1), (second * second).sum(1)
    d20, d21 = (offset * first).sum(1), (offset * second).sum(1)
    area = d00 * d11 - d01 * d01 + 1e-20
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    weights = np.clip(np.stack([1 - v - w, v, w], 1), 0, None)
    weights /= weights.sum(1, keepdims=True)
    nearest_points = a * weights[:, :1] + b * weights[:, 1:2] + c * weights[:, 2:]
    nearest = np.argmin(((nearest_points - point) ** 2).sum(1))
    return nearest, weights[nearest]
