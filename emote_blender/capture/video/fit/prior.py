"""What the unknowns of a frame are before any landmark is seen: a Gaussian over expression and jaw.

Of the open basis it was measured on motions that speak with every emotion (`training/open_model/expression_prior.py`).
FLAME's components are scaled by their standard deviations as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....errors import ModelError
from ....files.paths import DEFAULT_HEAD, find_head
from ....files.safetensors_file import read_tensors
from ....retarget.signals import OPEN_NAMES
from .fitted_face import GAZE, JAW_UNIT, LIDS, FittedFace

PRIOR_FILE = "expression_prior.safetensors"
JAW_COLUMNS = 3
_FREE = {"Blink": 1.0, "brow": 0.4, "eyeWide": 0.15, "eyeSquint": 0.15, "nose": 0.15}
"""Standard deviations that components have by themselves, by a part of their names; what is not spoken is free."""
_OTHER, _JAW = 0.03, 0.01  # of all others, and of the jaw, radians
_GAZE, _LIDS = 0.7, 1.0
_NUMBERED = 1.0
_JAW_OF_NUMBERED = np.array([0.15, 0.02, 0.02])  # radians


@dataclass(frozen=True, eq=False)
class Prior:
    """A Gaussian over the unknowns of a frame.

    Attributes:
        mean: (N + 3,) the jaw in its unit.
        precision: (N + 3, N + 3) inverse of the covariance.
    """

    mean: np.ndarray
    precision: np.ndarray


def prior_of(face: FittedFace) -> Prior:
    """The prior of a head's unknowns; raises ModelError if the open head's file is missing or damaged."""
    if face.model.expression_names is None:
        return _numbered_prior(face)
    mean, covariance = read_prior()
    names = [*OPEN_NAMES, *(f"jaw {axis}" for axis in "xyz")]
    number = {name: index for index, name in enumerate(names)}
    unit = np.r_[np.ones(len(OPEN_NAMES)), np.full(JAW_COLUMNS, 1 / JAW_UNIT)]
    mean, covariance = mean * unit, covariance * unit[:, None] * unit
    wanted = [*face.names, *names[-JAW_COLUMNS:]]
    known = [name in number and "Blink" not in name for name in wanted]
    column = np.array([number.get(name, 0) for name in wanted])
    both = np.outer(known, known)
    of_wanted = np.where(both, covariance[np.ix_(column, column)], 0.0)
    own = np.array([_own_deviation(name) for name in wanted])
    of_wanted = of_wanted + np.diag(own**2)
    return Prior(np.where(known, mean[column], 0.0), np.linalg.inv(of_wanted))


def read_prior() -> tuple[np.ndarray, np.ndarray]:
    """(53,) mean and (53, 53) covariance of the open head's components and of its jaw's rotation, radians."""
    path = find_head(DEFAULT_HEAD) / PRIOR_FILE
    arrays = read_tensors(path)
    count = len(OPEN_NAMES) + JAW_COLUMNS
    shapes = {name: array.shape for name, array in arrays.items()}
    if shapes != {"mean": (count,), "covariance": (count, count)}:
        raise ModelError(f"{path} holds {shapes}, expected the mean and covariance of {count} values")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ModelError(f"{path} holds values that are not numbers; install the add-on again")
    return arrays["mean"].astype(np.float64), arrays["covariance"].astype(np.float64)


def _own_deviation(name: str) -> float:
    if name in GAZE:
        return _GAZE
    if name.startswith("jaw "):
        return _JAW / JAW_UNIT
    return next((deviation for part, deviation in _FREE.items() if part in name), _OTHER)


def _numbered_prior(face: FittedFace) -> Prior:
    deviation = np.array([_GAZE if name in GAZE else _LIDS if name in LIDS else _NUMBERED for name in face.names])
    deviation = np.r_[deviation, _JAW_OF_NUMBERED / JAW_UNIT]
    return Prior(np.zeros(len(deviation)), np.diag(deviation**-2.0))
