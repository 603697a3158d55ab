"""Heads whose mesh was joined with another or taken apart, and scenes of one frame."""

import bmesh
import bpy
import numpy as np
import pytest

from emote_blender.blender.check.find import problems
from emote_blender.blender.compat import new_sound_strip
from emote_blender.blender.scene.find_head import heads_in
from emote_blender.blender.takes.make import apply_motion

NUM_VERTICES = 49


def points(head) -> np.ndarray:
    """(V, 3) vertices of the evaluated mesh before subdivision."""
    evaluated = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    values = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", values)
    evaluated.to_mesh_clear()
    return values.reshape(-1, 3)


def moves(head, frames=(3, 9, 15)) -> bool:
    """Whether the mesh moves over these frames."""
    shots = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        shots.append(points(head))
    return bool(np.abs(np.stack(shots) - shots[0]).max() > 1e-4)


def select(*objects, active) -> None:
    for item in bpy.context.scene.objects:
        item.select_set(item in objects)
    bpy.context.view_layer.objects.active = active


def serious(head):
    """Sentences of Check that are no hints."""
    return [problem.sentence for problem in problems(bpy.context, head) if problem.severity != "INFO"]


@pytest.fixture
def take(scene, head, make_motion):
    """A take of 20 frames."""
    scene.frame_start, scene.frame_end = 1, 40
    head.modifiers.remove(head.modifiers["Subdivision"])
    apply_motion(head, make_motion(20), scene, 1, "line")
    return head.emote.takes[0]


@pytest.fixture
def joined(scene, head, take):
    """The head with a plane joined into its mesh."""
    bpy.ops.mesh.primitive_plane_add(size=0.1)
    select(head, bpy.context.object, active=head)
    bpy.ops.object.join()
    assert len(head.data.vertices) == NUM_VERTICES + 4
    return head


@pytest.fixture
def separated(scene, head, take):
    """The head, and the object that half of its mesh became."""
    select(head, active=head)
    bpy.ops.object.mode_set(mode="EDIT")
    # Not by `MeshEdge.select`: setting it crashes Blender 5.0 where no edge was ever selected.
    edited = bmesh.from_edit_mesh(head.data)
    for vertex in edited.verts:
        vertex.select_set(vertex.index >= 28)
    edited.select_flush(True)
    edited.select_flush(False)
    bmesh.update_edit_mesh(head.data)
    bpy.ops.mesh.separate(type="SELECTED")
    bpy.ops.object.mode_set(mode="OBJECT")
    (part,) = [item for item in heads_in(scene) if item != head]
    assert len(part.data.vertices) < NUM_VERTICES
    return head, part


def test_a_head_with_another_mesh_joined_into_it_speaks_on(scene, joined, make_motion):
    assert serious(joined) == []
    assert moves(joined)
    apply_motion(joined, make_motion(20), scene, 101, "next line")
    assert moves(joined, frames=(103, 109, 115))
    joined.emote.takes[0].refine.jaw_strength = 0.0
    assert moves(joined)


def test_a_head_that_was_joined_into_another_mesh_is_no_head(scene, head, take):
    bpy.ops.mesh.primitive_plane_add(size=0.1)
    plane = bpy.context.object
    select(head, plane, active=plane)
    bpy.ops.object.join()
    assert heads_in(scene) == []
    with pytest.raises(RuntimeError, match="no head yet"):
        bpy.ops.emote.check()


def test_both_parts_of_a_separated_head_speak_on(scene, separated):
    for part in separated:
        assert serious(part) == []
        assert moves(part)


def test_parts_on_one_rig_do_not_open_its_jaw_twice(scene, separated):
    jaw = separated[0].parent.pose.bones["jaw"]
    scene.frame_set(9)
    before = jaw.rotation_euler.x
    for item in separated:
        item.emote.takes[0].refine.upper_strength = 0.5
    scene.frame_set(9)
    assert jaw.rotation_euler.x == pytest.approx(before, rel=0.05)


def test_removing_a_take_of_one_part_leaves_the_others_face(scene, separated):
    head, part = separated
    bpy.ops.emote.take_remove(head=head.name, take=head.emote.takes[0].name)
    assert not len(head.emote.takes)
    assert part.emote.takes[0].action is not None
    scene.frame_set(3)
    keys = part.data.shape_keys.key_blocks
    assert max(abs(keys[f"component{number}"].value) for number in range(6)) > 0.1


@pytest.mark.parametrize("start, end", [(1, 1), (0, 0), (250, 250)])
def test_a_scene_of_one_frame_can_be_worked_in(scene, head, make_motion, ramp_wav, start, end):
    scene.frame_start, scene.frame_end = start, end
    strip = new_sound_strip(scene, "line", str(ramp_wav(seconds=0.8)), channel=1, frame_start=start)
    apply_motion(head, make_motion(20), scene, start, "line")
    apply_motion(head, make_motion(1), scene, start + 100, "a frame")
    assert bpy.ops.emote.alive_idle(head=head.name) == {"FINISHED"}
    assert bpy.ops.emote.check(head=head.name) == {"FINISHED"}
    strip.frame_start = start + 10
    assert bpy.ops.emote.take_retime(head=head.name, take=head.emote.takes[0].name) == {"FINISHED"}
    assert bpy.ops.emote.bake_action(head=head.name) == {"FINISHED"}
    assert bpy.ops.emote.bake_restore(head=head.name) == {"FINISHED"}
    assert bpy.ops.emote.fix(problem="RANGE", head=head.name) == {"FINISHED"}
    assert serious(head) == []
    assert moves(head, frames=(start + 12, start + 16, start + 22))
