"""Heads of another file: where they stand, what they keep when their library changes, and copies that share data."""

import bpy
import numpy as np
import pytest
from linked_library import (
    MORE_KEYS,
    MORE_OBJECTS,
    change_library,
    empty_file,
    face_moves,
    keys_move,
    link_collection,
    link_instance,
    link_objects,
    nested_collection,
    save_and_reload,
    save_library,
    serious,
    the_head,
)

from emote_blender.blender.scene.find_head import heads_in
from emote_blender.blender.takes.make import apply_motion
from emote_blender.blender.ui.panel_state import work_out_state

pytestmark = pytest.mark.ends


# ---- places and view layers ------------------------------------------------------------------------------------------


def test_the_character_stays_where_its_instance_stood_and_goes_on_following_the_empty(library, make_motion):
    empty = link_instance(library, (3.0, -1.0, 0.5))
    empty.rotation_euler, empty.scale = (0.0, 0.3, 0.7), (2.0, 2.0, 2.0)
    bpy.context.view_layer.update()
    depsgraph = bpy.context.evaluated_depsgraph_get()
    (before,) = (
        np.array(instance.matrix_world)
        for instance in depsgraph.object_instances
        if instance.is_instance and instance.object.type == "MESH"
    )
    bpy.ops.emote.make_animatable()
    bpy.context.view_layer.update()
    head = the_head()
    np.testing.assert_allclose(np.array(head.matrix_world), before, atol=1e-6)
    empty.location.x = 5.0
    bpy.context.view_layer.update()
    assert head.matrix_world.translation.x == pytest.approx(before[0, 3] + 2.0)
    assert not any(item.is_instance for item in bpy.context.evaluated_depsgraph_get().object_instances)


def test_of_two_instances_the_selected_one_is_opened_and_the_other_stays(library):
    first, second = link_instance(library), link_instance(library, (4.0, 0.0, 0.0))
    bpy.context.view_layer.objects.active = second
    bpy.ops.emote.make_animatable()
    assert (first.instance_type, second.instance_type) == ("COLLECTION", "NONE")
    (own,) = (head for head in heads_in(bpy.context.scene) if head.library is None)
    bpy.context.view_layer.update()
    assert own.matrix_world.translation.x == pytest.approx(4.0)


def test_two_instances_of_one_character_speak_apart(library, make_motion, tmp_path):
    for place in (0.0, 4.0):
        bpy.context.view_layer.objects.active = link_instance(library, (place, 0.0, 0.0))
        bpy.ops.emote.make_animatable()
    first, second = heads_in(bpy.context.scene)
    apply_motion(first, make_motion(), bpy.context.scene)
    assert (face_moves(first), face_moves(second)) == (True, False)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert [face_moves(head) for head in heads_in(bpy.context.scene)] == [True, False]


def test_a_head_in_an_instance_of_a_collection_of_this_file_speaks_where_it_is_shown(scene, head, make_motion):
    cast = bpy.data.collections.new("Cast")
    for item in (head, head.parent):
        scene.collection.objects.unlink(item)
        cast.objects.link(item)
    empty = bpy.data.objects.new("Cast", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", cast
    scene.collection.objects.link(empty)
    assert heads_in(scene) == [head]
    bpy.context.view_layer.objects.active = empty
    apply_motion(head, make_motion(), scene)
    assert face_moves(head)
    assert work_out_state(bpy.context).head == head.name


def test_view_layers_stay_as_they_were(library):
    nested_collection(library)
    other = bpy.context.scene.view_layers["Other"]
    bpy.ops.emote.make_animatable()
    (outer,) = bpy.context.scene.collection.children
    assert [child.override_library is not None for child in outer.children] == [True]
    excluded = {
        layer.name: layer.layer_collection.children["Shot Cast"].children[0].exclude
        for layer in bpy.context.scene.view_layers
    }
    assert excluded == {"ViewLayer": False, other.name: True}


@pytest.mark.parametrize("state", ["excluded", "hidden", "object hidden"])
def test_a_head_that_is_not_shown_is_made_animatable_all_the_same(library, make_motion, state):
    cast = link_collection(library)
    layer = bpy.context.view_layer.layer_collection.children["Cast"]
    if state == "excluded":
        layer.exclude = True
    elif state == "hidden":
        layer.hide_viewport = True
    else:
        cast.all_objects["Head"].hide_set(True)
    bpy.ops.emote.make_animatable()
    head = the_head()
    apply_motion(head, make_motion(), bpy.context.scene)
    now = bpy.context.view_layer.layer_collection.children["Cast"]
    assert (now.exclude, now.hide_viewport) == (state == "excluded", state == "hidden")
    now.exclude = now.hide_viewport = False
    assert face_moves(head)


def test_the_pinned_head_is_the_overridden_one_afterwards(scene, library):
    link_collection(library)
    bpy.context.scene.emote.head = the_head()
    bpy.ops.emote.make_animatable()
    assert bpy.context.scene.emote.head == the_head()
    assert the_head().library is None


# ---- what happens when the library changes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "way, change",
    [
        pytest.param(link_collection, MORE_OBJECTS, id="collection-objects"),
        pytest.param(link_collection, MORE_KEYS, id="collection-keys"),
        pytest.param(link_collection, MORE_OBJECTS + MORE_KEYS, id="collection-both"),
        pytest.param(link_objects, MORE_OBJECTS + MORE_KEYS, id="objects-both"),
        pytest.param(link_instance, MORE_OBJECTS + MORE_KEYS, id="instance-both"),
    ],
)
def test_takes_survive_a_change_of_the_library(way, change, library, make_motion, tmp_path):
    way(library)
    bpy.ops.emote.make_animatable()
    apply_motion(the_head(), make_motion(), bpy.context.scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    change_library(library, change)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    head = the_head()
    assert face_moves(head)
    assert keys_move(head)
    assert ("added" in head.data.shape_keys.key_blocks) == ("added" in change)
    assert serious(head) == []
    head.emote.takes[0].refine.expression_strength = 0.5  # and can be changed
    assert keys_move(save_and_reload(tmp_path))


def test_takes_whose_mesh_is_lost_are_laid_again_by_one_press(library, make_motion, tmp_path):
    """As after the library changed and the file was saved by a Blender without this add-on."""
    link_collection(library)
    bpy.ops.emote.make_animatable()
    apply_motion(the_head(), make_motion(), bpy.context.scene)
    head = the_head()
    (linked,) = (mesh for mesh in bpy.data.meshes if mesh.library and mesh.shape_keys)
    own = bpy.data.meshes[head.data.name]
    head.data = linked
    bpy.data.meshes.remove(own)
    assert not keys_move(head)
    assert [problem.fix for problem in serious(head)] == ["MAKE_ANIMATABLE"]
    bpy.ops.emote.make_animatable()
    assert keys_move(the_head())
    assert keys_move(save_and_reload(tmp_path))


def test_a_library_that_is_reloaded_leaves_the_takes_or_check_offers_the_press(library, make_motion, tmp_path):
    link_collection(library)
    bpy.ops.emote.make_animatable()
    apply_motion(the_head(), make_motion(), bpy.context.scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    change_library(library, MORE_OBJECTS)
    bpy.data.libraries[0].reload()
    if bpy.app.version < (5, 0, 0):
        assert [problem.fix for problem in serious(the_head())] == ["MAKE_ANIMATABLE"]
        bpy.ops.emote.make_animatable()
    assert keys_move(the_head())
    assert serious(the_head()) == []


def test_takes_of_the_library_play_and_those_of_this_file_beside_them(face, scene, make_motion, tmp_path):
    library = tmp_path / "cast.blend"
    save_library(library, face)
    bpy.ops.wm.open_mainfile(filepath=str(library))
    apply_motion(the_head(), make_motion(), bpy.context.scene, 1, "of the library")
    bpy.ops.wm.save_mainfile()
    empty_file()
    link_collection(library)
    assert face_moves(the_head())
    bpy.ops.emote.make_animatable()
    head = the_head()
    assert face_moves(head)
    apply_motion(head, make_motion(), bpy.context.scene, 51, "of this file")
    assert [take.line for take in head.emote.takes] == ["of the library", "of this file"]
    head = save_and_reload(tmp_path)
    assert [take.line for take in head.emote.takes] == ["of the library", "of this file"]
    assert face_moves(head)
    bpy.context.scene.frame_set(64)
    assert any(block.value for block in head.data.shape_keys.key_blocks[1:])


# ---- copies that share data ------------------------------------------------------------------------------------------


def linked_duplicate(head):
    """Alt+D of mesh and armature."""
    bpy.ops.object.select_all(action="DESELECT")
    for item in (head, head.parent):
        item.select_set(True)
    bpy.context.view_layer.objects.active = head
    bpy.ops.object.duplicate(linked=True)
    return next(item for item in bpy.context.selected_objects if item.type == "MESH")


def test_check_and_generate_say_that_a_linked_duplicate_shares_the_face(scene, head, make_motion, tmp_path):
    copy = linked_duplicate(head)
    apply_motion(copy, make_motion(), scene)
    (problem,) = serious(copy)
    assert "the shape keys of 'Head.001' are those of 'Head' too" in problem.sentence
    assert "Make Single User > Object & Data" in problem.sentence
    assert keys_move(head)  # the face of both, as the sentence says


def test_single_user_by_the_fix_tells_linked_duplicates_apart(scene, head, make_motion):
    copy = linked_duplicate(head)
    apply_motion(head, make_motion(), scene)
    bpy.ops.emote.fix(problem="SHARED_KEYS", head=copy.name)
    assert serious(copy) == serious(head) == []
    apply_motion(copy, make_motion(30), scene, 101, "another line")
    scene.frame_set(114)
    assert [any(block.value for block in item.data.shape_keys.key_blocks[1:]) for item in (head, copy)] == [False, True]


def test_single_user_by_blenders_own_command_tells_linked_duplicates_apart(scene, head, make_motion):
    copy = linked_duplicate(head)
    for item in (copy, copy.parent):
        item.select_set(True)
    bpy.ops.object.make_single_user(object=True, obdata=True)
    apply_motion(copy, make_motion(), scene)
    assert (keys_move(head), keys_move(copy)) == (False, True)
    assert serious(copy) == []
