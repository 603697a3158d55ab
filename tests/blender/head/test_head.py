"""Heads in Blender: the mesh that Blender evaluates is the face model's, and a scene may hold several."""

from dataclasses import replace

import bpy
import numpy as np
import pytest
from mathutils import Quaternion, Vector

from emote_blender.blender.head.axes import to_blender
from emote_blender.blender.head.build import add_head, load_face_model, shape_key_names
from emote_blender.blender.head.rig import head_of, rig_of
from emote_blender.blender.scene.find_head import choose_head, heads_in
from emote_blender.errors import InputError, ModelError


def pose(head, model, expression, jaw, shape=None, eyes=None, neck=None):
    """Sets a head's shape keys and bones."""
    shapes, expressions = shape_key_names(model)
    keys = head.data.shape_keys.key_blocks
    for name, value in zip(shapes, np.zeros(len(shapes)) if shape is None else shape):
        keys[name].value = value
    for name, value in zip(expressions, expression):
        keys[name].value = value
    eyes = np.zeros(6) if eyes is None else eyes
    rotations = {"jaw": jaw, "left_eye": eyes[:3], "right_eye": eyes[3:], "neck": np.zeros(3) if neck is None else neck}
    for name, rotation in rotations.items():
        bone = head.parent.pose.bones[name]
        bone.rotation_mode = "QUATERNION"
        vector = Vector(rotation)
        bone.rotation_quaternion = Quaternion(vector.normalized() or (1, 0, 0), vector.length)


def evaluated_vertices(head):
    """(V, 3) positions in the head's own space, after shape keys and armature but without subdivision."""
    for modifier in head.modifiers:
        modifier.show_viewport = modifier.type == "ARMATURE"
    bpy.context.view_layer.update()
    mesh = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    positions = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", positions)
    return positions.reshape(-1, 3)


@pytest.mark.parametrize("named, quads, posedirs", [(True, True, False), (False, False, False), (True, True, True)])
@pytest.mark.parametrize("seed", range(4))
def test_evaluated_mesh_equals_the_face_model(make_face, named, quads, posedirs, seed):
    model = make_face(named, quads, posedirs)
    head = add_head(bpy.context, model)
    rng = np.random.default_rng(seed)
    expression = rng.uniform(-1.5, 1.5, model.num_expression)
    shape = rng.uniform(-1.5, 1.5, model.num_shape)
    jaw, eyes, neck = rng.uniform(-0.4, 0.4, 3), rng.uniform(-0.4, 0.4, 6), rng.uniform(-0.4, 0.4, 3)
    pose(head, model, expression, jaw, shape, eyes, neck)
    expected = to_blender(model.vertices(expression, jaw, shape, eyes, neck))
    np.testing.assert_allclose(evaluated_vertices(head), expected, atol=2e-6)


def test_open_head_equals_its_face_model():
    model = load_face_model("open_head")
    head = add_head(bpy.context, model)
    rng = np.random.default_rng(0)
    # jawForward moves FLAME's joints (by 0.7 mm at 1); a bone's rest place does not follow a shape key.
    still = model.expression_names.index("jawForward")
    for _ in range(3):
        expression = rng.uniform(-0.5, 1.0, model.num_expression).astype(np.float32)
        expression[still] = 0.0
        jaw = np.array([rng.uniform(0, 0.4), *rng.uniform(-0.1, 0.1, 2)], np.float32)
        pose(head, model, expression, jaw)
        expected = to_blender(model.vertices(expression, jaw))
        np.testing.assert_allclose(evaluated_vertices(head), expected, atol=1e-4)


def test_positive_rotation_of_the_jaw_bone_about_x_opens_the_mouth():
    model = load_face_model("open_head")
    head = add_head(bpy.context, model)
    rest = evaluated_vertices(head)
    head.parent.pose.bones["jaw"].rotation_euler.x = 0.25
    teeth = model.lbs_weights[:, model.joint_names.index("jaw")] == 1.0
    assert (evaluated_vertices(head) - rest)[teeth, 2].mean() < -0.01


def test_eyes_teeth_and_tongue_move_with_their_bones():
    model = load_face_model("open_head")
    head = add_head(bpy.context, model)
    rest = evaluated_vertices(head)
    head.parent.pose.bones["left_eye"].rotation_euler.y = 0.3
    moved = np.linalg.norm(evaluated_vertices(head) - rest, axis=1) > 1e-4
    left_eye = model.lbs_weights[:, model.joint_names.index("left_eye")] > 0
    assert moved[left_eye].mean() > 0.9
    assert not moved[~left_eye].any()


def test_shape_keys_carry_the_component_names(head, face):
    names = [key.name for key in head.data.shape_keys.key_blocks]
    assert names == ["Basis", *face.shape_names, *face.expression_names]


def test_components_without_names_are_numbered(make_face):
    head = add_head(bpy.context, make_face(named=False, quads=False))
    names = [key.name for key in head.data.shape_keys.key_blocks]
    assert names == ["Basis", "Shape000", "Shape001", *(f"Exp{i:03d}" for i in range(6))]


def test_head_faces_minus_y_and_stands_upright():
    head = add_head(bpy.context, load_face_model("open_head"))
    points = np.array([vertex.co for vertex in head.data.vertices])
    nose = points[np.argmin(points[:, 1])]
    assert abs(nose[0]) < 0.005
    assert np.ptp(points[:, 2]) > 1.2 * np.ptp(points[:, 0])


def test_open_head_has_a_material_for_every_name_and_smooth_quads():
    model = load_face_model("open_head")
    head = add_head(bpy.context, model)
    assert len(head.data.materials) == len(model.material_names)
    assert all(len(polygon.vertices) == 4 and polygon.use_smooth for polygon in head.data.polygons)
    used = {polygon.material_index for polygon in head.data.polygons}
    assert used == set(range(len(model.material_names)))


def test_pose_correctives_need_no_python(make_face):
    head = add_head(bpy.context, make_face(posedirs=True))
    drivers = head.data.shape_keys.animation_data.drivers
    assert len(drivers) == 36
    assert all(curve.driver.is_simple_expression for curve in drivers)


def test_two_heads_have_their_own_names_and_armatures(face):
    first, second = add_head(bpy.context, face), add_head(bpy.context, face)
    assert first.name != second.name
    assert first.parent != second.parent
    assert second.modifiers["Armature"].object == second.parent
    assert heads_in(bpy.context.scene) == [first, second]


def test_head_is_found_by_its_armature(head):
    assert head_of(head.parent) == head


def test_copy_of_a_head_is_a_head(head):
    copy = head.copy()
    bpy.context.scene.collection.objects.link(copy)
    assert copy in heads_in(bpy.context.scene)


def test_head_survives_saving_and_loading(head, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "head.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "head.blend"))
    rig = rig_of(heads_in(bpy.context.scene)[0])
    assert rig.basis == "tiny_face"
    assert len(rig.expression_keys) == 6
    assert rig.armature.pose.bones["jaw"].custom_shape is not None


def test_active_object_decides_between_two_heads(face):
    first, second = add_head(bpy.context, face), add_head(bpy.context, face)
    bpy.context.view_layer.objects.active = first.parent
    assert choose_head(bpy.context) == first
    assert choose_head(bpy.context, pinned=second) == second
    assert choose_head(bpy.context, name=second.parent.name) == second


def test_choosing_between_two_heads_without_a_hint_lists_them(face):
    first, second = add_head(bpy.context, face), add_head(bpy.context, face)
    bpy.context.view_layer.objects.active = None
    with pytest.raises(InputError, match=f"'{first.name}', '{second.name}'"):
        choose_head(bpy.context)


def test_object_that_is_no_head_is_refused(head):
    empty = bpy.data.objects.new("Empty", None)
    bpy.context.scene.collection.objects.link(empty)
    with pytest.raises(InputError, match="'Empty' is not a head; choose one of 'Head'"):
        choose_head(bpy.context, name="Empty")


def test_head_without_armature_is_refused(head):
    bpy.data.objects.remove(head.parent)
    with pytest.raises(InputError, match="no armature"):
        rig_of(head)


def test_head_that_lost_a_shape_key_is_refused_by_name(head):
    head.shape_key_remove(head.data.shape_keys.key_blocks["component3"])
    with pytest.raises(InputError, match="component3"):
        rig_of(head)


def test_linked_head_is_refused_with_a_way_out(head, tmp_path):
    library = tmp_path / "library.blend"
    collection = bpy.data.collections.new("Cast")
    bpy.context.scene.collection.children.link(collection)
    collection.objects.link(head)
    collection.objects.link(head.parent)
    bpy.ops.wm.save_as_mainfile(filepath=str(library))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
        wanted.collections = ["Cast"]
    bpy.context.scene.collection.children.link(bpy.data.collections["Cast"])
    linked = heads_in(bpy.context.scene)[0]
    with pytest.raises(InputError, match="linked from .*library.blend.*Make Animatable"):
        rig_of(linked)
    with pytest.raises(RuntimeError, match="Make Animatable"):
        _apply(linked, tmp_path)


def _apply(linked, folder):
    from emote_blender.motion import FaceMotion

    FaceMotion(np.zeros((2, 6)), np.zeros((2, 3)), 25).save(folder / "still.npz")
    bpy.ops.emote.apply_motion(filepath=str(folder / "still.npz"), head=linked.name)


def test_add_head_operator_makes_the_scenes_head():
    assert bpy.ops.emote.add_head() == {"FINISHED"}
    assert bpy.context.view_layer.objects.active == heads_in(bpy.context.scene)[0]


def test_add_head_operator_takes_a_folder(face, tmp_path):
    face.save(tmp_path / "Köpfe" / "mein kopf")
    bpy.ops.emote.add_head(head=str(tmp_path / "Köpfe" / "mein kopf"))
    assert rig_of(bpy.context.view_layer.objects.active).basis == "tiny_face"


def test_add_head_of_an_unknown_name_is_refused():
    with pytest.raises(RuntimeError, match="'nobody' not found"):
        bpy.ops.emote.add_head(head="nobody")
    assert not bpy.data.objects


def test_broken_head_folder_is_refused(face, tmp_path):
    face.save(tmp_path / "broken")
    (tmp_path / "broken/head.safetensors").write_bytes(b"\x08")
    with pytest.raises(ModelError):
        load_face_model(str(tmp_path / "broken"))
    with pytest.raises(RuntimeError, match="head.safetensors"):
        bpy.ops.emote.add_head(head=str(tmp_path / "broken"))


def test_head_goes_into_the_active_collection(face):
    collection = bpy.data.collections.new("Cast")
    bpy.context.scene.collection.children.link(collection)
    bpy.context.view_layer.active_layer_collection = bpy.context.view_layer.layer_collection.children["Cast"]
    head = add_head(bpy.context, face)
    assert head.users_collection == (collection,)
    assert head.parent.users_collection == (collection,)


def test_add_head_works_where_the_active_collection_is_hidden(face):
    collection = bpy.data.collections.new("Hidden")
    bpy.context.scene.collection.children.link(collection)
    layer = bpy.context.view_layer.layer_collection.children["Hidden"]
    bpy.context.view_layer.active_layer_collection = layer
    layer.hide_viewport = True
    assert add_head(bpy.context, face) in heads_in(bpy.context.scene)


def test_one_undo_takes_a_head_away(scene):
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.emote.add_head("EXEC_DEFAULT", True)
    assert heads_in(bpy.context.scene)
    bpy.ops.ed.undo()
    assert not heads_in(bpy.context.scene)
    assert not bpy.data.armatures


@pytest.mark.parametrize("gamma, linear", [(1.0, 0.5), (2.0, 0.25)])
def test_colours_are_made_linear_by_the_gamma_that_the_head_names(scene, make_face, gamma, linear):
    head = add_head(bpy.context, replace(make_face(), vertex_color_gamma=gamma))
    colours = np.empty(4 * len(head.data.vertices), np.float32)
    head.data.color_attributes["Color"].data.foreach_get("color", colours)
    np.testing.assert_allclose(colours.reshape(-1, 4)[:, :3], linear, rtol=1e-6)


def test_the_open_head_looks_as_it_did(scene):
    model = load_face_model("open_head")
    head = add_head(bpy.context, model)
    colours = np.empty(4 * len(head.data.vertices), np.float32)
    head.data.color_attributes["Color"].data.foreach_get("color", colours)
    np.testing.assert_allclose(colours.reshape(-1, 4)[:, :3], model.vertex_colors**1.45, rtol=1e-5)


def test_joints_of_an_armature_whose_data_is_linked_are_refused_and_nothing_is_left_active(scene, head, tmp_path):
    library = tmp_path / "rigs.blend"
    bpy.data.libraries.write(str(library), {head.parent.data})
    with bpy.data.libraries.load(str(library), link=True) as (there, here):
        here.armatures = there.armatures
    head.parent.data = here.armatures[0]
    with pytest.raises(RuntimeError, match="are linked from .*rigs.blend"):
        bpy.ops.emote.update_joints()
    assert (bpy.context.view_layer.objects.active, bpy.context.mode) == (head, "OBJECT")
