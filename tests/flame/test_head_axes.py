"""The axes of a head, fitted to its joints."""

import numpy as np
import pytest
from synthetic_flame import JOINTS

from emote_blender.flame.head_axes import HUMAN_JOINTS, fit_axes
from emote_blender.flame.model import FLAME_JOINT_NAMES
from emote_blender.motion_tools.rotation import axis_angle_to_matrix

FLAME = dict(zip(FLAME_JOINT_NAMES, JOINTS))
MIRRORED = np.diag([-1.0, 1.0, 1.0])
Z_UP = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float)
Z_UP_TURNED = axis_angle_to_matrix(np.radians([[0, 0, 30.0]]))[0] @ Z_UP
TILTED = axis_angle_to_matrix(np.array([[0.3, 0.7, -1.2]]))[0]


def joints_in(axes, joints=FLAME, scale=1.0):
    return {name: scale * axes @ np.asarray(place) + [3.0, -2.0, 5.0] for name, place in joints.items()}


def degrees_between(found, axes):
    return np.degrees(np.arccos(np.clip((found * axes).sum(0), -1, 1)))


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("axes", [np.eye(3), Z_UP_TURNED, TILTED, TILTED @ MIRRORED], ids=str)
def test_a_known_head_is_fitted_exactly(axes, scale):
    fit = fit_axes(joints_in(axes, scale=scale), FLAME)
    np.testing.assert_allclose(fit.axes, axes, atol=1e-6)
    assert fit.scale == pytest.approx(scale)


@pytest.mark.parametrize("axes", [np.eye(3), Z_UP, Z_UP_TURNED, Z_UP @ MIRRORED], ids=str)
def test_an_upright_head_of_unknown_joints_is_fitted_exactly(axes):
    np.testing.assert_allclose(fit_axes(joints_in(axes)).axes, axes, atol=1e-9)


def test_left_of_a_tilted_head_is_exact_and_up_nearly():
    off = degrees_between(fit_axes(joints_in(TILTED)).axes, TILTED)
    assert off[0] < 1e-3
    assert off[1:].max() < 7, "the joints of other people lie a little differently"


def test_eyes_and_a_jaw_are_enough():
    some = {name: FLAME[name] for name in ("jaw", "left_eye", "right_eye")}
    np.testing.assert_allclose(fit_axes(joints_in(Z_UP, some)).axes, Z_UP, atol=1e-9)


@pytest.mark.parametrize("names", [("root", "neck", "jaw"), ("left_eye", "right_eye")], ids=str)
def test_joints_of_one_plane_or_line_show_no_axes(names):
    assert fit_axes({name: FLAME[name] for name in names}) is None


def test_joints_at_one_place_show_no_axes():
    assert fit_axes(dict.fromkeys(FLAME, np.zeros(3))) is None


def test_the_open_head_has_the_joints_of_the_reference(open_head):
    np.testing.assert_allclose(open_head.joints(), np.array(list(HUMAN_JOINTS.values())), atol=1e-5)
