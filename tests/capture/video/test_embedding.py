"""Landmarks on a head: the measured ones of the open head, and those that another head takes from it."""

from dataclasses import replace

import numpy as np
import pytest
from flame_with_mouth import SCALE, kept_vertices, make_flame_with_mouth

from emote_blender.capture.video.embedding import embedding_of, read_embedding, write_embedding
from emote_blender.capture.video.landmark_groups import (
    INNER_LIP_PAIRS,
    LEFT_IRIS,
    LIPS,
    LOWER_LIP,
    OUTLINE,
    RIGHT_IRIS,
    UPPER_LIP,
)
from emote_blender.errors import ModelError


@pytest.fixture(scope="module")
def flame():
    return make_flame_with_mouth()


@pytest.fixture(scope="module")
def on_flame(flame):
    return embedding_of(flame)


def test_both_inner_lips_follow_their_own_lip(open_head):
    embedding = embedding_of(open_head)
    jaw = embedding.of(open_head.faces, open_head.lbs_weights[:, open_head.joint_names.index("jaw")])
    assert jaw[LOWER_LIP].min() > 0.4  # at the corners both lips follow the jaw by half
    assert jaw[UPPER_LIP].max() < 0.6
    assert (jaw[INNER_LIP_PAIRS[:, 1]] - jaw[INNER_LIP_PAIRS[:, 0]])[:7].min() > 0.2
    points = embedding.points(open_head.faces, open_head.v_template)
    apart = points[INNER_LIP_PAIRS[:, 0]] - points[INNER_LIP_PAIRS[:, 1]]
    assert np.linalg.norm(apart, axis=1).max() < 3e-3  # the mouth is closed


def test_irises_lie_on_the_eyeballs_of_their_side(open_head):
    embedding = embedding_of(open_head)
    for iris, eye, side in ((LEFT_IRIS, "left_eye", 1), (RIGHT_IRIS, "right_eye", -1)):
        follows = embedding.of(open_head.faces, open_head.lbs_weights[:, open_head.joint_names.index(eye)])
        assert (follows[iris] > 0.9).all()
        assert (np.sign(embedding.points(open_head.faces, open_head.v_template)[iris, 0]) == side).all()


def test_landmarks_lie_on_the_mesh(open_head):
    distance = np.linalg.norm(embedding_of(open_head).offsets, axis=1)
    assert np.median(distance) < 2.5e-3
    assert np.percentile(distance, 90) < 6e-3


def test_the_face_is_the_same_on_both_sides(open_head):
    """Left landmarks mirror right ones: corners of mouth and eyes, cheeks."""
    points = embedding_of(open_head).points(open_head.faces, open_head.v_template)
    right, left = [61, 33, 133, 205, 70], [291, 263, 362, 425, 300]
    np.testing.assert_allclose(points[right] * [-1, 1, 1], points[left], atol=3e-3)


def test_another_head_has_its_landmarks_at_the_same_places(open_head, flame, on_flame):
    """The look-alike's vertices are some of the open head's, so that the true places are known."""
    measured = embedding_of(open_head)
    place = np.full(open_head.num_vertices, -1)
    place[kept_vertices(open_head)] = np.arange(len(flame.v_template))
    corners = place[open_head.faces[measured.faces]]
    there = (corners >= 0).all(1)
    there[OUTLINE] = False  # on smooth skin, which has no marks
    true = np.einsum("lk,lkc->lc", measured.barycentrics[there], flame.v_template[corners[there]])
    found = on_flame.of(flame.faces, flame.v_template)[there]
    off = np.linalg.norm(found - true, axis=1) * 1e3 / SCALE
    assert there.sum() > 400
    assert off.mean() < 3.0
    lips = np.isin(np.flatnonzero(there), LIPS)
    assert off[lips].mean() < 2.0


def test_a_head_that_is_too_different_is_refused(flame):
    """A mesh with a hole from the nose to the brows has no place for half of the landmarks."""
    centre = flame.v_template[flame.faces].mean(1)
    hole = (np.abs(centre[:, 0]) < 0.1) & (centre[:, 1] > np.median(flame.v_template[:, 1]) - 0.01)
    eyes = flame.lbs_weights[flame.faces][:, :, 3:].sum((1, 2)) > 1.5
    with pytest.raises(ModelError, match="mm from the mesh"):
        embedding_of(replace(flame, faces=flame.faces[~hole | eyes]))


def test_what_is_written_is_read(open_head, tmp_path):
    embedding = embedding_of(open_head)
    write_embedding(embedding, tmp_path)
    again = read_embedding(tmp_path)
    np.testing.assert_array_equal(again.faces, embedding.faces)
    np.testing.assert_array_equal(again.offsets, embedding.offsets)


def test_a_file_of_another_kind_is_refused(open_head, tmp_path):
    from emote_blender.files.safetensors_file import write_tensors

    write_tensors(tmp_path / "face_landmarks.safetensors", {"faces": np.zeros(3, np.int32)})
    with pytest.raises(ModelError, match="expected"):
        read_embedding(tmp_path)
