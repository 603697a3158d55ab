"""The unknowns of a fit as a motion of the head."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....motion import FaceMotion
from ....motion_tools.rotation import matrix_to_quaternion, quaternion_to_axis_angle
from ....retarget.signals import eye_turn
from .camera import HeadPose
from .fitted_face import GAZE, JAW_UNIT, LIDS, FittedFace


def motion_of_values(
    face: FittedFace, pose: HeadPose, values: np.ndarray, fps: float, meta: dict[str, Any]
) -> FaceMotion:
    """The motion of a head.

    The gaze becomes eyeLook... components where the head has them, else rotations of the eyes.

    Args:
        face: the head.
        pose: of the head in each frame; its rotation becomes the neck's.
        values: (T, N + 3) the other unknowns.
        fps: frames per second.
        meta: further metadata.
    """
    model = face.model
    column = {name: number for number, name in enumerate(face.names)}
    names = model.expression_names
    expression = np.zeros((len(values), model.num_expression), np.float32)
    for number, name in enumerate(names or map(str, range(model.num_expression))):
        if name in column:
            expression[:, number] = values[:, column[name]]
    looks = {
        f"eyeLook{direction}{side}": values[:, column[gaze]]
        for gaze, directions in GAZE.items()
        for side, direction in zip(("Left", "Right"), directions, strict=True)
    }
    eyes = None
    if names is not None and "eyeLookUpLeft" in names:
        for name, look in looks.items():
            expression[:, names.index(name)] = look
    else:
        still = np.zeros(len(values))
        eyes = np.stack([part for side in ("Left", "Right") for part in (*eye_turn(looks, side), still)], axis=1)
    lids = values[:, [column[name] for name in LIDS]] if LIDS[0] in column else None
    whole = {**meta, "face": model.basis} | ({} if names is None else {"expression_names": list(names)})
    neck = quaternion_to_axis_angle(matrix_to_quaternion(pose.rotation))
    return FaceMotion(expression, values[:, -3:] * JAW_UNIT, fps, eyes=eyes, neck=neck, meta=whole, lids=lids)
