"""Frames in which a face is neutral: at a moment that the user names, or where the fit finds next to no expression."""

from __future__ import annotations

import numpy as np

from ....errors import InputError
from .fitted_face import GAZE, FittedFace

_AROUND_SECONDS = 0.12  # of a moment that is named
_LARGEST_EFFORT = 1.0  # sum of all values, each 1 for a whole expression
_FEWEST = 2


def frames_at(times: np.ndarray, tracked: np.ndarray, moment: float) -> np.ndarray:
    """Numbers of the frames around a moment at which the face is neutral.

    Args:
        times: (T,) seconds.
        tracked: (T,) bool, frames with a face.
        moment: seconds.

    Raises:
        InputError: if no face was tracked at the moment.
    """
    found = np.flatnonzero(tracked & (np.abs(times - moment) <= _AROUND_SECONDS))
    if not len(found):
        raise InputError(
            f"no face is tracked at the neutral moment {moment:g} s (the video runs from {times[0]:.2f} to "
            f"{times[-1]:.2f} s); name another moment, or none"
        )
    return found


def quiet_frames(face: FittedFace, values: np.ndarray) -> np.ndarray:
    """Numbers of the frames whose values (T, N + 3) hold next to no expression; empty if there are too few.

    A face that smiles all the time has none: what it shows is then measured from the mean face of its identity.
    """
    if face.model.expression_names is None:
        return np.empty(0, np.intp)  # numbered components have no zero that is neutral for everybody
    counted = np.array([name not in GAZE for name in face.names] + [True, False, False])
    found = np.flatnonzero(np.abs(values[:, counted]).sum(1) < _LARGEST_EFFORT)
    return found if len(found) >= _FEWEST else np.empty(0, np.intp)
