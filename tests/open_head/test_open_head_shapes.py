"""The open head's shapes do what their names say: lips meet, lids close, nothing pierces anything."""

import numpy as np
import pytest

from emote_blender.flame.measure import LIPS_CLOSED_GAP, landmarks, lip_gap

EYE_RADIUS = 0.0206
"""Metres; the radius of the open head's eyeballs."""
UPPER_LID_LANDMARKS, LOWER_LID_LANDMARKS = [43, 44], [47, 46]
UPPER_LIP_LANDMARKS, LOWER_LIP_LANDMARKS = [61, 62, 63], [67, 66, 65]


def quad_samples(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Points spread over quads, 25 each: (N, 3)."""
    a, b = (grid.ravel()[:, None, None] for grid in np.meshgrid(*[np.linspace(0, 1, 5)] * 2))
    corners = vertices[quads]
    points = corners[:, 0] * (1 - a) * (1 - b) + corners[:, 1] * a * (1 - b)
    return (points + corners[:, 2] * a * b + corners[:, 3] * (1 - a) * b).reshape(-1, 3)


def outer_lid_quads(head) -> np.ndarray:
    """The visible quads of the left lids: those that lie wholly above the eyeball on the neutral face."""
    in_lids = head.region("lids_left")[head.model.quads].all(1)
    centre = head.model.joints()[3]
    above = np.linalg.norm(head.model.v_template - centre, axis=1) > EYE_RADIUS + 0.0015
    return head.model.quads[in_lids & above[head.model.quads].all(1)]


def lid_clearance(head, vertices: np.ndarray) -> float:
    """The least height of the left lids' surface above the eyeball, metres."""
    points = quad_samples(vertices, outer_lid_quads(head))
    return float((np.linalg.norm(points - head.model.joints()[3], axis=1) - EYE_RADIUS).min())


def lid_opening(head, vertices: np.ndarray) -> float:
    """The height of the left eye's opening between the margins' landmarks, metres."""
    upper = landmarks(head.model, vertices, UPPER_LID_LANDMARKS)
    lower = landmarks(head.model, vertices, LOWER_LID_LANDMARKS)
    return float(np.linalg.norm(upper - lower, axis=1).max())


def lip_openings(head, vertices: np.ndarray) -> np.ndarray:
    """Heights between the lips' lines of contact at three places, metres."""
    upper = landmarks(head.model, vertices, UPPER_LIP_LANDMARKS)
    lower = landmarks(head.model, vertices, LOWER_LIP_LANDMARKS)
    return upper[:, 1] - lower[:, 1]


def test_the_lids_have_visible_quads(head):
    assert len(outer_lid_quads(head)) > 40


@pytest.mark.parametrize("blink", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_a_closing_lid_never_cuts_the_eyeball(head, blink):
    assert lid_clearance(head, head.pose(eyeBlink=blink)) > 0.4e-3


@pytest.mark.parametrize(
    "name", ["eyeWide", "eyeSquint", "eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut", "cheekSquint", "browDown"]
)
def test_no_other_lid_shape_cuts_the_eyeball(head, name):
    assert lid_clearance(head, head.pose(**{name: 1.0})) > 0.4e-3


def test_a_blink_on_a_lowered_gaze_does_not_cut_the_eyeball(head):
    assert lid_clearance(head, head.pose(eyeBlink=1.0, eyeLookDown=1.0)) > 0.4e-3


def test_a_blink_closes_the_eye(head):
    opening = lid_opening(head, head.pose())
    assert opening > 12e-3
    assert lid_opening(head, head.pose(eyeBlink=1.0)) < 0.06 * opening


def test_a_wide_eye_is_wider_and_a_squint_is_narrower(head):
    rest = lid_opening(head, head.pose())
    assert lid_opening(head, head.pose(eyeWide=1.0)) > 1.15 * rest
    assert lid_opening(head, head.pose(eyeSquint=1.0)) < 0.75 * rest


def test_mouth_close_makes_the_lips_meet_all_along_as_they_do_at_rest(head):
    at_rest = lip_openings(head, head.pose())
    closed = lip_openings(head, head.pose(jaw=head.model.mouth_close_angle, mouthClose=1.0))
    np.testing.assert_allclose(closed, at_rest, atol=0.05e-3)


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6, 0.8])
def test_mouth_close_follows_a_half_open_jaw(head, share):
    vertices = head.pose(jaw=share * head.model.mouth_close_angle, mouthClose=share)
    assert lip_openings(head, vertices).max() < LIPS_CLOSED_GAP


def test_an_open_jaw_opens_the_mouth(head):
    assert lip_gap(head.model, head.pose(jaw=0.25)) > 15e-3


def test_the_lower_teeth_follow_the_jaw_and_the_upper_do_not(head):
    moved = np.abs(head.pose(jaw=0.25) - head.pose()).max(1)
    assert moved[head.region("teeth_upper")].max() < 1e-7
    assert moved[head.region("teeth_lower")].min() > 5e-3


def test_gaze_turns_the_eyeball_by_its_angle(head):
    # a displacement of 24 degrees: the pupil moves by the chord 2 r sin(12 deg)
    pupil = head.region("eye_left") & (
        head.model.v_template[:, 2] > head.model.v_template[head.region("eye_left"), 2].max() - 1e-6
    )
    moved = (head.pose(eyeLookDown=1.0) - head.pose())[pupil]
    assert np.linalg.norm(moved, axis=1).max() == pytest.approx(2 * EYE_RADIUS * np.sin(np.radians(12)), rel=0.05)
    assert (moved[:, 1] < 0).all()


@pytest.mark.parametrize(
    "name, region, axis, sign",
    [
        ("mouthSmileLeft", "lips", 1, 1),
        ("mouthFrownLeft", "lips", 1, -1),
        ("browOuterUpLeft", "brow_left", 1, 1),
        ("browDownLeft", "brow_left", 1, -1),
        ("mouthPucker", "lips", 2, 1),
        ("jawForward", "teeth_lower", 2, 1),
        ("tongueOut", "tongue", 2, 1),
        ("tongueUp", "tongue", 1, 1),
        ("mouthLeft", "lips", 0, 1),
        ("mouthRight", "lips", 0, -1),
        ("cheekPuff", "cheek_left", 0, 1),
    ],
)
def test_a_component_moves_its_part_the_way_its_name_says(open_head, name, region, axis, sign):
    direction = open_head.expression_dirs[:, axis, open_head.expression_names.index(name)]
    moved = direction[open_head.regions[region] > 0.5]
    assert moved[np.abs(moved).argmax()] * sign > 1.5e-3


def test_a_sided_shape_stays_on_its_side(open_head):
    index = open_head.expression_names.index("mouthSmileLeft")
    reach = np.linalg.norm(open_head.expression_dirs[:, :, index], axis=1)
    right_cheek = open_head.v_template[:, 0] < -0.020
    assert reach[right_cheek].max() < 0.05 * reach.max()


def test_funnel_and_pucker_together_keep_a_mouth(head):
    # directions add, so two narrowing shapes must not narrow beyond a half
    def width(vertices):
        return np.ptp(vertices[head.region("lips"), 0])

    assert width(head.pose(mouthFunnel=1.0, mouthPucker=1.0)) > 0.5 * width(head.pose())


@pytest.mark.parametrize("name", ["mouthRollLower", "mouthRollUpper"])
def test_rolled_lips_stay_in_front_of_the_teeth(head, name):
    # per column of the mouth, the hindmost lip lies in front of the foremost tooth at its height
    vertices = head.pose(**{name: 1.0})
    teeth = vertices[head.region("teeth_upper") | head.region("teeth_lower")]
    lips = vertices[head.region("lips")]
    for x, y, z in lips[np.abs(lips[:, 0]) < 0.012]:
        near = (np.abs(teeth[:, 0] - x) < 1.5e-3) & (np.abs(teeth[:, 1] - y) < 1.5e-3)
        assert not near.any() or z > teeth[near, 2].max() - 0.2e-3
