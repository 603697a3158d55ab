"""Where a target is in the head's frame: from keyframes, and as Blender evaluates it."""

import bpy
import numpy as np
import pytest

from emote_blender.blender.head.build import add_head
from emote_blender.blender.head.rig import rig_of
from emote_blender.blender.takes.gaze_target import eye_places, sample_target, sampled_points, target_points

FRAMES = np.arange(1, 31, dtype=np.float64)


@pytest.fixture
def target(scene):
    """An empty that moves and turns, below a parent that moves, turns and shrinks."""
    parent, target = bpy.data.objects.new("Parent", None), bpy.data.objects.new("Target", None)
    for item in (parent, target):
        scene.collection.objects.link(item)
        item.rotation_mode = "XYZ"
    target.parent = parent
    target.matrix_parent_inverse.translation = (0.1, 0.2, 0.3)
    for frame, place, turn, size in ((1, (0, -1, 0.2), 0.1, 1.0), (30, (0.6, -2, 0.8), 1.2, 0.5)):
        for item in (parent, target):
            item.location, item.rotation_euler.z, item.scale = place, turn, (size, size, size)
            for path in ("location", "rotation_euler", "scale"):
                item.keyframe_insert(path, frame=frame)
    return target


@pytest.fixture
def rig(scene, head):
    """A head whose armature moves and whose root bone is posed."""
    armature = head.parent
    armature.rotation_mode = "QUATERNION"
    for frame, place, turn in ((1, (0, 0, 0), (1, 0, 0, 0)), (30, (0.3, 0.1, 0.4), (0.8, 0.1, 0.2, 0.5))):
        armature.location, armature.rotation_quaternion = place, turn
        armature.keyframe_insert("location", frame=frame)
        armature.keyframe_insert("rotation_quaternion", frame=frame)
    armature.pose.bones["root"].rotation_euler = (0.2, -0.3, 0.4)
    bpy.context.view_layer.update()
    return rig_of(head)


def evaluated_points(scene, rig, target) -> np.ndarray:
    """The target in the space of the neck bone's parent, from the evaluated scene."""
    points = []
    for frame in FRAMES:
        scene.frame_set(int(frame))
        graph = bpy.context.evaluated_depsgraph_get()
        armature = rig.armature.evaluated_get(graph)
        root = armature.pose.bones["root"]
        space = armature.matrix_world @ root.matrix @ root.bone.matrix_local.inverted()
        points.append(space.inverted() @ target.evaluated_get(graph).matrix_world.translation)
    return np.array(points) @ rig.axes


def test_keyframes_give_the_place_that_blender_evaluates(scene, rig, target):
    expected = evaluated_points(scene, rig, target)
    scene.frame_set(17)  # the present frame does not count
    np.testing.assert_allclose(target_points(rig, target, FRAMES), expected, atol=1e-5)
    assert np.ptp(expected, axis=0).min() > 0.1


def test_the_scene_stays_on_its_frame(scene, rig, target):
    scene.frame_set(7)
    target_points(rig, target, FRAMES)
    assert scene.frame_current == 7


def test_what_a_constraint_moves_is_sampled(scene, rig, target):
    follower = bpy.data.objects.new("Follower", None)
    scene.collection.objects.link(follower)
    constraint = follower.constraints.new("COPY_LOCATION")
    constraint.target = target
    action = bpy.data.actions.new("Take")
    assert sampled_points(action, follower, FRAMES) is None
    scene.frame_set(3)
    sample_target(bpy.context, rig, follower, action, FRAMES)
    assert scene.frame_current == 3
    np.testing.assert_allclose(
        sampled_points(action, follower, FRAMES), evaluated_points(scene, rig, follower), atol=2e-5
    )
    assert sampled_points(action, target, FRAMES) is None  # another target was chosen since


def test_samples_hold_beyond_their_ends_and_lie_between_frames(scene, rig, target):
    action = bpy.data.actions.new("Take")
    sample_target(bpy.context, rig, target, action, FRAMES)
    points = sampled_points(action, target, np.array([-5.0, 1.0, 1.5, 2.0, 90.0, 30.0]))
    np.testing.assert_allclose(points[0], points[1])
    np.testing.assert_allclose(points[2], (points[1] + points[3]) / 2)
    np.testing.assert_allclose(points[4], points[5])


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"target": "Target", "start": "x", "points": []}'])
def test_damaged_samples_count_as_none(scene, target, text):
    action = bpy.data.actions.new("Take")
    action["emote_gaze"] = text
    assert sampled_points(action, target, FRAMES) is None


def test_places_of_the_eyes_are_the_joints_of_the_face(rig, face):
    places = eye_places(rig)
    joints = dict(zip(face.joint_names, face.joints()))
    np.testing.assert_allclose(places.eyes, [joints["left_eye"], joints["right_eye"]], atol=1e-6)
    np.testing.assert_allclose(places.neck, joints["neck"], atol=1e-6)


def test_keyframes_of_the_bones_below_the_neck_count(scene, rig, target):
    root = rig.armature.pose.bones["root"]
    for frame, turn, place in ((1, (0, 0, 0), (0, 0, 0)), (30, (0.3, 0.2, -0.4), (0.05, 0.1, 0.0))):
        root.rotation_euler, root.location = turn, place
        root.keyframe_insert("rotation_euler", frame=frame)
        root.keyframe_insert("location", frame=frame)
    expected = evaluated_points(scene, rig, target)
    scene.frame_set(12)
    np.testing.assert_allclose(target_points(rig, target, FRAMES), expected, atol=1e-5)


@pytest.mark.parametrize("part", ["mesh", "armature"])
def test_of_another_head_the_eyes_are_looked_at(scene, rig, face, part):
    other = add_head(bpy.context, face, location=(0.5, -1.0, 0.2))
    other.parent.rotation_euler.z = 2.0
    bpy.context.view_layer.update()
    bones = other.parent.data.bones
    middle = other.parent.matrix_world @ ((bones["left_eye"].head_local + bones["right_eye"].head_local) / 2)
    marker = bpy.data.objects.new("Marker", None)
    scene.collection.objects.link(marker)
    marker.location = middle
    bpy.context.view_layer.update()
    looked_at = other if part == "mesh" else other.parent
    expected = target_points(rig, marker, FRAMES)
    np.testing.assert_allclose(target_points(rig, looked_at, FRAMES), expected, atol=1e-5)
    action = bpy.data.actions.new("Take")
    sample_target(bpy.context, rig, looked_at, action, FRAMES)
    np.testing.assert_allclose(sampled_points(action, looked_at, FRAMES), expected, atol=2e-5)
