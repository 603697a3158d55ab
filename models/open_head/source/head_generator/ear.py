"""A simple stylised left ear from concentric loops: helix, dish, lobe and a hint of a tragus."""

import numpy as np

from .interpolation import coons_patch, lerp, smoothstep
from .surface import head_distance, normals, project
from .topology import EAR_RINGS, grid_border

TILT = np.radians(12)
FLARE = np.radians(27)
"""Angle by which the rim leaves the head."""
OUT = np.array([1.0, 0.0, 0.0])
BACK = np.array([0.0, -np.sin(TILT), -np.cos(TILT)])
UP = np.array([0.0, np.cos(TILT), -np.sin(TILT)])
FLARED_BACK = BACK * np.cos(FLARE) + OUT * np.sin(FLARE)

# ring -> scale, shift back and shift up of the outline; height of the free rim; scale and height at the ear's root
RINGS = {
    1: (0.82, 0.0, 0.0, 0.0010, 0.97, 0.0004),
    2: (0.95, 0.001, 0.0, 0.0035, 0.93, 0.0012),
    3: (1.02, 0.001, 0.0, 0.0064, 0.88, 0.0016),
    4: (0.97, 0.001, 0.0, 0.0084, 0.81, 0.0018),
    5: (0.87, 0.0004, 0.0, 0.0066, 0.74, 0.0012),
    6: (0.76, -0.0002, -0.0006, 0.0020, 0.66, -0.0002),
    7: (0.62, -0.0012, -0.0014, 0.0072, 0.55, -0.0016),
    8: (0.49, -0.0030, -0.0030, 0.0000, 0.45, -0.0050),
    9: (0.40, -0.0040, -0.0038, -0.0080, 0.36, -0.0095),
}
HELIX_RINGS = (3, 4)
TRAGUS_HEIGHT = {2: 0.0006, 3: 0.0014, 4: 0.0028, 5: 0.0040, 6: 0.0034}
TRAGUS_LEAN = {4: 0.0012, 5: 0.0022, 6: 0.0022}
LEAST_HEIGHT = {1: 0.0005, 2: 0.0014, 3: 0.0026, 4: 0.0034, 5: 0.0024}
"""Least height of a ring above the head's skin, metres."""
LOBE_HEIGHT = 0.0064


def ear_points(border):
    """{key: (3,)} of the left ear's rings and of the grid that closes it.

    Args:
        border: (26, 3) the hole's border on the sculpt.
    """
    angle = _loop_angles()
    points, ring_points = {}, None
    for ring in range(1, EAR_RINGS + 1):
        ring_points = _ring(ring, border, np.cos(angle), np.sin(angle), angle)
        points |= {("ear", 1, ring, k): point for k, point in enumerate(ring_points)}
    return points | _inner_grid(ring_points)


def _loop_angles():
    degrees = []
    for count, start in ((4, -135), (9, -45), (4, 45), (9, 135)):
        degrees += [start + i / count * 90 for i in range(count)]
    return np.radians(degrees)


def _ring(ring, border, back, up, angle):
    """(N, 3) points of one loop; `back` and `up` are the cosine and sine of its angles (back = 1 at the free rim)."""
    scale, shift_back, shift_up, height, face_scale, face_height = RINGS[ring]
    centre = border.mean(0)
    free = smoothstep((back + 0.75) / 1.15) * smoothstep((up + 1.35) / 0.6)  # 0 at the ear's root
    tragus = np.exp(-(((up + 0.12) / 0.26) ** 2)) * smoothstep((-back - 0.35) / 0.4)
    if ring in HELIX_RINGS:
        height = height + 0.0014 * smoothstep((up + 0.5) / 1.0)  # the helix rolls over at the top and back
    filling = 0.9 if 4 <= ring <= 7 else 0.45 if ring > 7 else 0
    lobe = smoothstep((-up - 0.42) / 0.42) * filling  # the lobe is filled, not dished
    height = lerp(height * np.ones(len(angle)), LOBE_HEIGHT * np.ones(len(angle)), lobe)

    width = 0.0165 * scale * (1 + 0.10 * np.sin(angle) - 0.06 * np.cos(2 * angle))
    narrow_lobe = np.where(up < 0, 1 + 0.22 * up, 1.0)
    outline = np.stack([back * width * narrow_lobe + shift_back, up * (0.0300 * scale) + shift_up], 1)
    rim = centre + outline[:, :1] * FLARED_BACK + outline[:, 1:] * UP + OUT * height[:, None]

    root = project(centre + (border - centre) * face_scale)
    root = root + OUT * (face_height + TRAGUS_HEIGHT.get(ring, 0) * tragus)[:, None]
    root = root + BACK * (TRAGUS_LEAN.get(ring, 0) * tragus)[:, None]
    points = lerp(root, rim, free[:, None])
    if ring in LEAST_HEIGHT:
        sunk = np.clip(LEAST_HEIGHT[ring] * lerp(0.35, 1, free) - head_distance(points), 0, None)
        points = points + normals(points) * sunk[:, None]
    return points


def _inner_grid(ring_points):
    """{key: (3,)} of the grid in the innermost ring: a Coons patch, slightly pushed in."""
    edge = dict(zip(grid_border(4, 9), ring_points))
    points = {}
    for i in range(1, 4):
        for j in range(1, 9):
            depth = 0.0022 * np.sin(np.pi * i / 4) * np.sin(np.pi * j / 9)
            points["earcap", 1, i, j] = coons_patch(edge, 4, 9, i, j) - OUT * depth
    return points
