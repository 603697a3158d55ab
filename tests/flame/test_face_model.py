"""The face model: shapes, broadcasting, posing and its complaints."""

from dataclasses import replace

import numpy as np
import pytest

from emote_blender.errors import ModelError
from emote_blender.motion_tools.rotation import axis_angle_to_matrix


def test_a_face_at_rest_is_the_template(small_head):
    rest = replace(small_head, posedirs=None).vertices(np.zeros(3), np.zeros(3))
    np.testing.assert_allclose(rest, small_head.v_template, atol=1e-6)


def test_frames_are_posed_as_each_alone(small_head):
    random = np.random.default_rng(2)
    expression, jaw, eyes = random.random((4, 3)), random.random((4, 3)), random.random((4, 6))
    together = small_head.vertices(expression, jaw, eyes=eyes)
    alone = [small_head.vertices(*frame, eyes=eye) for *frame, eye in zip(expression, jaw, eyes)]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_one_identity_serves_all_frames(small_head):
    shape = np.array([0.5, -1.0])
    frames = small_head.vertices(np.zeros((4, 3)), np.zeros(3), shape=shape)
    assert frames.shape == (4, 6, 3)
    np.testing.assert_allclose(frames[2], small_head.vertices(np.zeros(3), np.zeros(3), shape=shape), atol=1e-6)


def test_joints_follow_identity(small_head):
    shape = np.array([0.5, -1.0], np.float32)
    expected = small_head.J_regressor @ (small_head.v_template + small_head.identity_dirs @ shape)
    np.testing.assert_allclose(small_head.joints(shape), expected, atol=1e-6)


def test_turning_the_root_turns_every_vertex_about_the_root_joint(small_head):
    turn = np.array([0.2, -0.4, 0.1])
    root = small_head.joints()[0]
    turned = small_head.vertices(np.zeros(3), np.zeros(3), root=turn)
    expected = (small_head.v_template - root) @ axis_angle_to_matrix(turn).T + root
    np.testing.assert_allclose(turned, expected, atol=1e-5)


def test_directions_split_into_identity_and_expression(small_head):
    assert small_head.identity_dirs.shape == (6, 3, 2)
    assert small_head.expression_dirs.shape == (6, 3, 3)
    assert np.array_equal(small_head.expression_dirs, small_head.shapedirs[:, :, 2:])


def test_a_wrong_number_of_coefficients_is_told(small_head):
    with pytest.raises(ValueError, match=r"\(3,\).*found \(4,\)"):
        small_head.vertices(np.zeros(4), np.zeros(3))


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"v_template": np.zeros((6, 2), np.float32)}, r"v_template has shape \(6, 2\), expected \(6, 3\)"),
        ({"shapedirs": np.zeros((6, 3, 4), np.float32)}, r"shapedirs has shape \(6, 3, 4\), expected \(6, 3, 5\)"),
        ({"posedirs": np.zeros((27, 18), np.float32)}, r"posedirs has shape \(27, 18\), expected \(36, 18\)"),
        ({"J_regressor": np.zeros((4, 6), np.float32)}, r"J_regressor has shape \(4, 6\), expected \(5, 6\)"),
        ({"lbs_weights": np.zeros((5, 6), np.float32)}, r"lbs_weights has shape \(5, 6\), expected \(6, 5\)"),
        ({"lbs_weights": np.full((6, 5), np.nan, np.float32)}, "lbs_weights holds values that are not finite"),
        ({"uv": np.zeros((2, 4, 2), np.float32)}, r"uv has shape \(2, 4, 2\), expected \(1, 4, 2\)"),
        ({"faces": np.array([[0, 1, 6]], np.int32)}, "faces holds 0 to 6, allowed are 0 to 5"),
        ({"quad_material": np.array([2], np.int32)}, "quad_material holds 2 to 2, allowed are 0 to 1"),
        ({"expression_names": ("smile", "smile", "wink")}, "expression_names holds 2 different names, expected 3"),
        ({"units": "millimetres"}, "units is 'millimetres', expected 'metres'"),
    ],
)
def test_an_array_that_does_not_fit_is_told_in_one_sentence(small_head, changes, sentence):
    with pytest.raises(ModelError, match=sentence):
        replace(small_head, **changes).check("the test head")
