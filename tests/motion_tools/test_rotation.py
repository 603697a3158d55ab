import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from emote_blender.motion_tools.rotation import (
    axis_angle_to_matrix,
    axis_angle_to_quaternion,
    continuous_quaternions,
    quaternion_to_axis_angle,
    slerp,
)


@pytest.fixture
def axis_angles() -> np.ndarray:
    """Random rotations with angles from 1e-9 to just below pi, and none at all: (401, 3)."""
    generator = np.random.default_rng(0)
    axes = generator.normal(size=(400, 3))
    angles = np.concatenate([10.0 ** generator.uniform(-9, 0, 200), generator.uniform(0.0, np.pi - 1e-6, 200)])
    vectors = axes / np.linalg.norm(axes, axis=1, keepdims=True) * angles[:, None]
    return np.concatenate([vectors, np.zeros((1, 3))])


def test_quaternions_equal_scipys(axis_angles):
    expected = Rotation.from_rotvec(axis_angles).as_quat()[:, [3, 0, 1, 2]]
    assert np.allclose(axis_angle_to_quaternion(axis_angles), expected, atol=1e-12)


def test_axis_angle_survives_the_way_through_quaternions(axis_angles):
    assert np.allclose(quaternion_to_axis_angle(axis_angle_to_quaternion(axis_angles)), axis_angles, atol=1e-12)


def test_a_negated_quaternion_is_the_same_rotation(axis_angles):
    assert np.allclose(quaternion_to_axis_angle(-3.0 * axis_angle_to_quaternion(axis_angles)), axis_angles, atol=1e-12)


def test_slerp_equals_scipys(axis_angles):
    start, end = axis_angles[200:300], axis_angles[300:400]
    weights = np.linspace(0.0, 1.0, 100)
    found = quaternion_to_axis_angle(slerp(axis_angle_to_quaternion(start), axis_angle_to_quaternion(end), weights))
    for row in range(100):
        arc = Slerp([0, 1], Rotation.from_rotvec([start[row], end[row]]))
        difference = arc(weights[row]).inv() * Rotation.from_rotvec(found[row])
        assert difference.magnitude() < 1e-9


def test_slerp_between_equal_rotations_stays_there(axis_angles):
    quaternions = axis_angle_to_quaternion(axis_angles)
    assert np.allclose(slerp(quaternions, quaternions, np.full(len(quaternions), 0.3)), quaternions, atol=1e-12)


def test_continuous_quaternions_keep_every_rotation_and_never_jump():
    angles = np.linspace(0.0, 4 * np.pi, 200)
    jumping = axis_angle_to_quaternion(
        quaternion_to_axis_angle(axis_angle_to_quaternion(np.outer(angles, [0.0, 1.0, 0.0])))
    )
    smooth = continuous_quaternions(jumping)
    assert np.sum(jumping[1:] * jumping[:-1], axis=1).min() < -0.9
    assert np.sum(smooth[1:] * smooth[:-1], axis=1).min() > 0.99
    assert np.allclose(np.abs(np.sum(smooth * jumping, axis=1)), 1.0)


def test_continuous_quaternions_of_no_frames_are_none():
    assert continuous_quaternions(np.zeros((0, 4))).shape == (0, 4)


def test_matrices_equal_scipys(axis_angles):
    # the angle is |r + 1e-8|: off by less than 2e-8
    expected = Rotation.from_rotvec(axis_angles).as_matrix()
    np.testing.assert_allclose(axis_angle_to_matrix(axis_angles), expected, atol=3e-8)
