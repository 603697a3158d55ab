"""Heads whose rotation, scale or mirroring was applied, to mesh, armature or both: they move as they did before."""

from dataclasses import replace
from math import radians

import bpy
import numpy as np
import pytest
from mathutils import Euler, Matrix
from synthetic_flame import make_flame, random_coefficients

from emote_blender.blender.head.build import add_head
from emote_blender.blender.head.rig import HEAD_PROPERTY, rig_of
from emote_blender.blender.takes.face_maps import face_maps
from emote_blender.blender.takes.gaze_target import eye_places, target_points
from emote_blender.blender.takes.make import apply_motion
from emote_blender.motion import FaceMotion

TURN = Euler((radians(17), radians(-8), radians(30))).to_matrix().to_4x4()
CHANGES = {
    "30 degrees about Z": Matrix.Rotation(radians(30), 4, "Z"),
    "180 degrees": Matrix.Rotation(radians(180), 4, "Z"),
    "tilted": TURN,
    "mirrored": TURN @ Matrix.Diagonal((-1, 1, 1, 1)),
    "centimetres": Matrix.Diagonal((100, 100, 100, 1)) @ TURN,
    "small": Matrix.Diagonal((0.01, 0.01, 0.01, 1)),
}


@pytest.fixture(scope="module")
def flame():
    return replace(make_flame(num_shape=3, num_expression=12), posedirs=None)


@pytest.fixture
def flame_head(scene, flame):
    return add_head(bpy.context, flame)


def motion_for(flame) -> FaceMotion:
    moves = random_coefficients(flame, 3)
    names = ("expression", "jaw", "eyes", "neck")
    return FaceMotion(**{name: moves[name] for name in names}, fps=25, meta={"face": "flame2020"})


def shown(head) -> np.ndarray:
    """(V, 3) the evaluated mesh in the world."""
    evaluated = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    world = np.array(evaluated.matrix_world)
    return points.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3]


def played(head, flame, scene) -> np.ndarray:
    """(3, V, 3) the head in three frames of a motion in which everything moves."""
    apply_motion(head, motion_for(flame), scene)
    frames = []
    for frame in range(3):
        scene.frame_set(1 + frame)
        frames.append(shown(head))
    return np.array(frames)


def select(*items) -> None:
    for item in bpy.context.scene.objects:
        item.select_set(item in items)
    bpy.context.view_layer.objects.active = items[0]


def apply_change(head, change, *items) -> None:
    """Transforms the rig and applies rotation and scale to some objects, as the menu does."""
    head.parent.matrix_world = change @ head.parent.matrix_world
    bpy.context.view_layer.update()
    select(*items)
    bpy.ops.object.transform_apply(location=False, rotation=True, scale=True)


def moved_by(change, points) -> np.ndarray:
    matrix = np.array(change)
    return points @ matrix[:3, :3].T + matrix[:3, 3]


@pytest.fixture
def expected(scene, flame):
    """What an untouched head shows."""
    head = add_head(bpy.context, flame)
    frames = played(head, flame, scene)
    bpy.data.objects.remove(head.parent)
    bpy.data.objects.remove(head)
    return frames


@pytest.mark.parametrize("name", CHANGES)
def test_a_head_moves_as_before_when_rig_and_mesh_are_applied(scene, flame, expected, flame_head, name):
    change = CHANGES[name]
    apply_change(flame_head, change, flame_head.parent, flame_head)
    frames = played(flame_head, flame, scene)
    tolerance = 2e-4 * abs(change.determinant()) ** (1 / 3)
    np.testing.assert_allclose(frames, moved_by(change, expected), atol=tolerance)


def test_pose_correctives_follow_an_applied_rig(scene, flame):
    correcting = replace(flame, posedirs=make_flame().posedirs)
    still, turned = add_head(bpy.context, correcting), add_head(bpy.context, correcting)
    apply_change(turned, TURN, turned.parent, turned)
    expected = played(still, correcting, scene)
    np.testing.assert_allclose(played(turned, correcting, scene), moved_by(TURN, expected), atol=2e-4)


@pytest.mark.parametrize("name", ["tilted", "centimetres"])
def test_the_rig_alone_may_be_applied(scene, flame, expected, flame_head, name):
    change = CHANGES[name]
    apply_change(flame_head, change, flame_head.parent)
    tolerance = 2e-4 * abs(change.determinant()) ** (1 / 3)
    np.testing.assert_allclose(played(flame_head, flame, scene), moved_by(change, expected), atol=tolerance)


@pytest.mark.parametrize("name", ["tilted", "mirrored", "centimetres"])
def test_the_mesh_alone_may_be_applied(scene, flame, expected, flame_head, name):
    """The mesh is turned in its object the other way about, so that the head looks the same and its data does not."""
    change = CHANGES[name]
    flame_head.matrix_basis = change.inverted()
    flame_head.data.transform(change, shape_keys=True)
    np.testing.assert_allclose(played(flame_head, flame, scene), expected, atol=2e-4)


def test_a_head_below_a_turned_and_scaled_empty_moves_as_before(scene, flame, expected, flame_head):
    empty = bpy.data.objects.new("Parent", None)
    scene.collection.objects.link(empty)
    empty.matrix_world = CHANGES["centimetres"]
    flame_head.parent.parent = empty
    bpy.context.view_layer.update()
    np.testing.assert_allclose(played(flame_head, flame, scene), moved_by(CHANGES["centimetres"], expected), atol=2e-2)


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "ZXY"])
def test_bones_may_point_elsewhere_and_be_rolled(scene, flame, expected, flame_head, mode):
    rig = flame_head.parent
    apply_change(flame_head, TURN, rig, flame_head)
    select(rig)
    bpy.ops.object.mode_set(mode="EDIT")
    for number, bone in enumerate(rig.data.edit_bones):
        bone.tail = bone.head + Euler((number, 1.0, -0.5 * number)).to_matrix().col[1] * 0.03
        bone.roll = 0.7 * number
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    np.testing.assert_allclose(played(flame_head, flame, scene), moved_by(TURN, expected), atol=2e-4)


def test_a_head_of_an_older_file_has_no_stored_joints_and_is_fitted_too(scene, flame_head):
    import json

    description = json.loads(flame_head[HEAD_PROPERTY])
    del description["joints"]
    flame_head[HEAD_PROPERTY] = json.dumps(description)
    change = CHANGES["30 degrees about Z"]
    apply_change(flame_head, change, flame_head.parent, flame_head)
    z_up = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float)
    np.testing.assert_allclose(rig_of(flame_head).axes, np.array(change.to_3x3()) @ z_up, atol=1e-5)


def test_identity_does_not_turn_the_axes(scene, flame, flame_head):
    before = rig_of(flame_head).axes
    for number in range(3):
        flame_head.data.shape_keys.key_blocks[f"Shape{number:03d}"].value = 1.5
    bpy.ops.emote.update_joints(head=flame_head.name)
    np.testing.assert_array_equal(rig_of(flame_head).axes, before)


def test_joints_follow_the_identity_on_an_applied_rig(scene, flame, flame_head):
    change = CHANGES["centimetres"]
    shape = np.full(3, 1.5, np.float32)
    apply_change(flame_head, change, flame_head.parent)
    for number, value in enumerate(shape):
        flame_head.data.shape_keys.key_blocks[f"Shape{number:03d}"].value = value
    bpy.ops.emote.update_joints(head=flame_head.name)
    joints = flame.joints(shape) @ np.array(rig_of(flame_head).axes).T * 100
    found = [flame_head.parent.data.bones[name].head_local for name in flame.joint_names]
    np.testing.assert_allclose(np.array(found), joints, atol=1e-3)


@pytest.mark.parametrize("name", ["tilted", "mirrored", "centimetres"])
def test_refinement_and_gaze_see_the_same_face(scene, flame, flame_head, name):
    target = bpy.data.objects.new("Target", None)
    scene.collection.objects.link(target)
    target.location = 0.3, -1.0, 0.1
    bpy.context.view_layer.update()
    rig = rig_of(flame_head)
    maps = face_maps(rig, rig.expression_keys)
    places, points = eye_places(rig), target_points(rig, target, np.zeros(1))
    change = CHANGES[name]
    apply_change(flame_head, change, flame_head.parent, flame_head)
    target.matrix_world = change @ target.matrix_world
    bpy.context.view_layer.update()
    after = rig_of(flame_head)
    found = face_maps(after, after.expression_keys)
    np.testing.assert_allclose(found.upper, maps.upper, atol=2e-3)
    np.testing.assert_allclose(found.left, maps.left, atol=2e-3)
    size = abs(change.determinant()) ** (1 / 3)
    np.testing.assert_allclose(eye_places(after).eyes / size, places.eyes, atol=1e-5)
    np.testing.assert_allclose(target_points(after, target, np.zeros(1)) / size, points, atol=1e-5)
