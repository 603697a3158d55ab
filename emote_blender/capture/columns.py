"""The columns of a capture file: ARKit's blend shapes in any spelling, and the angles of head and eyes.

Angles have the sign that the app Live Link Face gives them, in all formats of this room: radians, pitch down, yaw to
the character's own right and roll to its own left are positive, turned in the order yaw, pitch, roll. This was read off
recordings: yaw and pitch against eyeLook..., roll from the torsion that an eye does not have.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from ..motion import FaceMotion
from ..motion_tools.rotation import axis_angle_to_quaternion, quaternion_to_axis_angle, quaternion_to_euler
from ..retarget.signals import ARKIT_NAMES, HEAD_NAMES, eye_turn, motion_of, signals_of

ANGLE_NAMES = tuple(f"{part}{angle}" for part in ("head", "leftEye", "rightEye") for angle in ("Yaw", "Pitch", "Roll"))
"""The nine angles, in the order of a Live Link Face file."""
COLUMN_NAMES = (*ARKIT_NAMES, *ANGLE_NAMES)
_EXTRA_NAMES = ("tongueUp",)  # of the open head, beyond ARKit's
# To the face's left, up and front axis: pitch about left, yaw about up, roll about front.
_SIGNS = np.array([1.0, -1.0, -1.0])
_FROM_YAW_PITCH_ROLL = [1, 0, 2]
_EULER_ORDER = "ZXY"  # in Blender's sense: about the front axis first


def known_column(title: str) -> str | None:
    """The name of COLUMN_NAMES that a column's title means, or None.

    "EyeBlinkLeft", "eye_blink_L" and "Face.eyeBlink_L" are eyeBlinkLeft.
    """
    words = re.sub(r"[\W_]+", "", re.split(r"[.:/|]", unicodedata.normalize("NFKC", title).strip().strip('"'))[-1])
    return _BY_SPELLING.get(words.casefold())


def motion_of_columns(columns: dict[str, np.ndarray], fps: float, meta: dict | None = None) -> FaceMotion:
    """The motion of the open basis that captured columns describe; those that are missing are zero.

    The eyes follow eyeLook...; what the eyes' angles say beyond is kept for export. Without eyeLook..., the eyes turn
    by their angles.

    Args:
        columns: (T,) values by names of COLUMN_NAMES.
        fps: frames per second.
        meta: further metadata of the motion.
    """
    signals = {name: values for name, values in columns.items() if name not in ANGLE_NAMES}
    length = len(next(iter(columns.values())))
    angles = {
        part: np.stack([columns.get(f"{part}{angle}", np.zeros(length)) for angle in ("Yaw", "Pitch", "Roll")], axis=1)
        for part in ("head", "leftEye", "rightEye")
    }
    signals |= dict(zip(HEAD_NAMES, rotation_of_angles(angles["head"]).T, strict=True))
    eyes = np.concatenate([angles["leftEye"], angles["rightEye"]], axis=1)
    if not eyes.any():
        return motion_of(signals, fps, meta)
    if not any(name.startswith("eyeLook") for name in columns):
        turns = np.concatenate([rotation_of_angles(eyes[:, :3]), rotation_of_angles(eyes[:, 3:])], axis=1)
        return motion_of(signals, fps, meta, eyes=turns)
    return motion_of(signals, fps, meta, eye_offsets=eyes - _looking(signals, length))


def columns_of_motion(motion: FaceMotion) -> dict[str, np.ndarray]:
    """The (T,) float32 value of each of COLUMN_NAMES, and of further components, by name.

    Raises:
        InputError: if the motion's components have no names.
    """
    signals = signals_of(motion)
    columns = {name: values for name, values in signals.items() if name not in HEAD_NAMES}
    shapes = signals if motion.eyes is None else signals_of(_without_eyes(motion))
    eyes = _looking(shapes, motion.num_frames)
    if motion.eyes is not None:
        eyes += np.concatenate([angles_of_rotation(motion.eyes[:, :3]), angles_of_rotation(motion.eyes[:, 3:])], axis=1)
    if motion.eye_offsets is not None:
        eyes += motion.eye_offsets
    head = angles_of_rotation(np.stack([signals[name] for name in HEAD_NAMES], axis=1))
    angles = np.concatenate([head, eyes], axis=1).astype(np.float32)
    return columns | dict(zip(ANGLE_NAMES, np.ascontiguousarray(angles.T), strict=True))


def rotation_of_angles(angles: np.ndarray) -> np.ndarray:
    """(T, 3) axis-angle about the face's left, up and front axis of (T, 3) yaw, pitch and roll, radians."""
    pitch, yaw, roll = 0.5 * (np.asarray(angles, np.float64)[:, _FROM_YAW_PITCH_ROLL] * _SIGNS).T
    cx, cy, cz = np.cos(pitch), np.cos(yaw), np.cos(roll)
    sx, sy, sz = np.sin(pitch), np.sin(yaw), np.sin(roll)
    # The product of the quaternions about up, left and front.
    quaternions = [
        cy * cx * cz + sy * sx * sz,
        cy * sx * cz + sy * cx * sz,
        sy * cx * cz - cy * sx * sz,
        cy * cx * sz - sy * sx * cz,
    ]
    return quaternion_to_axis_angle(np.stack(quaternions, axis=1))


def angles_of_rotation(axis_angle: np.ndarray) -> np.ndarray:
    """(T, 3) yaw, pitch and roll, radians, float64: the inverse of `rotation_of_angles`."""
    euler = quaternion_to_euler(axis_angle_to_quaternion(axis_angle), _EULER_ORDER)
    return (euler * _SIGNS)[:, _FROM_YAW_PITCH_ROLL]


def _looking(signals: dict[str, np.ndarray], length: int) -> np.ndarray:
    """(T, 6) yaw, pitch and roll of the left and the right eye, radians, to which eyeLook... turns them."""
    exact = {name: np.asarray(values, np.float64) for name, values in signals.items() if name.startswith("eyeLook")}
    still = np.zeros(length)
    angles = []
    for side in ("Left", "Right"):
        down, to_left = eye_turn(exact, side)
        angles += [still - to_left, still + down, still]
    return np.stack(angles, axis=1)


def _without_eyes(motion: FaceMotion) -> FaceMotion:
    return FaceMotion(motion.expression, motion.jaw, motion.fps, meta=motion.meta)


def _spellings(name: str) -> list[str]:
    """A name in lower case, with its side as a word and as a letter: eyeblinkleft, eyeblinkl."""
    word = name.casefold()
    shortened = [word.removesuffix(side) + side[0] for side in ("left", "right") if word.endswith(side)]
    return [word, *shortened]


_BY_SPELLING = {spelling: name for name in (*COLUMN_NAMES, *_EXTRA_NAMES) for spelling in _spellings(name)}
