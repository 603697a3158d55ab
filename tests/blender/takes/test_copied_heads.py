"""Takes of heads that are duplicated, joined or separated."""

import bpy
import pytest
from steady_takes import shown, steady

from emote_blender.blender.takes.make import apply_motion


def duplicate(head, with_armature=True):
    """Shift+D."""
    bpy.ops.object.select_all(action="DESELECT")
    head.select_set(True)
    head.parent.select_set(with_armature)
    bpy.context.view_layer.objects.active = head
    bpy.ops.object.duplicate(linked=False)
    return next(item for item in bpy.context.selected_objects if item.type == "MESH")


def test_a_duplicated_head_has_takes_of_its_own_as_soon_as_they_differ(scene, head):
    apply_motion(head, steady(), scene, 1, "line")
    copy = duplicate(head)
    assert (shown(scene, head, 10), shown(scene, copy, 10)) == (0.5, 0.5)
    copy.emote.takes[0].refine.transition_in = 1.0
    assert copy.emote.takes[0].action != head.emote.takes[0].action
    assert head.emote.takes[0].action.frame_range[0] == 1 - 8
    assert copy.emote.takes[0].action.frame_range[0] == 1 - 25
    assert (shown(scene, head, 10), shown(scene, copy, 10)) == (0.5, 0.5)
    assert (shown(scene, head, 100), shown(scene, copy, 100)) == (0.0, 0.0)


@pytest.mark.parametrize("first", [0, 1])
def test_removing_a_take_from_one_of_two_copies_leaves_the_others(scene, head, first):
    apply_motion(head, steady(), scene, 1, "line")
    heads = [head, duplicate(head)]
    bpy.ops.emote.take_remove(head=heads[first].name)
    assert shown(scene, heads[first], 10) == 0.0
    assert shown(scene, heads[1 - first], 10) == 0.5
    assert heads[1 - first].parent.pose.bones["jaw"].rotation_euler.x == pytest.approx(0.25)
    bpy.ops.emote.take_remove(head=heads[1 - first].name)
    assert not bpy.data.actions


def test_generating_on_a_copy_does_not_move_the_original(scene, head):
    apply_motion(head, steady(), scene, 1, "line")
    copy = duplicate(head)
    apply_motion(copy, steady(0.75), scene, 1, "line")
    assert (shown(scene, head, 10), shown(scene, copy, 10)) == (0.5, 0.75)
    assert [take.in_use for take in head.emote.takes] == [True]


def test_a_copy_of_the_mesh_alone_does_not_take_the_jaw_away(scene, head):
    apply_motion(head, steady(), scene, 1, "line")
    copy = duplicate(head, with_armature=False)
    assert copy.parent == head.parent
    bpy.ops.emote.take_remove(head=copy.name)
    assert shown(scene, head, 10) == 0.5
    assert head.parent.pose.bones["jaw"].rotation_euler.x == pytest.approx(0.25)


def test_a_linked_duplicate_shares_the_face_and_removing_there_leaves_it(scene, head):
    apply_motion(head, steady(), scene, 1, "line")
    bpy.ops.object.select_all(action="DESELECT")
    for item in (head, head.parent):
        item.select_set(True)
    bpy.context.view_layer.objects.active = head
    bpy.ops.object.duplicate(linked=True)
    copy = next(item for item in bpy.context.selected_objects if item.type == "MESH")
    assert copy.data == head.data
    copy.emote.takes[0].refine.transition_in = 1.0
    assert shown(scene, head, 10) == 0.5
    bpy.ops.emote.take_remove(head=copy.name)
    assert shown(scene, head, 10) == 0.5
    assert head.parent.pose.bones["jaw"].rotation_euler.x == pytest.approx(0.25)
    assert copy.parent.pose.bones["jaw"].rotation_euler.x == 0.0


def test_joining_something_to_a_head_keeps_its_takes(scene, head):
    apply_motion(head, steady(), scene, 1, "line")
    bpy.ops.mesh.primitive_cube_add()
    hat = bpy.context.object
    bpy.ops.object.select_all(action="DESELECT")
    hat.select_set(True)
    head.select_set(True)
    bpy.context.view_layer.objects.active = head
    bpy.ops.object.join()
    assert shown(scene, head, 10) == 0.5
    head.emote.takes[0].refine.transition_in = 1.0
    assert (shown(scene, head, 10), shown(scene, head, 100)) == (0.5, 0.0)


def test_what_is_separated_from_a_head_does_not_take_its_takes_away(scene, head):
    apply_motion(head, steady(), scene, 1, "line")
    bpy.ops.object.select_all(action="DESELECT")
    bpy.context.view_layer.objects.active = head
    head.select_set(True)
    for polygon in head.data.polygons:
        polygon.select = polygon.index < 3
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.separate(type="SELECTED")
    bpy.ops.object.mode_set(mode="OBJECT")
    part = next(item for item in bpy.data.objects if item.type == "MESH" and item != head)
    assert shown(scene, head, 10) == 0.5
    if len(part.emote.takes):
        bpy.ops.emote.take_remove(head=part.name)
    assert shown(scene, head, 10) == 0.5
    assert head.parent.pose.bones["jaw"].rotation_euler.x == pytest.approx(0.25)
