"""How people's faces differ where the identity coefficients of a head say nothing: smoothly, by some millimetres.

A brow that is low throughout a film may frown, or may be a low brow. The fit of the identity weighs both by their
variances: those of the expressions, and those of this Gaussian process over the landmarks.
"""

from __future__ import annotations

import numpy as np

from ..landmark_groups import BROWS, OUTLINE

_DEVIATION, _BROWS_DEVIATION = 1.5e-3, 4.0e-3  # metres
_REACH = 0.025  # metres over which neighbours differ alike
_NUM_MODES = 16  # of each axis
_WIDTH = 0.14  # metres between the sides of the face for which these hold


def own_modes(rest: np.ndarray) -> np.ndarray:
    """(L, 3, M) displacements of the landmarks at one standard deviation, metres; the largest modes of the process.

    Args:
        rest: (L, 3) landmarks of the mean neutral face, metres.
    """
    size = np.ptp(rest[OUTLINE, 0]) / _WIDTH
    deviation = np.full(len(rest), _DEVIATION * size)
    deviation[BROWS] = _BROWS_DEVIATION * size
    apart = np.linalg.norm(rest[:, None, :2] - rest[None, :, :2], axis=2) / (_REACH * size)
    values, vectors = np.linalg.eigh(deviation[:, None] * deviation * np.exp(-0.5 * apart**2))
    largest = vectors[:, -_NUM_MODES:] * np.sqrt(np.maximum(values[-_NUM_MODES:], 0.0))
    modes = np.zeros((len(rest), 3, 2 * _NUM_MODES))
    modes[:, 0, :_NUM_MODES] = modes[:, 1, _NUM_MODES:] = largest
    return modes
