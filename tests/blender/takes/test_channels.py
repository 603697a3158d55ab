"""Channels of bones for every rotation mode, beside mathutils frame by frame."""

import numpy as np
import pytest
from mathutils import Euler, Quaternion

from emote_blender.blender.takes.channels import rotation_values
from emote_blender.motion_tools.rotation import axis_angle_to_quaternion

ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")


def wandering(num_frames: int = 600, step: float = 0.06) -> np.ndarray:
    """(T, 3) axis-angle of a rotation that wanders far, through turned-over poses and near gimbal lock."""
    random = np.random.default_rng(3)
    rotation, rotations = Quaternion(), []
    turn = np.zeros(3)
    for _ in range(num_frames):
        turn = 0.9 * turn + step * random.normal(size=3)
        rotation = Quaternion(axis_angle_to_quaternion(turn).tolist()) @ rotation
        axis, angle = rotation.to_axis_angle()
        rotations.append(np.array(axis) * angle)
    return np.array(rotations)


@pytest.mark.parametrize("order", ORDERS)
def test_euler_angles_are_those_of_mathutils_frame_by_frame(order):
    rotations = wandering()
    first, *others = (Quaternion(quaternion) for quaternion in axis_angle_to_quaternion(rotations).tolist())
    expected = [first.to_euler(order)]
    for quaternion in others:
        expected.append(quaternion.to_euler(order, expected[-1]))
    channel, values = rotation_values(rotations, order)
    assert channel == "rotation_euler"
    assert np.ptp(values, axis=0).max() > 2 * np.pi, "the rotations are to turn over"
    # mathutils counts in float32, and near gimbal lock an angle is a quotient of small numbers.
    np.testing.assert_allclose(values, np.array(expected), atol=2e-3)


@pytest.mark.parametrize("order", ORDERS)
def test_an_exact_gimbal_lock_keeps_the_rotation(order):
    lock = np.zeros((5, 3))
    lock[:, "XYZ".index(order[1])] = np.linspace(0, np.pi, 5)
    _, values = rotation_values(lock, order)
    for angles, quaternion in zip(values, axis_angle_to_quaternion(lock)):
        found = np.array(Euler(angles.tolist(), order).to_quaternion())
        assert abs(found @ quaternion) == pytest.approx(1, abs=1e-6)


def test_an_axis_never_flips_and_stays_where_nothing_turns():
    turns = np.array([[0, 0, 0], [0, 0.2, 0], [0, 0, 0], [0, -0.3, 0], [-0.1, -0.3, 0], [0, 0, 0], [0.4, 0, 0]])
    channel, values = rotation_values(turns, "AXIS_ANGLE")
    assert channel == "rotation_axis_angle"
    expected, axis = [], np.array([1.0, 0, 0])
    for turn in turns:
        angle = np.linalg.norm(turn)
        if angle > 0:
            axis, angle = (turn / angle, angle) if turn @ axis >= 0 else (-turn / angle, -angle)
        expected.append([angle, *axis])
    np.testing.assert_allclose(values, expected, atol=1e-12)
