"""A head of FLAME's size in Blender against the face model: identity, expression, pose correctives, playback."""

from dataclasses import replace

import bpy
import numpy as np
import pytest
from synthetic_flame import make_flame, random_coefficients

from emote_blender.blender.head.axes import to_blender
from emote_blender.blender.head.build import add_head
from emote_blender.blender.takes.make import apply_motion
from emote_blender.motion import FaceMotion

TOLERANCE = 1e-4  # metres


@pytest.fixture(scope="module")
def flame():
    return make_flame()


@pytest.fixture
def flame_head(scene, flame):
    return add_head(bpy.context, flame)


def shown_vertices(head) -> np.ndarray:
    """(V, 3) evaluated mesh in the mesh's own space."""
    mesh = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3)


def give_identity(head, shape) -> None:
    """Sets the identity sliders and moves the joints to where they then are."""
    for component, value in enumerate(shape):
        head.data.shape_keys.key_blocks[f"Shape{component:03d}"].value = value
    bpy.ops.emote.update_joints(head=head.name)


def motion_of(coefficients) -> FaceMotion:
    names = ("expression", "jaw", "eyes", "neck")
    return FaceMotion(**{name: coefficients[name] for name in names}, fps=25, meta={"face": "flame2020"})


def test_evaluated_mesh_equals_the_flame_layer(scene, flame, flame_head):
    torch = pytest.importorskip("torch", reason="the FLAME layer needs torch")
    from emote_blender.training.rendering.flame_layer import FLAMELayer

    moves = random_coefficients(flame, 5)
    pose = np.concatenate([np.zeros((5, 3)), moves["neck"], moves["jaw"], moves["eyes"]], axis=1).astype(np.float32)
    shape = np.tile(moves["shape"], (5, 1))
    expected, _ = FLAMELayer(flame)(*(torch.from_numpy(part) for part in (shape, moves["expression"], pose)))
    give_identity(flame_head, moves["shape"])
    apply_motion(flame_head, motion_of(moves), scene)
    for frame in range(5):
        scene.frame_set(1 + frame)
        np.testing.assert_allclose(shown_vertices(flame_head), to_blender(expected[frame].numpy()), atol=TOLERANCE)


def test_playback_is_right_in_a_reopened_file_with_scripts_disabled(scene, flame, flame_head, tmp_path):
    moves = random_coefficients(flame, 4)
    give_identity(flame_head, moves["shape"])
    apply_motion(flame_head, motion_of(moves), scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "flame.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "flame.blend"), use_scripts=False)
    assert not bpy.app.autoexec_fail
    head, expected = bpy.data.objects[flame_head_name()], flame.vertices(**moves)
    for frame in (3, 0, 2):
        bpy.context.scene.frame_set(1 + frame)
        np.testing.assert_allclose(shown_vertices(head), to_blender(expected[frame]), atol=TOLERANCE)


def flame_head_name() -> str:
    return next(item.name for item in bpy.data.objects if item.type == "MESH" and item.data.shape_keys)


def test_pose_correctives_follow_a_bone_turned_by_hand(flame, flame_head):
    flame_head.parent.pose.bones["jaw"].rotation_euler.x = 0.4
    without = replace(flame, posedirs=None).vertices(np.zeros(100), [0.4, 0, 0])
    expected = flame.vertices(np.zeros(100), [0.4, 0, 0])
    assert np.abs(expected - without).max() > 5 * TOLERANCE
    np.testing.assert_allclose(shown_vertices(flame_head), to_blender(expected), atol=TOLERANCE)


def test_joints_stand_where_the_regressor_puts_them(flame, flame_head):
    heads = [flame_head.parent.data.bones[name].head_local for name in flame.joint_names]
    np.testing.assert_allclose(np.array(heads), to_blender(flame.joints()), atol=1e-6)


def test_update_joints_moves_them_with_the_identity(flame, flame_head):
    shape = random_coefficients(flame, 1)["shape"]
    before = np.array([flame_head.parent.data.bones[name].head_local for name in flame.joint_names])
    tails = np.array([flame_head.parent.data.bones[name].tail_local for name in flame.joint_names]) - before
    flame_head.data.shape_keys.key_blocks["Exp000"].value = 3.0  # an expression is no identity
    give_identity(flame_head, shape)
    bones = [flame_head.parent.data.bones[name] for name in flame.joint_names]
    heads = np.array([bone.head_local for bone in bones])
    assert np.abs(heads - before).max() > 1e-3
    np.testing.assert_allclose(heads, to_blender(flame.joints(shape)), atol=1e-6)
    np.testing.assert_allclose(np.array([bone.tail_local for bone in bones]) - heads, tails, atol=1e-6)
    assert all(np.allclose(bone.matrix_local.to_3x3(), flame_axes(), atol=1e-5) for bone in bones)


def flame_axes() -> np.ndarray:
    """A bone's axes at rest: the face model's, in Blender's space."""
    return to_blender(np.eye(3)).T


def test_update_joints_keeps_the_selection_and_mode(flame_head):
    bpy.ops.emote.update_joints()
    assert bpy.context.mode == "OBJECT"
    assert bpy.context.view_layer.objects.active == flame_head
    assert flame_head.select_get()


def test_update_joints_without_a_regressor_says_so(flame_head):
    attributes = flame_head.data.attributes
    for name in [item.name for item in attributes if "J_regressor" in item.name]:
        attributes.remove(attributes[name])
    with pytest.raises(RuntimeError, match="does not know where its joints belong"):
        bpy.ops.emote.update_joints(head=flame_head.name)


def test_a_take_without_eyes_leaves_no_offset_of_the_one_before(scene, flame, flame_head):
    moves = random_coefficients(flame, 3)
    apply_motion(flame_head, motion_of(moves), scene)
    scene.frame_set(2)
    apply_motion(flame_head, FaceMotion(moves["expression"], moves["jaw"] * 0, 25, meta={"face": "flame2020"}), scene)
    scene.frame_set(2)
    expected = flame.vertices(moves["expression"][1], np.zeros(3))
    np.testing.assert_allclose(shown_vertices(flame_head), to_blender(expected), atol=TOLERANCE)


def test_a_converted_file_becomes_a_head_that_moves_as_the_face_model(scene, flame, tmp_path):
    from emote_blender.cli.main import main

    np.savez(
        tmp_path / "flame2023.npz",
        v_template=flame.v_template,
        f=flame.faces,
        shapedirs=flame.shapedirs,
        posedirs=flame.posedirs.T.reshape(-1, 3, 36),
        J_regressor=flame.J_regressor,
        weights=flame.lbs_weights,
        kintree_table=np.stack([flame.parents, np.arange(5)]),
    )
    assert main(["convert", "flame", str(tmp_path / "flame2023.npz"), "-o", str(tmp_path / "heads/flame2023")]) == 0
    bpy.ops.emote.add_head(head=str(tmp_path / "heads/flame2023"))
    head = bpy.context.view_layer.objects.active
    moves = {**random_coefficients(flame, 3), "shape": np.zeros(flame.num_shape, np.float32)}
    apply_motion(head, motion_of(moves), scene)
    scene.frame_set(3)
    np.testing.assert_allclose(shown_vertices(head), to_blender(flame.vertices(**moves)[2]), atol=TOLERANCE)
