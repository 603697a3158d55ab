"""Looks and blinks between named components, and joints or lids: what they mean is carried over, not their shape."""

from __future__ import annotations

import numpy as np

from ..motion import FaceMotion
from .signals import eye_turn

BLINK = "eyeBlink"
_SIDES = ("Left", "Right")


def named_values(motion: FaceMotion) -> dict[str, np.ndarray]:
    """(T,) coefficients of a motion by the names of its components; empty without names."""
    names = motion.meta.get("expression_names") or ()
    return {name: motion.expression[:, index] for index, name in enumerate(names)}


def turned_eyes(given: dict[str, np.ndarray], eyes: np.ndarray | None) -> np.ndarray | None:
    """(T, 6) rotations of the eyes, with what eyeLook... says."""
    looks = {name: values for name, values in given.items() if name.startswith("eyeLook")}
    if not any(values.any() for values in looks.values()):
        return eyes
    still = np.zeros(len(next(iter(looks.values()))))
    looking = np.stack([still + part for side in _SIDES for part in (*eye_turn(looks, side), 0.0)], axis=1)
    return (looking if eyes is None else eyes + looking).astype(np.float32)


def closed_lids(given: dict[str, np.ndarray], lids: np.ndarray | None) -> np.ndarray | None:
    """(T, 2) closure of the lids, with what eyeBlink... says."""
    blinks = [given[BLINK + side] for side in _SIDES if BLINK + side in given]
    if len(blinks) < len(_SIDES) or not any(values.any() for values in blinks):
        return lids
    closed = np.clip(np.stack(blinks, axis=1), 0.0, 1.0)
    return closed if lids is None else np.maximum(closed, lids)


def with_blinks(
    expression: np.ndarray, names: tuple[str, ...], lids: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """The expression with the lids' closure in eyeBlink..., and the lids that are left."""
    if lids is None or not all(BLINK + side in names for side in _SIDES):
        return expression, lids
    for side, closure in zip(_SIDES, lids.T):
        column = names.index(BLINK + side)
        expression[:, column] = np.maximum(expression[:, column], closure)
    return expression, None
