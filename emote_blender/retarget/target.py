"""A motion of the open basis put on a character: the values of its shape keys and bones, its jaw, eyes and neck."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from ..motion import FaceMotion
from .mapping import FaceMapping
from .signals import EYE_RADIANS, JAW_OPEN_RADIANS, JAW_SIDE_RADIANS, signals_of

JAW_SIGNALS = ("jawOpen", "jawLeft", "jawRight")
EYE_SIGNALS = tuple(f"eyeLook{direction}{side}" for side in ("Left", "Right") for direction in EYE_RADIANS)


@dataclass(frozen=True, eq=False)
class Target:
    """What of a character moves.

    Attributes:
        mapping: the table of shape keys and bone channels.
        jaw_is_bone: whether a bone opens the mouth; rows of the jaw's signals are then left out, so that the mouth
            is never opened twice.
        jaw_strength: factor on the rotation of that bone.
        eyes_are_bones: whether bones turn the eyes; rows of eyeLook... are then left out in the same way.
    """

    mapping: FaceMapping
    jaw_is_bone: bool = False
    jaw_strength: float = 1.0
    eyes_are_bones: bool = False


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
        signals = _without(signals, JAW_SIGNALS)
    if motion.neck is not None:
        rotations["neck"] = motion.neck
    if target.eyes_are_bones:
        rolls = np.zeros((motion.num_frames, 6), np.float32) if motion.eyes is None else motion.eyes
        rotations["left_eye"] = _eye_rotation(signals, "Left", rolls[:, 2])
        rotations["right_eye"] = _eye_rotation(signals, "Right", rolls[:, 5])
        signals = _without(signals, EYE_SIGNALS)
    return TargetMotion(target.mapping.evaluate(signals), rotations)


def _without(signals: dict[str, np.ndarray], names: Collection[str]) -> dict[str, np.ndarray]:
    return {name: values for name, values in signals.items() if name not in names}


def _eye_rotation(signals: dict[str, np.ndarray], side: str, roll: np.ndarray) -> np.ndarray:
    """(T, 3) rotation of an eye by its signals eyeLook... and its (T,) roll, in the face's axes, radians."""
    angles = {name: signals[f"eyeLook{name}{side}"] * radians for name, radians in EYE_RADIANS.items()}
    outwards = 1.0 if side == "Left" else -1.0  # the left eye looks out where it turns to the character's left
    sideways = outwards * (angles["Out"] - angles["In"])
    return np.stack([angles["Down"] - angles["Up"], sideways, roll], axis=1)
