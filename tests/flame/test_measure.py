"""The lip gap and landmarks, on the head that ships."""

from dataclasses import replace

import numpy as np
import pytest

from emote_blender.errors import ModelError
from emote_blender.flame.measure import LIPS_CLOSED_GAP, landmarks, lip_gap


def gap(head, jaw: float, **expression: float) -> float:
    """Lip gap in metres with the jaw open by `jaw` radians."""
    coefficients = np.array([expression.get(name, 0.0) for name in head.expression_names])
    return float(lip_gap(head, head.vertices(coefficients, [jaw, 0, 0])))


def test_lips_are_closed_at_rest(open_head):
    # the cage overlaps by 0.32 mm in the middle, so that Subdivision Surface shows no slit
    assert gap(open_head, 0) == pytest.approx(-0.32e-3, abs=0.02e-3)


@pytest.mark.parametrize("jaw", [0.02, 0.1, 0.25])
def test_the_jaw_opens_the_lips_by_what_the_lower_lip_falls(open_head, jaw):
    # the hinge lies 82 mm behind the lower lip
    assert gap(open_head, jaw) == pytest.approx(0.082 * np.sin(jaw), rel=0.25)


def test_mouth_close_closes_an_open_jaw(open_head):
    angle = open_head.mouth_close_angle
    for part in (0.2, 0.5, 0.8, 1.0):
        assert gap(open_head, part * angle, mouthClose=part) < LIPS_CLOSED_GAP


@pytest.mark.parametrize("name", ["mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthPucker", "cheekPuff"])
def test_shapes_of_closed_lips_count_as_closed(open_head, name):
    assert gap(open_head, 0, **{name: 1.0}) < LIPS_CLOSED_GAP


@pytest.mark.parametrize("name", ["mouthFunnel", "mouthLowerDownLeft", "mouthUpperUpLeft"])
def test_shapes_that_part_the_lips_count_as_open(open_head, name):
    assert gap(open_head, 0, **{name: 1.0}) > 4 * LIPS_CLOSED_GAP


def test_frames_are_measured_as_each_alone(open_head):
    vertices = open_head.vertices(np.zeros(50), np.array([[0.0, 0, 0], [0.1, 0, 0], [0.3, 0, 0]]))
    gaps = lip_gap(open_head, vertices)
    assert gaps.shape == (3,)
    assert gaps.tolist() == [float(lip_gap(open_head, frame)) for frame in vertices]


def test_a_head_without_regions_is_measured_at_its_landmarks(open_head):
    without_regions = replace(open_head, regions={})
    vertices = open_head.vertices(np.zeros(50), [0.2, 0, 0])
    # the landmarks lie on the line of contact; at an open jaw nothing else is nearer
    assert lip_gap(without_regions, vertices) == pytest.approx(float(lip_gap(open_head, vertices)), abs=0.5e-3)


def test_a_head_with_neither_is_told(open_head):
    bare = replace(open_head, regions={}, landmark_faces=None, landmark_barycentrics=None)
    with pytest.raises(ModelError, match="lips_upper and lips_lower or with 68 landmarks"):
        lip_gap(bare, open_head.v_template)


def test_landmarks_are_weighted_corners(small_head):
    expected = small_head.v_template[[0, 1, 2]].T @ [0.25, 0.25, 0.5]
    np.testing.assert_allclose(landmarks(small_head, small_head.v_template)[1], expected, atol=1e-6)


def test_a_head_without_landmarks_is_told(small_head):
    with pytest.raises(ModelError, match="'small' has no landmarks"):
        landmarks(replace(small_head, landmark_faces=None), small_head.v_template)
