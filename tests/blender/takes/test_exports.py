"""Exports: mouth shapes and jaw of every take come out of Blender's own exporters."""

import math

import bpy
import numpy as np
import pytest
from exported import fbx_stacks, gltf_animations

from emote_blender.blender.compat import action_channelbag
from emote_blender.blender.takes.curves import channelbag_of
from emote_blender.blender.takes.make import apply_motion

KEYS = [f"component{number}" for number in range(6)]
FPS = 25


@pytest.fixture
def exporters():
    """Blender's exporters, and this add-on where they look for hooks."""
    import addon_utils

    for module in ("io_scene_gltf2", "io_scene_fbx"):
        addon_utils.enable(module)
    assert "emote_blender" in bpy.context.preferences.addons


@pytest.fixture
def dialogue(scene, head, make_motion):
    """A head with two lines, the first of them in two takes; its actions in the order of the takes."""
    quiet = make_motion(num_frames=20)
    quiet.expression[:, 3] = 0.0  # a channel that this take leaves out
    apply_motion(head, make_motion(num_frames=20), scene, 11, "line 1")
    apply_motion(head, make_motion(num_frames=30, emotion="happy"), scene, 61, "line 2")
    apply_motion(head, quiet, scene, 11, "line 1")
    first, second, third = head.emote.takes
    assert (first.in_use, second.in_use, third.in_use) == (False, True, True)
    return [take.action for take in head.emote.takes]


def value_in(action, key, frame):
    """What an action sets a shape key to at a frame of the action."""
    curve = channelbag_of(action, "KEY").fcurves.find(f'key_blocks["{key}"].value')
    return 0.0 if curve is None else curve.evaluate(frame)


def assert_weights(seconds, values, action, shift=0.0):
    frames = np.asarray(seconds) * FPS + shift
    for key in KEYS:
        expected = [value_in(action, key, frame) for frame in frames]
        np.testing.assert_allclose(values[key], expected, atol=1e-4, err_msg=key)


@pytest.mark.parametrize("sampling", [True, False])
def test_gltf_actions_holds_shapes_and_jaw_of_every_take(exporters, dialogue, tmp_path, sampling):
    path = tmp_path / "head.glb"
    bpy.ops.export_scene.gltf(filepath=str(path), export_animation_mode="ACTIONS", export_force_sampling=sampling)
    animations = gltf_animations(path)
    assert set(animations) == {action.name for action in dialogue}
    for action in dialogue:
        seconds, values = animations[action.name]["weights"]
        assert seconds[0] * FPS == pytest.approx(action.frame_range[0])
        assert seconds[-1] * FPS == pytest.approx(action.frame_range[1])
        assert_weights(seconds, values, action)
        assert np.ptp(animations[action.name]["jaw"][1], axis=0).max() > 0.01


def test_gltf_export_leaves_the_head_as_it_was(exporters, scene, head, dialogue, tmp_path):
    own = bpy.data.actions.new("my neck")
    slot = own.slots.new(id_type="OBJECT", name=head.parent.name)
    curve = action_channelbag(own, slot).fcurves.new('pose.bones["neck"].rotation_euler', index=0)
    curve.keyframe_points.insert(1, 0.2)
    data = head.parent.animation_data
    data.action, data.action_slot = own, slot
    scene.frame_set(70)
    before = [key.value for key in head.data.shape_keys.key_blocks]
    bpy.ops.export_scene.gltf(filepath=str(tmp_path / "head.glb"), export_animation_mode="ACTIONS")
    scene.frame_set(70)
    assert [key.value for key in head.data.shape_keys.key_blocks] == before
    assert head.data.shape_keys.animation_data.use_nla
    assert data.use_nla
    assert data.action == own


def test_gltf_nla_tracks_holds_the_lines_in_use_and_each_track_of_alternates(exporters, dialogue, tmp_path):
    path = tmp_path / "head.glb"
    bpy.ops.export_scene.gltf(filepath=str(path), export_animation_mode="NLA_TRACKS")
    animations = gltf_animations(path)
    assert set(animations) == {"EMOTE", "EMOTE Alternates"}
    alternate, second, third = dialogue
    for name, actions in (("EMOTE", [second, third]), ("EMOTE Alternates", [alternate])):
        seconds, values = animations[name]["weights"]
        assert "jaw" in animations[name]
        for action in actions:
            inside = (seconds * FPS >= action.frame_range[0] - 0.01) & (seconds * FPS <= action.frame_range[1] + 0.01)
            assert inside.sum() > 20
            assert_weights(seconds[inside], {key: row[inside] for key, row in values.items()}, action)


def test_gltf_scene_holds_the_lines_in_use(exporters, scene, dialogue, tmp_path):
    path = tmp_path / "head.glb"
    scene.frame_end = 120
    bpy.ops.export_scene.gltf(filepath=str(path), export_animation_mode="SCENE")
    weights = [animation["weights"] for animation in gltf_animations(path).values() if "weights" in animation]
    ((seconds, values),) = weights
    for action in dialogue[1:]:
        inside = (seconds * FPS >= action.frame_range[0] - 0.01) & (seconds * FPS <= action.frame_range[1] + 0.01)
        assert_weights(seconds[inside], {key: row[inside] for key, row in values.items()}, action)


@pytest.mark.parametrize("strips", [True, False])
def test_fbx_without_applied_modifiers_holds_the_lines_in_use(exporters, scene, dialogue, tmp_path, strips):
    path = tmp_path / "head.fbx"
    scene.frame_start, scene.frame_end = 1, 120
    bpy.ops.export_scene.fbx(
        filepath=str(path),
        use_mesh_modifiers=False,
        bake_anim_simplify_factor=0.0,
        bake_anim_use_nla_strips=strips,
        bake_anim_use_all_actions=False,
    )
    stacks = fbx_stacks(path)
    for action in dialogue[1:]:
        stack = stacks[action.name if strips else scene.name]
        seconds, values = stack["weights"]
        assert stack["jaw"]
        frames = np.asarray(seconds) * FPS + (action.frame_range[0] if strips else 0.0)
        inside = (frames >= action.frame_range[0] - 0.01) & (frames <= action.frame_range[1] + 0.01)
        assert inside.sum() > 20
        assert_weights(frames[inside] / FPS, {key: row[inside] for key, row in values.items()}, action)


def test_usd_holds_the_lines_in_use(scene, head, dialogue, tmp_path):
    path = tmp_path / "head.usda"
    scene.frame_start, scene.frame_end = 1, 120
    bpy.ops.wm.usd_export(filepath=str(path), export_animation=True)
    weights = usd_weights(path.read_text(encoding="utf-8"))
    for action in dialogue[1:]:
        for frame in range(math.ceil(action.frame_range[0]), int(action.frame_range[1]) + 1):
            for key in KEYS:
                assert weights[frame][key] == pytest.approx(value_in(action, key, frame), abs=1e-4)


def usd_weights(text):
    """The shape keys of an .usda by frame and name."""
    names = text.split("uniform token[] blendShapes = [")[1].split("]")[0].replace('"', "").split(", ")
    table = text.split("float[] blendShapeWeights.timeSamples = {")[1].split("}")[0]
    samples = {}
    for line in filter(None, map(str.strip, table.splitlines())):
        frame, values = line.rstrip(",").split(":")
        samples[int(frame)] = dict(zip(names, map(float, values.strip(" []").split(", "))))
    return samples


def test_alembic_holds_the_moving_mesh(scene, head, dialogue, tmp_path):
    path = tmp_path / "head.abc"
    for modifier in [modifier for modifier in head.modifiers if modifier.type == "SUBSURF"]:
        head.modifiers.remove(modifier)  # Alembic stores the mesh before the subdivision
    scene.frame_start, scene.frame_end = 1, 120
    bpy.ops.wm.alembic_export(filepath=str(path), start=1, end=120, as_background_job=False)
    before = set(bpy.data.objects)
    bpy.ops.wm.alembic_import(filepath=str(path), as_background_job=False)
    (imported,) = [item for item in bpy.data.objects if item not in before and item.type == "MESH"]
    shown = {frame: (points(scene, head, frame), points(scene, imported, frame)) for frame in (15, 25, 50, 65, 80)}
    assert np.abs(shown[15][0] - shown[50][0]).max() > 0.005
    for ours, theirs in shown.values():
        np.testing.assert_allclose(theirs, ours, atol=1e-5)


def points(scene, item, frame):
    """(V, 3) evaluated vertices in the world."""
    scene.frame_set(frame)
    evaluated = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    values = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", values)
    evaluated.to_mesh_clear()
    matrix = np.array(evaluated.matrix_world)
    return values.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def test_gltf_active_actions_holds_a_baked_timeline(exporters, scene, head, dialogue, tmp_path):
    path = tmp_path / "head.glb"
    bpy.ops.emote.bake_action(what="ALL")
    bpy.ops.export_scene.gltf(filepath=str(path), export_animation_mode="ACTIVE_ACTIONS")
    (animation,) = gltf_animations(path).values()
    seconds, values = animation["weights"]
    assert_weights(seconds, values, bpy.data.actions["Head baked"])
    assert np.ptp(animation["jaw"][1], axis=0).max() > 0.01
