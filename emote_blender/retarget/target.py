"""A motion of the open basis put on a character: the values of its shape keys and bones, its jaw, eyes and neck."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..motion import FaceMotion
from .mapping import FaceMapping
from .signals import JAW_OPEN_RADIANS, JAW_SIDE_RADIANS, signals_of

JAW_SIGNALS = ("jawOpen", "jawLeft", "jawRight")


@dataclass(frozen=True, eq=False)
class Target:
    """What of a character moves.

    Attributes:
        mapping: the table of shape keys and bone channels.
        jaw_is_bone: whether a bone opens the mouth; rows of the jaw's signals are then left out, so that the mouth
            is never opened twice.
        jaw_strength: factor on the rotation of that bone.
    """

    mapping: FaceMapping
    jaw_is_bone: bool = False
    jaw_strength: float = 1.0


@dataclass(frozen=True, eq=False)
class TargetMotion:
    """What a motion does to a character.

    Attributes:
        values: (T,) value of each target by name and channel, float32.
        rotations: (T, 3) axis-angle in the face's axes (left, up, front), radians, by role: jaw, neck, left_eye,
            right_eye. What does not rotate is missing.
    """

    values: dict[tuple[str, str], np.ndarray]
    rotations: dict[str, np.ndarray] = field(default_factory=dict)


def put_on(target: Target, motion: FaceMotion) -> TargetMotion:
    """What a motion with named components does to a character.

    Raises:
        InputError: if the motion's components have no names.
    """
    signals = signals_of(motion)
    rotations = {}
    if target.jaw_is_bone:
        opening = signals["jawOpen"] * JAW_OPEN_RADIANS
        side = (signals["jawLeft"] - signals["jawRight"]) * JAW_SIDE_RADIANS
        rotations["jaw"] = target.jaw_strength * np.stack([opening, side, np.zeros_like(side)], axis=1)
        signals = {name: values for name, values in signals.items() if name not in JAW_SIGNALS}
    if motion.neck is not None:
        rotations["neck"] = motion.neck
    if motion.eyes is not None:
        rotations |= {"left_eye": motion.eyes[:, :3], "right_eye": motion.eyes[:, 3:]}
    return TargetMotion(target.mapping.evaluate(signals), rotations)
