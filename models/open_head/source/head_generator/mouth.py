"""The lips and the inside of the mouth, built along the line of contact of the lips."""

import numpy as np

from .interpolation import lerp, smoothstep
from .surface import front_surface, normals, project
from .topology import MOUTH_LOOP

MOUTH_HEIGHT = -0.0445
MOUTH_HALF_WIDTH = 0.0240
CORNER_INDEX, UPPER_MIDLINE_INDEX = 11, 22
CONTACT_OVERLAP = 0.00016
"""Metres by which each lip passes the line of contact. Subdivision Surface shrinks the lips and would show a slit."""


def _loop_parameters():
    """Position along the mouth, -1 right to +1 left corner, and side (+1 upper, -1 lower, 0 corner) by loop index."""
    position, side = np.zeros(MOUTH_LOOP), np.zeros(MOUTH_LOOP)
    for k in range(MOUTH_LOOP):
        along = k if k <= UPPER_MIDLINE_INDEX else MOUTH_LOOP - k  # 0 lower middle, 11 corner, 22 upper middle
        share = along / CORNER_INDEX if along <= CORNER_INDEX else (UPPER_MIDLINE_INDEX - along) / CORNER_INDEX
        distance = np.sin(share * np.pi / 2) * 0.55 + share * 0.45
        position[k] = distance if k <= UPPER_MIDLINE_INDEX else -distance
        side[k] = 0 if along == CORNER_INDEX else (-1 if along < CORNER_INDEX else 1)
    return position, side


LIP_POSITION, LIP_SIDE = _loop_parameters()


def contact_height(position):
    """The y of the line of contact of the lips."""
    a = np.abs(position)
    cupid_dip = 0.0008 * np.exp(-((position / 0.16) ** 2))
    return MOUTH_HEIGHT + 0.0020 * a**2.2 - cupid_dip + 0.0004 * np.exp(-(((a - 0.42) / 0.2) ** 2))


def border_height(position, side):
    """The y of the border between lip and skin."""
    a = np.abs(position)
    contact = contact_height(position)
    cupid_bow = 0.0013 * np.exp(-(((a - 0.27) / 0.15) ** 2))
    upper = contact + (1 - a**2.0) ** 0.85 * 0.0066 + cupid_bow - 0.0009 * np.exp(-((a / 0.13) ** 2))
    lower = contact - (1 - a**2.4) ** 0.80 * 0.0092
    return np.where(side > 0, upper, np.where(side < 0, lower, contact))


def mouth_rings(border):
    """{ring: (MOUTH_LOOP, 3)} between the hole's border and the back of the mouth.

    Rings 1 to 3 are skin, 4 the border of the lips, 5 and 6 the lips, 7 the line of contact, 8 the inner lips, 9 to 13
    the inside of the mouth.

    Args:
        border: (MOUTH_LOOP, 3) the hole's border on the sculpt.
    """
    rings = _lip_rings()
    rings |= _skin_rings(border, rings[4])
    return rings | _inner_rings(rings[8])


def _lip_rings():
    a = np.abs(LIP_POSITION)
    upper = LIP_SIDE > 0
    fullness = 1 - a**2.6
    tuck = -0.0012 * smoothstep((a - 0.72) / 0.28)  # corners tuck in a little
    contact, border = contact_height(LIP_POSITION), border_height(LIP_POSITION, LIP_SIDE)

    def lip_line(height, bulge, width=1.0):
        x = LIP_POSITION * MOUTH_HALF_WIDTH * lerp(1.0, width, smoothstep((a - 0.55) / 0.45))
        points = front_surface(x, height)
        outward = normals(points)
        outward[:, 1] *= 0.35
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        return points + outward * bulge[:, None]

    overlap = np.where(upper, -CONTACT_OVERLAP, np.where(LIP_SIDE < 0, CONTACT_OVERLAP, 0)) * fullness
    return {
        4: lip_line(border, 0.0006 * fullness + tuck * 0.35, 1.075),
        5: lip_line(lerp(border, contact, 0.36), np.where(upper, 0.0021, 0.0029) * fullness + tuck * 0.55, 1.045),
        6: lip_line(lerp(border, contact, 0.74), np.where(upper, 0.0030, 0.0033) * fullness + tuck * 0.8, 1.02),
        7: lip_line(contact + overlap, np.where(upper, 0.0014, 0.0011) * fullness + tuck),
        8: lip_line(contact + LIP_SIDE * 0.0004 * fullness, -0.0022 + tuck),
    }


def _skin_rings(border, lip_border):
    """Skin around the lips, with the philtrum above and the groove over the chin below."""
    rings = {}
    # ring -> position from the border (0) to the lips (1), depth of the philtrum, depth of the chin groove
    for ring, (t, philtrum_depth, groove_depth) in {
        1: (0.34, 0.45, 0.25),
        2: (0.64, 0.9, 1.0),
        3: (0.86, 0.8, 0.55),
    }.items():
        points = project(lerp(border, lip_border, t))
        x = points[:, 0]
        furrow = np.exp(-((x / 0.0032) ** 2)) - 0.55 * np.exp(-(((np.abs(x) - 0.0062) / 0.0028) ** 2))
        philtrum = np.where(LIP_SIDE > 0, furrow, 0)
        groove = np.where(LIP_SIDE < 0, np.exp(-((LIP_POSITION / 0.55) ** 2)), 0) * groove_depth
        depth = 0.0009 * philtrum * philtrum_depth + 0.0014 * groove
        rings[ring] = points - normals(points) * depth[:, None]
    return rings


def _inner_rings(inner_lip):
    """The rings of the pocket between lips and teeth, then those of the oral cavity."""
    angle = np.arctan2(LIP_SIDE * np.sqrt(np.clip(1 - LIP_POSITION**2, 0, 1)), LIP_POSITION)
    cosine, sine = np.cos(angle), np.sin(angle)

    def pocket(half_width, upper_height, lower_height, depth, bow):
        height = np.where(np.sin(angle) > 0, upper_height, lower_height)
        x = half_width * np.sign(cosine) * np.abs(cosine) ** 0.7
        y = MOUTH_HEIGHT + height * np.sign(sine) * np.abs(sine) ** 0.7
        return np.stack([x, y, depth - bow * (x / 0.03) ** 2], 1)

    return {
        9: lerp(inner_lip, pocket(0.0235, 0.0060, 0.0070, 0.0840, 0.030), 0.8),
        10: pocket(0.0262, 0.0115, 0.0140, 0.0805, 0.029),
        11: pocket(0.0290, 0.0165, 0.0195, 0.062, 0.016),
        12: pocket(0.0255, 0.0150, 0.0190, 0.036, 0.008),
        13: pocket(0.0150, 0.0090, 0.0150, 0.016, 0.002),
    }


def mouth_back(i, j):
    """(3,) position of a vertex of the grid (16 x 6 cells) that closes the mouth at the back."""
    u, v = i / 8 - 1, j / 3 - 1
    return np.array([0.0135 * u, MOUTH_HEIGHT - 0.003 + 0.0105 * v, 0.010 + 0.004 * (u * u + v * v)])
