"""Interpolating functions that every stage uses."""

import numpy as np

MIRROR = np.array([-1.0, 1, 1])
"""Factor that reflects positions in the plane x = 0."""


def lerp(start, end, t):
    """Linear interpolation: start at t = 0, end at t = 1, extrapolated beyond."""
    return start + (end - start) * t


def smoothstep(t):
    """A smooth step: 0 up to t = 0, 1 from t = 1."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def smooth_ramp(start, end, x):
    """A smooth step from 0 at `start` to 1 at `end`; start may be above end."""
    return smoothstep((x - start) / (end - start))


def bell(t):
    """Half a sine wave: 0 at t = 0 and t = 1, 1 in the middle."""
    return np.sin(np.pi * np.clip(t, 0, 1))


def coons_patch(edge, columns, rows, i, j):
    """(3,) position of vertex (i, j) of a grid of columns x rows cells between border points {(i, j): (3,)}."""
    x, y = i / columns, j / rows
    point = (1 - x) * edge[0, j] + x * edge[columns, j] + (1 - y) * edge[i, 0] + y * edge[i, rows]
    point -= (1 - x) * (1 - y) * edge[0, 0] + x * (1 - y) * edge[columns, 0]
    point -= (1 - x) * y * edge[0, rows] + x * y * edge[columns, rows]
    return point


def gaussian(x, width):
    """A Gaussian, exp(-(x / width)^2 / 2)."""
    return np.exp(-0.5 * (x / width) ** 2)
