"""The hair: a shell of locks from the hairline to a pole at the back of the head."""

import numpy as np

from .interpolation import MIRROR, bell, coons_patch, gaussian, lerp, smoothstep
from .part import disc_grid, lattice, plain_part
from .surface import cast_rays, project
from .topology import grid_border

COLOR = (0.19, 0.115, 0.085)
STRANDS_PER_SIDE = 40
ROWS = 15
CENTRE = np.array([0, 0.040, -0.018])
POLE = np.array([0, 0.100, -0.085])
LOCK_EDGES = (0, 4, 8.5, 12, 15, 18.5, 23, 27, 31.5, 36, 40)
"""Strands where one lock ends and the next begins, from the parting over the ear to the nape."""
THICKNESS = 0.0084
PARTING_HALF_WIDTH, PARTING_DEPTH = 0.0034, 0.0065
SWEEP = np.radians(16)
"""How far locks bow outwards from the parting on their way back."""

# points near the skin from the middle of the forehead over the left ear to the nape
HAIRLINE = np.array(
    [
        (0, 0.0860, 0.075),
        (0.016, 0.0870, 0.072),
        (0.032, 0.0860, 0.064),
        (0.046, 0.0790, 0.053),
        (0.0555, 0.0680, 0.041),
        (0.0620, 0.0565, 0.0290),
        (0.0660, 0.0470, 0.0215),
        (0.0680, 0.0395, 0.0165),
        (0.0695, 0.0380, 0.0110),
        (0.0710, 0.0410, 0.0040),
        (0.0725, 0.0440, -0.0060),
        (0.0725, 0.0430, -0.0170),
        (0.0710, 0.0350, -0.0265),
        (0.0670, 0.0180, -0.0320),
        (0.0620, 0.0000, -0.0370),
        (0.0540, -0.0200, -0.0480),
        (0.0440, -0.0360, -0.0600),
        (0.0300, -0.0430, -0.0720),
        (0.0150, -0.0440, -0.0790),
        (0, -0.0440, -0.0810),
    ]
)


def hair():
    """The hair as a part."""
    roots = _hairline_roots()
    num_strands = len(roots)
    rows, tones = _shell_rows(roots)
    vertices = np.concatenate(rows)
    quads = lattice(ROWS, num_strands, closed=True)
    cells = num_strands // 4
    last_row = [(ROWS - 1) * num_strands + strand for strand in range(num_strands)]
    loop = last_row[-(cells // 2) :] + last_row[: -(cells // 2)]
    cap_quads, places = disc_grid(loop, len(vertices), cells)
    crown = _crown_points(vertices[loop], places, cells)
    part = plain_part(np.concatenate([vertices, crown]), quads + cap_quads, "hair", COLOR)
    part.colors[: len(vertices)] *= np.concatenate(tones)[:, None]
    return part


def _hairline_roots():
    """(2 * STRANDS_PER_SIDE, 3) roots on the sculpt, from the forehead over the left ear to the nape and back."""
    knots = project(HAIRLINE, steps=8)
    knots[[0, -1], 0] = 0
    spacing = np.r_[0, np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1) ** 0.9)]
    dense = np.linspace(0, spacing[-1], 600)
    line = np.stack([np.interp(dense, spacing, knots[:, axis]) for axis in range(3)], 1)
    for _ in range(60):  # round the corners of the polygon
        line[1:-1] = 0.5 * line[1:-1] + 0.25 * (line[2:] + line[:-2])
    length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    stations = np.linspace(0, length[-1], STRANDS_PER_SIDE + 1)
    left = project(np.stack([np.interp(stations, length, line[:, axis]) for axis in range(3)], 1))
    left[[0, -1], 0] = 0
    return np.concatenate([left, (left * MIRROR)[-2:0:-1]])


def _shell_rows(roots):
    """The rows of vertices along great circles from the roots towards the pole, and the tone of each vertex."""
    pole = (POLE - CENTRE) / np.linalg.norm(POLE - CENTRE)
    start = roots - CENTRE
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    span = np.arccos(np.clip(start @ pole, -1, 1))
    frontness = np.clip((roots[:, 2] - 0.0) / 0.07, 0, 1)
    lock = _lock_profile(len(roots))
    strand_tone = _strand_tones(len(roots))
    side = np.sign(roots[:, 0]) * smoothstep(np.abs(roots[:, 0]) / 0.004)
    away = lerp(0.3, 1.0, smoothstep(np.abs(roots[:, 0]) / 0.012))  # the parting ends in a small notch
    rows, tones = [], []
    for row in range(ROWS):
        t = row / (ROWS - 1) * 0.88
        fade = 1 - smoothstep((t - 0.45) / 0.42)
        pointed = 0.030 * (lock - 0.35) * (1 - smoothstep(row / 3.0)) * lerp(0.45, 1.0, frontness) * away
        t = t - pointed  # lock ends are pointed at the hairline
        rays = (np.sin((1 - t) * span) / np.sin(span))[:, None] * start
        rays = rays + (np.sin(t * span) / np.sin(span))[:, None] * pole
        rays = _swept(rays, side * SWEEP * frontness * bell(t))
        skull = cast_rays(np.tile(CENTRE, (len(roots), 1)), rays)
        thickness = THICKNESS * smoothstep((row + 0.15) / 3.2) ** 0.62
        thickness = thickness + 0.0105 * frontness * np.exp(-(((t - 0.30) / 0.22) ** 2))
        relief = (0.0024 + 0.0026 * frontness) * smoothstep((row + 0.4) / 1.8)
        thickness = thickness + relief * (lock - 0.7) * fade
        before_crown = smoothstep(row / 4.0) * (1 - smoothstep((t - 0.45) / 0.25))
        thickness = thickness - PARTING_DEPTH * frontness * before_crown * gaussian(skull[:, 0], PARTING_HALF_WIDTH)
        if row == 0:  # the edge is below the skin
            thickness = np.full(len(roots), -0.0010)
        rows.append(skull + rays * thickness[:, None])
        tones.append((1 + 0.42 * (lock - 0.7) * fade) * (1 + (strand_tone - 1) * fade))
    return rows, tones


def _lock_profile(num_strands):
    """(N,) height of the locks across the strands: 0 in the sharp grooves, 1 in the middle of a round lock."""
    strand = np.arange(num_strands)
    strand = np.minimum(strand, num_strands - strand)
    edges = np.array(LOCK_EDGES, float)
    lock = np.clip(np.searchsorted(edges, strand, side="right") - 1, 0, len(edges) - 2)
    share = (strand - edges[lock]) / (edges[lock + 1] - edges[lock])
    return np.sin(np.pi * share) ** 0.8


def _strand_tones(num_strands):
    """(N,) brightness of each strand, the same on both sides."""
    strand = np.arange(num_strands)
    strand = np.minimum(strand, num_strands - strand)
    return 1 + 0.10 * np.sin(2.4 * strand) * np.cos(0.9 * strand)


def _swept(rays, angle):
    """(N, 3) rays rotated about the vertical axis by angles in radians, positive to the character's left."""
    x = np.cos(angle) * rays[:, 0] + np.sin(angle) * rays[:, 2]
    z = np.cos(angle) * rays[:, 2] - np.sin(angle) * rays[:, 0]
    return np.stack([x, rays[:, 1], z], 1)


def _crown_points(border, places, cells):
    """(N, 3) vertices that close the shell: a Coons patch of directions, cast to the skull."""
    edge = dict(zip(grid_border(cells, cells), border))
    points = []
    for u, v in places:
        i, j = int(round((u + 1) / 2 * cells)), int(round((v + 1) / 2 * cells))
        points.append(coons_patch(edge, cells, cells, i, j))
    rays = np.array(points) - CENTRE
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    return cast_rays(np.tile(CENTRE, (len(rays), 1)), rays) + rays * THICKNESS
