"""A motion of the open basis put on a character: the values of its shape keys and bones, its jaw, eyes and neck."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from ..motion import FaceMotion
from .calibration import Calibration
from .closures import close_lips
from .lips import LipShape, open_lips
from .mapping import KEY, FaceMapping
from .signals import EYE_RADIANS, JAW_NAMES, JAW_OPEN_RADIANS, JAW_SIDE_RADIANS, eye_turn, signals_of
from .viseme_fit import uses_visemes, viseme_signals

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
        calibration: what its shape keys do to its lips, by which they are compensated; None to take them as they are.
    """

    mapping: FaceMapping
    jaw_is_bone: bool = False
    jaw_strength: float = 1.0
    eyes_are_bones: bool = False
    calibration: Calibration | None = None

    def moves(self, *starts: str) -> bool:
        """Whether a row that is enabled has a source whose name begins so."""
        return any(row.enabled and row.source.startswith(starts) for row in self.mapping.rows)


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
    if target.calibration is not None:
        signals = target.calibration.signals(signals)
    rotations = {}
    if target.jaw_is_bone:
        opening = signals["jawOpen"] * JAW_OPEN_RADIANS
        side = (signals["jawLeft"] - signals["jawRight"]) * JAW_SIDE_RADIANS
        rotations["jaw"] = target.jaw_strength * np.stack([opening, side, np.zeros_like(side)], axis=1)
        signals = _without(signals, JAW_NAMES)
    if motion.neck is not None:
        rotations["neck"] = motion.neck
    if target.eyes_are_bones:
        rolls = np.zeros((motion.num_frames, 6), np.float32) if motion.eyes is None else motion.eyes
        rotations["left_eye"] = np.stack([*eye_turn(signals, "Left"), rolls[:, 2]], axis=1)
        rotations["right_eye"] = np.stack([*eye_turn(signals, "Right"), rolls[:, 5]], axis=1)
        signals = _without(signals, EYE_SIGNALS)
    if uses_visemes(target.mapping):
        jaw, source = rotations.get("jaw"), _open_lips_in(motion)
        signals |= viseme_signals(target.mapping, target.calibration, signals, jaw, source, motion.fps)
    moved = TargetMotion(target.mapping.evaluate(signals), rotations)
    return moved if target.calibration is None else _with_closed_lips(target.calibration, target.mapping, moved, motion)


def _with_closed_lips(
    calibration: Calibration, mapping: FaceMapping, moved: TargetMotion, motion: FaceMotion
) -> TargetMotion:
    """The same motion of a character with the lips closed where the motion closes them."""
    keys = calibration.values(moved.values, motion.num_frames)
    jaw = moved.rotations.get("jaw")
    keys, jaw = close_lips(calibration, mapping, keys, jaw, _open_lips_in(motion), signals_of(motion), motion.fps)
    closed = {
        (name, KEY): np.ascontiguousarray(keys[:, index], np.float32)
        for index, name in enumerate(calibration.lips.names)
        if (name, KEY) in moved.values
    }
    turned = {} if jaw is None else {"jaw": jaw.astype(np.float32)}
    return TargetMotion(moved.values | closed, moved.rotations | turned)


def _open_lips_in(motion: FaceMotion) -> LipShape:
    """The open head's lips in a motion with named components."""
    lips = open_lips()
    given = {name: index for index, name in enumerate(motion.meta["expression_names"])}
    values = np.zeros((motion.num_frames, len(lips.names)), np.float32)
    for index, name in enumerate(lips.names):
        if name in given:
            values[:, index] = motion.expression[:, given[name]]
    jaw = motion.jaw.copy()
    if "jawOpen" in given:
        jaw[:, 0] += motion.expression[:, given["jawOpen"]] * JAW_OPEN_RADIANS
    return lips.shape(values, jaw)


def _without(signals: dict[str, np.ndarray], names: Collection[str]) -> dict[str, np.ndarray]:
    return {name: values for name, values in signals.items() if name not in names}
