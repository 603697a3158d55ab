"""Sliders of a take rewrite its curves at once; so do their keyframes; the file keeps all of it."""

from dataclasses import replace

import bpy
import numpy as np
import pytest

from emote_blender.blender.head.rig import rig_of
from emote_blender.blender.settings.head_settings import head_settings
from emote_blender.blender.takes.curves import edited_channels
from emote_blender.blender.takes.make import Line, new_take
from emote_blender.motion_tools.raw_take import RawTake

JAW = 'pose.bones["jaw"].rotation_euler'
SLIDER = "emote.takes[0].refine.jaw_strength"


@pytest.fixture
def take(head, scene, make_motion):
    """A take of two seconds from frame 1 on, without life and transitions."""
    emotional = make_motion(50)
    neutral = replace(emotional, expression=0.3 * emotional.expression, jaw=0.5 * emotional.jaw)
    take = new_take(head, RawTake(emotional, neutral), scene, Line("line", 1))
    for part in ("blinks", "gaze", "head_motion"):
        setattr(take.alive, part, False)
    take.alive.breathing = 0.0
    take.refine.transition_in = take.refine.transition_out = 0.0
    return take


def curves_of(action) -> dict[tuple[str, int], np.ndarray]:
    """(N, 2) keys of each curve of an action."""
    keys = {}
    for bag in action.layers[0].strips[0].channelbags:
        for curve in bag.fcurves:
            points = np.empty(2 * len(curve.keyframe_points), np.float32)
            curve.keyframe_points.foreach_get("co", points)
            keys[curve.data_path, curve.array_index] = points.reshape(-1, 2)
    return keys


def jaw_of(take) -> np.ndarray:
    """(T,) opening of the jaw as the curves have it."""
    return curves_of(take.action)[JAW, 0][:, 1]


def slider_keys(head):
    return head.animation_data.action.layers[0].strips[0].channelbag(head.animation_data.action_slot).fcurves[0]


def test_a_slider_rewrites_the_curves_at_once(take):
    before = jaw_of(take)
    take.refine.jaw_strength = 0.5
    np.testing.assert_allclose(jaw_of(take), 0.5 * before, atol=0.02)
    take.refine.jaw_strength = 1.0
    np.testing.assert_array_equal(jaw_of(take), before)


def test_emotion_strength_of_zero_shows_the_neutral_rendering(take, make_motion):
    take.refine.emotion_strength = 0.0
    keys = curves_of(take.action)
    expected = 0.3 * make_motion(50).expression
    for component in range(6):
        np.testing.assert_allclose(
            keys[f'key_blocks["component{component}"].value', 0][:, 1], expected[:, component], atol=1e-3
        )


def test_a_slider_of_one_take_leaves_the_others(take, head, scene, make_motion):
    other = new_take(head, RawTake(make_motion(50)), scene, Line("other", 200))
    before = curves_of(other.action)
    head_settings(head).takes[0].refine.upper_strength = 0.2
    after = curves_of(other.action)
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_keys_that_the_artist_edited_stay(take):
    curve = next(
        curve
        for bag in take.action.layers[0].strips[0].channelbags
        for curve in bag.fcurves
        if curve.data_path == JAW and curve.array_index == 0
    )
    curve.keyframe_points[10].co.y = 1.0
    edited = curves_of(take.action)
    take.refine.jaw_strength = 0.2
    after = curves_of(take.action)
    np.testing.assert_array_equal(after[JAW, 0], edited[JAW, 0])
    assert not np.array_equal(after[JAW, 1], edited[JAW, 1])
    assert len(edited_channels(take.action)) == 1


def test_a_key_on_a_slider_rewrites_the_curves(take, head):
    before = jaw_of(take)
    for frame, value in ((1, 0.0), (26, 1.0)):
        take.refine.jaw_strength = value
        head.keyframe_insert(SLIDER, frame=frame)
    for point in slider_keys(head).keyframe_points:
        point.interpolation = "LINEAR"
    bpy.context.view_layer.update()
    np.testing.assert_allclose(jaw_of(take), before * np.interp(np.arange(50), [0, 25], [0, 1]), atol=0.02)


def test_a_moved_and_a_deleted_key_rewrite_the_curves(take, head):
    before = jaw_of(take)
    take.refine.jaw_strength = 0.5
    head.keyframe_insert(SLIDER, frame=1)
    slider_keys(head).keyframe_points[0].co.y = 0.25
    bpy.context.view_layer.update()
    np.testing.assert_allclose(jaw_of(take), 0.25 * before, atol=0.02)
    head.animation_data.action.layers[0].strips[0].channelbag(head.animation_data.action_slot).fcurves.clear()
    bpy.context.view_layer.update()
    np.testing.assert_allclose(jaw_of(take), take.refine.jaw_strength * before, atol=0.02)


def test_other_evaluations_rewrite_nothing(take, head):
    head.keyframe_insert(SLIDER, frame=1)
    bpy.context.view_layer.update()
    take.action["probe"] = take.action["emote_written"]
    take.action["emote_written"] = "{}"  # a rewrite would write this again
    bpy.context.scene.frame_set(20)
    head.keyframe_insert("location", frame=3)
    bpy.context.view_layer.update()
    assert take.action["emote_written"] == "{}"


def test_the_same_curves_after_saving_and_opening(take, head, tmp_path):
    take.refine.lower_strength, take.refine.upper_smoothing = 0.6, 0.12
    take.refine.jaw_strength = 0.5
    head.keyframe_insert(SLIDER, frame=1)
    slider_keys(head).keyframe_points.insert(30, 1.4)
    bpy.context.view_layer.update()
    before = curves_of(take.action)
    name = head.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "refined.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "refined.blend"))
    head = bpy.data.objects[name]
    take = head_settings(head).takes[0]
    opened = curves_of(take.action)
    take.refine.asymmetry = 0.5
    assert any(not np.array_equal(values, before[key]) for key, values in curves_of(take.action).items())
    take.refine.asymmetry = 0.0
    refined = curves_of(take.action)
    assert before.keys() == opened.keys() == refined.keys()
    for key, values in before.items():
        np.testing.assert_array_equal(opened[key], values)
        np.testing.assert_array_equal(refined[key], values)


def test_undo_of_a_slider_gives_the_curves_before_it(take, head):
    name = head.name
    before = curves_of(take.action)
    bpy.ops.ed.undo_push(message="before")
    take.refine.jaw_strength = 0.3
    changed = curves_of(take.action)
    bpy.ops.ed.undo_push(message="slider")

    def now():
        take = head_settings(bpy.data.objects[name]).takes[0]
        return take.refine.jaw_strength, curves_of(take.action)

    bpy.ops.ed.undo()
    strength, curves = now()
    assert strength == 1.0
    assert all(np.array_equal(curves[key], values) for key, values in before.items())
    bpy.ops.ed.redo()
    strength, curves = now()
    assert strength == pytest.approx(0.3)
    assert all(np.array_equal(curves[key], values) for key, values in changed.items())


def test_a_slider_of_a_take_whose_action_is_gone_does_nothing(take):
    bpy.data.actions.remove(take.action)
    take.refine.jaw_strength = 0.5
    assert take.refine.jaw_strength == 0.5


def test_the_evaluated_jaw_follows_the_slider(take, head):
    rig = rig_of(head)
    bpy.context.scene.frame_set(20)
    before = rig.armature.pose.bones["jaw"].matrix_basis.to_euler().x
    take.refine.jaw_strength = 0.5
    bpy.context.view_layer.update()
    assert rig.armature.pose.bones["jaw"].matrix_basis.to_euler().x == pytest.approx(0.5 * before, abs=0.02)


def test_a_take_says_whether_it_keeps_a_neutral_rendering(take, head, scene, make_motion):
    assert take.has_neutral
    assert not new_take(head, RawTake(make_motion(50)), scene, Line("other", 200)).has_neutral
