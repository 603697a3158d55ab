"""The left eyeball: rings about the line of sight, an iris in a very shallow dish, a pupil."""

import numpy as np

from .part import MATERIAL, Part, disc_grid, facing_back, lattice, square_to_disc
from .surface import EYE_CENTRE, EYE_RADIUS

IRIS_ANGLE, PUPIL_ANGLE = 28.5, 11.5
"""Degrees from the line of sight."""
RING_ANGLES = (PUPIL_ANGLE * 0.98, PUPIL_ANGLE, 14, 19, 24, IRIS_ANGLE - 2.2, IRIS_ANGLE)
RING_ANGLES += (33, 42, 54, 68, 84, 102, 122, 145)
FIRST_SCLERA_RING = 6
RING_VERTICES = 24
DISH_DEPTH = 0.0004

SCLERA_COLOR = (0.86, 0.85, 0.835)
INNER_IRIS_COLOR, OUTER_IRIS_COLOR = np.array([0.20, 0.36, 0.36]), np.array([0.045, 0.15, 0.21])
LIMBUS_COLOR = (0.07, 0.12, 0.16)
PUPIL_COLOR = 0.012


def left_eyeball():
    """The eyeball as a part."""
    vertices = _rings()
    quads = facing_back(lattice(len(RING_ANGLES), RING_VERTICES, closed=True))  # each ring lies behind the one before
    materials = [_ring_material(ring) for ring in range(len(RING_ANGLES) - 1) for _ in range(RING_VERTICES)]
    last = (len(RING_ANGLES) - 1) * RING_VERTICES
    front, back = list(range(RING_VERTICES)), list(range(last, last + RING_VERTICES))
    for loop, tilt, material in ((front, RING_ANGLES[0], "pupil"), (back, RING_ANGLES[-1], "sclera")):
        cap_quads, places = disc_grid(loop, len(vertices), RING_VERTICES // 4)
        vertices = np.concatenate([vertices, _cap(places, tilt, front=material == "pupil")])
        cap_quads = cap_quads if material == "pupil" else [quad[::-1] for quad in cap_quads]
        quads = quads + cap_quads
        materials = materials + [MATERIAL[material]] * len(cap_quads)
    return Part(vertices + EYE_CENTRE, np.array(quads), np.array(materials), _colors(vertices))


def _rings():
    """(N, 3) vertices about the eye's centre, looking along +z."""
    azimuth = -3 * np.pi / 4 + 2 * np.pi * np.arange(RING_VERTICES) / RING_VERTICES
    rings = []
    for degrees in RING_ANGLES:
        angle = np.radians(degrees)
        radius = EYE_RADIUS
        if degrees < IRIS_ANGLE:
            radius = EYE_RADIUS - DISH_DEPTH * np.sin(np.pi * min(1, (IRIS_ANGLE - degrees) / IRIS_ANGLE))
        x, y = radius * np.sin(angle) * np.cos(azimuth), radius * np.sin(angle) * np.sin(azimuth)
        rings.append(np.stack([x, y, np.full(RING_VERTICES, radius * np.cos(angle))], 1))
    return np.concatenate(rings)


def _cap(places, tilt, front):
    disc = square_to_disc(places)
    radius = np.linalg.norm(disc, axis=1)
    angle = np.radians(tilt if front else 180 - tilt) * radius
    unit = disc / (radius[:, None] + 1e-12)
    depth = (1 if front else -1) * np.cos(angle)
    return EYE_RADIUS * np.stack([np.sin(angle) * unit[:, 0], np.sin(angle) * unit[:, 1], depth], 1)


def _ring_material(ring):
    if ring == 0:
        return MATERIAL["pupil"]
    return MATERIAL["iris" if ring < FIRST_SCLERA_RING else "sclera"]


def _colors(vertices):
    angle = np.degrees(np.arccos(np.clip(vertices[:, 2] / np.linalg.norm(vertices, axis=1), -1, 1)))
    colors = np.tile(SCLERA_COLOR, (len(vertices), 1))
    outwards = np.clip((angle - PUPIL_ANGLE) / (IRIS_ANGLE - PUPIL_ANGLE), 0, 1)[:, None]
    iris = (1 - outwards) * INNER_IRIS_COLOR + outwards * OUTER_IRIS_COLOR
    iris_radius = EYE_RADIUS * np.sin(np.radians(IRIS_ANGLE))
    iris = iris * (0.75 + 0.6 * np.clip(0.5 - 0.5 * vertices[:, 1] / iris_radius, 0, 1)[:, None])  # lighter below
    in_iris = angle < IRIS_ANGLE - 0.1
    colors[in_iris] = iris[in_iris]
    colors[(angle > IRIS_ANGLE - 1.5) & (angle < IRIS_ANGLE + 0.5)] = LIMBUS_COLOR
    colors[angle < PUPIL_ANGLE + 0.1] = PUPIL_COLOR
    return colors
