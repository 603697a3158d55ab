"""Takes beside the user's own animation, and beside each other: what the scene shows, frame by frame."""

import bpy
import numpy as np
import pytest
from mathutils import Quaternion

from emote_blender.blender.takes.make import apply_motion
from emote_blender.motion import FaceMotion

NECK = 'pose.bones["neck"].rotation_euler'
MODES = ["XYZ", "QUATERNION", "AXIS_ANGLE"]


def steady(num_frames=25, value=0.5, jaw=0.25, component=1, **parts):
    """A motion that holds one component and the jaw, in numbers that float16 holds."""
    expression = np.zeros((num_frames, 6))
    expression[:, component] = value
    return FaceMotion(expression, np.tile([jaw, 0.0, 0.0], (num_frames, 1)), 25, **parts)


def shown(scene, head, frame):
    """Value of component 1 and turn of the jaw about x at a frame, after evaluation."""
    scene.frame_set(frame)
    evaluated = head.parent.evaluated_get(bpy.context.evaluated_depsgraph_get())
    jaw = evaluated.pose.bones["jaw"].matrix_basis.to_euler().x
    return round(head.data.shape_keys.key_blocks["component1"].value, 4), round(jaw, 4)


def neck_turn(scene, head, frame):
    scene.frame_set(frame)
    return head.parent.pose.bones["neck"].rotation_euler.y


def key_neck(head):
    """Two keys on the neck by hand, as an artist sets them."""
    neck = head.parent.pose.bones["neck"]
    for frame, turn in ((1, -0.4), (100, 0.4)):
        neck.rotation_euler = (0, turn, 0)
        neck.keyframe_insert("rotation_euler", frame=frame)
    return head.parent.animation_data.action


def track_names(owner):
    return [track.name for track in owner.animation_data.nla_tracks]


def test_neck_that_was_keyed_by_hand_moves_as_before(scene, head):
    own = key_neck(head)
    before = [neck_turn(scene, head, frame) for frame in (1, 30, 50, 70, 100)]
    apply_motion(head, steady(), scene, 20, "line")
    assert [neck_turn(scene, head, frame) for frame in (1, 30, 50, 70, 100)] == before
    assert shown(scene, head, 30) == (0.5, 0.25)
    assert head.parent.animation_data.action == own


def test_neck_that_is_keyed_after_the_take_moves_too(scene, head):
    apply_motion(head, steady(), scene, 20, "line")
    key_neck(head)
    assert neck_turn(scene, head, 1) == pytest.approx(-0.4)
    assert neck_turn(scene, head, 100) == pytest.approx(0.4)
    assert shown(scene, head, 30) == (0.5, 0.25)


def body(head):
    """A bone of a body on the head's armature, and an action that moves it."""
    rig = head.parent
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    spine = rig.data.edit_bones.new("spine")
    spine.head, spine.tail = (0, 0, -1), (0, 0, -0.5)
    bpy.ops.object.mode_set(mode="OBJECT")
    rig.pose.bones["spine"].rotation_mode = "XYZ"
    action = bpy.data.actions.new("Walk")
    slot = action.slots.new(id_type="OBJECT", name="Body")
    curves = action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True).fcurves
    curve = curves.new('pose.bones["spine"].rotation_euler', index=0)
    for frame, turn in ((1, -0.4), (101, 0.6)):
        curve.keyframe_points.insert(frame, turn).interpolation = "LINEAR"
    return action, slot


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("how", ["active", "track"])
def test_a_body_on_the_armature_walks_on(scene, head, when, how):
    action, slot = body(head)

    def walk():
        data = head.parent.animation_data or head.parent.animation_data_create()
        if how == "active":
            data.action, data.action_slot = action, slot
            return
        strip = data.nla_tracks.new().strips.new("Walk", 1, action)
        strip.action_slot = slot
        strip.action_frame_end = strip.frame_end = 101

    if when == "before":
        walk()
    apply_motion(head, steady(), scene, 20, "line")
    apply_motion(head, steady(component=2), scene, 60, "other line")
    if when == "after":
        walk()
    for frame in (1, 30, 51, 70, 101):
        scene.frame_set(frame)
        assert head.parent.pose.bones["spine"].rotation_euler.x == pytest.approx(-0.4 + (frame - 1) / 100, abs=1e-5)
    assert shown(scene, head, 30) == (0.5, 0.25)
    assert shown(scene, head, 70) == (0.0, 0.25)


def test_the_users_own_mouth_track_below_is_added_to(scene, head):
    keys = head.data.shape_keys
    action = bpy.data.actions.new("Smile")
    slot = action.slots.new(id_type="KEY", name="Key")
    curves = action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True).fcurves
    curves.new('key_blocks["component1"].value', index=0).keyframe_points.insert(1, 0.25)
    strip = keys.animation_data_create().nla_tracks.new().strips.new("Smile", 1, action)
    strip.action_slot = slot
    apply_motion(head, steady(), scene, 20, "line")
    assert shown(scene, head, 30)[0] == 0.75
    assert shown(scene, head, 100)[0] == 0.25


def test_keys_that_the_user_moves_by_hand_keep_their_value(scene, head):
    head.data.shape_keys.key_blocks["identity0"].value = 0.5
    apply_motion(head, steady(), scene, 20, "line")
    for frame in (1, 30, 200):
        scene.frame_set(frame)
        assert head.data.shape_keys.key_blocks["identity0"].value == 0.5


@pytest.mark.parametrize("mode", MODES)
def test_two_lines_play_and_rest_between(scene, head, mode):
    head.parent.pose.bones["jaw"].rotation_mode = mode
    apply_motion(head, steady(), scene, 1, "one")
    apply_motion(head, steady(value=0.75, jaw=-0.125), scene, 201, "two")
    assert shown(scene, head, 10) == (0.5, 0.25)
    assert shown(scene, head, 210) == (0.75, -0.125)
    for frame in (-500, 100, 150, 5000):
        assert shown(scene, head, frame) == (0.0, 0.0)
    assert track_names(head.parent) == track_names(head.data.shape_keys) == ["EMOTE Rest", "EMOTE"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("gap", [0, 1, 3, 6, 7, 12])
def test_lines_that_follow_within_the_transition_blend(scene, head, mode, gap):
    head.parent.pose.bones["jaw"].rotation_mode = mode
    apply_motion(head, steady(), scene, 1, "one")
    apply_motion(head, steady(), scene, 26 + gap, "two")  # the same pose: a cross-fade does not show
    values = np.array([shown(scene, head, frame) for frame in range(5, 48 + gap)])
    if gap < 7:  # 0.3 s are 7.5 frames; frame 25 is the first line's last
        np.testing.assert_allclose(values, np.tile([0.5, 0.25], (len(values), 1)), atol=2e-3)
    else:
        assert values[:, 0].max() <= 0.5
        assert values[:, 0].min() < 0.5
    assert np.abs(np.diff(values[:, 0])).max() < 0.2


def test_a_line_that_overlaps_the_end_of_another_takes_over(scene, head):
    apply_motion(head, steady(), scene, 1, "one")
    apply_motion(head, steady(value=0.75), scene, 20, "two")
    values = [shown(scene, head, frame)[0] for frame in range(1, 45)]
    assert max(values) <= 0.75
    assert [take.in_use for take in head.emote.takes] == [True, True]
    assert track_names(head.parent) == ["EMOTE Rest", "EMOTE", "EMOTE 2"]


def test_moving_the_first_line_away_gives_the_second_its_own_transition_back(scene, head):
    apply_motion(head, steady(), scene, 1, "one")
    apply_motion(head, steady(), scene, 26, "two")
    blended = head.emote.takes[1].action.frame_range[0]
    assert bpy.ops.emote.take_remove(take=head.emote.takes[0].name) == {"FINISHED"}
    assert blended > head.emote.takes[0].action.frame_range[0] == 26 - 8


@pytest.mark.parametrize("last", [5, 12, 20])
def test_no_pose_of_a_line_that_ends_in_mid_word_is_held(scene, head, make_motion, last):
    apply_motion(head, make_motion(num_frames=last), scene, 1, "cut")
    for frame in (-100, -8, last + 9, last + 50, 3000):
        assert shown(scene, head, frame) == (0.0, 0.0)
        assert [key.value for key in head.data.shape_keys.key_blocks[1:]] == [0.0] * 8


@pytest.mark.parametrize("mode", MODES)
def test_the_face_eases_from_and_to_rest(scene, head, mode):
    head.parent.pose.bones["jaw"].rotation_mode = mode
    apply_motion(head, steady(), scene, 11, "line")
    rise = np.array([shown(scene, head, frame) for frame in range(2, 12)])
    fall = np.array([shown(scene, head, frame) for frame in range(35, 45)])
    seconds = np.arange(10) / 25
    share = np.clip(seconds / 0.3, 0, 1)
    smooth = 1 - share**2 * (3 - 2 * share)
    np.testing.assert_allclose(fall, smooth[:, None] * [0.5, 0.25], atol=2e-4)
    np.testing.assert_allclose(rise, fall[::-1], atol=3e-2)


def test_transitions_of_length_zero_cut(scene, head):
    apply_motion(head, steady(), scene, 11, "line")
    take = head.emote.takes[0]
    take.refine.transition_in = take.refine.transition_out = 0.0
    assert [shown(scene, head, frame)[0] for frame in (10, 11, 35, 37)] == [0.0, 0.5, 0.5, 0.0]


def test_a_pose_by_hand_stays_under_a_take_that_moves_the_neck(scene, head):
    neck = head.parent.pose.bones["neck"]
    neck.rotation_euler.x = 0.5
    motion = steady(neck=np.tile([0.0, 0.0, 0.25], (25, 1)))
    apply_motion(head, motion, scene, 11, "line")
    scene.frame_set(100)
    assert neck.rotation_euler.x == pytest.approx(0.5)
    scene.frame_set(20)
    turned = neck.matrix_basis.to_quaternion()
    assert turned.rotation_difference(Quaternion()).angle > 0.5


def test_muting_the_only_take_brings_the_face_to_rest(scene, head):
    apply_motion(head, steady(), scene, 11, "line")
    assert shown(scene, head, 20) == (0.5, 0.25)
    for owner in (head.data.shape_keys, head.parent):
        owner.animation_data.nla_tracks["EMOTE"].mute = True
    assert shown(scene, head, 20) == (0.0, 0.0)
