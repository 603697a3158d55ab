import math
from dataclasses import replace

import numpy as np
import pytest

from emote_blender.capture.video.face_track import Reason
from emote_blender.capture.video.judging import Second, judge, place_of_points, yaw_of_points

pytestmark = pytest.mark.once

GOOD = Second(0.0, Reason.NONE, False, 0.1, np.array([200.0, 150.0, 100.0]), 0.99, 0.004)


def moved(x):
    return replace(GOOD, place=GOOD.place + (x, 0, 0))


def test_a_good_look_is_not_judged():
    assert judge([GOOD] * 5).tolist() == [Reason.NONE] * 5


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"yaw": math.radians(-60)}, Reason.TURNED_AWAY),
        ({"presence": 0.3}, Reason.COVERED),
        ({"disagreement": 0.2}, Reason.COVERED),
        ({"reason": Reason.TOO_SMALL, "yaw": 2.0}, Reason.TOO_SMALL),
        ({"reason": Reason.NO_FACE, "place": None}, Reason.NO_FACE),
    ],
)
def test_a_look_is_judged_by_its_own_signs(change, reason):
    assert judge([GOOD, replace(GOOD, **change), GOOD]).tolist() == [Reason.NONE, reason, Reason.NONE]


def test_a_place_that_jumps_away_and_back_is_not_believed():
    looks = [moved(0), moved(2), moved(60), moved(4), moved(6)]
    assert judge(looks).tolist() == [0, 0, Reason.JUMPED, 0, 0]


def test_a_fast_steady_motion_is_believed():
    assert not judge([moved(40 * index) for index in range(8)]).any()


def test_a_cut_to_another_place_is_believed():
    assert not judge([moved(0)] * 5 + [moved(300)] * 5).any()


@pytest.mark.parametrize("yaw", [-0.8, 0.0, 0.5])
def test_the_yaw_of_turned_points_is_the_turn(yaw):
    """Symmetric points, turned about the vertical axis; depth falls towards the camera."""
    rng = np.random.default_rng(0)
    points = rng.random((478, 3)) * (1, 1, 0.3)
    for right, left in ((33, 263), (133, 362), (61, 291), (234, 454), (127, 356), (58, 288)):
        points[right, 0] = -abs(points[right, 0]) - 0.1
        points[left] = points[right] * (-1, 1, 1)
    turn = np.array([[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]])
    assert yaw_of_points(points @ turn.T) == pytest.approx(yaw)


def test_the_place_of_points_is_their_centre_and_width():
    points = np.zeros((478, 3))
    points[::2] = (10, 4, 3)
    assert place_of_points(points).tolist() == [5, 2, 10]
