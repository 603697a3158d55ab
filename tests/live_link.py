"""Capture files for tests, written independently of the product: as the apps Live Link Face and Face Cap write them."""

from __future__ import annotations

import numpy as np

SHAPES = (
    "EyeBlinkLeft EyeLookDownLeft EyeLookInLeft EyeLookOutLeft EyeLookUpLeft EyeSquintLeft EyeWideLeft EyeBlinkRight "
    "EyeLookDownRight EyeLookInRight EyeLookOutRight EyeLookUpRight EyeSquintRight EyeWideRight JawForward JawRight "
    "JawLeft JawOpen MouthClose MouthFunnel MouthPucker MouthRight MouthLeft MouthSmileLeft MouthSmileRight "
    "MouthFrownLeft MouthFrownRight MouthDimpleLeft MouthDimpleRight MouthStretchLeft MouthStretchRight MouthRollLower "
    "MouthRollUpper MouthShrugLower MouthShrugUpper MouthPressLeft MouthPressRight MouthLowerDownLeft "
    "MouthLowerDownRight MouthUpperUpLeft MouthUpperUpRight BrowDownLeft BrowDownRight BrowInnerUp BrowOuterUpLeft "
    "BrowOuterUpRight CheekPuff CheekSquintLeft CheekSquintRight NoseSneerLeft NoseSneerRight TongueOut"
).split()
ANGLES = "HeadYaw HeadPitch HeadRoll LeftEyeYaw LeftEyePitch LeftEyeRoll RightEyeYaw RightEyePitch RightEyeRoll".split()
COLUMNS = [*SHAPES, *ANGLES]


def recorded(num_frames: int, seed: int = 0) -> np.ndarray:
    """(T, 61) values such as a face gives: shapes from 0 to 1, angles within 0.6 radians, float32.

    A jaw goes to one side at a time.
    """
    random = np.random.default_rng(seed)
    values = random.uniform(0, 1, (num_frames, len(COLUMNS))).astype(np.float32)
    values[:, len(SHAPES) :] = random.uniform(-0.6, 0.6, (num_frames, len(ANGLES)))
    values[::2, COLUMNS.index("JawRight")] = 0
    values[1::2, COLUMNS.index("JawLeft")] = 0
    return values


def timecode(seconds: float) -> str:
    """A timecode in sixtieths of a second with three digits of a sixtieth."""
    whole = int(seconds + 1e-9)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}:{(seconds - whole) * 60:06.3f}"


def live_link_csv(values: np.ndarray, times=None, columns=COLUMNS) -> str:
    """The text of a file of Live Link Face.

    Args:
        values: (T, C) one value per column.
        times: (T,) seconds of the day; None for 60 frames per second from 13:04:31 on.
        columns: titles of the columns.
    """
    times = 13 * 3600 + 4 * 60 + 31 + np.arange(len(values)) / 60 if times is None else times
    lines = ["Timecode,BlendShapeCount," + ",".join(columns)]
    for time, row in zip(times, values, strict=True):
        lines.append(f"{timecode(time)},{len(columns)}," + ",".join(f"{value:.10f}" for value in row))
    return "\n".join(lines) + "\n"


def table_of(text: str) -> tuple[list[str], list[str], np.ndarray]:
    """Titles, timecodes and (T, 61) values of the text of a file of Live Link Face."""
    rows = [line.split(",") for line in text.splitlines()]
    return rows[0], [row[0] for row in rows[1:]], np.array([[float(cell) for cell in row[2:]] for row in rows[1:]])


def angles_csv(**angles: float) -> str:
    """Two frames of a shut jaw and these angles in radians."""
    columns = ["JawOpen", *angles]
    return live_link_csv(np.array([[0.0, *angles.values()]] * 2), columns=columns)
