"""The direction of a face, fitted to what its shapes move."""

import numpy as np
import pytest
from character_shapes import arkit_shapes, oculus_shapes, open_head_model

from emote_blender.motion_tools.rotation import axis_angle_to_matrix
from emote_blender.retarget.face_axes import CENTRES_MM, JOINTS_MM, centre_of, fit_face

TURN = axis_angle_to_matrix(np.array([0.7, -1.9, 0.4]))
SCALE, PLACE = 170.0, np.array([3.0, -8.0, 150.0])


def placed(points):
    """Points of the open head (metres) in a space of centimetres and more, turned anyhow."""
    return SCALE * np.asarray(points) @ TURN.T + PLACE


def centres(names):
    return {name: placed(np.array(CENTRES_MM[name]) / 1000) for name in names}


def test_the_table_is_the_open_heads():
    model = open_head_model()
    shapes = {**arkit_shapes(True), **oculus_shapes()}
    for name, centre in CENTRES_MM.items():
        measured = 1000 * centre_of(model.v_template, shapes[name])
        np.testing.assert_allclose(measured, centre, atol=0.6, err_msg=name)
    for role, place in JOINTS_MM.items():
        np.testing.assert_allclose(1000 * model.joints()[model.joint_names.index(role)], place, atol=0.1)


def test_rotation_scale_and_place_are_recovered():
    found = fit_face(centres(CENTRES_MM))
    np.testing.assert_allclose(found.axes, TURN, atol=1e-6)
    assert found.scale == pytest.approx(SCALE)
    np.testing.assert_allclose(found.on_open_head(placed([[0.01, 0.02, 0.03]])), [[0.01, 0.02, 0.03]], atol=1e-9)
    assert found.misfit < 1e-6


def test_two_eyes_and_a_mouth_are_enough():
    found = fit_face(centres(["eyeBlinkLeft", "eyeBlinkRight", "viseme_aa"]))
    np.testing.assert_allclose(found.axes, TURN, atol=1e-6)


def test_joints_stand_in_for_shapes():
    joints = {role: placed(np.array(place) / 1000) for role, place in JOINTS_MM.items()}
    np.testing.assert_allclose(fit_face({}, joints).axes, TURN, atol=1e-6)


def test_left_stays_exact_on_a_symmetric_face_of_other_proportions():
    flatter = {name: np.array(point) * [1.3, 0.8, 0.5] for name, point in CENTRES_MM.items()}
    found = fit_face({name: placed(point / 1000) for name, point in flatter.items()})
    np.testing.assert_allclose(found.axes[:, 0], TURN[:, 0], atol=1e-6)
    assert found.axes[:, 1] @ TURN[:, 1] > np.cos(np.radians(8))


@pytest.mark.parametrize(
    "names",
    [[], ["eyeBlinkLeft", "eyeBlinkRight"], ["mouthPucker", "mouthFunnel", "viseme_ou"]],
    ids=["nothing", "two_points", "one_place"],
)
def test_too_little_decides_nothing(names):
    assert fit_face(centres(names)) is None


def test_what_is_no_face_is_refused():
    random = np.random.default_rng(0)
    assert fit_face({name: random.normal(size=3) for name in CENTRES_MM}) is None


def test_a_shape_that_moves_nothing_has_no_centre():
    assert centre_of(np.zeros((4, 3)), np.zeros((4, 3))) is None
