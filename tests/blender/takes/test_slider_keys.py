"""Keyframes of a take's sliders: read at any frame, and following their take to a new number."""

import bpy
import numpy as np
import pytest

from emote_blender.blender.settings.head_settings import head_settings
from emote_blender.blender.takes.slider_keys import (
    remove_slider_curves,
    renumber_takes,
    slider_curves,
    slider_digest,
    slider_values,
)


@pytest.fixture
def keyed(head):
    """A head with takes A, B and C; the jaw of A and C and the smoothing of C are keyed."""
    for name in "ABC":
        head_settings(head).takes.add().name = name
    for index, slider, keys in (
        (0, "jaw_strength", {1: 0.5, 11: 1.5}),
        (2, "jaw_strength", {1: 1.0, 21: 2.0}),
        (2, "upper_smoothing", {1: 0.1}),
    ):
        for frame, value in keys.items():
            setattr(head_settings(head).takes[index].refine, slider, value)
            head.keyframe_insert(f"emote.takes[{index}].refine.{slider}", frame=frame)
    return head


def names_of(head, index):
    return sorted(slider_curves(head, index))


def test_the_curves_of_a_take_are_found_by_slider(keyed):
    assert names_of(keyed, 0) == ["refine.jaw_strength"]
    assert names_of(keyed, 1) == []
    assert names_of(keyed, 2) == ["refine.jaw_strength", "refine.upper_smoothing"]


def test_values_between_frames_are_read_without_changing_the_frame(keyed):
    bpy.context.scene.frame_set(7)
    curve = slider_curves(keyed, 0)["refine.jaw_strength"]
    for point in curve.keyframe_points:
        point.interpolation = "LINEAR"
    np.testing.assert_allclose(slider_values(curve, np.array([-3, 1, 3.5, 11, 40])), [0.5, 0.5, 0.75, 1.5, 1.5])
    assert bpy.context.scene.frame_current == 7


def test_a_muted_curve_is_left_out(keyed):
    slider_curves(keyed, 0)["refine.jaw_strength"].mute = True
    assert names_of(keyed, 0) == []


def test_the_digest_changes_with_keys_and_shapes_and_with_nothing_else(keyed):
    before = slider_digest(slider_curves(keyed, 0))
    slider_curves(keyed, 2)["refine.jaw_strength"].keyframe_points[0].co.y = 0.3
    assert slider_digest(slider_curves(keyed, 0)) == before
    curve = slider_curves(keyed, 0)["refine.jaw_strength"]
    curve.keyframe_points[0].interpolation = "CONSTANT"
    shaped = slider_digest(slider_curves(keyed, 0))
    curve.keyframe_points[0].co.y += 0.1
    moved = slider_digest(slider_curves(keyed, 0))
    assert len({before, shaped, moved, 0}) == 4
    assert slider_digest(slider_curves(keyed, 1)) == 0


def test_curves_follow_their_take_when_another_is_removed(keyed):
    takes = head_settings(keyed).takes
    values = slider_values(slider_curves(keyed, 2)["refine.jaw_strength"], np.arange(30.0))
    takes.remove(0)
    renumber_takes(keyed, [None, 0, 1])
    assert names_of(keyed, 0) == []
    assert names_of(keyed, 1) == ["refine.jaw_strength", "refine.upper_smoothing"]
    assert names_of(keyed, 2) == []
    np.testing.assert_array_equal(
        slider_values(slider_curves(keyed, 1)["refine.jaw_strength"], np.arange(30.0)), values
    )
    bpy.context.scene.frame_set(21)
    assert takes["C"].refine.jaw_strength == 2.0


def test_curves_of_takes_that_change_places_change_places(keyed):
    head_settings(keyed).takes.move(0, 2)
    renumber_takes(keyed, [2, 0, 1])
    assert names_of(keyed, 1) == ["refine.jaw_strength", "refine.upper_smoothing"]
    assert names_of(keyed, 2) == ["refine.jaw_strength"]


def test_curves_in_strips_and_drivers_follow_too(keyed):
    data = keyed.animation_data
    strip = data.nla_tracks.new().strips.new("sliders", 1, data.action)
    strip.action_slot = data.action_slot
    data.action = None
    driver = keyed.driver_add("emote.takes[2].refine.asymmetry")
    renumber_takes(keyed, [None, 0, 1])
    data.action, slot = strip.action, strip.action_slot
    data.action_slot = slot
    assert names_of(keyed, 1) == ["refine.jaw_strength", "refine.upper_smoothing"]
    assert driver.data_path == "emote.takes[1].refine.asymmetry"


def test_other_curves_of_the_object_stay(keyed):
    keyed.keyframe_insert("location", index=0, frame=1)
    renumber_takes(keyed, [None, None, None])
    remove_slider_curves(keyed, 0, ["refine.jaw_strength"])
    curves = keyed.animation_data.action.layers[0].strips[0].channelbag(keyed.animation_data.action_slot).fcurves
    assert [curve.data_path for curve in curves] == ["location"]


def test_the_keys_of_one_slider_are_removed(keyed):
    remove_slider_curves(keyed, 2, ["refine.jaw_strength"])
    assert names_of(keyed, 2) == ["refine.upper_smoothing"]
    assert names_of(keyed, 0) == ["refine.jaw_strength"]
