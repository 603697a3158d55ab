"""Takes edited by hand: tweak mode, locked channels, sparse keys, and comparing two takes."""

import bpy
import numpy as np
import pytest

from emote_blender.blender.compat import action_channelbag
from emote_blender.blender.takes.curves import channelbag_of, edited_channels
from emote_blender.blender.takes.make import apply_motion

BROW = 'key_blocks["component2"].value'


@pytest.fixture
def take(scene, head, make_motion):
    """The only take of a head."""
    apply_motion(head, make_motion(num_frames=40), scene, 11, "line 1")
    return head.emote.takes[0]


@pytest.fixture
def alternates(scene, head, make_motion):
    """The actions of two takes of one line; the second is in use."""
    for emotion in ("anger", "happy"):
        motion = make_motion(num_frames=40, emotion=emotion)
        motion.expression[:] *= 1.0 if emotion == "anger" else 0.5
        apply_motion(head, motion, scene, 11, "line 1")
    return [take.action for take in head.emote.takes]


def owners(head):
    return head.data.shape_keys, head.parent


def curve_of(take, path=BROW):
    return channelbag_of(take.action, "KEY").fcurves.find(path)


def key_values(curve):
    values = np.empty(2 * len(curve.keyframe_points), np.float32)
    curve.keyframe_points.foreach_get("co", values)
    return values


def keys_of(take):
    """Every key of a take by channel."""
    return {
        (kind, curve.data_path, curve.array_index): key_values(curve)
        for kind in ("KEY", "OBJECT")
        for curve in channelbag_of(take.action, kind).fcurves
    }


def test_editing_opens_the_take_on_shape_keys_and_armature(head, take):
    assert bpy.ops.emote.take_edit() == {"FINISHED"}
    for owner in owners(head):
        data = owner.animation_data
        assert data.use_tweak_mode
        assert data.action == take.action
        assert data.action_slot.target_id_type == owner.id_type


def test_editing_selects_what_the_editors_list(head, take):
    bpy.ops.object.select_all(action="DESELECT")
    bpy.ops.emote.take_edit()
    assert head.select_get()
    assert head.parent.select_get()
    assert bpy.context.view_layer.objects.active == head
    bones = head.parent.pose.bones if bpy.app.version >= (5, 0, 0) else head.parent.data.bones
    assert {bone.name for bone in bones if bone.select} == {"jaw"}


def test_editing_lets_dope_sheets_list_all_channels(head, take):
    sheet = next(area for area in bpy.context.screen.areas if area.type == "DOPESHEET_EDITOR").spaces.active
    sheet.mode = "ACTION"
    bpy.ops.emote.take_edit()
    assert sheet.mode == "DOPESHEET"


def test_done_gives_the_artists_action_back(head, take):
    own = bpy.data.actions.new("mine")
    slot = own.slots.new(id_type="OBJECT", name=head.parent.name)
    data = head.parent.animation_data
    data.action, data.action_slot = own, slot
    bpy.ops.emote.take_edit()
    assert bpy.ops.emote.take_edit_done() == {"FINISHED"}
    assert (data.action, data.action_slot.handle) == (own, slot.handle)
    assert not any(owner.animation_data.use_tweak_mode for owner in owners(head))


def test_another_line_can_be_edited_right_after(scene, head, take, make_motion):
    apply_motion(head, make_motion(num_frames=30), scene, 81, "line 2")
    first, second = head.emote.takes
    bpy.ops.emote.take_edit(take=first.name)
    bpy.ops.emote.take_edit(take=second.name)
    assert {owner.animation_data.action for owner in owners(head)} == {second.action}
    bpy.ops.emote.take_edit_done()
    assert [len(owner.animation_data.nla_tracks["EMOTE"].strips) for owner in owners(head)] == [2, 2]


def test_editing_an_alternate_puts_it_in_use(head, alternates):
    first = head.emote.takes[0]
    bpy.ops.emote.take_edit(take=first.name)
    assert first.in_use
    assert {owner.animation_data.action for owner in owners(head)} == {first.action}


def test_done_outside_editing_is_refused(head, take):
    with pytest.raises(RuntimeError, match="no take of head 'Head' is being edited"):
        bpy.ops.emote.take_edit_done()


def test_a_hidden_head_cannot_be_edited(head, take):
    head.hide_set(True)
    with pytest.raises(RuntimeError, match="'Head' is hidden"):
        bpy.ops.emote.take_edit(head="Head")


def test_show_selects_the_takes_strips_and_no_others(scene, head, take, make_motion):
    apply_motion(head, make_motion(num_frames=30), scene, 81, "line 2")
    bpy.ops.emote.take_show(take=take.name)
    for owner in owners(head):
        selected = [strip for track in owner.animation_data.nla_tracks for strip in track.strips if strip.select]
        assert [strip.action for strip in selected] == [take.action]


EDITS = {
    "value": lambda curve: setattr(curve.keyframe_points[5].co, "y", 0.77),
    "time": lambda curve: setattr(curve.keyframe_points[-1].co, "x", 99.0),
    "key removed": lambda curve: curve.keyframe_points.remove(curve.keyframe_points[5]),
    "key added": lambda curve: curve.keyframe_points.insert(20.5, 0.3),
    "interpolation": lambda curve: setattr(curve.keyframe_points[5], "interpolation", "CONSTANT"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_sliders_never_touch_a_channel_that_was_edited(head, take, edit):
    bpy.ops.emote.take_edit()
    edit(curve_of(take))
    bpy.ops.emote.take_edit_done()
    before = keys_of(take)
    assert edited_channels(take.action) == [f"KEY {BROW} 0"]
    take.refine.transition_in = 0.6
    after = keys_of(take)
    np.testing.assert_array_equal(after["KEY", BROW, 0], before["KEY", BROW, 0])
    others = [name for name in before if name != ("KEY", BROW, 0)]
    assert all(len(after[name]) != len(before[name]) for name in others)


def test_a_deleted_channel_stays_deleted(head, take):
    channelbag_of(take.action, "KEY").fcurves.remove(curve_of(take))
    take.refine.transition_in = 0.6
    assert curve_of(take) is None
    assert edited_channels(take.action) == [f"KEY {BROW} 0"]


def test_unlock_writes_one_channel_again(head, take):
    before = keys_of(take)
    other = 'key_blocks["component4"].value'
    for path in (BROW, other):
        curve_of(take, path).keyframe_points[5].co.y = 0.77
    bpy.ops.emote.take_unlock(channel=f"KEY {BROW} 0")
    assert edited_channels(take.action) == [f"KEY {other} 0"]
    np.testing.assert_array_equal(key_values(curve_of(take)), before["KEY", BROW, 0])
    assert curve_of(take, other).keyframe_points[5].co.y == pytest.approx(0.77)


def test_unlock_without_a_name_writes_all_channels_again(head, take):
    before = keys_of(take)
    curve_of(take).keyframe_points[5].co.y = 0.77
    channelbag_of(take.action, "KEY").fcurves.remove(curve_of(take, 'key_blocks["component4"].value'))
    bpy.ops.emote.take_unlock()
    after = keys_of(take)
    assert edited_channels(take.action) == []
    assert set(after) == set(before)
    assert all(np.array_equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize("channel", ["", "KEY nothing 0"])
def test_unlock_without_an_edited_channel_is_refused(head, take, channel):
    with pytest.raises(RuntimeError, match="edited by hand"):
        bpy.ops.emote.take_unlock(channel=channel)


def test_compare_flips_between_two_takes_and_changes_nothing_else(scene, head, alternates):
    first, second = head.emote.takes
    head.emote.active_take = 0
    keys = keys_of(first), keys_of(second)
    value = head.data.shape_keys.key_blocks["component2"]

    def shown():
        scene.frame_set(30)
        return value.value

    of_second = shown()
    states = []
    for _ in range(4):
        assert bpy.ops.emote.take_compare() == {"FINISHED"}
        states.append((first.in_use, second.in_use, round(shown(), 6)))
    of_first = states[0][2]
    assert abs(of_first) > 1.5 * abs(of_second)
    assert states == [(True, False, of_first), (False, True, round(of_second, 6))] * 2
    assert head.emote.active_take == 0
    for before, after in zip(keys, (keys_of(first), keys_of(second))):
        assert all(np.array_equal(before[name], after[name]) for name in before)


def test_compare_goes_back_to_the_take_that_was_in_use(scene, head, alternates, make_motion):
    apply_motion(head, make_motion(num_frames=40, emotion="sad"), scene, 11, "line 1")
    first, second, third = head.emote.takes
    assert third.in_use
    bpy.ops.emote.take_compare(take=first.name)
    bpy.ops.emote.take_compare(take=first.name)
    assert (first.in_use, second.in_use, third.in_use) == (False, False, True)


def test_the_only_take_of_a_line_cannot_be_compared(head, take):
    with pytest.raises(RuntimeError, match="only one of its line"):
        bpy.ops.emote.take_compare()


def test_sparse_keys_follow_the_take_within_the_bound(scene, head, take):
    dense = {path: [curve_of(take, path).evaluate(frame) for frame in range(5, 60)] for path in paths(take)}
    before = sum(len(keys) for keys in keys_of(take).values())
    assert bpy.ops.emote.bake_sparse(error_unit="PERCENT", error_percent=2.0) == {"FINISHED"}
    assert sum(len(keys) for keys in keys_of(take).values()) < before / 2
    for path, values in dense.items():
        shown = [curve_of(take, path).evaluate(frame) for frame in range(5, 60)]
        np.testing.assert_allclose(shown, values, atol=0.02 * np.ptp(values) + 1e-5)
    assert edited_channels(take.action) == []


def paths(take):
    return [curve.data_path for curve in channelbag_of(take.action, "KEY").fcurves]


def test_sliders_write_sparse_keys_into_a_sparse_take(head, take):
    bpy.ops.emote.bake_sparse()
    take.refine.transition_in = 0.6
    assert {point.interpolation for point in curve_of(take).keyframe_points} == {"BEZIER"}
    assert len(curve_of(take).keyframe_points) < 30


def test_an_edited_handle_locks_a_sparse_channel(head, take):
    bpy.ops.emote.bake_sparse()
    point = curve_of(take).keyframe_points[1]
    point.handle_right = (point.handle_right[0], point.handle_right[1] + 0.2)
    assert edited_channels(take.action) == [f"KEY {BROW} 0"]


def test_an_edited_channel_is_not_made_sparse(head, take):
    curve_of(take).keyframe_points[5].co.y = 0.77
    before = key_values(curve_of(take))
    bpy.ops.emote.bake_sparse()
    np.testing.assert_array_equal(key_values(curve_of(take)), before)


def test_a_sparse_take_becomes_dense_again(head, take):
    before = keys_of(take)
    bpy.ops.emote.bake_sparse()
    bpy.ops.emote.bake_sparse(keys="DENSE")
    after = keys_of(take)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert {point.interpolation for point in curve_of(take).keyframe_points} == {"LINEAR"}


def test_sparse_keys_are_the_same_after_saving_and_a_slider(head, take, tmp_path):
    bpy.ops.emote.bake_sparse()
    take.refine.transition_out = 0.5
    before = keys_of(take)
    path = tmp_path / "sparse.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    take = bpy.data.objects["Head"].emote.takes[0]
    take.refine.transition_out = 0.3
    take.refine.transition_out = 0.5
    after = keys_of(take)
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_keys_are_not_selected_after_writing(head, take):
    for sparse in (False, True):
        if sparse:
            bpy.ops.emote.bake_sparse()
        for kind in ("KEY", "OBJECT"):
            for curve in channelbag_of(take.action, kind).fcurves:
                assert not any(point.select_control_point for point in curve.keyframe_points)


def test_a_strip_that_is_active_on_the_same_track_is_replaced_by_an_equal_one(head, take):
    """Only a click makes a strip active, so the replacement is tested by itself."""
    from emote_blender.blender.takes.editing import _recreate

    track = head.parent.animation_data.nla_tracks["EMOTE"]
    other = bpy.data.actions.new("mine")
    slot = other.slots.new(id_type="OBJECT", name=head.parent.name)
    curve = action_channelbag(other, slot).fcurves.new('pose.bones["neck"].rotation_euler', index=0)
    curve.keyframe_points.insert(0, 0.0)
    curve.keyframe_points.insert(10, 1.0)
    strip = track.strips.new("clip", 200, other)
    strip.action_slot = slot
    strip.scale, strip.repeat, strip.blend_type, strip.extrapolation = 1.5, 2.0, "COMBINE", "NOTHING"
    names = ("frame_start", "frame_end", "scale", "repeat", "blend_type", "extrapolation", "action_frame_end", "mute")
    before = {name: getattr(strip, name) for name in names}
    _recreate(track, strip)
    made = track.strips["clip"]
    assert {name: getattr(made, name) for name in names} == before
    assert (made.action, made.action_slot.handle) == (other, slot.handle)


def test_a_slider_moved_while_keys_are_edited_leaves_the_edit(head, take):
    bpy.ops.emote.take_edit()
    curve_of(take).keyframe_points[5].co.y = 0.77
    before = keys_of(take)
    take.refine.emotion_strength = 0.5
    take.refine.transition_in = 0.6
    after = keys_of(take)
    np.testing.assert_array_equal(after["KEY", BROW, 0], before["KEY", BROW, 0])
    assert len(after["KEY", 'key_blocks["component1"].value', 0]) > len(
        before["KEY", 'key_blocks["component1"].value', 0]
    )
    assert head.parent.animation_data.use_tweak_mode
    bpy.ops.emote.take_edit_done()
    for owner in owners(head):
        (strip,) = owner.animation_data.nla_tracks["EMOTE"].strips
        assert strip.action_frame_start == take.action.frame_range[0]


def test_a_timeline_does_not_count_as_an_editor_that_shows_keys(head, take):
    from emote_blender.blender.takes.editing import show_in_editors

    screen = bpy.context.screen
    sheet = next(area for area in screen.areas if area.type == "DOPESHEET_EDITOR").spaces.active
    sheet.mode = "TIMELINE"
    assert not show_in_editors(screen)
    assert sheet.mode == "TIMELINE"
    sheet.mode = "SHAPEKEY"
    assert show_in_editors(screen)
    assert sheet.mode == "DOPESHEET"
