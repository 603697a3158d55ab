"""What rewrites a character's takes: emotion, sliders and their keys, a target that moves; and shared data."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="these tests run in Blender's Python module")

from character_rigs import arkit_character, vrm_character  # noqa: E402
from filled import fill, motion_of, turn_of, values_at  # noqa: E402
from wordless_strip import new_wordless_strip  # noqa: E402

from emote_blender.blender.check.find import problems  # noqa: E402
from emote_blender.blender.head.rig import rig_of  # noqa: E402
from emote_blender.blender.jobs import features  # noqa: E402
from emote_blender.blender.takes.make import Line, apply_motion, new_take  # noqa: E402
from emote_blender.motion_tools.life import Life  # noqa: E402
from emote_blender.motion_tools.raw_take import RawTake  # noqa: E402

PREFIX = "head.ARKit_"


@pytest.fixture
def character(scene):
    built = arkit_character()
    fill(built)
    return built


def curves_of(take, part: str) -> np.ndarray:
    """The values of all curves whose path contains this, one after the other."""
    curves = [curve for bag in take.action.layers[0].strips[0].channelbags for curve in bag.fcurves]
    chosen = [curve for curve in curves if part in curve.data_path]
    return np.array([point.co.y for curve in chosen for point in curve.keyframe_points])


def test_generate_and_another_emotion(scene, character, speech_wav, open_head_model_folder):
    features.forget_features()
    head = character.mesh
    head.emote.model = str(open_head_model_folder)
    new_wordless_strip(scene, "Line", str(speech_wav), channel=1, frame_start=11)
    assert bpy.ops.emote.generate(strip="Line") == {"FINISHED"}
    take = head.emote.takes[0]
    before = curves_of(take, "key_blocks")
    head.emote.emotion = "HAPPY"
    assert bpy.ops.emote.rerender() == {"FINISHED"}
    assert "Happy" in head.emote.takes[0].name
    after = curves_of(head.emote.takes[0], "key_blocks")
    assert before.size > 100
    assert not np.array_equal(before, after)
    features.forget_features()


def test_keys_of_a_slider_are_followed(scene, character):
    apply_motion(character.mesh, motion_of(browInnerUp=0.5, frames=50), scene)
    take = character.mesh.emote.takes[0]
    for frame, value in ((1, 0.0), (50, 1.0)):
        take.refine.upper_strength = value
        character.mesh.keyframe_insert("emote.takes[0].refine.upper_strength", frame=frame)
    bpy.context.view_layer.update()
    assert values_at(2, character.mesh)[PREFIX + "browInnerUp"] < 0.1
    assert values_at(48, character.others[1])[PREFIX + "browInnerUp"] > 0.4


def test_the_gaze_follows_a_target_that_is_moved(scene, character):
    target = bpy.data.objects.new("Target", None)
    scene.collection.objects.link(target)
    life = Life(blinks=False, gaze=True, head_motion=False, saccade_strength=0.0)
    take = new_take(character.mesh, RawTake(motion_of(frames=50)), scene, Line("line", 1), life)
    take.alive.look_at = target
    before = curves_of(take, f'"{character.bones["left_eye"]}"')
    target.location = (5.0, -3.0, 8.0)
    bpy.context.view_layer.update()
    assert np.abs(curves_of(take, f'"{character.bones["left_eye"]}"') - before).max() > 0.05


def test_a_character_looks_at_another(scene, character):
    other = arkit_character(name="Other", placement="plain")
    fill(other, placement="plain")
    life = Life(blinks=False, gaze=True, head_motion=False, saccade_strength=0.0)
    take = new_take(character.mesh, RawTake(motion_of(frames=50)), scene, Line("line", 1), life)
    still = curves_of(take, f'"{character.bones["left_eye"]}"')
    take.alive.look_at = other.mesh
    seen = curves_of(take, f'"{character.bones["left_eye"]}"')
    assert np.abs(seen - still).max() > 0.02
    take.alive.look_at = other.armature
    np.testing.assert_allclose(curves_of(take, f'"{character.bones["left_eye"]}"'), seen, atol=1e-6)


def test_copies_that_share_keys_play_the_same_take(scene, character):
    apply_motion(character.mesh, motion_of(browInnerUp=0.5), scene)
    linked = character.mesh.copy()  # as Alt+D does
    scene.collection.objects.link(linked)
    linked.emote.takes[0].refine.upper_strength = 0.5
    assert linked.emote.takes[0].action == character.mesh.emote.takes[0].action
    assert values_at(5, character.mesh)[PREFIX + "browInnerUp"] == pytest.approx(0.25, abs=1e-3)


def test_removing_a_copys_take_leaves_shared_data_alone(scene, character):
    apply_motion(character.mesh, motion_of(browInnerUp=0.5, jaw=0.2), scene)
    linked = character.mesh.copy()
    scene.collection.objects.link(linked)
    bpy.ops.emote.take_remove(head=linked.name)
    for mesh in (character.mesh, character.others[1]):
        assert values_at(5, mesh)[PREFIX + "browInnerUp"] == pytest.approx(0.5)


def test_a_deleted_mesh_is_done_without(scene, character):
    apply_motion(character.mesh, motion_of(browInnerUp=0.5), scene)
    teeth, brows = character.others
    bpy.data.objects.remove(teeth)
    assert rig_of(character.mesh).other_meshes == (brows,)
    apply_motion(character.mesh, motion_of(browInnerUp=0.75), scene, 60, "later")
    assert values_at(65, brows)[PREFIX + "browInnerUp"] == pytest.approx(0.75)


def test_joined_meshes_speak_on(scene, character):
    apply_motion(character.mesh, motion_of(browInnerUp=0.5), scene)
    teeth, _ = character.others
    bpy.ops.object.select_all(action="DESELECT")
    for item in (character.mesh, teeth):
        item.select_set(True)
    bpy.context.view_layer.objects.active = character.mesh
    bpy.ops.object.join()
    apply_motion(character.mesh, motion_of(tongueOut=0.5), scene, 60, "later")
    assert values_at(5, character.mesh)[PREFIX + "browInnerUp"] == pytest.approx(0.5)
    assert values_at(65, character.mesh)[PREFIX + "tongueOut"] == pytest.approx(0.5)


def test_a_character_without_mouth_or_lids_is_told_so(scene):
    character = vrm_character(armature=False)
    fill(character, {"Fcl_ALL_Joy": "mouthSmileLeft"}, "NONE")
    apply_motion(character.mesh, motion_of(mouthSmileLeft=0.5, jaw=0.2), scene)
    sentences = [problem.sentence for problem in problems(bpy.context, character.mesh)]
    assert any("nothing opens the mouth" in sentence for sentence in sentences)
    assert any("nothing closes the lids" in sentence for sentence in sentences)


def test_two_characters_speak_at_once(scene, character):
    other = arkit_character(name="Other", placement="plain", jaw="key")
    fill(other, placement="plain")
    other.mesh.emote.character.calibrate = False
    apply_motion(character.mesh, motion_of(browInnerUp=0.5), scene)
    apply_motion(other.mesh, motion_of(browInnerUp=0.25, jaw=0.2), scene)
    assert values_at(5, character.mesh)[PREFIX + "browInnerUp"] == pytest.approx(0.5)
    assert values_at(5, other.mesh)[PREFIX + "browInnerUp"] == pytest.approx(0.25)
    assert values_at(5, other.mesh)[PREFIX + "jawOpen"] == pytest.approx(0.5, abs=1e-3)


def test_a_mesh_that_is_no_longer_a_part_goes_back_to_rest(scene, character):
    apply_motion(character.mesh, motion_of(browInnerUp=0.5, jaw=0.2), scene)
    action = character.mesh.emote.takes[0].action
    teeth, brows = character.others
    group = character.mesh.emote.character
    group.meshes.remove(1)
    bpy.ops.emote.take_rebuild(head=character.mesh.name)
    assert values_at(5, character.mesh)[PREFIX + "browInnerUp"] == pytest.approx(0.5)
    assert values_at(5, brows)[PREFIX + "browInnerUp"] == 0.0
    assert not len(brows.data.shape_keys.animation_data.nla_tracks)
    assert character.mesh.emote.takes[0].action == action


def test_a_strip_that_the_user_placed_on_another_mesh_stays(scene, character):
    apply_motion(character.mesh, motion_of(browInnerUp=0.5), scene)
    take = character.mesh.emote.takes[0]
    puppet = arkit_character(name="Puppet", armature=False)
    data = puppet.mesh.data.shape_keys.animation_data_create()
    strip = data.nla_tracks.new().strips.new("mine", 1, take.action)
    strip.action_slot = next(slot for slot in take.action.slots if slot.target_id_type == "KEY")
    take.refine.upper_strength = 0.5
    assert len(data.nla_tracks[0].strips) == 1


def test_one_bone_for_both_eyes_turns_once(scene, character):
    group = character.mesh.emote.character
    group.right_eye_bone = group.left_eye_bone
    apply_motion(character.mesh, motion_of(eyeLookOutLeft=0.5, eyeLookInRight=0.5), scene)
    np.testing.assert_allclose(turn_of(character, "left_eye", 5), [0.0, 0.245, 0.0], atol=5e-3)
    life = Life(blinks=False, gaze=True, head_motion=False)
    new_take(character.mesh, RawTake(motion_of(frames=50)), scene, Line("gaze", 60), life)
    assert 0.005 < np.linalg.norm(turn_of(character, "left_eye", 80)) < 0.6
