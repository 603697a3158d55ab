"""Looks and blinks between named components, and joints or lids: what they mean is carried over, not their shape."""

from __future__ import annotations

import numpy as np

from ..motion import FaceMotion
from .signals import EYE_RADIANS

BLINK = "eyeBlink"
_SIDES = ("Left", "Right")


def named_values(motion: FaceMotion) -> dict[str, np.ndarray]:
    """(T,) coefficients of a motion by the names of its components; empty without names."""
    names = motion.meta.get("expression_names") or ()
    return {name: motion.expression[:, index] for index, name in enumerate(names)}


def turned_eyes(given: dict[str, np.ndarray], eyes: np.ndarray | None) -> np.ndarray | None:
    """(T, 6) rotations of the eyes, with what eyeLook... says."""
    turned = []
    for side, outwards in zip(_SIDES, (1.0, -1.0)):
        looks = {name: given.get(f"eyeLook{name}{side}") for name in EYE_RADIANS}
        if any(values is not None and values.any() for values in looks.values()):
            angle = {name: EYE_RADIANS[name] * (0.0 if values is None else values) for name, values in looks.items()}
            about_left, about_up = angle["Down"] - angle["Up"], outwards * (angle["Out"] - angle["In"])
            turned.append(np.stack(np.broadcast_arrays(about_left, about_up, 0.0 * about_left), axis=1))
        else:
            turned.append(None)
    if all(part is None for part in turned):
        return eyes
    num_frames = len(next(part for part in turned if part is not None))
    looking = np.concatenate([np.zeros((num_frames, 3)) if part is None else part for part in turned], axis=1)
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
