"""What is held while the lids are closed."""

import numpy as np
import pytest
from filmed_faces import SIZE, film

from emote_blender.capture.video.embedding import embedding_of
from emote_blender.capture.video.fit.blinks import held_in_blinks
from emote_blender.capture.video.fit.clip import fit_clip
from emote_blender.capture.video.fit.fitted_face import FittedFace, fitted_face
from emote_blender.capture.video.landmark_groups import LEFT_IRIS, RIGHT_IRIS
from emote_blender.capture.video.response import exact_response


@pytest.fixture(scope="module")
def face(open_head) -> FittedFace:
    return fitted_face(open_head, embedding_of(open_head), exact_response())


def held(face, blink, look_up, ties=1.0):
    """The mean of lookUp, and where there are weights, of a face with these closures and this gaze."""
    values = np.zeros((len(blink), face.num_values))
    values[:, [face.names.index("eyeBlinkLeft"), face.names.index("eyeBlinkRight")]] = np.array(blink)[:, None]
    up = face.names.index("lookUp")
    values[:, up] = look_up
    found = held_in_blinks(face, values, np.broadcast_to(ties, (len(blink) - 1,)))
    assert found is not None
    return found.mean[:, up], found.weight > 0


def test_the_gaze_of_a_blink_lies_between_those_around_it(face):
    mean, is_held = held(face, [0, 0, 0, 1, 0, 0, 0], [0.0, 0.1, 0.9, 0.9, 0.9, 0.5, 0.9])
    np.testing.assert_allclose(mean[2:5], [0.2, 0.3, 0.4])
    assert is_held[2:5, face.names.index("lookUp")].all()
    assert not is_held[[0, 1, 5, 6]].any()
    assert not is_held[:, [face.names.index(name) for name in ("eyeBlinkLeft", "mouthFunnel")]].any()


def test_nothing_is_held_across_a_cut(face):
    cut = np.array([1.0, 1.0, 0.0, 1.0, 1.0])
    mean, is_held = held(face, [0, 0, 1, 0, 0, 0], [0.2, 0.2, 0.2, 0.8, 0.8, 0.8], cut)
    assert is_held[2, face.names.index("lookUp")]
    np.testing.assert_allclose(mean[2], 0.2)


def test_eyes_that_are_closed_throughout_are_not_held(face):
    _, is_held = held(face, [1, 1, 1], [0.0, 0.5, 0.2])
    assert not is_held.any()


def test_irises_behind_closed_lids_do_not_turn_the_gaze(open_head):
    clip = film(open_head, num_frames=50)
    names = list(open_head.expression_names)
    closed = clip.expression[:, names.index("eyeBlinkLeft")] > 0.5
    points = clip.points.copy()
    points[np.ix_(np.flatnonzero(closed), np.r_[LEFT_IRIS, RIGHT_IRIS])] += [0.0, -4.0, 0.0]  # upwards, pixels
    motion = fit_clip(open_head, clip.times, points, SIZE, response=exact_response()).motion
    up = motion.expression[:, names.index("eyeLookUpLeft")] - motion.expression[:, names.index("eyeLookDownLeft")]
    true = clip.expression[:, names.index("eyeLookUpLeft")] - clip.expression[:, names.index("eyeLookDownLeft")]
    assert closed.any()
    assert np.abs(up - true)[closed].max() < 0.25
