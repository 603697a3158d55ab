"""Bake to Action: an ordinary action that plays what the takes play, and the way back."""

import bpy
import numpy as np
import pytest

from emote_blender.blender.compat import action_channelbag
from emote_blender.blender.takes.curves import channelbag_of
from emote_blender.blender.takes.make import apply_motion


@pytest.fixture
def dialogue(scene, head, make_motion):
    """A head with two lines, the first of them in two takes, and neck keys of the artist."""
    apply_motion(head, make_motion(num_frames=20), scene, 11, "line 1")
    apply_motion(head, make_motion(num_frames=30, emotion="happy"), scene, 61, "line 2")
    apply_motion(head, make_motion(num_frames=20, emotion="sad"), scene, 11, "line 1")
    own = bpy.data.actions.new("my neck")
    slot = own.slots.new(id_type="OBJECT", name=head.parent.name)
    curve = action_channelbag(own, slot).fcurves.new('pose.bones["neck"].rotation_euler', index=0)
    curve.keyframe_points.insert(5, 0.0)
    curve.keyframe_points.insert(95, 0.4)
    data = head.parent.animation_data
    data.action, data.action_slot = own, slot
    return own


def played(scene, head, frames=range(1, 121)):
    """(T, C) what shape keys and bones are set to at each frame."""
    rows = []
    for frame in frames:
        scene.frame_set(frame)
        row = [key.value for key in head.data.shape_keys.key_blocks]
        for bone in head.parent.pose.bones:
            row += [*bone.rotation_euler, *bone.location]
        rows.append(row)
    return np.array(rows)


def key_count(action):
    return sum(
        len(curve.keyframe_points)
        for kind in ("KEY", "OBJECT")
        for curve in (channelbag_of(action, kind).fcurves if channelbag_of(action, kind) else ())
    )


def test_the_baked_timeline_plays_what_the_takes_and_the_artist_play(scene, head, dialogue):
    before = played(scene, head)
    assert np.ptp(before, axis=0).max() > 0.3
    assert bpy.ops.emote.bake_action(what="ALL") == {"FINISHED"}
    assert head.parent.animation_data.action.name == "Head baked"
    assert head.data.shape_keys.animation_data.action.name == "Head baked"
    np.testing.assert_allclose(played(scene, head), before, atol=1e-5)


def test_back_to_takes_restores_action_and_takes(scene, head, dialogue):
    before = played(scene, head)
    bpy.ops.emote.bake_action(what="ALL")
    assert bpy.ops.emote.bake_restore() == {"FINISHED"}
    data = head.parent.animation_data
    assert (data.action, data.action_slot.handle, data.use_nla) == (dialogue, dialogue.slots[0].handle, True)
    assert head.data.shape_keys.animation_data.action is None
    np.testing.assert_array_equal(played(scene, head), before)
    assert "Head baked" in bpy.data.actions


def test_the_way_back_survives_saving(scene, head, dialogue, tmp_path):
    before = played(scene, head)
    bpy.ops.emote.bake_action(what="ALL")
    path = tmp_path / "baked.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    scene, head = bpy.context.scene, bpy.data.objects["Head"]
    np.testing.assert_allclose(played(scene, head), before, atol=1e-5)
    bpy.ops.emote.bake_restore()
    np.testing.assert_allclose(played(scene, head), before, atol=1e-6)
    assert head.parent.animation_data.action.name == "my neck"


def test_without_the_artists_animation_the_takes_alone_are_baked(scene, head, dialogue):
    bpy.ops.emote.bake_action(what="ALL", own_animation=False, assign=False)
    curves = channelbag_of(bpy.data.actions["Head baked"], "OBJECT").fcurves
    assert curves.find('pose.bones["neck"].rotation_euler', index=0) is None
    assert curves.find('pose.bones["jaw"].rotation_euler', index=0) is not None


def test_an_action_that_is_not_assigned_changes_nothing(scene, head, dialogue):
    before = played(scene, head)
    bpy.ops.emote.bake_action(what="ALL", assign=False)
    assert head.parent.animation_data.action == dialogue
    np.testing.assert_array_equal(played(scene, head), before)


def test_one_take_is_baked_whether_it_is_in_use_or_not(scene, head, dialogue):
    alternate = head.emote.takes[0]
    assert not alternate.in_use
    bpy.ops.emote.bake_action(what="TAKE", take=alternate.name, assign=False)
    baked = bpy.data.actions[f"{alternate.name} baked"]
    assert baked.frame_range == alternate.action.frame_range
    for kind in ("KEY", "OBJECT"):
        for curve in channelbag_of(alternate.action, kind).fcurves:
            found = channelbag_of(baked, kind).fcurves.find(curve.data_path, index=curve.array_index)
            for frame in range(11, 30):
                assert found.evaluate(frame) == pytest.approx(curve.evaluate(frame), abs=1e-5)


def test_sparse_keys_stay_within_their_bound(scene, head, dialogue):
    before = played(scene, head)
    bpy.ops.emote.bake_action(what="ALL", assign=False)
    bpy.ops.emote.bake_action(what="ALL", keys="SPARSE", error_unit="PERCENT", error_percent=1.0)
    dense, sparse = bpy.data.actions["Head baked"], bpy.data.actions["Head baked.001"]
    assert key_count(sparse) < key_count(dense) / 2
    np.testing.assert_allclose(played(scene, head), before, atol=0.01 * np.ptp(before, axis=0).max() + 1e-5)


def test_a_bound_in_millimetres_is_kept_on_the_mesh(scene, head, dialogue):
    def shapes():
        rows = []
        for frame in range(1, 100, 3):
            scene.frame_set(frame)
            evaluated = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
            mesh = evaluated.to_mesh()
            points = np.empty(3 * len(mesh.vertices), np.float32)
            mesh.vertices.foreach_get("co", points)
            evaluated.to_mesh_clear()
            rows.append(points.reshape(-1, 3))
        return np.array(rows)

    before = shapes()
    bpy.ops.emote.bake_action(what="ALL", keys="SPARSE", error_unit="MILLIMETRE", error_mm=0.5)
    moved = np.linalg.norm(shapes() - before, axis=-1) * 1000
    assert 0.02 < moved.max() < 0.5


def test_baked_channels_are_grouped_and_not_selected(scene, head, dialogue):
    bpy.ops.emote.bake_action(what="ALL", assign=False)
    baked = bpy.data.actions["Head baked"]
    assert {group.name for group in channelbag_of(baked, "OBJECT").groups} == {"Jaw", "Neck"}
    for kind in ("KEY", "OBJECT"):
        for curve in channelbag_of(baked, kind).fcurves:
            assert not any(point.select_control_point for point in curve.keyframe_points)


def test_baking_leaves_no_data_behind(scene, head, dialogue):
    kinds = ("scenes", "objects", "meshes", "shape_keys", "armatures")
    before = {kind: len(getattr(bpy.data, kind)) for kind in kinds}
    bpy.ops.emote.bake_action(what="ALL")
    bpy.ops.emote.bake_restore()
    assert {kind: len(getattr(bpy.data, kind)) for kind in kinds} == before


def test_after_the_last_line_the_baked_face_is_at_rest(scene, head, make_motion):
    apply_motion(head, make_motion(num_frames=20), scene, 11, "line 1")
    head.emote.takes[0].refine.transition_out = 0.0
    bpy.ops.emote.bake_action(what="ALL")
    scene.frame_set(60)
    assert [key.value for key in head.data.shape_keys.key_blocks if key.name.startswith("component")] == [0.0] * 6


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"what": "TAKE", "take": "line 9"}, "head 'Head' has no take 'line 9'"),
        ({"what": "ALL", "head": "nobody"}, "object 'nobody' not found"),
    ],
)
def test_what_is_not_there_is_refused_in_one_sentence(scene, head, dialogue, arguments, sentence):
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.emote.bake_action(**arguments)


def test_a_head_that_plays_nothing_is_refused(scene, head):
    with pytest.raises(RuntimeError, match="plays no take"):
        bpy.ops.emote.bake_action(what="ALL")
    with pytest.raises(RuntimeError, match="plays no baked action"):
        bpy.ops.emote.bake_restore()


def test_baking_twice_is_refused_while_the_baked_action_plays(scene, head, dialogue):
    bpy.ops.emote.bake_action(what="ALL")
    with pytest.raises(RuntimeError, match="press Back to Takes first"):
        bpy.ops.emote.bake_action(what="ALL")


def test_a_new_take_ends_the_baked_action(scene, head, dialogue, make_motion):
    bpy.ops.emote.bake_action(what="ALL")
    apply_motion(head, make_motion(num_frames=20), scene, 111, "line 3")
    assert head.parent.animation_data.action == dialogue
    assert head.parent.animation_data.use_nla
    scene.frame_set(115)
    assert head.data.shape_keys.key_blocks["component1"].value != 0.0


def test_the_check_says_that_a_baked_action_plays_and_mends_it(scene, head, dialogue):
    from emote_blender.blender.check.find import apply_fix, problems

    bpy.ops.emote.bake_action(what="ALL")
    (found,) = [problem for problem in problems(bpy.context, head) if problem.severity != "INFO"]
    assert found.fix == "BAKED"
    assert "plays its baked action" in found.sentence
    apply_fix(bpy.context, head, found.fix)
    assert head.parent.animation_data.use_nla
    assert not [problem for problem in problems(bpy.context, head) if problem.fix == "BAKED"]
