"""Shading under a fixed light: vertex normals, spherical harmonics and the colours of a head."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...flame.model import FaceModel

# Real spherical harmonics up to the second band, each times the factor of its band for a Lambertian surface: pi,
# 2 pi / 3, pi / 4 (Ramamoorthi and Hanrahan 2001, An Efficient Representation for Irradiance Environment Maps,
# equations 3 and 8). Order: 1, x, y, z, xy, xz, yz, x² - y², 3 z² - 1.
_BANDS = (
    math.pi * math.sqrt(1 / (4 * math.pi)),
    *[2 * math.pi / 3 * math.sqrt(3 / (4 * math.pi))] * 3,
    *[math.pi / 4 * math.sqrt(15 / (4 * math.pi))] * 3,
    math.pi / 4 * math.sqrt(15 / (16 * math.pi)),
    math.pi / 4 * math.sqrt(5 / (16 * math.pi)),
)
_GATHERED = np.array([math.pi] + [2 * math.pi / 3] * 3 + [math.pi / 4] * 5)

AMBIENT = 0.42
LAMPS = (((0.35, 0.45, 0.82), 0.46), ((-0.55, 0.1, 0.83), 0.14))
"""Direction towards each lamp in the camera's frame (x right, y up, z to the camera) and its strength.

The main lamp is above and to the side, so that lids, lips and the folds beside the nose cast shading; a weak one
lightens the shadow side. A white surface that faces the camera gets 0.91; over all directions the brightness is 0.41 to
0.99, so nothing is clipped.
"""

# Display-referred RGB colours for heads without their own.
_SKIN, _LIPS, _SCLERA = (0.74, 0.56, 0.47), (0.62, 0.31, 0.29), (0.88, 0.87, 0.85)
_IRIS, _TEETH, _BROW, _INSIDE = (0.16, 0.12, 0.09), (0.88, 0.85, 0.8), (0.24, 0.16, 0.12), (0.28, 0.1, 0.1)
_IRIS_HALF_ANGLE = 0.5  # radians seen from the eyeball's centre: 6 of 12 mm


def sphere_harmonics(directions: Tensor) -> Tensor:
    """(..., 9) values at unit directions (..., 3); `sphere_harmonics(n) @ light` is the brightness at normal n."""
    x, y, z = directions.unbind(-1)
    bands = [torch.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1]
    return torch.stack([band * weight for band, weight in zip(bands, _BANDS)], -1)


def lamps_light(ambient: float = AMBIENT, lamps=LAMPS) -> np.ndarray:
    """(9, 3) light coefficients of an even environment and lamps at infinity; the same for red, green and blue.

    Args:
        ambient: brightness of a white surface under the environment alone.
        lamps: pairs of the direction towards a lamp and the brightness that it adds to a surface that faces it. The
            brightness falls with the cosine of the angle, as far as nine coefficients can represent that.
    """
    light = np.zeros(9)
    light[0] = ambient / _BANDS[0]
    for direction, strength in lamps:
        towards = torch.tensor(direction, dtype=torch.float64)
        light += strength * sphere_harmonics(towards / towards.norm()).numpy() / _GATHERED
    return np.repeat(light[:, None], 3, 1)


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """(N, V, 3) unit normals of vertices (N, V, 3): the mean of the faces' normals, weighted by area."""
    a, b, c = (vertices.index_select(1, faces[:, corner]) for corner in range(3))
    across = torch.linalg.cross(b - a, c - a)  # (N, F, 3)
    total = torch.zeros_like(vertices)
    for corner in range(3):
        total = total.index_add(1, faces[:, corner], across)
    return functional.normalize(total, dim=-1, eps=1e-20)


def region_albedo(face_model: FaceModel) -> np.ndarray:
    """(V, 3) RGB in [0, 1] of a head: its own vertex colours if it has any, else one colour per region."""
    if face_model.vertex_colors is not None:
        return np.asarray(face_model.vertex_colors, np.float32)
    albedo = np.tile(np.array(_SKIN), (face_model.num_vertices, 1))
    regions = face_model.regions
    colors = {"lips": _LIPS, "brow_left": _BROW, "brow_right": _BROW, "mouth_inside": _INSIDE, "tongue": _LIPS}
    colors |= dict.fromkeys(("eye_left", "eye_right"), _SCLERA)
    colors |= dict.fromkeys(("teeth_upper", "teeth_lower"), _TEETH)
    for name, color in colors.items():
        if name in regions:
            albedo += regions[name][:, None] * (np.array(color) - albedo)
    for name in ("eye_left", "eye_right"):
        eyeball = np.flatnonzero(regions.get(name, np.zeros(0)) > 0.5)
        if len(eyeball):
            outwards = face_model.v_template[eyeball] - face_model.v_template[eyeball].mean(0)
            ahead = outwards[:, 2] / np.linalg.norm(outwards, axis=1).clip(min=1e-9)
            albedo[eyeball[ahead > math.cos(_IRIS_HALF_ANGLE)]] = _IRIS
    return albedo.astype(np.float32)
