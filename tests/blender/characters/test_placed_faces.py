"""Heads and characters that stand in the scene in any way: mirrored, scaled, parented. Their faces move the same."""

import bpy
import numpy as np
import pytest
from character_rigs import arkit_character
from mathutils import Matrix
from measured_lips import lip_gap_mm, points_on_open_head
from spoken_motions import open_motion

from emote_blender.blender.head.build import add_head, load_face_model
from emote_blender.blender.takes.make import apply_motion
from emote_blender.files.paths import find_head
from emote_blender.flame.model import FaceModel

pytestmark = pytest.mark.ends

FRAMES = 24


@pytest.fixture(scope="module")
def motion():
    return open_motion(FaceModel.load(find_head("open_head")), FRAMES)


def new_empty(name="Holder", **placed) -> bpy.types.Object:
    empty = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(empty)
    for attribute, value in placed.items():
        setattr(empty, attribute, value)
    bpy.context.view_layer.update()
    return empty


def hang(item, holder, inverse=True, bone="") -> None:
    """Parent an object as Ctrl+P does, with or without the inverse that keeps its place."""
    bpy.context.view_layer.update()
    item.parent = holder
    if bone:
        item.parent_type, item.parent_bone = "BONE", bone
    item.matrix_parent_inverse = holder.matrix_world.inverted() if inverse and not bone else Matrix()
    bpy.context.view_layer.update()


def nothing(rig):
    pass


def mirrored(rig):
    rig.scale.x *= -1


def uneven(rig):
    rig.scale = (rig.scale.x, 1.7 * rig.scale.y, 0.6 * rig.scale.z)


def small_and_turned(rig):
    rig.scale, rig.rotation_euler = (0.01, 0.01, 0.01), (0.4, -1.2, 2.0)


def on_an_empty(rig):
    hang(rig, new_empty(location=(1, 2, 3), rotation_euler=(0.5, 0.2, 1.0), scale=(2, 2, 2)))


def on_an_empty_without_inverse(rig):
    hang(rig, new_empty(location=(1, 2, 3), rotation_euler=(0.5, 0.2, 1.0), scale=(2, 2, 2)), inverse=False)


def on_a_mirrored_empty(rig):
    hang(rig, new_empty(scale=(-1, 1, 1)), inverse=False)


def on_a_bone(rig):
    data = bpy.data.armatures.new("Crane")
    crane = bpy.data.objects.new("Crane", data)
    bpy.context.scene.collection.objects.link(crane)
    bpy.context.view_layer.objects.active = crane
    bpy.ops.object.mode_set(mode="EDIT")
    bone = data.edit_bones.new("arm")
    bone.head, bone.tail, bone.roll = (0, 0, 0), (0.3, 1.0, 0.5), 0.8
    bpy.ops.object.mode_set(mode="OBJECT")
    crane.rotation_euler = (0.3, 0.0, 1.1)
    hang(rig, crane, bone="arm")


PLACES = [
    nothing,
    mirrored,
    uneven,
    small_and_turned,
    on_an_empty,
    on_an_empty_without_inverse,
    on_a_mirrored_empty,
    on_a_bone,
]


def pose(head, rig, frame) -> np.ndarray:
    """(V, 3) the face at a frame in its armature's space: how the armature stands makes no difference to it."""
    bpy.context.scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    evaluated = head.evaluated_get(graph)
    mesh = evaluated.to_mesh()
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    matrix = np.array(rig.evaluated_get(graph).matrix_world.inverted() @ evaluated.matrix_world)
    evaluated.to_mesh_clear()
    return points.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def fresh_scene() -> bpy.types.Scene:
    """An empty scene at 25 fps in a fresh file."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.context.scene.render.fps = 25
    return bpy.context.scene


def own_head_poses(place, scene, motion) -> list[np.ndarray]:
    """The face of an own head in its armature's space on three frames of a motion."""
    head = add_head(bpy.context, load_face_model("open_head"))
    place(head.parent)
    apply_motion(head, motion, scene)
    return [pose(head, head.parent, frame) for frame in (2, 8, 14)]


@pytest.fixture(scope="module")
def own_head_alone(addon, motion):
    return own_head_poses(nothing, fresh_scene(), motion)


@pytest.fixture(scope="module")
def character_alone(addon, motion):
    """The points of the face of a character that stands straight on three frames, and its lips' gap on every frame."""
    scene, straight = fresh_scene(), arkit_character()
    bpy.ops.emote.set_up_character(object=straight.mesh.name)
    apply_motion(straight.mesh, motion, scene)
    points = [points_on_open_head(straight.mesh, frame) for frame in (2, 8, 14)]
    return points, [lip_gap_mm(straight.mesh, frame) for frame in range(1, FRAMES + 1)]


@pytest.mark.parametrize("place", PLACES[1:], ids=lambda place: place.__name__)
def test_an_own_head_moves_the_same_however_it_stands(place, own_head_alone, scene, motion):
    found = own_head_poses(place, scene, motion)
    np.testing.assert_allclose(found, own_head_alone, atol=1e-5)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("when", ["set up before", "set up after"])
def test_a_character_moves_the_same_however_it_stands(place, when, character_alone, scene, motion):
    character = arkit_character()
    if when == "set up before":
        bpy.ops.emote.set_up_character(object=character.mesh.name)
    place(character.armature)
    if when == "set up after":
        bpy.ops.emote.set_up_character(object=character.mesh.name)
    apply_motion(character.mesh, motion, scene)
    found = [points_on_open_head(character.mesh, frame) for frame in (2, 8, 14)]
    gaps = [lip_gap_mm(character.mesh, frame) for frame in range(1, FRAMES + 1)]
    expected, expected_gaps = character_alone
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose([one[number] for number in other], list(other.values()), atol=1e-3)
    np.testing.assert_allclose(gaps, expected_gaps, atol=0.3)
