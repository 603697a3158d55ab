import pytest

from emote_blender.capture.video.crops import Region
from emote_blender.capture.video.people import People

pytestmark = pytest.mark.once


def face(x, y=100.0, width=60.0):
    return Region(x, y, 1.5 * width, 0.0)


def following(chosen, *others, near=None):
    people = People(near)
    assert people.choose([chosen, *others], 0.0) == chosen
    people.follow(chosen, 0.0)
    people.notice([chosen, *others], 0.0)
    return people


def test_the_largest_face_is_followed():
    assert People().choose([face(100), face(400, width=80)], 0.0) == face(400, width=80)


def test_the_face_at_a_given_place_is_followed():
    assert People((120.0, 90.0)).choose([face(400, width=80), face(100)], 0.0) == face(100)


def test_a_given_place_without_a_face_waits_for_one():
    people = People((900.0, 100.0))
    assert people.choose([face(100)], 0.0) is None
    assert people.choose([face(100), face(880)], 1.0) == face(880)


def test_after_a_loss_the_face_near_its_last_place_is_chosen():
    people = following(face(100), face(400, width=80), near=(100.0, 100.0))
    assert people.choose([face(400, width=80), face(130)], 0.2) == face(130)


def test_somebody_else_is_not_taken_for_the_followed_face():
    people = following(face(100), face(400))
    assert people.choose([face(405)], 0.2) is None
    assert people.choose([face(405)], 3.0) is None


def test_a_face_that_was_lost_for_long_may_be_anywhere_where_nobody_was():
    people = following(face(100), face(400))
    assert people.choose([face(700)], 0.2) is None
    assert people.choose([face(700), face(400)], 3.0) == face(700)


def test_the_only_face_there_ever_was_may_be_anywhere_at_once():
    assert following(face(100)).choose([face(700)], 0.04) == face(700)


def test_the_place_of_somebody_who_left_is_free_after_some_time():
    assert following(face(100), face(400)).choose([face(400)], 60.0) == face(400)


def test_people_are_counted():
    people = following(face(100), face(400), face(700))
    people.notice([face(100)], 1.0)
    assert people.most_at_once == 3
