"""Captures on characters, and characters and the open head through Blender's exporters and back."""

import numpy as np
import pytest

pytestmark = pytest.mark.ends

bpy = pytest.importorskip("bpy", reason="these tests run in Blender's Python module")

from character_rigs import arkit_character  # noqa: E402
from filled import fill, values_at  # noqa: E402
from measured_lips import lip_gap_mm  # noqa: E402

from emote_blender.blender.head.build import add_head  # noqa: E402
from emote_blender.blender.takes.make import apply_motion  # noqa: E402
from emote_blender.flame.model import FaceModel  # noqa: E402
from emote_blender.motion import FaceMotion  # noqa: E402
from emote_blender.retarget.signals import OPEN_NAMES  # noqa: E402
from tests.live_link import COLUMNS, SHAPES, live_link_csv, recorded, table_of  # noqa: E402

PREFIX = "head.ARKit_"
MOVING = ("browInnerUp", "mouthFunnel", "mouthSmileLeft", "tongueOut", "eyeBlinkLeft")
FRAMES = (1, 15, 25, 40, 55, 85, 100, 125)  # before, in the first line, between, in the second, after


@pytest.fixture
def character(scene):
    built = arkit_character()
    fill(built)
    return built


@pytest.fixture
def capture(tmp_path):
    values = recorded(90)
    path = tmp_path / "take.csv"
    path.write_text(live_link_csv(values))
    return path, values


@pytest.mark.parametrize("jaw", ["bone", "key"])
def test_a_capture_comes_out_of_a_character_as_it_went_in(scene, capture, tmp_path, jaw):
    fill(arkit_character(jaw=jaw))
    path, values = capture
    bpy.ops.emote.import_capture(filepath=str(path), frame_start=11)
    bpy.ops.emote.export_motion(filepath=str(tmp_path / "out.csv"))
    back = table_of((tmp_path / "out.csv").read_text())[2]
    np.testing.assert_allclose(back[:, : len(SHAPES)], values[:, : len(SHAPES)], rtol=2**-22, atol=1e-10)
    np.testing.assert_allclose(back[:, len(SHAPES) :], values[:, len(SHAPES) :], atol=5e-7)


def test_a_capture_moves_a_characters_keys_as_it_was_recorded(scene, character, capture):
    scene.render.fps = 60
    path, values = capture
    bpy.ops.emote.import_capture(filepath=str(path), frame_start=1)
    for frame in (1, 30, 89):
        shown = values_at(frame, character.mesh)
        for name in ("MouthSmileLeft", "BrowInnerUp", "CheekPuff", "JawForward"):
            key = PREFIX + name[0].lower() + name[1:]
            assert shown[key] == pytest.approx(values[frame - 1, COLUMNS.index(name)], abs=1e-5), name


def test_a_capture_with_an_open_mouth_opens_the_characters(scene, character, tmp_path):
    path = tmp_path / "open.csv"
    path.write_text(live_link_csv(np.full((30, 1), 0.5), columns=["JawOpen"]))
    bpy.ops.emote.import_capture(filepath=str(path), frame_start=1)
    assert lip_gap_mm(character.mesh, 8) > 8


def test_a_take_of_a_character_is_an_asset_for_the_open_head(scene, character):
    apply_motion(character.mesh, speaking(50), scene, 11, "line 1")
    bpy.ops.emote.take_mark_asset(head=character.mesh.name)
    action = character.mesh.emote.takes[0].action
    head = add_head(bpy.context, FaceModel.load("models/open_head"))
    bpy.ops.emote.take_apply_asset(action=action.name, head=head.name, frame_start=11)
    for frame in (20, 40):
        expected = values_at(frame, character.mesh)[PREFIX + "browInnerUp"]
        assert values_at(frame, head)["browInnerUp"] == pytest.approx(expected, abs=1e-4)


# Exporters


def speaking(num_frames):
    """A motion in which the jaw, the neck and some components move."""
    time = np.arange(num_frames)[:, None] / 25
    expression = np.zeros((num_frames, len(OPEN_NAMES)))
    for number, name in enumerate(MOVING):
        expression[:, OPEN_NAMES.index(name)] = 0.4 + 0.4 * np.sin(time[:, 0] * (4 + number))
    jaw = (0.15 + 0.15 * np.sin(7 * time)) * (1, 0, 0)
    neck = np.concatenate([0.1 * np.sin(3 * time), 0.2 * np.sin(2 * time), 0 * time], axis=1)
    meta = {"face": "open_head", "expression_names": list(OPEN_NAMES)}
    return FaceMotion(expression, jaw, 25, neck=neck, meta=meta)


def plain(name):
    """A name as every format keeps it: USD replaces dots, glTF and FBX add numbers and data names."""
    return name.replace(".", "_").replace(" ", "_")


def shape_of(meshes, mesh_name, key_name):
    """The evaluated value of a shape key of an imported mesh."""
    mesh = meshes[plain(mesh_name)]
    graph = bpy.context.evaluated_depsgraph_get()
    blocks = mesh.evaluated_get(graph).data.shape_keys.key_blocks
    # USD numbers the names of further meshes on one skeleton: tongueOut2.
    return next(block.value for block in blocks if plain(block.name).rstrip("23") == plain(key_name))


def jaw_angle(armature, bone_name):
    """Radians by which a bone is turned from its rest."""
    bones = armature.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones
    bone = next(bone for bone in bones if plain(bone.name) == plain(bone_name))
    rest = bone.bone.matrix_local
    pose = bone.matrix
    if bone.parent is not None:
        rest = bone.parent.bone.matrix_local.inverted() @ rest
        pose = bone.parent.matrix.inverted() @ pose
    turn = rest.to_quaternion().rotation_difference(pose.to_quaternion()).angle
    return min(turn, 2 * np.pi - turn)


@pytest.fixture(params=["character", "open head"])
def speaker(request, scene):
    """A speaker of two lines: (its meshes, its armature, its jaw bone, the key of each component)."""
    if request.param == "character":
        built = arkit_character()
        fill(built)
        meshes, armature, jaw = (built.mesh, *built.others), built.armature, built.bones["jaw"]
    else:
        head = add_head(bpy.context, FaceModel.load("models/open_head"))
        meshes, armature, jaw = (head,), head.parent, "jaw"
    apply_motion(meshes[0], speaking(50), scene, 11, "line 1")
    apply_motion(meshes[0], speaking(30), scene, 81, "line 2")
    scene.frame_start, scene.frame_end = 1, 130
    import addon_utils

    for module in ("io_scene_gltf2", "io_scene_fbx"):
        addon_utils.enable(module)
    return meshes, armature, jaw


def played(meshes, armature, jaw):
    """{(mesh, key): values} over FRAMES, and the jaw's angles."""
    keys: dict[tuple[str, str], list[float]] = {
        (mesh.name, block.name): []
        for mesh in meshes
        for block in mesh.data.shape_keys.key_blocks
        if block.name.endswith(MOVING)
    }
    angles = []
    for frame in FRAMES:
        bpy.context.scene.frame_set(frame)
        by_name = {plain(mesh.name): mesh for mesh in meshes}
        for mesh, key in keys:
            keys[mesh, key].append(shape_of(by_name, mesh, key))
        angles.append(jaw_angle(armature, jaw))
    return keys, angles


def in_a_fresh_file(import_file):
    """The meshes by plain name, and the armature, of what is imported into an empty scene at 25 fps."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 25, 1.0
    import_file()
    meshes = {
        plain(item.data.name if item.name not in item.data.name else item.name).removesuffix("_001"): item
        for item in bpy.data.objects
        if item.type == "MESH" and item.data.shape_keys
    }
    (armature,) = (item for item in bpy.data.objects if item.type == "ARMATURE")
    return meshes, armature


def assert_plays(expected, meshes, armature, jaw, frames=FRAMES):
    keys, angles = expected
    assert np.ptp(list(keys.values()), axis=1).max() > 0.5
    for number, frame in enumerate(FRAMES):
        if frame not in frames:
            continue
        bpy.context.scene.frame_set(frame)
        for (mesh, key), values in keys.items():
            assert shape_of(meshes, mesh, key) == pytest.approx(values[number], abs=2e-3), (frame, mesh, key)
        assert jaw_angle(armature, jaw) == pytest.approx(angles[number], abs=2e-3), frame


def test_usd_brings_shapes_and_jaw_back(speaker, tmp_path):
    expected, jaw = played(*speaker), speaker[2]
    path = str(tmp_path / "speaker.usdc")
    bpy.ops.wm.usd_export(filepath=path, export_animation=True)
    meshes, armature = in_a_fresh_file(lambda: bpy.ops.wm.usd_import(filepath=path))
    assert_plays(expected, meshes, armature, jaw)


def test_fbx_brings_shapes_and_jaw_back(speaker, tmp_path):
    expected, jaw = played(*speaker), speaker[2]
    path = str(tmp_path / "speaker.fbx")
    bpy.ops.export_scene.fbx(
        filepath=path,
        use_mesh_modifiers=False,
        add_leaf_bones=False,
        bake_anim_simplify_factor=0.0,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
    )
    meshes, armature = in_a_fresh_file(lambda: bpy.ops.import_scene.fbx(filepath=path, anim_offset=0.0))
    assert_plays(expected, meshes, armature, jaw)


@pytest.mark.parametrize("mode", ["NLA_TRACKS", "ACTIONS"])
def test_gltf_brings_shapes_and_jaw_back(speaker, tmp_path, mode):
    """NLA Tracks holds the timeline; Actions an animation for each line, of which the first plays when imported."""
    expected, jaw = played(*speaker), speaker[2]
    path = str(tmp_path / "speaker.glb")
    bpy.ops.export_scene.gltf(filepath=path, export_animation_mode=mode)
    meshes, armature = in_a_fresh_file(lambda: bpy.ops.import_scene.gltf(filepath=path))
    names = {strip.name for track in armature.animation_data.nla_tracks for strip in track.strips}
    assert names == ({"EMOTE"} if mode == "NLA_TRACKS" else {"line 1", "line 2"})
    assert_plays(expected, meshes, armature, jaw, FRAMES if mode == "NLA_TRACKS" else FRAMES[1:5])


def test_life_of_a_character_is_exported_as_it_plays(scene, character, tmp_path):
    character.mesh.emote.character.calibrate = False  # which lets its own lips close
    apply_motion(character.mesh, speaking(200), scene, 1, "line")
    take = character.mesh.emote.takes[0]
    take.alive.blinks = take.alive.gaze = take.alive.head_motion = True
    bpy.ops.emote.export_motion(filepath=str(tmp_path / "out.csv"), fps=25)
    values = table_of((tmp_path / "out.csv").read_text())[2]
    assert values[:, COLUMNS.index("EyeBlinkLeft")].max() > 0.9
    assert np.ptp(values[:, COLUMNS.index("LeftEyeYaw")]) > 0.01
    for frame in (30, 100, 150):
        shown = values_at(1 + frame, character.mesh)
        for name in ("EyeBlinkLeft", "MouthFunnel"):
            key = PREFIX + name[0].lower() + name[1:]
            assert shown[key] == pytest.approx(values[frame, COLUMNS.index(name)], abs=1e-3), (frame, name)
