"""Each way in which shape keys, rig or mesh keep a head from moving: it is made, found, mended, and the mesh moves."""

import struct

import bpy
import numpy as np
import pytest
from moving_mesh import found, mend, mesh_track, stands_still

from emote_blender.blender.check.find import problems, worst


def drive(head, number=None):
    for key in head.data.shape_keys.key_blocks[3 : None if number is None else 3 + number]:
        key.driver_add("value").driver.expression = "0.0"


def mute(head, number=None):
    for key in head.data.shape_keys.key_blocks[3 : None if number is None else 3 + number]:
        key.mute = True


def pin(head):
    head.show_only_shape_key = True


def make_absolute(head):
    head.data.shape_keys.use_relative = False


def limit_to_empty_group(head):
    head.vertex_groups.new(name="nothing")
    for key in head.data.shape_keys.key_blocks[3:]:
        key.vertex_group = "nothing"


def narrow(head):
    for key in head.data.shape_keys.key_blocks[3:]:
        key.slider_min, key.slider_max = 0.0, 0.1


def rest(head):
    head.parent.data.pose_position = "REST"


def constrain(head):
    target = bpy.data.objects.new("Target", None)
    bpy.context.scene.collection.objects.link(target)
    constraint = head.parent.pose.bones["jaw"].constraints.new("COPY_ROTATION")
    constraint.target, constraint.owner_space, constraint.target_space = target, "LOCAL", "LOCAL"


def limit_rotation(head):
    constraint = head.parent.pose.bones["jaw"].constraints.new("LIMIT_ROTATION")
    constraint.owner_space = "LOCAL"
    constraint.use_limit_x = constraint.use_limit_y = constraint.use_limit_z = True


def copy_transforms(head):
    target = bpy.data.objects.new("Target", None)
    bpy.context.scene.collection.objects.link(target)
    constraint = head.parent.pose.bones["jaw"].constraints.new("COPY_TRANSFORMS")
    constraint.target, constraint.owner_space, constraint.target_space = target, "LOCAL", "LOCAL"


def track_target(head):
    target = bpy.data.objects.new("Target", None)
    target.location = (0.0, -1.0, 1.0)
    bpy.context.scene.collection.objects.link(target)
    head.parent.pose.bones["jaw"].constraints.new("DAMPED_TRACK").target = target


def mask_modifier(head):
    head.vertex_groups.new(name="nothing")
    head.modifiers["Armature"].vertex_group = "nothing"


def drive_jaw(head):
    for curve in head.parent.pose.bones["jaw"].driver_add("rotation_euler"):
        curve.driver.expression = "0.0"


def turn_by_quaternions(head):
    head.parent.pose.bones["jaw"].rotation_mode = "QUATERNION"


def empty_modifier(head):
    head.modifiers["Armature"].object = None


def remove_modifier(head):
    head.modifiers.remove(head.modifiers["Armature"])


def disable_modifier(head):
    head.modifiers["Armature"].show_viewport = False


def play_a_stored_mesh(head, tmp_path):
    points = np.stack([vertex.co for vertex in head.data.vertices]).astype("<f4")
    head_of_file = struct.pack("<12siiffi", b"POINTCACHE2\0", 1, len(points), 0.0, 1.0, 1)
    (tmp_path / "still.pc2").write_bytes(head_of_file + points.tobytes())
    modifier = head.modifiers.new("Cache", "MESH_CACHE")
    modifier.cache_format, modifier.filepath = "PC2", str(tmp_path / "still.pc2")
    head.modifiers.move(2, 1)  # below subdivision, which has more vertices


def ignore_groups(head):
    head.modifiers["Armature"].use_vertex_groups = False


def deform_nothing(head):
    head.parent.data.bones["jaw"].use_deform = False


KINDS = {
    "KEYS_DRIVEN": drive,
    "KEYS_MUTED": mute,
    "KEYS_PINNED": pin,
    "KEYS_ABSOLUTE": make_absolute,
    "KEYS_GROUP": limit_to_empty_group,
    "KEYS_CLAMPED": narrow,
    "RIG_REST": rest,
    "JAW_CONSTRAINED": constrain,
    "JAW_DRIVEN": drive_jaw,
    "JAW_ROTATION_MODE": turn_by_quaternions,
    "MODIFIER_LOST": empty_modifier,
    "MODIFIER_DISABLED": disable_modifier,
    "MODIFIER_GROUPS": ignore_groups,
    "MODIFIER_MASK": mask_modifier,
    "JAW_DEFORM": deform_nothing,
}
MORE = [
    ("JAW_CONSTRAINED", limit_rotation),
    ("JAW_CONSTRAINED", copy_transforms),
    ("JAW_CONSTRAINED", track_target),
    ("MODIFIER_LOST", remove_modifier),
]
NUM_KEYS = 6


@pytest.mark.parametrize(
    "identifier, spoil", [*KINDS.items(), *MORE], ids=lambda value: getattr(value, "__name__", value)
)
def test_it_is_found_and_its_fix_restores_the_motion(speaking, identifier, spoil):
    before = mesh_track(speaking)
    assert found(speaking, identifier) is None
    spoil(speaking)
    spoilt = mesh_track(speaking)
    assert np.abs(spoilt - before).max() > 1e-4, "nothing was spoilt"
    problem = found(speaking, identifier)
    assert problem is not None
    assert repr(speaking.name)[1:-1] in problem.sentence
    mend(speaking, identifier)
    assert found(speaking, identifier) is None
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)


def test_a_stored_mesh_is_found_and_disabled(speaking, tmp_path):
    before = mesh_track(speaking)
    play_a_stored_mesh(speaking, tmp_path)
    assert stands_still(mesh_track(speaking))
    assert "'Head' replaces the face by a stored one" in found(speaking, "MESH_CACHED").sentence
    mend(speaking, "MESH_CACHED")
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)


@pytest.mark.parametrize("spoil", [mute, drive])
def test_all_keys_are_an_error_and_some_a_warning(speaking, spoil):
    spoil(speaking, NUM_KEYS - 1)
    assert worst(problems(bpy.context, speaking)).severity == "WARNING"
    spoil(speaking)
    assert worst(problems(bpy.context, speaking)).severity == "ERROR"


def test_identity_keys_of_the_artist_stay_as_they_are(speaking):
    keys = speaking.data.shape_keys.key_blocks
    keys["identity0"].mute = True
    keys["identity1"].driver_add("value").driver.expression = "0.5"
    assert found(speaking, "KEYS_MUTED") is None
    assert found(speaking, "KEYS_DRIVEN") is None
    mute(speaking), drive(speaking)
    mend(speaking, "KEYS_MUTED"), mend(speaking, "KEYS_DRIVEN")
    assert keys["identity0"].mute
    drivers = {curve.data_path: curve.mute for curve in speaking.data.shape_keys.animation_data.drivers}
    assert not drivers.pop('key_blocks["identity1"].value')
    assert all(drivers.values())


def test_a_key_that_is_limited_to_some_vertices_is_the_artists_choice(speaking):
    group = speaking.vertex_groups.new(name="left half")
    group.add([1, 2, 3], 0.5, "REPLACE")
    for key in speaking.data.shape_keys.key_blocks[3:]:
        key.vertex_group = "left half"
    assert found(speaking, "KEYS_GROUP") is None


@pytest.mark.parametrize("kind", ["COPY_LOCATION", "muted", "no influence", "added"])
def test_a_constraint_that_leaves_the_jaw_free_is_not_named(speaking, kind):
    before = mesh_track(speaking)
    target = bpy.data.objects.new("Target", None)
    bpy.context.scene.collection.objects.link(target)
    constraints = speaking.parent.pose.bones["jaw"].constraints
    constraint = constraints.new("COPY_LOCATION" if kind == "COPY_LOCATION" else "COPY_ROTATION")
    constraint.target, constraint.owner_space, constraint.target_space = target, "LOCAL", "LOCAL"
    constraint.mute = kind == "muted"
    if kind == "no influence":
        constraint.influence = 0.0
    if kind == "added":
        constraint.mix_mode = "ADD"
    if kind == "COPY_LOCATION":
        constraint.owner_space = constraint.target_space = "WORLD"
        constraint.influence = 0.01
    else:
        np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)
    assert found(speaking, "JAW_CONSTRAINED") is None


def test_a_limit_that_the_take_keeps_within_is_not_named(speaking):
    before = mesh_track(speaking)
    constraint = speaking.parent.pose.bones["jaw"].constraints.new("LIMIT_ROTATION")
    constraint.owner_space = "LOCAL"
    constraint.use_limit_x, constraint.min_x, constraint.max_x = True, -0.1, 1.2
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)
    assert found(speaking, "JAW_CONSTRAINED") is None


def exclude_collection(head):
    collection = bpy.data.collections.new("Heads")
    bpy.context.scene.collection.children.link(collection)
    collection.objects.link(head)
    bpy.context.scene.collection.objects.unlink(head)
    bpy.context.view_layer.layer_collection.children["Heads"].exclude = True


def hide_collection(head):
    exclude_collection(head)
    layer_collection = bpy.context.view_layer.layer_collection.children["Heads"]
    layer_collection.exclude, layer_collection.collection.hide_viewport = False, True


def hide_by_eye(head):
    head.hide_set(True)


def hide_by_screen(head):
    head.hide_viewport = True


@pytest.mark.parametrize("hide", [hide_by_eye, hide_by_screen, hide_collection, exclude_collection])
def test_a_hidden_head_is_shown(speaking, hide):
    hide(speaking)
    bpy.context.view_layer.update()
    assert not speaking.visible_get()
    assert "'Head' is hidden" in found(speaking, "HEAD_HIDDEN").sentence
    mend(speaking, "HEAD_HIDDEN")
    assert speaking.visible_get()
    assert not stands_still(mesh_track(speaking))


@pytest.mark.parametrize("mode", ["EDIT", "SCULPT"])
def test_a_mesh_in_another_mode_goes_back_to_object_mode(speaking, mode):
    bpy.context.view_layer.objects.active = speaking
    bpy.ops.object.mode_set(mode=mode)
    assert f"is in {mode.title()} Mode" in found(speaking, "MESH_MODE").sentence
    mend(speaking, "MESH_MODE")
    assert speaking.mode == "OBJECT"
    assert not stands_still(mesh_track(speaking))


def test_a_rig_in_edit_mode_goes_back_to_object_mode(speaking):
    before = mesh_track(speaking)
    bpy.context.view_layer.objects.active = speaking.parent
    bpy.ops.object.mode_set(mode="EDIT")
    assert np.abs(mesh_track(speaking) - before).max() > 1e-4
    mend(speaking, "RIG_MODE")
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)


def test_a_jaw_of_another_name_is_named(speaking):
    before = mesh_track(speaking)
    speaking.parent.data.bones["jaw"].name = "Jaw_Bone"
    assert "has no bone 'jaw'" in found(speaking, "JAW_NAME").sentence
    mend(speaking, "JAW_NAME")
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-5)


def test_two_bones_that_could_be_the_jaw_are_left_to_the_artist(speaking):
    speaking.parent.data.bones["jaw"].name = "Jaw_L"
    speaking.parent.data.bones["neck"].name = "Jaw_R"
    (problem,) = problems(bpy.context, speaking)
    assert problem.fixes == ()
    assert "name its jaw bone so" in problem.sentence


def test_a_rig_that_was_joined_into_another_moves_the_face_again(speaking):
    before = mesh_track(speaking)
    bpy.ops.object.armature_add()
    body = bpy.context.object
    body.select_set(True), speaking.parent.select_set(True)
    speaking.select_set(False)
    take = speaking.emote.takes[0].action
    bpy.ops.object.join()
    assert speaking.parent == body
    # Joining drops the NLA tracks of the armature that is joined: the take is put onto the other one.
    strip = body.animation_data_create().nla_tracks.new().strips.new("line", 1, take)
    strip.action_slot = next(slot for slot in take.slots if slot.target_id_type == "OBJECT")
    strip.action_frame_start, strip.action_frame_end = 1, 20
    assert np.abs(mesh_track(speaking) - before).max() > 1e-4
    mend(speaking, "MODIFIER_LOST")
    np.testing.assert_allclose(mesh_track(speaking), before, atol=1e-4)


def test_a_head_without_its_jaws_weights_is_named(speaking):
    speaking.vertex_groups.remove(speaking.vertex_groups["jaw"])
    assert worst(problems(bpy.context, speaking)).sentence.startswith("'Head' has no vertex group 'jaw'")


def test_a_jaw_group_without_weights_is_named(speaking):
    group = speaking.vertex_groups["jaw"]
    group.remove(list(range(len(speaking.data.vertices))))
    assert any("holds no weight" in problem.sentence for problem in problems(bpy.context, speaking))


def test_a_fix_can_be_undone(speaking):
    bpy.ops.ed.undo_push(message="before")
    pin(speaking)
    bpy.ops.ed.undo_push(message="pinned")
    mend(speaking, "KEYS_PINNED")
    bpy.ops.ed.undo_push(message="fixed")
    bpy.ops.ed.undo()
    assert bpy.data.objects["Head"].show_only_shape_key


def test_a_head_at_peace_has_no_problem(speaking):
    assert [problem for problem in problems(bpy.context, speaking) if problem.severity != "INFO"] == []
