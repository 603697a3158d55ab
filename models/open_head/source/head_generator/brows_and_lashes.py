"""Left eyebrow and left upper lashes."""

import numpy as np
from scipy.interpolate import CubicSpline

from .eyelids import INNER_CORNER_INDEX, LID_POSITION, LID_THICKNESS, margin_ring
from .interpolation import lerp, smoothstep
from .part import lattice, plain_part
from .surface import EYE_RADIUS, front_surface, normals
from .topology import EYE_LOOP

# at nine stations from the nose outwards: position and half height of the brow, metres
BROW_X = np.array([10.5, 16, 22, 28, 34, 40, 46, 51, 55.5]) / 1000
BROW_Y = np.array([47.7, 48.6, 49.8, 51.1, 52.2, 52.7, 51.9, 49.9, 47.1]) / 1000
BROW_HALF_HEIGHT = np.array([1.5, 3.1, 3.7, 3.6, 3.3, 2.9, 2.3, 1.6, 0.8]) / 1000
# position across the brow (-1 lower to 1 upper edge), height above the skin in metres
BROW_ROWS = ((-1.0, -0.0006), (-0.72, 0.0011), (0.0, 0.0021), (0.72, 0.0012), (1.0, -0.0006))
BROW_COLUMNS = 15
BROW_COLOR, LASH_COLOR = (0.20, 0.125, 0.09), (0.035, 0.022, 0.018)

LASH_COLUMNS = np.array([(INNER_CORNER_INDEX - k) % EYE_LOOP for k in range(15)])
"""Loop indices of the upper lid from the inner to the outer corner."""
LID_SURFACE = EYE_RADIUS + LID_THICKNESS
# degrees outside the margin, metres from the eye's centre, how far the row stands off the lid (0 to 1)
LASH_ROWS = (
    (-1.0, EYE_RADIUS + 0.0004, 0),
    (-1.2, LID_SURFACE + 0.0004, 0),
    (0.6, LID_SURFACE + 0.0010, 0.6),
    (3.3, LID_SURFACE + 0.0034, 1.0),
)
LASH_LOOP_INDEX = np.tile(LASH_COLUMNS, len(LASH_ROWS))
"""Index in the lid's loop of each vertex of the lashes."""


def left_brow():
    """A flat strip that follows the sculpt."""
    station = np.linspace(0, 8, BROW_COLUMNS)
    x, y, half_height = (CubicSpline(np.arange(9), knots)(station) for knots in (BROW_X, BROW_Y, BROW_HALF_HEIGHT))
    rows = []
    for across, height in BROW_ROWS:
        points = front_surface(x + 0.0005 * across, y + across * half_height)
        rows.append(points + normals(points) * (height * np.clip(half_height / 0.0025, 0.25, 1.0))[:, None])
    return plain_part(np.concatenate(rows), lattice(len(BROW_ROWS), BROW_COLUMNS), "brow", BROW_COLOR)


def left_lashes():
    """A dark wedge along the upper lid's margin."""
    position = LID_POSITION[LASH_COLUMNS]
    fullness = np.clip(np.sin(np.pi * np.clip(0.10 + 0.9 * position, 0, 1)) ** 0.6, 0.0, 1)
    fullness *= lerp(0.45, 1.15, position)
    fullness *= smoothstep((position + 0.02) / 0.30)
    fullness[-1] = 0.75
    rows = []
    for gap, radius, freedom in LASH_ROWS:
        gaps = np.zeros(EYE_LOOP)
        gaps[LASH_COLUMNS] = gap * (fullness if freedom else np.clip(fullness * 2, 0.25, 1))
        radii = np.full(EYE_LOOP, radius)
        radii[LASH_COLUMNS] = LID_SURFACE + (radius - EYE_RADIUS - LID_THICKNESS) * (fullness if freedom else 1)
        points = margin_ring(gaps, radii)[LASH_COLUMNS]
        wing = np.zeros_like(points)
        wing[:, 0] = 0.0020 * smoothstep((position - 0.55) / 0.45) * freedom
        rows.append(points + wing)
    return plain_part(np.concatenate(rows), lattice(len(LASH_ROWS), len(LASH_COLUMNS)), "lash", LASH_COLOR)
