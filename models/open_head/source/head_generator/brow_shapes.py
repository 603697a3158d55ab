"""Expression directions of the left brow and of the nose, with the wrinkles of frown and disgust."""

import numpy as np
from scipy.spatial import cKDTree

from .eye_shapes import OPENING_UPPER, arch, move_lids
from .face_coordinates import MM
from .interpolation import gaussian, smooth_ramp

# thirds of the brow: x, y, half width (metres)
INNER_BROW, MIDDLE_BROW, OUTER_BROW = (
    (0.0145, 0.0480, 10.5 * MM),
    (0.0310, 0.0510, 10.5 * MM),
    (0.0500, 0.0505, 12.0 * MM),
)
# from the wing of the nose to the corner of the mouth
NASOLABIAL_LINE = np.array(
    [(0.0180, -0.0115, 0.0795), (0.0225, -0.0190, 0.0775), (0.0285, -0.0285, 0.0735), (0.0335, -0.0400, 0.0675)]
)
FROWN_ROWS = {34: 0.35, 35: 0.9, 36: 1.0, 37: 0.75, 38: 0.3}
FROWN_COLUMNS = {0: 0.30, 1: -1.0, 2: 0.60}
FOREHEAD_ROWS = {37: 0.45, 38: -1.0, 39: 0.55}
"""Fractions of a crease's depth: negative in the crease, positive in the bulges beside it.

A crease is one vertex wide, as fine as the cage allows. Subdivision Surface halves it, so the depths are large.
"""


def move_brow(face, inner=0.0, middle=0.0, outer=0.0, pinch=0.0):
    """(V, 3) displacement of brow and forehead.

    Args:
        face: FaceCoordinates.
        inner: rise of the inner third, millimetres.
        middle: rise of the middle third.
        outer: rise of the outer third.
        pinch: shift of the inner part towards the middle of the face, millimetres.
    """
    weights = [_brow_third(face, *third) for third in (INNER_BROW, MIDDLE_BROW, OUTER_BROW)]
    displacement = sum(face.along(weight, (0, rise, 0)) for weight, rise in zip(weights, (inner, middle, outer)))
    displacement = displacement + face.along(weights[0] + 0.4 * weights[1], (-pinch, 0, 0))
    return face.slide(displacement)


def _brow_third(face, x, y, half_width):
    across = (face.positions[:, 0] - x) / half_width
    above = face.positions[:, 1] - y
    up = above / np.where(above > 0, 21 * MM, 8.5 * MM)
    front = smooth_ramp(0.015, 0.045, face.positions[:, 2])
    lids = (face.eye_ring < 4) * np.where(face.eye_ring == 3, 0.35, 1)
    return np.exp(-0.5 * (across**2 + up**2)) * front * face.follow * lids


def frown_line(face, depth_mm):
    """A vertical crease beside the middle of the brows between two bulges."""
    weight = np.zeros(len(face.positions))
    for row, row_share in FROWN_ROWS.items():
        for column, column_share in FROWN_COLUMNS.items():
            weight[(face.row == row) & (face.column == column)] = column_share * row_share
    return face.outwards(weight * depth_mm)


def nose_wrinkles(face, depth_mm):
    """Two creases across the root of the nose, left half."""
    x, y, z = face.positions.T
    bridge = (face.row >= 28) & (face.row <= 36) & (np.abs(face.column) <= 2)
    beside = (face.eye_ring >= 1) & (face.eye_ring <= 2) & (face.eye_side > 0)
    wave = -np.cos(2 * np.pi * (y - 0.0200) / 0.0132) * gaussian(y - 0.026, 0.0085)
    left = smooth_ramp(-0.002, 0.002, x) * (1 - smooth_ramp(0.006, 0.013, x))
    return face.outwards(wave * left * (bridge | beside) * (z > 0.06) * depth_mm)


def forehead_line(face, depth_mm, centre_x, half_width):
    """A soft crease across the forehead between two bulges, about x = centre_x (metres)."""
    weight = np.zeros(len(face.positions))
    for row, share in FOREHEAD_ROWS.items():
        weight[face.row == row] = share
    weight = weight * gaussian(face.positions[:, 0] - centre_x, half_width) * (face.positions[:, 2] > 0.045)
    return face.outwards(weight * depth_mm)


def nasolabial_fold(face, crease_mm, bulge_mm):
    """The fold from the wing of the nose to the corner of the mouth: a crease, and a bulge on its outer side."""
    stations = np.linspace(0, 3, 40)
    line = np.stack([np.interp(stations, range(4), NASOLABIAL_LINE[:, axis]) for axis in range(3)], 1)
    taper = np.sin(np.pi * (0.10 + 0.80 * stations / 3))
    outside_lids = face.follow * (face.eye_ring < 2)

    def ridge(points, last_mouth_ring, width):
        distance, nearest = cKDTree(points).query(face.positions)
        return taper[nearest] * outside_lids * (face.mouth_ring <= last_mouth_ring) * gaussian(distance, width)

    crease = ridge(line, 3, 3.2e-3)
    bulge = ridge(line + np.array([0.0062, 0.0030, -0.0010]), 2, 4.5e-3)
    return face.outwards(-crease_mm * crease + bulge_mm * bulge)


def brow_down(face):
    """Brow lowered and drawn to the middle: a frown."""
    knit = face.bump((0.012, 0.040, 0.080), (6 * MM, 5 * MM, 10 * MM))
    lids = move_lids(face, lambda t: -3.5 * arch(t) * (1.2 - 0.6 * t))
    return move_brow(face, -7.0, -5.0, -1.5, 3.2) + frown_line(face, 3.4) + face.outwards(knit * 1.3) + lids


def brow_inner_up(face):
    """Inner end of the brow raised (the left half; the shape moves both sides)."""
    return move_brow(face, 8.5, 3.0, 0.0, 1.2) + forehead_line(face, 1.9, 0.006, 0.011)


def brow_outer_up(face):
    """Outer end of the brow raised."""
    lids = move_lids(face, lambda t: 2.0 * arch(t) * (0.6 + 0.6 * t), upper_follow=OPENING_UPPER)
    return move_brow(face, 0.5, 6.0, 8.5, 0.0) + forehead_line(face, 1.9, 0.032, 0.013) + lids


def nose_sneer(face):
    """Wing of the nose and upper lip drawn up, the root of the nose wrinkled."""
    wing = face.bump((0.0145, -0.0125, 0.084), (6 * MM, 7 * MM, 9 * MM))
    side = face.bump((0.013, 0.008, 0.078), (8 * MM, 10 * MM, 12 * MM)) * (face.eye_ring < 4)
    lip = face.near_lips(9 * MM) * face.upper_share * face.left_half(0.35) * gaussian(face.mouth_x - 0.35, 0.40)
    cheek = face.bump((0.024, -0.016, 0.076), (8 * MM, 9 * MM, 12 * MM))
    raised = face.along(wing, (1.4, 4.2, 0)) + face.along(side, (-0.5, 2.6, 0))
    raised = raised + face.along(lip, (0, 3.2, 0.6)) + face.along(cheek, (0.3, 3.0, 0))
    displacement = face.slide(raised, 0.8) + face.outwards(side * 0.9 + cheek * 1.5)
    displacement = displacement + move_brow(face, -2.6, -0.9, 0, 1.2)
    return displacement + nasolabial_fold(face, 3.0, 2.4) + nose_wrinkles(face, 3.2)
