"""The left eye's lids, in degrees about the eyeball: azimuth towards the temple, elevation upwards."""

import numpy as np

from .interpolation import bell, lerp
from .surface import EYE_CENTRE, EYE_RADIUS, normals, project
from .topology import EYE_LOOP

LID_THICKNESS = 0.0018
"""Outer surface of the lids above the eyeball, metres."""
INNER_CORNER_AZIMUTH, OUTER_CORNER_AZIMUTH = -58.0, 66.0
INNER_CORNER_INDEX = 25


def _loop_parameters():
    """Position along the lid, 0 inner to 1 outer corner, and side (+1 upper, -1 lower, 0 corner) of each loop index."""
    half = EYE_LOOP // 2
    position, side = np.zeros(EYE_LOOP), np.zeros(EYE_LOOP)
    for k in range(EYE_LOOP):
        along = (k - INNER_CORNER_INDEX) % EYE_LOOP  # 0 inner corner, half = outer corner, first along the lower lid
        position[k] = along / half if along <= half else (EYE_LOOP - along) / half
        side[k] = 0 if along in (0, half) else (-1 if along < half else 1)
    # vertices are denser near the corners
    position = 0.5 - 0.5 * np.cos(np.pi * (0.12 + 0.76 * position)) / np.cos(np.pi * 0.12)
    return position, side


LID_POSITION, LID_SIDE = _loop_parameters()


def corner_line(position):
    """The elevation of the straight line between the corners."""
    return lerp(-5.0, 4.0, position)


def upper_margin(position):
    """The elevation of the upper lid's margin."""
    return corner_line(position) + 27.5 * np.sin(np.pi * np.clip(position, 0, 1) ** 0.92) ** 0.72


def lower_margin(position):
    """The elevation of the lower lid's margin."""
    return corner_line(position) - 20.5 * np.sin(np.pi * np.clip(position, 0, 1) ** 1.12) ** 0.80


def closed_margin(position):
    """The elevation where both margins meet when the eye is closed."""
    return corner_line(position) - 14.0 * bell(position) ** 0.9


def direction(azimuth, elevation):
    """(..., 3) unit vectors from the eye's centre."""
    azimuth, elevation = np.radians(azimuth), np.radians(elevation)
    horizontal = np.cos(elevation)
    return np.stack([horizontal * np.sin(azimuth), np.sin(elevation), horizontal * np.cos(azimuth)], -1)


def margin_ring(gap, radius):
    """(EYE_LOOP, 3) points `gap` degrees outside the open eye's margin at a distance from the eye's centre.

    Args:
        gap: degrees, scalar or per loop index; negative is inwards.
        radius: metres, scalar or per loop index.
    """
    lower = np.where(LID_SIDE < 0, lower_margin(LID_POSITION), corner_line(LID_POSITION))
    elevation = np.where(LID_SIDE > 0, upper_margin(LID_POSITION), lower)
    shrink = np.cos(np.radians(elevation))
    azimuth = lerp(INNER_CORNER_AZIMUTH, OUTER_CORNER_AZIMUTH, LID_POSITION)
    margin = np.stack([azimuth * shrink, elevation], 1)
    tangent = np.roll(margin, -1, 0) - np.roll(margin, 1, 0)
    outward = np.stack([tangent[:, 1], -tangent[:, 0]], 1)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    ring = margin + outward * np.broadcast_to(gap, EYE_LOOP)[:, None]
    rays = direction(ring[:, 0] / shrink, ring[:, 1])
    return EYE_CENTRE + rays * np.broadcast_to(radius, EYE_LOOP)[:, None]


def eyelid_rings(border):
    """{ring: (EYE_LOOP, 3)} of the left eye between the hole's border and the pocket behind the lids.

    Rings 1 and 2 are skin, 3 is the crease, 4 the lid, 5 its outer edge, 6 its inner edge, 7 and 8 the hidden pocket.

    Args:
        border: (EYE_LOOP, 3) the hole's border on the sculpt.
    """
    upper = LID_SIDE > 0
    middle = bell(LID_POSITION) ** 0.7
    outer = EYE_RADIUS + LID_THICKNESS
    rings = {
        5: margin_ring(0.0, outer),
        6: margin_ring(-1.6, EYE_RADIUS + 0.0003),
        7: margin_ring(6.0, EYE_RADIUS + 0.0004),
        8: margin_ring(26.0, EYE_RADIUS + 0.0003),
        4: margin_ring(np.where(upper, lerp(3.0, 8.0, middle), lerp(3.0, 5.5, middle)), outer + 0.0001),
    }
    crease = project(margin_ring(np.where(upper, lerp(5.0, 13.0, middle), lerp(5.5, 13.0, middle)), outer))
    rings[3] = crease - normals(crease) * np.where(upper, 0.0013 * middle, 0.0002)[:, None]
    fold = project(lerp(crease, border, 0.30))
    rings[2] = fold + normals(fold) * np.where(upper, 0.0007 * middle, 0)[:, None]
    rings[1] = project(lerp(crease, border, 0.66))
    return rings
