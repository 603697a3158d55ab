"""What a face does behind closed lids: what it did before the blink and does after it.

A hidden iris has landmarks too, which say nothing of the gaze. Lids that close look like a squint at first, and pull
the landmarks of the brows along.
"""

from __future__ import annotations

import numpy as np

from .fitted_face import GAZE, LIDS, FittedFace
from .observed import Observed

_CLOSING = 0.3  # closure of lids that are closed, or on the way to it
_DEVIATIONS = {
    **dict.fromkeys(GAZE, 0.03),
    **dict.fromkeys(("eyeWide", "eyeSquint", "cheekSquint", "noseSneer"), 0.05),
    "brow": 0.15,
}
"""How far values are from those around the blink, by the beginnings of their names."""


def held_in_blinks(face: FittedFace, values: np.ndarray, ties: np.ndarray) -> Observed | None:
    """Gaze, lids and brows in the frames of blinks, interpolated between the frames around them in the same shot.

    Args:
        face: the head; None is returned if none of its unknowns closes the lids.
        values: (T, N + 3) as fitted so far.
        ties: (T - 1,) 0 where a frame does not continue the one before.
    """
    lids = [column for column, name in enumerate(face.names) if name.startswith("eyeBlink") or name in LIDS]
    if not lids:
        return None
    closed = values[:, lids].mean(1) > _CLOSING
    near = closed.copy()  # and the frames before and after, whose values are tied to those of the blink
    near[1:] |= closed[:-1]
    near[:-1] |= closed[1:]
    deviations = np.array([_deviation(name) for name in face.names])
    held = np.flatnonzero(np.isfinite(deviations))
    mean, weight = np.zeros_like(values), np.zeros_like(values)
    for shot in np.split(np.arange(len(values)), np.flatnonzero(ties == 0.0) + 1):
        inside, around = shot[near[shot]], shot[~near[shot]]
        if len(inside) and len(around):
            weight[np.ix_(inside, held)] = deviations[held] ** -2.0
            for column in held:
                mean[inside, column] = np.interp(inside, around, values[around, column])
    return Observed(mean, weight)


def _deviation(name: str) -> float:
    return next((deviation for part, deviation in _DEVIATIONS.items() if name.startswith(part)), np.inf)
