import numpy as np
import pytest

from emote_blender.capture.video.preview import with_points

pytestmark = pytest.mark.once


def test_points_are_marked_where_they_are_and_nothing_else_changes():
    picture = np.full((50, 100, 3), 9, np.uint8)
    points = np.full((478, 3), -5.0)  # outside
    points[0], points[470] = (20.5, 60.5, 1), (150.0, 20.0, 1)
    drawn = with_points(picture, points, (200, 100))
    changed = np.argwhere((drawn != picture).any(-1))
    assert changed.tolist() == [[10, 75], [30, 10]]
    assert drawn[30, 10, 1] == 255
    assert drawn[10, 75, 0] == 255
    assert (picture == 9).all()


def test_a_frame_without_a_face_stays_as_it_is():
    picture = np.zeros((5, 5, 3), np.uint8)
    np.testing.assert_array_equal(with_points(picture, np.full((478, 3), np.nan), (5, 5)), picture)
