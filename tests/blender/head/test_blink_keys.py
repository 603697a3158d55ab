"""Blink keys in Blender: the evaluated mesh closes its lids, on our heads and on those of other add-ons."""

import bpy
import numpy as np
import pytest
from synthetic_flame import make_flame

from emote_blender.blender.check.find import apply_fix, problems
from emote_blender.blender.head.axes import to_blender
from emote_blender.blender.head.blink_keys import write_blink_keys
from emote_blender.blender.head.build import add_head, load_face_model
from emote_blender.blender.head.rig import BLINK_KEYS, rig_of
from emote_blender.errors import InputError
from emote_blender.flame.lids import close_lids

pytestmark = pytest.mark.ends

TOLERANCE = 1e-5  # metres


@pytest.fixture(scope="module")
def flame():
    return make_flame(num_shape=12, num_expression=12, lids=True)


@pytest.fixture
def flame_head(scene, flame):
    return add_head(bpy.context, flame)


@pytest.fixture
def foreign_head(scene, flame):
    """A FLAME head as another add-on builds it, y up, without a mark of ours, with drivers and values of its own."""
    mesh = bpy.data.meshes.new("FLAME")
    mesh.from_pydata(flame.v_template.tolist(), [], flame.faces.tolist())
    head = bpy.data.objects.new("FLAME", mesh)
    scene.collection.objects.link(head)
    head.shape_key_add(name="Base", from_mix=False)
    for component in range(12):
        key = head.shape_key_add(name=f"Exp{component + 1}", from_mix=False)
        moved = flame.v_template + flame.expression_dirs[:, :, component]
        key.points.foreach_set("co", np.ascontiguousarray(moved, np.float32).ravel())
    rig = bpy.data.objects.new("rig", bpy.data.armatures.new("rig"))
    scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for name, joint in zip(flame.joint_names, flame.joints()):
        bone = rig.data.edit_bones.new(name)
        bone.head, bone.tail = joint, joint + [0, 0.03, 0]
    bpy.ops.object.mode_set(mode="OBJECT")
    for joint, name in enumerate(flame.joint_names):
        group = head.vertex_groups.new(name=name)
        for vertex in np.flatnonzero(flame.lbs_weights[:, joint] > 1e-4).tolist():
            group.add([vertex], float(flame.lbs_weights[vertex, joint]), "REPLACE")
    head.parent = rig
    head.modifiers.new("Armature", "ARMATURE").object = rig
    keys = mesh.shape_keys.key_blocks
    keys["Exp2"].value, keys["Exp3"].mute = 0.5, True
    keys["Exp1"].driver_add("value").driver.expression = "0.25"
    head.active_shape_key_index = 2
    return head


def shown(head) -> np.ndarray:
    bpy.context.view_layer.update()
    mesh = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3)


def blink(head, left: float, right: float) -> None:
    keys = head.data.shape_keys.key_blocks
    keys[BLINK_KEYS[0]].value, keys[BLINK_KEYS[1]].value = left, right


@pytest.mark.parametrize("value", [-0.3, 0.25, 0.5, 1.0])
def test_the_keys_move_the_lids_along_their_arc(flame, flame_head, value):
    closings = close_lids(flame.v_template, flame.faces, flame.lbs_weights[:, 3:])
    blink(flame_head, value, 0.0)
    np.testing.assert_allclose(shown(flame_head), to_blender(flame.v_template + closings[0].at(value)), atol=TOLERANCE)
    blink(flame_head, 0.0, value)
    np.testing.assert_allclose(shown(flame_head), to_blender(flame.v_template + closings[1].at(value)), atol=TOLERANCE)


def test_a_flame_head_has_blink_keys_and_the_open_head_keeps_its_own(flame_head):
    assert rig_of(flame_head).blink_keys == BLINK_KEYS
    own = add_head(bpy.context, load_face_model("open_head"))
    assert rig_of(own).blink_keys == ()
    assert not set(BLINK_KEYS) & set(own.data.shape_keys.key_blocks.keys())


def test_the_arc_needs_no_python(flame_head):
    drivers = flame_head.data.shape_keys.animation_data.drivers
    arcs = [curve for curve in drivers if "Arc" in curve.data_path]
    assert len(arcs) == 2
    assert all(curve.driver.is_simple_expression for curve in arcs)


def test_update_joints_fits_the_lids_to_the_identity(flame, flame_head):
    shape = np.random.default_rng(1).normal(0, 0.5, flame.num_shape)
    for component, value in enumerate(shape):
        flame_head.data.shape_keys.key_blocks[f"Shape{component:03d}"].value = value
    bpy.ops.emote.update_joints(head=flame_head.name)
    still = flame.v_template + flame.identity_dirs @ shape
    closings = close_lids(still, flame.faces, flame.lbs_weights[:, 3:])
    blink(flame_head, 1.0, 1.0)
    expected = still + closings[0].at(1.0) + closings[1].at(1.0)
    np.testing.assert_allclose(shown(flame_head), to_blender(expected), atol=5e-5)


def test_a_copy_of_a_head_blinks_by_its_own_keys(flame, flame_head):
    copy = flame_head.copy()
    copy.data = flame_head.data.copy()
    bpy.context.scene.collection.objects.link(copy)
    blink(copy, 0.5, 0.5)
    closings = close_lids(flame.v_template, flame.faces, flame.lbs_weights[:, 3:])
    expected = flame.v_template + closings[0].at(0.5) + closings[1].at(0.5)
    np.testing.assert_allclose(shown(copy), to_blender(expected), atol=TOLERANCE)


def test_the_operator_gives_a_foreign_head_lids_and_leaves_its_keys_alone(flame, foreign_head):
    keys = foreign_head.data.shape_keys.key_blocks
    rest = shown(foreign_head)
    before = {key.name: (key.value, key.mute, [tuple(point.co) for point in key.points]) for key in keys}
    assert bpy.ops.emote.add_blink_keys(head=foreign_head.name) == {"FINISHED"}
    assert rig_of(foreign_head).blink_keys == BLINK_KEYS
    after = {key.name: (key.value, key.mute, [tuple(point.co) for point in key.points]) for key in keys}
    assert {name: after[name] for name in before} == before
    assert foreign_head.active_shape_key_index == 2
    assert "Exp1" in foreign_head.data.shape_keys.animation_data.drivers[0].data_path
    np.testing.assert_allclose(shown(foreign_head), rest, atol=1e-7)
    blink(foreign_head, 1.0, 1.0)
    closings = close_lids(flame.v_template, flame.faces, flame.lbs_weights[:, 3:])
    moved = closings[0].closed + closings[1].closed
    np.testing.assert_allclose(shown(foreign_head) - rest, moved, atol=TOLERANCE)


def test_keys_sculpted_by_hand_stay(flame_head):
    key = flame_head.data.shape_keys.key_blocks[BLINK_KEYS[0]]
    key.points[0].co.x += 0.001
    sculpted = key.points[0].co.x
    with pytest.raises(RuntimeError, match="made or changed by hand"):
        bpy.ops.emote.add_blink_keys(head=flame_head.name)
    assert bpy.ops.emote.update_joints(head=flame_head.name) == {"FINISHED"}
    assert key.points[0].co.x == sculpted


def test_a_head_with_a_blink_of_its_own_is_refused():
    head = add_head(bpy.context, load_face_model("open_head"))
    with pytest.raises(RuntimeError, match="has a blink of its own"):
        bpy.ops.emote.add_blink_keys(head=head.name)


def test_a_head_without_lids_is_added_without_blink_keys(scene):
    head = add_head(bpy.context, make_flame(num_shape=1, num_expression=12))
    assert rig_of(head).blink_keys == ()
    with pytest.raises(InputError, match="no opening in front of the left eyeball"):
        write_blink_keys(head, np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float))


def test_blinks_survive_saving_and_need_no_scripts(flame, flame_head, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "head.blend"), use_scripts=False)
    head = bpy.data.objects["Head"]
    blink(head, 0.5, 0.0)
    closing = close_lids(flame.v_template, flame.faces, flame.lbs_weights[:, 3:])[0]
    np.testing.assert_allclose(shown(head), to_blender(flame.v_template + closing.at(0.5)), atol=TOLERANCE)
    assert bpy.ops.emote.add_blink_keys(head="Head") == {"FINISHED"}


def test_check_offers_blink_keys_to_a_foreign_head_only_until_it_has_them(foreign_head):
    offered = [problem for problem in problems(bpy.context, foreign_head) if problem.fix == "BLINK_MISSING"]
    assert [problem.severity for problem in offered] == ["INFO"]
    apply_fix(bpy.context, foreign_head, "BLINK_MISSING")
    assert rig_of(foreign_head).blink_keys == BLINK_KEYS
    assert all(problem.fix != "BLINK_MISSING" for problem in problems(bpy.context, foreign_head))
