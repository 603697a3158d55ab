"""Bake, sparse keys, exports, alternates and copies of a character with several meshes."""

import numpy as np
import pytest

pytestmark = pytest.mark.ends

bpy = pytest.importorskip("bpy", reason="these tests run in Blender's Python module")

from character_rigs import arkit_character  # noqa: E402
from filled import fill, motion_of, played, values_at  # noqa: E402
from measured_lips import lip_gap_mm, points_on_open_head  # noqa: E402

from emote_blender.blender.head.rig import head_of, rig_of  # noqa: E402
from emote_blender.blender.takes.curves import channelbag_of  # noqa: E402
from emote_blender.blender.takes.make import apply_motion  # noqa: E402
from emote_blender.blender.takes.manage import apply_to, remove_take, use_take  # noqa: E402
from emote_blender.blender.takes.rewrite import rewrite  # noqa: E402
from emote_blender.motion import FaceMotion  # noqa: E402
from emote_blender.retarget.signals import OPEN_NAMES  # noqa: E402

PREFIX = "head.ARKit_"
FRAMES = range(1, 61)


def speaking(frames=50, seed=1) -> FaceMotion:
    """A motion whose components rise and fall: jaw, brows, tongue, lips."""
    random = np.random.default_rng(seed)
    time = np.arange(frames)[:, None] / 25
    still = motion_of(frames=frames)
    expression = np.zeros_like(still.expression)
    chosen = [OPEN_NAMES.index(name) for name in ("browInnerUp", "mouthFunnel", "mouthSmileLeft", "tongueOut")]
    expression[:, chosen] = 0.3 + 0.3 * np.sin(time * random.uniform(3, 9, 4) + random.uniform(0, 6, 4))
    jaw = np.zeros((frames, 3))
    jaw[:, 0] = 0.1 + 0.1 * np.sin(7 * time[:, 0])
    return FaceMotion(expression, jaw, 25.0, meta=still.meta)


@pytest.fixture
def character(scene):
    built = arkit_character()
    fill(built)
    return built


@pytest.fixture
def dialogue(character, scene):
    apply_motion(character.mesh, speaking(), scene, 3, "line")
    return character


def test_a_baked_character_plays_what_its_takes_play_on_every_mesh(scene, dialogue):
    before = played(dialogue, FRAMES)
    assert np.ptp(before, axis=0).max() > 0.3
    assert bpy.ops.emote.bake_action(what="ALL") == {"FINISHED"}
    actions = {mesh.data.shape_keys.animation_data.action for mesh in (dialogue.mesh, *dialogue.others)}
    assert len(actions) == 1
    np.testing.assert_allclose(played(dialogue, FRAMES), before, atol=1e-5)
    assert bpy.ops.emote.bake_restore() == {"FINISHED"}
    np.testing.assert_allclose(played(dialogue, FRAMES), before, atol=1e-6)


def test_sparse_keys_stay_within_the_bound_on_the_face(scene, dialogue):
    dense = {frame: points_on_open_head(dialogue.mesh, frame) for frame in range(4, 52, 3)}
    take = dialogue.mesh.emote.takes[0]
    count = sum(len(curve.keyframe_points) for curve in channelbag_of(take.action, "KEY").fcurves)
    take.key_error = 0.5
    take.key_spacing = "MILLIMETRE"
    rewrite(dialogue.mesh, take)
    fewer = sum(len(curve.keyframe_points) for curve in channelbag_of(take.action, "KEY").fcurves)
    assert fewer < 0.6 * count
    size = sum(dialogue.armature.matrix_world.to_scale()) / 3  # the bound is in the scene's millimetres
    for frame, points in dense.items():
        sparse = points_on_open_head(dialogue.mesh, frame)
        errors = [np.linalg.norm(sparse[number] - place) for number, place in points.items()]
        assert 1000 * max(errors) * size < 0.75


def test_alternates_take_turns_on_every_mesh(scene, dialogue):
    first = played(dialogue, FRAMES)
    apply_motion(dialogue.mesh, speaking(seed=2), scene, 3, "line")
    second = played(dialogue, FRAMES)
    assert np.abs(first - second).max() > 0.2
    use_take(dialogue.mesh, dialogue.mesh.emote.takes[0])
    np.testing.assert_allclose(played(dialogue, FRAMES), first, atol=1e-6)
    bpy.ops.emote.take_compare()
    np.testing.assert_allclose(played(dialogue, FRAMES), second, atol=1e-6)


def test_the_last_take_leaves_a_character_as_it_was(scene, dialogue):
    remove_take(dialogue.mesh, dialogue.mesh.emote.takes[0])
    for mesh in (dialogue.mesh, *dialogue.others):
        assert mesh.data.shape_keys.animation_data is None
        assert max(values_at(20, mesh).values()) == 0.0
    assert dialogue.armature.animation_data is None


def test_a_mesh_that_is_added_later_is_moved_by_the_next_rewrite(scene, character):
    group = character.mesh.emote.character
    group.meshes.clear()
    apply_motion(character.mesh, motion_of(tongueOut=0.5), scene)
    teeth = character.others[0]
    assert values_at(5, teeth)[PREFIX + "tongueOut"] == 0.0
    group.meshes.add().mesh = teeth
    bpy.ops.emote.take_rebuild()
    assert values_at(5, teeth)[PREFIX + "tongueOut"] == pytest.approx(0.5)


def test_a_copy_of_all_objects_is_a_character_of_its_own(scene, dialogue):
    bpy.ops.object.select_all(action="DESELECT")
    for item in dialogue.objects:
        item.select_set(True)
    bpy.context.view_layer.objects.active = dialogue.mesh
    bpy.ops.object.duplicate()
    copied = bpy.context.view_layer.objects.active
    rig = rig_of(copied)
    assert not {rig.mesh, rig.armature, *rig.other_meshes} & set(dialogue.objects)
    before = played(dialogue, FRAMES)
    copied.emote.takes[0].refine.upper_strength = 0.5
    assert copied.emote.takes[0].action != dialogue.mesh.emote.takes[0].action
    np.testing.assert_allclose(played(dialogue, FRAMES), before, atol=1e-6)
    expected = values_at(20, dialogue.mesh)[PREFIX + "browInnerUp"]
    assert values_at(20, copied)[PREFIX + "browInnerUp"] == pytest.approx(0.5 * expected, abs=1e-3)
    brows = next(mesh for mesh in rig.other_meshes if "Brows" in mesh.name)
    assert values_at(20, brows)[PREFIX + "browInnerUp"] == pytest.approx(0.5 * expected, abs=1e-3)


def test_a_take_of_one_character_fits_another(scene, dialogue):
    other = arkit_character(name="Other", spelling="camel", prefix="", jaw="key", armature=False, placement="plain")
    fill(other, placement="plain")
    apply_to(dialogue.mesh, dialogue.mesh.emote.takes[0], other.mesh)
    assert values_at(20, other.mesh)["browInnerUp"] == pytest.approx(
        values_at(20, dialogue.mesh)[PREFIX + "browInnerUp"], abs=1e-4
    )
    assert lip_gap_mm(other.mesh, 20) > 1.0


def test_gltf_holds_the_shapes_of_every_mesh_and_the_bones_of_each_take(scene, dialogue, tmp_path):
    import addon_utils

    addon_utils.enable("io_scene_gltf2")
    apply_motion(dialogue.mesh, speaking(seed=2), scene, 3, "line")
    path = tmp_path / "character.glb"
    bpy.ops.export_scene.gltf(filepath=str(path), export_animation_mode="ACTIONS")
    names = [take.action.name for take in dialogue.mesh.emote.takes]
    moved = shape_animations(path)
    assert set(moved) == set(names)
    for name in names:
        assert set(moved[name]) >= {"Character", "Character Teeth", "Character Brows", "jaw"}


def shape_animations(path) -> dict[str, set[str]]:
    """Names of the nodes whose weights, or rotations, each animation of a .glb moves."""
    import json
    import struct

    data = path.read_bytes()
    document = json.loads(data[20 : 20 + struct.unpack("<I", data[12:16])[0]])
    found: dict[str, set[str]] = {}
    for animation in document["animations"]:
        nodes = [document["nodes"][channel["target"]["node"]] for channel in animation["channels"]]
        found.setdefault(animation["name"], set()).update(node["name"] for node in nodes)
    return found


def test_each_object_of_a_character_leads_to_its_takes(scene, dialogue):
    assert {head_of(item) for item in dialogue.objects} == {dialogue.mesh}


def test_keys_are_edited_on_all_meshes_at_once(scene, dialogue):
    assert bpy.ops.emote.take_edit() == {"FINISHED"}
    for mesh in (dialogue.mesh, *dialogue.others):
        assert mesh.data.shape_keys.animation_data.use_tweak_mode
    assert dialogue.armature.animation_data.use_tweak_mode
    bpy.ops.emote.take_edit_done()
    assert not dialogue.mesh.data.shape_keys.animation_data.use_tweak_mode


def test_sliders_of_a_character_use_the_open_heads_maps(scene, dialogue):
    take = dialogue.mesh.emote.takes[0]
    before = values_at(20, dialogue.mesh)
    take.refine.upper_strength = 2.0
    after = values_at(20, dialogue.mesh)
    assert after[PREFIX + "browInnerUp"] > 1.5 * before[PREFIX + "browInnerUp"]
    assert after[PREFIX + "tongueOut"] == pytest.approx(before[PREFIX + "tongueOut"], abs=0.05)
