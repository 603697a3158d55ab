"""Blends between numbers, shared by every stage."""

import numpy as np

MIRROR = np.array([-1.0, 1, 1])
"""Multiplying positions by this reflects them in the plane x = 0."""


def lerp(start, end, t):
    """Returns start at t = 0, end at t = 1, a straight line between and beyond."""
    return start + (end - start) * t


def smoothstep(t):
    """Returns 0 up to t = 0, 1 from t = 1, a smooth ramp between."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def smooth_ramp(start, end, x):
    """Returns 0 on the side of `start`, 1 on the side of `end`, a smooth ramp between; start may be above end."""
    return smoothstep((x - start) / (end - start))


def bell(t):
    """Returns half a sine wave: 0 at t = 0 and t = 1, 1 in the middle."""
    return np.sin(np.pi * np.clip(t, 0, 1))


def gaussian(x, width):
    """Returns exp(-(x / width)^2 / 2)."""
    return np.exp(-0.5 * (x / width) ** 2)
