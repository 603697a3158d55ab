"""Conversion from the face model's axes (y up, face towards +z) to Blender's (z up, face towards -y)."""

from __future__ import annotations

import numpy as np

# Rows are Blender's axes written in the face model's: x, -z, y.
MODEL_TO_BLENDER = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=np.float64)


def to_blender(points: np.ndarray) -> np.ndarray:
    """Points, directions or axis-angle vectors (..., 3) of the face model in Blender's axes."""
    return points @ MODEL_TO_BLENDER.T.astype(points.dtype)
