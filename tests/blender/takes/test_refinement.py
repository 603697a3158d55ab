"""A take's sliders in Blender: their values, keyed or not, and the operators that reset and copy them."""

import bpy
import numpy as np
import pytest

from emote_blender.blender.head.rig import rig_of
from emote_blender.blender.settings.head_settings import head_settings
from emote_blender.blender.settings.live import listen, stop_listening
from emote_blender.blender.takes.refinement import refined_motion, refinement_of
from emote_blender.motion_tools.raw_take import RawTake
from emote_blender.motion_tools.refine import RANGES, Refinement


@pytest.fixture
def take(head):
    take = head_settings(head).takes.add()
    take.name = "line"
    head_settings(head).active_take = 0
    return take


@pytest.fixture
def changes():
    """Names of the takes' groups whose change was reported."""
    reported = []

    def listener(head, settings):
        reported.append(type(settings).__name__)

    listen("refine", listener)
    yield reported
    stop_listening("refine", listener)


FRAMES = np.arange(20.0)


def test_every_parameter_is_a_slider_with_its_range_and_default(take):
    default = Refinement()
    for name, (low, high) in RANGES.items():
        prop = take.refine.bl_rna.properties[name]
        assert (prop.hard_min, prop.hard_max) == pytest.approx((low, high))
        assert prop.default == pytest.approx(getattr(default, name))
        assert prop.description
        assert prop.is_animatable


def test_untouched_sliders_change_nothing(head, take, make_motion):
    assert not refinement_of(head, take, FRAMES).changes()
    raw = RawTake(make_motion())
    assert refined_motion(rig_of(head), take, raw, rig_of(head).expression_keys, 1, 25) is raw.emotional


def test_a_slider_changes_the_motion(head, take, make_motion):
    take.refine.jaw_strength = 0.5
    raw, rig = RawTake(make_motion()), rig_of(head)
    found = refined_motion(rig, take, raw, rig.expression_keys, 1, 25)
    np.testing.assert_allclose(found.jaw, raw.emotional.jaw * 0.5, atol=1e-6)


@pytest.mark.parametrize("scene_fps", [24.0, 50.0])
def test_a_keyed_slider_is_read_in_scene_time(head, take, make_motion, scene_fps):
    for frame, value in ((101, 0.0), (111, 2.0)):
        take.refine.jaw_strength = value
        head.keyframe_insert("emote.takes[0].refine.jaw_strength", frame=frame)
    curve = head.animation_data.action.layers[0].strips[0].channelbag(head.animation_data.action_slot).fcurves[0]
    for point in curve.keyframe_points:
        point.interpolation = "LINEAR"
    raw, rig = RawTake(make_motion(40)), rig_of(head)
    found = refined_motion(rig, take, raw, rig.expression_keys, 96, scene_fps)
    frames = 96 + np.arange(40) / 25 * scene_fps
    strength = np.interp(frames, [101, 111], [0, 2])
    np.testing.assert_allclose(found.jaw, raw.emotional.jaw * strength[:, None], atol=1e-5)


def test_keyed_values_beyond_the_range_are_held_at_it(head, take):
    head.keyframe_insert("emote.takes[0].refine.jaw_strength", frame=1)
    curve = head.animation_data.action.layers[0].strips[0].channelbag(head.animation_data.action_slot).fcurves[0]
    curve.keyframe_points[0].co.y = 7.0
    np.testing.assert_array_equal(refinement_of(head, take, FRAMES).jaw_strength, 2.0)


def test_reset_of_one_slider_leaves_the_others(head, take, changes):
    take.refine.jaw_strength, take.refine.upper_strength = 0.5, 0.6
    changes.clear()
    bpy.ops.emote.refine_reset(slider="jaw_strength")
    assert (take.refine.jaw_strength, take.refine.upper_strength) == (1.0, pytest.approx(0.6))
    assert changes == ["EMOTE_PG_refine"]


def test_reset_of_all_removes_keys_too_and_rewrites_once(head, take, changes):
    take.refine.jaw_strength, take.refine.transition_in, take.alive.seed = 0.5, 2.0, 4
    head.keyframe_insert("emote.takes[0].refine.jaw_strength", frame=1)
    changes.clear()
    bpy.ops.emote.refine_reset()
    assert not refinement_of(head, take, FRAMES).changes()
    assert take.refine.transition_in == pytest.approx(0.3)
    assert take.alive.seed == 4
    assert changes == ["EMOTE_PG_refine"]


def test_reset_reaches_the_sliders_of_life(head, take):
    take.alive.blink_strength = 0.2
    bpy.ops.emote.refine_reset(slider="blink_strength")
    assert take.alive.blink_strength == 1.0


def test_reset_of_an_unknown_slider_lists_those_there_are(take):
    with pytest.raises(RuntimeError, match="no slider 'jaw'; choose one of emotion_strength"):
        bpy.ops.emote.refine_reset(slider="jaw")


def test_without_a_take_there_is_nothing_to_reset(head):
    with pytest.raises(RuntimeError, match="no take"):
        bpy.ops.emote.refine_reset()


def test_settings_are_copied_to_all_other_takes(head, take, changes):
    others = [head_settings(head).takes.add() for _ in range(2)]
    takes = head_settings(head).takes
    takes[1].name, takes[2].name = "second", "third"
    takes["line"].refine.jaw_strength, takes["line"].alive.seed = 0.5, 7
    changes.clear()
    bpy.ops.emote.refine_copy(take="line")
    assert [(other.refine.jaw_strength, other.alive.seed) for other in list(takes)[1:]] == [(0.5, 7)] * len(others)
    assert changes == ["EMOTE_PG_refine"] * 2


def test_settings_are_copied_to_one_take(head, take):
    takes = head_settings(head).takes
    for name in ("second", "third"):
        takes.add().name = name
    takes["line"].refine.jaw_strength = 0.5
    bpy.ops.emote.refine_copy(take="line", to_take="third")
    assert [take.refine.jaw_strength for take in takes] == [0.5, 1.0, 0.5]


def test_a_take_of_an_unknown_name_is_refused(head, take):
    with pytest.raises(RuntimeError, match="has no take 'nobody'; choose one of 'line'"):
        bpy.ops.emote.refine_copy(take="line", to_take="nobody")
