"""What the landmarker makes of a face, and the fit that undoes it."""

from dataclasses import replace

import numpy as np
import pytest
from filmed_faces import SIZE, film

from emote_blender.capture.video.embedding import embedding_of
from emote_blender.capture.video.fit.camera import HeadPose, undistorted
from emote_blender.capture.video.fit.equations import landmark_weights
from emote_blender.capture.video.fit.fitted_face import JAW_UNIT, fitted_face
from emote_blender.capture.video.landmark_groups import INNER_LIP_PAIRS, LEFT_LID_PAIRS
from emote_blender.capture.video.response import (
    LID_STEP,
    NUM_LID_STEPS,
    NUM_TURNS,
    RESPONSE_FILE,
    Response,
    exact_response,
    measured_response,
    read_response,
    write_response,
)
from emote_blender.errors import ModelError
from emote_blender.files.safetensors_file import write_tensors
from emote_blender.motion_tools.rotation import axis_angle_to_matrix

SHRINKS = 0.7


@pytest.fixture(scope="module")
def shrinking() -> Response:
    """A landmarker whose points make 70 % of every movement."""
    exact, everything = exact_response(), np.eye(2 * 478)
    return replace(exact, moves_in=(SHRINKS - 1) * everything, moves_out=everything)


def test_what_is_written_is_read(tmp_path):
    random = np.random.default_rng(0)
    response = Response(
        random.normal(size=(478, 2)),
        random.normal(size=(NUM_TURNS, 478, 2)),
        random.normal(size=(956, 3)),
        random.normal(size=(3, 956)),
        (0.25, 2.5, 0.5),
        random.normal(size=NUM_LID_STEPS),
    )
    write_response(response, tmp_path)
    again = read_response(tmp_path)
    for name in ("bias", "by_turn", "moves_in", "moves_out", "lips", "lids"):
        np.testing.assert_allclose(getattr(again, name), getattr(response, name), rtol=1e-3, atol=1e-4)


def test_a_file_of_another_kind_is_refused(tmp_path):
    write_tensors(tmp_path / RESPONSE_FILE, {"bias": np.zeros((478, 2), np.float16)})
    with pytest.raises(ModelError, match="expected"):
        read_response(tmp_path)


def test_the_measured_one_makes_movements_smaller(open_head):
    """By the brows most, as every landmarker that was trained on usual faces."""
    moves = embedding_of(open_head).of(open_head.faces, np.asarray(open_head.expression_dirs, np.float64))
    shown = measured_response().of_moves(moves)
    for name, least, most in (("browInnerUp", 0.4, 0.9), ("mouthSmileLeft", 0.7, 1.05), ("mouthPucker", 0.5, 1.0)):
        own = moves[:, :2, open_head.expression_names.index(name)]
        share = (shown[:, :2, open_head.expression_names.index(name)] * own).sum() / (own**2).sum()
        assert least < share < most, name


def test_every_unknown_moves_landmarks_as_they_are_shown(open_head, shrinking):
    embedding = embedding_of(open_head)
    exact, shown = (fitted_face(open_head, embedding, response) for response in (exact_response(), shrinking))
    np.testing.assert_allclose(shown.directions[:, :2], SHRINKS * exact.directions[:, :2], atol=1e-9)
    np.testing.assert_allclose(shown.directions[:, 2], exact.directions[:, 2], atol=1e-9)
    own = slice(open_head.num_shape)  # beside what is the landmarker's anyway
    np.testing.assert_allclose(shown.identity[:, :2, own], SHRINKS * exact.identity[:, :2, own], atol=1e-9)
    values = np.zeros((1, exact.num_values))
    values[0, -3:] = np.array([0.05, 0.01, -0.01]) / JAW_UNIT
    turned, whole = (face.posed(values)[0][0] - face.rest for face in (shown, exact))
    np.testing.assert_allclose(turned[:, :2], SHRINKS * whole[:, :2], atol=2e-4)
    assert np.abs(whole).max() > 4e-3


def test_lips_that_are_barely_apart_are_opened():
    response = replace(exact_response(), lips=(0.3e-3, 2.5e-3, 0.5e-3))
    gaps = np.array([-0.4, 0.0, 0.3, 0.8, 5.0]) * 1e-3
    np.testing.assert_allclose(response.true_gap(gaps)[:3], [-0.4e-3, 0.0, 0.0], atol=1e-9)
    assert 1.5e-3 < response.true_gap(gaps)[3] < 2.6e-3
    assert response.true_gap(gaps)[4] == pytest.approx(7.2e-3, abs=1e-5)
    assert (np.diff(response.true_gap(np.linspace(0.3e-3, 20e-3, 200))) > 0).all()


def test_lids_are_as_far_apart_as_they_are_and_not_as_they_look():
    """Lids that look half open are nearly closed; beyond the curve's ends the gap changes as it is shown."""
    curve = LID_STEP * np.arange(NUM_LID_STEPS)
    curve[2:5] -= 1.5e-3
    response = replace(exact_response(), lids=curve)
    shown = np.array([-1.0, 2.0, 6.0, 7.0, 16.0, 20.0]) * 1e-3
    np.testing.assert_allclose(response.true_lid_gap(shown), [-1e-3, 2e-3, 4.5e-3, 5.5e-3, 16e-3, 20e-3], atol=1e-9)
    upper, lower = LEFT_LID_PAIRS.T
    places = np.zeros((1, 478, 2))
    places[:, upper, 1] = 6e-3
    parted = response.parted_lids(places, np.array([[0.0, 2.0]]))
    np.testing.assert_allclose(parted[0, upper], [[0.0, 4.5e-3]] * 5, atol=1e-9)
    np.testing.assert_array_equal(parted[0, lower], 0.0)


def test_the_measured_lids_rise_and_meet():
    lids = measured_response().lids
    assert (np.diff(lids) > 0).all()
    assert abs(lids[0]) < 1e-3
    assert (lids - LID_STEP * np.arange(NUM_LID_STEPS))[3:5].max() < -1e-3  # half-closed lids look open


def test_turns_and_narrow_gaps_are_taken_out_of_the_pixels(open_head):
    """Landmarks that slide upwards with the yaw, and inner lips that are 2 mm too near, of a head that is turned."""
    clip = film(open_head, num_frames=8, yaw_degrees=15.0)
    face = fitted_face(open_head, embedding_of(open_head), exact_response())
    by_turn = np.zeros((NUM_TURNS, 478, 2))
    by_turn[1, 100:300, 1] = 4e-3  # metres for each radian of yaw
    response = replace(exact_response(), by_turn=by_turn, lips=(0.0, 2e-3, 1e-6))
    turn = axis_angle_to_matrix(clip.rotation)
    pose = HeadPose(turn, np.array([0.0, 0.0, -0.7]) - turn @ np.array([0.0, 0.0, 0.06]))
    points = np.repeat(face.rest[None], 8, axis=0)
    points[:, INNER_LIP_PAIRS[:, 1], 1] -= 4e-3
    true = clip.camera.pixels(pose.of(points))
    slid = points.copy()
    slid[:, 100:300, 1] += 4e-3 * clip.rotation[:, 1, None]
    slid[:, INNER_LIP_PAIRS[:, 0], 1] -= 1e-3
    slid[:, INNER_LIP_PAIRS[:, 1], 1] += 1e-3
    shown = clip.camera.pixels(pose.of(slid))
    found = undistorted(clip.camera, face.rest, shown, landmark_weights(), response)
    assert SIZE == (480, 480)
    assert np.abs(shown - true).max() > 0.9
    assert np.abs(found - true).max() < 0.25
