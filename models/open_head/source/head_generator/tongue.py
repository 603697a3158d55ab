"""The tongue: rings from the tip to the root, closed at both ends."""

import numpy as np

from .part import disc_grid, facing_back, lattice, plain_part, square_to_disc

RING_VERTICES, RINGS = 12, 9
TIP_DEPTH, LENGTH, HALF_WIDTH = 0.0712, 0.055, 0.0178
COLOR = (0.86, 0.43, 0.42)


def tongue():
    """The tongue as a part."""
    angle = -3 * np.pi / 4 + 2 * np.pi * np.arange(RING_VERTICES) / RING_VERTICES
    vertices = np.concatenate([_ring(ring / (RINGS - 1), np.cos(angle), np.sin(angle)) for ring in range(RINGS)])
    quads = facing_back(lattice(RINGS, RING_VERTICES, closed=True))
    tip, root = list(range(RING_VERTICES)), list(range((RINGS - 1) * RING_VERTICES, RINGS * RING_VERTICES))
    for loop, is_tip in ((tip, True), (root, False)):
        cap_quads, places = disc_grid(loop, len(vertices), RING_VERTICES // 4)
        centre, half_size = vertices[loop].mean(0), np.ptp(vertices[loop], axis=0) / 2
        disc = square_to_disc(places)
        depth = np.full(len(disc), centre[2] + (0.0022 if is_tip else -0.002))
        cap = np.stack([centre[0] + disc[:, 0] * half_size[0], centre[1] + disc[:, 1] * half_size[1], depth], 1)
        vertices = np.concatenate([vertices, cap])
        quads = quads + (cap_quads if is_tip else [quad[::-1] for quad in cap_quads])
    return plain_part(vertices, quads, "tongue", COLOR)


def _ring(t, across, up):
    """(N, 3) vertices of the ring at t, 0 tip to 1 root; `across` and `up` are the cosine and sine of its angles."""
    half_width = HALF_WIDTH
    if t < 0.4:  # a round tip
        half_width = HALF_WIDTH * (1 - (1 - min(1, 0.28 + t / 0.55)) ** 2) ** 0.5
    thickness = 0.0030 + 0.0040 * np.sin(np.pi * min(1, t * 0.75 + 0.05))
    y = -0.0520 + 0.0030 * np.sin(np.pi * t) - 0.003 * t**3
    groove = np.where(up > 0, -0.0014 * np.exp(-((across / 0.35) ** 2)), 0)
    x = half_width * np.sign(across) * np.abs(across) ** 0.95
    return np.stack([x, y + thickness * up + groove, np.full(len(x), TIP_DEPTH - LENGTH * t)], 1)
