"""Add Head: where the head goes, what it is called, what it shares, and that a failure leaves nothing."""

import bpy
import numpy as np
import pytest

from emote_blender.blender.head import build
from emote_blender.blender.head.build import add_head
from emote_blender.blender.ui.add_menu import draw_speaking_head
from emote_blender.errors import InputError


@pytest.fixture
def tiny_head(face, tmp_path) -> str:
    """The folder of the tiny face."""
    face.save(tmp_path / "tiny")
    return str(tmp_path / "tiny")


def box(head) -> np.ndarray:
    """(2, 3) least and greatest coordinates in the scene."""
    bpy.context.view_layer.update()
    corners = np.array([head.matrix_world @ vertex.co for vertex in head.data.vertices])
    return np.stack([corners.min(0), corners.max(0)])


def apart(first, second) -> bool:
    a, b = box(first), box(second)
    return bool(((a[0] >= b[1]) | (b[0] >= a[1])).any())


def test_a_head_in_an_empty_scene_stands_at_the_cursor(scene, tiny_head):
    scene.cursor.location = (1.0, 2.0, 3.0)
    bpy.ops.emote.add_head(head=tiny_head)
    assert bpy.context.object.parent.location[:] == (1, 2, 3)


def test_heads_stand_beside_a_cube_and_beside_each_other(tiny_head):
    bpy.ops.mesh.primitive_cube_add(size=2)
    items = [bpy.context.object]
    for _ in range(3):
        bpy.ops.emote.add_head(head=tiny_head)
        items.append(bpy.context.object)
    assert all(apart(a, b) for number, a in enumerate(items) for b in items[:number])
    places = np.array([item.matrix_world.translation for item in items[1:]])
    np.testing.assert_allclose(places[:, 1:], 0)
    assert np.ptp(places[:, 0]) < 0.6  # in a row, not far off


def test_a_hidden_object_is_not_in_the_way(tiny_head):
    bpy.ops.mesh.primitive_cube_add(size=2)
    bpy.context.object.hide_set(True)
    bpy.ops.emote.add_head(head=tiny_head)
    assert bpy.context.object.parent.location.length == 0


def test_a_ground_is_not_in_the_way(tiny_head):
    bpy.ops.mesh.primitive_plane_add(size=100)
    bpy.ops.emote.add_head(head=tiny_head)
    assert bpy.context.object.parent.location.length == 0


def test_a_head_goes_to_the_cursor_or_into_the_selection_on_demand(scene, tiny_head):
    bpy.ops.mesh.primitive_cube_add(size=2, location=(5, 0, 1))
    scene.cursor.location = (5, 0, 0)
    bpy.ops.emote.add_head(head=tiny_head, place="SELECTED")
    assert bpy.context.object.parent.location[:] == pytest.approx((5, 0, 1))
    bpy.ops.emote.add_head(head=tiny_head, place="CURSOR")
    assert bpy.context.object.parent.location[:] == pytest.approx((5, 0, 0))


def test_a_place_in_an_empty_selection_is_refused(tiny_head):
    with pytest.raises(RuntimeError, match="no object with a surface is selected"):
        bpy.ops.emote.add_head(head=tiny_head, place="SELECTED")
    assert not bpy.data.meshes


def test_names_count_on_without_dots(tiny_head):
    for _ in range(3):
        bpy.ops.emote.add_head(head=tiny_head)
    names = {item.name for item in bpy.context.scene.objects}
    assert names == {"Head", "Head Rig", "Head 2", "Head 2 Rig", "Head 3", "Head 3 Rig"}
    assert {item.data.name for item in bpy.context.scene.objects} == names


def test_a_name_is_taken_if_its_rig_is(face):
    bpy.data.objects.new("Head Rig", None)
    assert add_head(bpy.context, face).name == "Head 2"


def test_heads_of_one_model_share_their_materials(face):
    first, second = add_head(bpy.context, face), add_head(bpy.context, face)
    assert list(first.data.materials) == list(second.data.materials)
    assert len(bpy.data.materials) == len(face.material_names)


def test_a_shared_material_keeps_its_new_name_and_colour(face):
    material = add_head(bpy.context, face).data.materials[0]
    material.name, material.roughness = "Mine", 0.125
    assert add_head(bpy.context, face).data.materials[0] == material
    assert (material.name, material.roughness) == ("Mine", 0.125)


def test_heads_of_different_models_share_nothing(make_face):
    first, second = add_head(bpy.context, make_face()), add_head(bpy.context, make_face(basis="other"))
    assert not set(first.data.materials) & set(second.data.materials)


def test_a_material_of_the_same_name_that_is_not_ours_is_left_alone(face):
    theirs = bpy.data.materials.new("Head skin")
    assert theirs not in list(add_head(bpy.context, face).data.materials)


def link_collection(folder) -> bpy.types.Collection:
    """A collection of another file, in the scene and active."""
    bpy.data.libraries.write(str(folder / "set.blend"), {bpy.data.collections.new("Set")}, fake_user=True)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(str(folder / "set.blend"), link=True) as (_, wanted):
        wanted.collections = ["Set"]
    linked = bpy.data.collections["Set"]
    bpy.context.scene.collection.children.link(linked)
    layers = bpy.context.view_layer.layer_collection.children
    bpy.context.view_layer.active_layer_collection = layers["Set"]
    return linked


def test_a_linked_active_collection_gives_way_to_the_scenes(tmp_path, tiny_head):
    link_collection(tmp_path)
    assert bpy.ops.emote.add_head(head=tiny_head) == {"FINISHED"}
    assert bpy.context.object.users_collection == (bpy.context.scene.collection,)
    assert bpy.context.object.parent.users_collection == (bpy.context.scene.collection,)


def test_an_overridden_active_collection_gives_way_to_the_scenes(tmp_path, tiny_head):
    override = link_collection(tmp_path).override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
    layers = bpy.context.view_layer.layer_collection.children
    bpy.context.view_layer.active_layer_collection = layers[override.name]
    assert bpy.ops.emote.add_head(head=tiny_head) == {"FINISHED"}
    assert bpy.context.object.users_collection == (bpy.context.scene.collection,)


def test_an_excluded_active_collection_gives_way_to_the_scenes(tiny_head):
    bpy.context.scene.collection.children.link(bpy.data.collections.new("Excluded"))
    layer = bpy.context.view_layer.layer_collection.children["Excluded"]
    bpy.context.view_layer.active_layer_collection = layer
    layer.exclude = True
    assert bpy.ops.emote.add_head(head=tiny_head) == {"FINISHED"}
    assert bpy.context.object.users_collection == (bpy.context.scene.collection,)


@pytest.mark.parametrize("hidden", ["layer", "viewports", "selection"])
def test_a_hidden_active_collection_hides_no_new_head(tiny_head, hidden):
    collection = bpy.data.collections.new("Hidden")
    bpy.context.scene.collection.children.link(collection)
    layer = bpy.context.view_layer.layer_collection.children["Hidden"]
    bpy.context.view_layer.active_layer_collection = layer
    layer.hide_viewport = hidden == "layer"
    collection.hide_viewport, collection.hide_select = hidden == "viewports", hidden == "selection"
    assert bpy.ops.emote.add_head(head=tiny_head) == {"FINISHED"}
    bpy.context.view_layer.update()
    assert all(bpy.data.objects[name].visible_get() for name in ("Head", "Head Rig"))
    assert sorted(item.name for item in bpy.context.scene.objects) == ["Head", "Head Rig"]
    assert bpy.context.mode == "OBJECT"


def test_a_linked_scene_takes_no_head_and_the_sentence_names_the_way(tmp_path, tiny_head):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scenes.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "scenes.blend"), link=True) as (_, wanted):
        wanted.scenes = ["Scene"]
    bpy.context.window.scene = wanted.scenes[0]
    with pytest.raises(RuntimeError, match="'Scene' is linked from another file; add the head to a scene of this file"):
        bpy.ops.emote.add_head(head=tiny_head)
    assert not bpy.data.objects
    assert not bpy.data.meshes
    assert not bpy.data.materials
    bpy.ops.scene.new(type="LINK_COPY")
    assert bpy.ops.emote.add_head(head=tiny_head) == {"FINISHED"}


@pytest.mark.parametrize("mode", ["EDIT", "SCULPT", "VERTEX_PAINT", "WEIGHT_PAINT"])
def test_no_head_is_added_in_another_mode(face, mode):
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode=mode)
    before = [len(kind) for kind in (bpy.data.objects, bpy.data.meshes, bpy.data.armatures, bpy.data.materials)]
    with pytest.raises(InputError, match="Object Mode"):
        add_head(bpy.context, face)
    with pytest.raises(RuntimeError, match="Object Mode"):
        bpy.ops.emote.add_head()
    assert [len(kind) for kind in (bpy.data.objects, bpy.data.meshes, bpy.data.armatures, bpy.data.materials)] == before
    bpy.ops.object.mode_set(mode="OBJECT")


@pytest.mark.parametrize("step", ["_add_shape_keys", "keep_regressor", "add_pose_keys", "describe"])
def test_the_first_head_of_a_file_leaves_nothing_when_it_fails(monkeypatch, face, step):
    def fail(*_):
        raise MemoryError("no more")

    monkeypatch.setattr(build, step, fail)
    with pytest.raises(MemoryError):
        add_head(bpy.context, face)
    assert [len(kind) for kind in (bpy.data.objects, bpy.data.meshes, bpy.data.armatures, bpy.data.materials)] == [
        0
    ] * 4


def test_a_head_uses_no_ring_of_another_file(face, tmp_path):
    add_head(bpy.context, face)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "other.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "other.blend"), link=True) as (_, wanted):
        wanted.objects = ["Head", "Head Rig"]
    head = add_head(bpy.context, face)
    rings = {bone.custom_shape for bone in head.parent.pose.bones if bone.custom_shape}
    assert [ring.library for ring in rings] == [None]


@pytest.mark.parametrize("step", ["_add_shape_keys", "_add_weights", "add_pose_keys", "describe"])
def test_a_failure_half_way_leaves_nothing(monkeypatch, face, step):
    add_head(bpy.context, face)
    kinds = (bpy.data.objects, bpy.data.meshes, bpy.data.armatures, bpy.data.materials, bpy.data.shape_keys)
    before, active = [set(kind) for kind in kinds], bpy.context.object

    def fail(*_):
        raise MemoryError("no more")

    monkeypatch.setattr(build, step, fail)
    with pytest.raises(MemoryError):
        add_head(bpy.context, face)
    assert [set(kind) for kind in kinds] == before
    assert (bpy.context.object, bpy.context.mode) == (active, "OBJECT")


def test_the_head_is_in_the_menu_for_meshes():
    assert draw_speaking_head in bpy.types.VIEW3D_MT_mesh_add._dyn_ui_initialize()
