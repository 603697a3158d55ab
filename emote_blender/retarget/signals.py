"""A motion of the open basis as named signals: ARKit's 52 values, the head's turn; and back.

The open head's components carry ARKit's names. What ARKit says by shapes and the open basis by the jaw's rotation
(`jawOpen`, `jawLeft`, `jawRight`, and `mouthClose`, which closes the lips of an open jaw) is converted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import InputError
from ..motion import FaceMotion

JAW_OPEN_RADIANS = 0.4
"""Rotation of the jaw at jawOpen = 1; it parts the lips of a usual head by 31 mm."""
JAW_SIDE_RADIANS = 0.12
"""Rotation of the jaw to a side at jawLeft = 1 or jawRight = 1."""
MOUTH_CLOSE_RADIANS = 0.25
"""Opening of the jaw that the open head's mouthClose = 1 closes (`mouth_close_angle` of its head.json)."""
EYE_RADIANS = {"Down": 0.42, "Up": 0.38, "In": 0.49, "Out": 0.49}
"""Rotation of an eye at eyeLook... = 1 (24, 22 and 28 degrees, as the open head's shapes turn)."""

ARKIT_NAMES = (
    "eyeBlinkLeft eyeLookDownLeft eyeLookInLeft eyeLookOutLeft eyeLookUpLeft eyeSquintLeft eyeWideLeft eyeBlinkRight "
    "eyeLookDownRight eyeLookInRight eyeLookOutRight eyeLookUpRight eyeSquintRight eyeWideRight jawForward jawRight "
    "jawLeft jawOpen mouthClose mouthFunnel mouthPucker mouthRight mouthLeft mouthSmileLeft mouthSmileRight "
    "mouthFrownLeft mouthFrownRight mouthDimpleLeft mouthDimpleRight mouthStretchLeft mouthStretchRight mouthRollLower "
    "mouthRollUpper mouthShrugLower mouthShrugUpper mouthPressLeft mouthPressRight mouthLowerDownLeft "
    "mouthLowerDownRight mouthUpperUpLeft mouthUpperUpRight browDownLeft browDownRight browInnerUp browOuterUpLeft "
    "browOuterUpRight cheekPuff cheekSquintLeft cheekSquintRight noseSneerLeft noseSneerRight tongueOut"
).split()
"""ARKit's 52 blend shapes, in the order of a Live Link Face file."""

HEAD_NAMES = ("headPitch", "headYaw", "headRoll")
"""Rotation of the neck about the face's left, up and front axis, radians (axis-angle)."""
JAW_NAMES = ("jawOpen", "jawLeft", "jawRight")
"""The signals that the open basis shows by the jaw's rotation."""
OPEN_BASIS = "open_head"
"""Name of the open basis, whose components carry ARKit's names; characters take their motions in it."""
OPEN_NAMES = (*(name for name in ARKIT_NAMES if name not in JAW_NAMES), "tongueUp")
"""Names of the open head's components; the jaw's opening and turn are rotations beside them."""
_OWN_NAMES = {*ARKIT_NAMES, *HEAD_NAMES}
_EYE_SIGNS = {"Left": 1.0, "Right": -1.0}  # an eye that turns to the character's left looks out on the left side


def signals_of(motion: FaceMotion) -> dict[str, np.ndarray]:
    """Each signal of a motion by name, (T,) float32: ARKit's 52, what else the motion names, and the head's rotation.

    Eyes that rotate and lids that blink beside the expression are added to eyeLook... and eyeBlink....

    Raises:
        InputError: if the motion's components have no names.
    """
    names = motion.meta.get("expression_names")
    if not names:
        raise InputError("the motion's expression components have no names; convert it to the open head's basis first")
    found = {name: motion.expression[:, index].copy() for index, name in enumerate(names)}
    zeros = np.zeros(motion.num_frames, np.float32)
    signals = {name: found.get(name, zeros).copy() for name in ARKIT_NAMES} | {
        name: values for name, values in found.items() if name not in ARKIT_NAMES
    }
    signals["jawOpen"] = signals["jawOpen"] + motion.jaw[:, 0] / JAW_OPEN_RADIANS
    signals["jawLeft"] = signals["jawLeft"] + np.maximum(motion.jaw[:, 1], 0.0) / JAW_SIDE_RADIANS
    signals["jawRight"] = signals["jawRight"] + np.maximum(-motion.jaw[:, 1], 0.0) / JAW_SIDE_RADIANS
    signals["mouthClose"] = signals["mouthClose"] * (MOUTH_CLOSE_RADIANS / JAW_OPEN_RADIANS)
    if motion.eyes is not None:
        for side, turn in (("Left", motion.eyes[:, :3]), ("Right", motion.eyes[:, 3:])):
            outwards = turn[:, 1] * _EYE_SIGNS[side]
            for direction, angle in (("Down", turn[:, 0]), ("Up", -turn[:, 0]), ("Out", outwards), ("In", -outwards)):
                name = f"eyeLook{direction}{side}"
                signals[name] = signals[name] + np.maximum(angle, 0.0) / EYE_RADIANS[direction]
    if motion.lids is not None:
        for side, closure in zip(_EYE_SIGNS, motion.lids.T, strict=True):
            signals[f"eyeBlink{side}"] = np.maximum(signals[f"eyeBlink{side}"], closure)
    neck = np.zeros((motion.num_frames, 3), np.float32) if motion.neck is None else motion.neck
    return signals | dict(zip(HEAD_NAMES, np.ascontiguousarray(neck.T), strict=True))


def motion_of(
    signals: Mapping[str, np.ndarray],
    fps: float,
    meta: Mapping[str, Any] | None = None,
    eyes: np.ndarray | None = None,
    eye_offsets: np.ndarray | None = None,
) -> FaceMotion:
    """The motion of the open basis with these signals: the inverse of `signals_of`.

    A signal that is missing is zero. Of jawLeft and jawRight the difference is kept, as a jaw goes to one side at a
    time. Names that are not ARKit's become further components. The neck is left out if no signal of it moves.

    Args:
        signals: (T,) values by name, at least one.
        fps: frames per second.
        meta: further metadata of the motion.
        eyes: (T, 6) rotation of the eyes beside eyeLook..., see `FaceMotion`.
        eye_offsets: (T, 6) see `FaceMotion`.
    """
    zeros = np.zeros(len(next(iter(signals.values()))), np.float32)

    def value(name: str) -> np.ndarray:
        return np.asarray(signals.get(name, zeros), np.float64)

    names = [name for name in ARKIT_NAMES if name not in JAW_NAMES] + [
        name for name in signals if name not in _OWN_NAMES
    ]
    expression = np.stack([np.asarray(signals.get(name, zeros), np.float32) for name in names], axis=1)
    expression[:, names.index("mouthClose")] = value("mouthClose") * (JAW_OPEN_RADIANS / MOUTH_CLOSE_RADIANS)
    side = (value("jawLeft") - value("jawRight")) * JAW_SIDE_RADIANS
    jaw = np.stack([value("jawOpen") * JAW_OPEN_RADIANS, side, zeros], axis=1)
    neck = np.stack([value(name) for name in HEAD_NAMES], axis=1)
    return FaceMotion(
        expression,
        jaw,
        fps,
        eyes=eyes,
        neck=neck if neck.any() else None,
        meta={"face": OPEN_BASIS, "expression_names": names, **(meta or {})},
        eye_offsets=eye_offsets,
    )


def eye_turn(signals: Mapping[str, np.ndarray], side: str) -> tuple[np.ndarray, np.ndarray]:
    """(T,) rotation of an eye about the face's left and about its up axis, radians, by its signals eyeLook....

    Args:
        signals: (T,) values by name; of a signal that is missing the eye does not turn.
        side: Left or Right.
    """
    angle = {
        direction: radians * np.asarray(signals.get(f"eyeLook{direction}{side}", 0.0))
        for direction, radians in EYE_RADIANS.items()
    }
    return angle["Down"] - angle["Up"], _EYE_SIGNS[side] * (angle["Out"] - angle["In"])
