import numpy as np
import pytest
from face_videos import scene as faces_in

from emote_blender.capture.video.preview import points_of_faces, with_number, with_points

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


def test_a_number_stands_above_the_face():
    picture = np.full((200, 200, 3), 9, np.uint8)
    points = np.zeros((478, 3))
    points[:, 0], points[:, 1] = np.linspace(60, 140, 478), np.linspace(90, 170, 478)
    one, seven = (with_number(picture, points, number) for number in (1, 17))
    for drawn, width in ((one, 20), (seven, 36)):
        y, x = np.argwhere((drawn != picture).any(-1)).T
        assert (x.min(), x.max() - x.min() + 1, y.max()) == (60, width, 89)
    lit = (one[62:90, 60:80] == (40, 255, 80)).all(-1)[6::4, 2::4]
    assert lit.astype(int).tolist()[:5] == [
        [0, 0, 1, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 1, 1, 1, 0],
    ]


def test_a_number_at_the_edge_is_cut():
    points = np.zeros((478, 3))
    points[:, 0] = np.linspace(30, 90, 478)
    assert with_number(np.zeros((20, 40, 3), np.uint8), points, 3).shape == (20, 40, 3)


def test_the_faces_of_a_picture_come_with_their_points(landmarker):
    picture = faces_in(320, 300, [(70, 150, 0.7), (220, 150, 1.0)])
    faces = points_of_faces(picture, landmarker)
    assert [round(points[:, 0].mean() / 10) for points in faces] == [22, 7]
    assert points_of_faces(np.zeros((90, 90, 3), np.uint8), landmarker) == []
