"""The list of takes: use, solo, mute, rename, duplicate, remove, copy to another head, rebuild, and what undo does."""

import re

import bpy
import numpy as np
import pytest
from counted_steps import counted_steps
from steady_takes import shown, steady, strips

from emote_blender.blender.head.build import add_head
from emote_blender.blender.takes import manage
from emote_blender.blender.takes.curves import edited_channels
from emote_blender.blender.takes.make import apply_motion
from emote_blender.errors import ModelError
from emote_blender.motion import FaceMotion


@pytest.fixture
def two_alternates(scene, head):
    """A line that was generated twice; the second take is in use."""
    apply_motion(head, steady(0.5), scene, 1, "line")
    apply_motion(head, steady(0.75), scene, 1, "line")
    return head


def test_generate_again_keeps_the_former_take_as_a_muted_alternate(scene, two_alternates):
    head = two_alternates
    assert [take.name for take in head.emote.takes] == ["line · Anger 1.00", "line · Anger 1.00 (2)"]
    assert [take.in_use for take in head.emote.takes] == [False, True]
    assert strips(head) == [("EMOTE", "line · Anger 1.00 (2)"), ("EMOTE Alternates", "line · Anger 1.00")]
    assert head.data.shape_keys.animation_data.nla_tracks["EMOTE Alternates"].mute
    assert shown(scene, head, 10) == 0.75


def test_an_alternate_that_is_used_changes_places_with_the_other(scene, two_alternates):
    head = two_alternates
    bpy.ops.emote.take_use(take="line · Anger 1.00")
    assert [take.in_use for take in head.emote.takes] == [True, False]
    assert shown(scene, head, 10) == 0.5
    bpy.ops.emote.take_use(take="line · Anger 1.00", use=False)
    assert shown(scene, head, 10) == 0.0
    assert [take.in_use for take in head.emote.takes] == [False, False]


def test_the_same_line_elsewhere_is_no_alternate(scene, head):
    apply_motion(head, steady(), scene, 1, "line")
    apply_motion(head, steady(), scene, 200, "line")
    assert [take.in_use for take in head.emote.takes] == [True, True]
    assert (shown(scene, head, 10), shown(scene, head, 210)) == (0.5, 0.5)


def test_another_line_at_the_same_place_takes_its_place(scene, head):
    apply_motion(head, steady(), scene, 1, "line")
    apply_motion(head, steady(0.75), scene, 3, "recorded again")
    assert [take.in_use for take in head.emote.takes] == [False, True]
    assert shown(scene, head, 10) == 0.75


def test_ten_alternates_get_numbers_and_one_plays(scene, head):
    for _ in range(10):
        apply_motion(head, steady(), scene, 1, "line")
    assert [take.name for take in head.emote.takes][1:] == [f"line · Anger 1.00 ({n})" for n in range(2, 11)]
    assert [take.in_use for take in head.emote.takes] == [False] * 9 + [True]
    assert shown(scene, head, 10) == 0.5
    assert not [action.name for action in bpy.data.actions if re.search(r"\.\d{3}$", action.name)]


def test_mute_and_solo_leave_the_artists_animation_alone(scene, head):
    neck = head.parent.pose.bones["neck"]
    for frame, turn in ((1, -0.5), (100, 0.5)):
        neck.rotation_euler.y = turn
        neck.keyframe_insert("rotation_euler", frame=frame)
    apply_motion(head, steady(), scene, 1, "one")
    apply_motion(head, steady(), scene, 101, "two")
    bpy.ops.emote.take_solo(take="one · Anger 1.00")
    assert (shown(scene, head, 10), shown(scene, head, 110)) == (0.5, 0.0)
    assert neck.rotation_euler.y == pytest.approx(0.5)
    bpy.ops.emote.take_solo(take="one · Anger 1.00")
    assert (shown(scene, head, 10), shown(scene, head, 110)) == (0.5, 0.5)
    bpy.ops.emote.take_mute(take="one · Anger 1.00")
    assert (shown(scene, head, 10), shown(scene, head, 110)) == (0.0, 0.5)
    bpy.ops.emote.take_mute(take="one · Anger 1.00")
    assert shown(scene, head, 10) == 0.5


def test_muting_an_alternate_is_refused(two_alternates):
    with pytest.raises(RuntimeError, match="is an alternate, which is not played; use it first"):
        bpy.ops.emote.take_mute(take="line · Anger 1.00")


def test_rename_changes_take_action_and_strips(scene, head):
    apply_motion(head, steady(), scene, 1, "line")
    apply_motion(head, steady(), scene, 101, "other")
    bpy.ops.emote.take_rename(take="line · Anger 1.00", name="  loud one ")
    assert head.emote.takes[0].name == head.emote.takes[0].action.name == "loud one"
    assert strips(head)[0] == ("EMOTE", "loud one")
    assert head.data.shape_keys.animation_data.nla_tracks["EMOTE"].strips[0].name == "loud one"
    bpy.ops.emote.take_rename(take="loud one", name="other · Anger 1.00")
    assert head.emote.takes[0].name == "other · Anger 1.00 (2)"
    with pytest.raises(RuntimeError, match="a take needs a name"):
        bpy.ops.emote.take_rename(take="other · Anger 1.00", name=" ")


def test_a_name_too_long_for_an_action_is_cut_at_a_character(scene, head):
    apply_motion(head, steady(), scene, 1, "ü" * 60)
    apply_motion(head, steady(), scene, 1, "ü" * 60)
    first, second = (take.action.name for take in head.emote.takes)
    assert first == "ü" * 31
    assert second == "ü" * 29 + " (2)"
    assert [take.name for take in head.emote.takes] == [first, second]


def test_a_duplicate_is_an_alternate_with_its_own_action_settings_and_edits(scene, head):
    apply_motion(head, steady(), scene, 1, "line")
    head.emote.takes[0].refine.jaw_strength = 0.5
    head.emote.takes[0].refine.keyframe_insert("lower_strength", frame=3)
    edited = head.emote.takes[0].action.layers[0].strips[0].channelbags[0].fcurves[0]
    edited.keyframe_points[5].co.y = 0.125
    edited.update()
    bpy.ops.emote.take_duplicate()
    first, second = head.emote.takes
    assert second.name == "line · Anger 1.00 (2)"
    assert second.action not in (None, first.action)
    assert (first.in_use, second.in_use, head.emote.active_take) == (True, False, 1)
    assert second.refine.jaw_strength == 0.5
    assert edited_channels(second.action) == edited_channels(first.action) != []
    curves = head.animation_data.action.layers[0].strips[0].channelbags[0].fcurves
    assert {curve.data_path for curve in curves} == {f"emote.takes[{i}].refine.lower_strength" for i in (0, 1)}
    second.refine.transition_in = 1.0
    assert first.refine.transition_in == pytest.approx(0.3)


def test_remove_takes_strips_action_and_the_pose_away(scene, head):
    apply_motion(head, steady(), scene, 1, "line")
    shown(scene, head, 10)
    bpy.ops.emote.take_remove()
    assert not head.emote.takes
    assert not bpy.data.actions
    assert head.data.shape_keys.animation_data is None
    assert head.parent.animation_data is None
    assert shown(scene, head, 10) == 0.0
    assert head.parent.pose.bones["jaw"].rotation_euler.x == 0.0


def test_remove_in_the_middle_lets_the_keys_of_the_other_sliders_follow(scene, head):
    for start in (1, 101, 201):
        apply_motion(head, steady(), scene, start, f"line {start}")
    head.emote.takes[2].refine.keyframe_insert("jaw_strength", frame=210)
    bpy.ops.emote.take_remove(take="line 101 · Anger 1.00")
    (curve,) = head.animation_data.action.layers[0].strips[0].channelbags[0].fcurves
    assert curve.data_path == "emote.takes[1].refine.jaw_strength"
    assert [shown(scene, head, frame) for frame in (10, 110, 210)] == [0.5, 0.0, 0.5]
    assert head.emote.active_take == 1


def test_an_action_that_something_else_uses_is_kept(scene, head):
    action = apply_motion(head, steady(), scene, 1, "line")
    other = bpy.data.objects.new("Other", None)
    other.animation_data_create().action = action
    bpy.ops.emote.take_remove()
    assert other.animation_data.action == action


@pytest.mark.parametrize("lost", ["action", "strips", "keys", "jaw"])
def test_a_take_that_has_lost_something_can_be_removed(scene, head, lost):
    action = apply_motion(head, steady(), scene, 1, "line")
    if lost == "action":
        bpy.data.actions.remove(action)
        with pytest.raises(RuntimeError, match="was deleted; remove the take and generate it again"):
            bpy.ops.emote.take_rebuild()
        head.emote.takes[0].refine.jaw_strength = 0.5  # does nothing, and raises nothing
    elif lost == "strips":
        for owner in (head.data.shape_keys, head.parent):
            for track in list(owner.animation_data.nla_tracks):
                owner.animation_data.nla_tracks.remove(track)
    elif lost == "keys":
        head.shape_key_clear()
    else:
        bpy.context.view_layer.objects.active = head.parent
        bpy.ops.object.mode_set(mode="EDIT")
        head.parent.data.edit_bones.remove(head.parent.data.edit_bones["jaw"])
        bpy.ops.object.mode_set(mode="OBJECT")
    if lost in ("keys", "jaw"):
        with pytest.raises(RuntimeError, match="lacks|has no bone 'jaw'"):
            bpy.ops.emote.take_rebuild(head=head.name)
    assert bpy.ops.emote.take_remove(head=head.name) == {"FINISHED"}
    assert not head.emote.takes


def test_rebuild_brings_lost_strips_back(scene, head):
    apply_motion(head, steady(), scene, 1, "line")
    for owner in (head.data.shape_keys, head.parent):
        for track in list(owner.animation_data.nla_tracks):
            owner.animation_data.nla_tracks.remove(track)
    assert bpy.ops.emote.take_rebuild() == {"FINISHED"}
    assert (shown(scene, head, 10), shown(scene, head, 100)) == (0.5, 0.0)


def test_a_take_goes_to_another_head_with_its_settings(scene, head, face):
    apply_motion(head, steady(), scene, 11, "line")
    head.emote.takes[0].refine.transition_in = 1.0
    other = add_head(bpy.context, face, name="Other")
    bpy.ops.emote.take_apply_to(head="Head", target="Other")
    take = other.emote.takes[0]
    assert take.action != head.emote.takes[0].action
    assert (take.frame_start, take.refine.transition_in) == (11, 1.0)
    assert shown(scene, other, 20) == 0.5
    bpy.ops.emote.take_remove(head="Head")
    assert shown(scene, other, 20) == 0.5
    with pytest.raises(RuntimeError, match="choose another head"):
        bpy.ops.emote.take_apply_to(head="Other", target="Other")


def test_a_take_does_not_go_to_a_head_of_another_face(scene, head, make_face):
    apply_motion(head, FaceMotion(np.zeros((5, 6)), np.zeros((5, 3)), 25, meta={"face": "tiny_face"}), scene, 1, "a")
    other = add_head(bpy.context, make_face(named=False, basis="flame2020"), name="Other")
    with pytest.raises(ModelError):
        manage.apply_to(head, head.emote.takes[0], other)
    assert not other.emote.takes


def test_a_scene_of_one_frame_gets_its_take(scene, head):
    scene.frame_start = scene.frame_end = 0
    apply_motion(head, steady(num_frames=1), scene, 0, "short")
    assert shown(scene, head, 0) == 0.5
    assert shown(scene, head, 50) == 0.0


def test_tracks_that_the_user_renamed_or_moved_strips_to_are_left_alone(scene, head):
    action = apply_motion(head, steady(), scene, 1, "line")
    for owner in (head.data.shape_keys, head.parent):
        owner.animation_data.nla_tracks["EMOTE"].name = "Mouth"
    head.emote.takes[0].refine.transition_in = 1.0
    apply_motion(head, steady(), scene, 101, "other")
    assert [(track, name) for track, name in strips(head) if name == action.name] == [("Mouth", action.name)]
    assert (shown(scene, head, 10), shown(scene, head, 110)) == (0.5, 0.5)


def test_tweak_mode_is_named(scene, head):
    apply_motion(head, steady(), scene, 1, "line")
    data = head.parent.animation_data
    data.nla_tracks["EMOTE"].strips[0].select = True
    data.use_tweak_mode = True
    for operator in ("take_use", "take_mute", "take_duplicate", "take_remove", "take_retime", "take_rebuild"):
        with pytest.raises(RuntimeError, match="leave tweak mode"):
            getattr(bpy.ops.emote, operator)()


def test_operators_are_grey_without_a_take(scene, head):
    with pytest.raises(RuntimeError, match="No head has a take; generate one first"):
        bpy.ops.emote.take_remove()
    with pytest.raises(RuntimeError, match="nothing to adopt"):
        bpy.ops.emote.adopt_takes()


def test_a_take_in_a_meta_strip_is_found_and_not_laid_twice(scene, head):
    action = apply_motion(head, steady(), scene, 1, "line")
    for owner in (head.data.shape_keys, head.parent):
        owner.animation_data.nla_tracks["EMOTE"].strips[0].select = True
    area = bpy.context.window.screen.areas[0]
    kind, area.type = area.type, "NLA_EDITOR"
    area.spaces[0].dopesheet.show_only_selected = False
    with bpy.context.temp_override(area=area, region=area.regions[-1]):
        assert bpy.ops.nla.meta_add() == {"FINISHED"}
    area.type = kind
    strip = head.data.shape_keys.animation_data.nla_tracks["EMOTE"].strips[0]
    assert (strip.type, strip.strips[0].action) == ("META", action)
    head.emote.takes[0].refine.jaw_strength = 0.5
    assert len(head.data.shape_keys.animation_data.nla_tracks) == 2
    assert shown(scene, head, 10) == 0.5
    with pytest.raises(RuntimeError, match="inside a meta strip of track 'EMOTE'; ungroup it"):
        bpy.ops.emote.take_remove()


def test_undo_and_redo_at_every_step_leave_no_orphans(scene, head, make_motion, tmp_path):
    make_motion().save(tmp_path / "line.npz")
    steps = [
        lambda: bpy.ops.emote.apply_motion("EXEC_DEFAULT", True, filepath=str(tmp_path / "line.npz")),
        lambda: bpy.ops.emote.apply_motion("EXEC_DEFAULT", True, filepath=str(tmp_path / "line.npz")),
        lambda: bpy.ops.emote.take_duplicate("EXEC_DEFAULT", True),
        lambda: bpy.ops.emote.take_use("EXEC_DEFAULT", True, take="line · Anger"),
        lambda: bpy.ops.emote.take_remove("EXEC_DEFAULT", True, take="line · Anger"),
    ]

    def state():
        takes = bpy.data.objects["Head"].emote.takes
        keys = bpy.data.objects["Head"].data.shape_keys.animation_data
        tracks = keys.nla_tracks if keys else ()
        return (
            sorted((action.name, action.users) for action in bpy.data.actions),
            [(take.name, take.action.name, take.in_use) for take in takes],
            [(track.name, [strip.action.name for strip in track.strips]) for track in tracks],
        )

    bpy.ops.ed.undo_push(message="before")
    states = [state()]
    for step in steps:
        assert step() == {"FINISHED"}
        states.append(state())
    for expected in reversed(states[:-1]):
        bpy.ops.ed.undo()
        assert state() == expected
    for expected in states[1:]:
        bpy.ops.ed.redo()
        assert state() == expected


def test_the_cost_of_a_take_grows_no_faster_than_their_number(scene, head):
    def add(number: int) -> None:
        apply_motion(head, steady(num_frames=5), scene, 1 + 40 * number, f"line {number:03}")

    def slide(amount: float) -> None:
        head.emote.takes[10].refine.jaw_strength = amount

    costs = {}
    for num_takes in (12, 36):
        for number in range(len(head.emote.takes), num_takes - 1):
            add(number)
        costs[num_takes] = counted_steps(add, num_takes - 1), counted_steps(slide, 1 / num_takes)
    assert all(many <= 3 * few for few, many in zip(costs[12], costs[36], strict=True))
    assert shown(scene, head, 40 * 35 + 3) == 0.5
