"""Blinks, gaze and head motion on characters: by keys or by bones, whatever they have."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="these tests run in Blender's Python module")

from character_rigs import arkit_character, vrm_character  # noqa: E402
from filled import fill, motion_of, turn_of, values_at  # noqa: E402
from mathutils import Vector  # noqa: E402

from emote_blender.blender.head.rig import rig_of  # noqa: E402
from emote_blender.blender.takes.gaze_target import eye_places  # noqa: E402
from emote_blender.blender.takes.make import Line, apply_motion, new_take  # noqa: E402
from emote_blender.motion_tools.life import Life  # noqa: E402
from emote_blender.motion_tools.raw_take import RawTake  # noqa: E402

LIVELY = Life(blinks=True, gaze=True, head_motion=True, seed=3)
PREFIX = "head.ARKit_"
SIDES = {"left": (0.1, 0.3), "right": (-0.1, -0.3)}


def lively_take(character, seconds=12.0):
    raw = RawTake(motion_of(frames=round(seconds * 25)))
    return new_take(character.mesh, raw, bpy.context.scene, Line("line", 1), LIVELY)


def moved(take, part: str) -> float:
    """The largest range of a take's curves whose path contains this."""
    curves = [curve for bag in take.action.layers[0].strips[0].channelbags for curve in bag.fcurves]
    found = [[point.co.y for point in curve.keyframe_points] for curve in curves if part in curve.data_path]
    return max((np.ptp(values) for values in found), default=0.0)


def test_bones_turn_the_eyes_and_keys_do_not(scene):
    character = arkit_character()
    fill(character)
    take = lively_take(character)
    assert moved(take, f'"{character.bones["left_eye"]}"') > 0.02
    assert moved(take, "eyeLook") == 0.0
    assert moved(take, "eyeBlinkLeft") > 0.8
    assert moved(take, f'"{character.bones["neck"]}"') > 0.005
    assert moved(take, f'"{character.bones["head"]}"') > 0.005


def test_keys_turn_the_eyes_of_a_character_without_eye_bones(scene):
    character = arkit_character(eye_bones=False)
    fill(character)
    take = lively_take(character)
    assert moved(take, "eyeLook") > 0.05
    assert moved(take, "eyeBlinkRight") > 0.8


def test_a_character_that_nothing_turns_blinks_alone(scene):
    character = vrm_character(armature=False)
    fill(character, {"Fcl_EYE_Close_L": "eyeBlinkLeft", "Fcl_EYE_Close_R": "eyeBlinkRight"}, "NONE")
    take = lively_take(character)
    assert eye_places(rig_of(character.mesh)) is None
    assert moved(take, "Fcl_EYE_Close_L") > 0.8


def test_the_eyes_of_keys_are_where_those_of_bones_are(scene):
    with_bones, without = arkit_character(name="A"), arkit_character(name="B", eye_bones=False)
    for character in (with_bones, without):
        fill(character)
    by_bones, by_keys = (eye_places(rig_of(character.mesh)) for character in (with_bones, without))
    apart = np.linalg.norm(by_bones.eyes[0] - by_bones.eyes[1])
    assert np.abs(by_keys.eyes - by_bones.eyes).max() < 0.35 * apart
    assert by_keys.eyes[0, 0] > by_keys.eyes[1, 0]


def test_a_shared_key_for_both_eyes_gives_two_eyes(scene):
    character = vrm_character(armature=False)
    fill(character, {"Fcl_EYE_LookUp": "eyeLookUpLeft", "Fcl_EYE_Close": "eyeBlinkLeft"}, "NONE")
    places = eye_places(rig_of(character.mesh))
    assert 0.02 < places.eyes[0, 0] - places.eyes[1, 0] < 0.12


@pytest.mark.parametrize("eye_bones", [True, False], ids=["bones", "keys"])
@pytest.mark.parametrize("side", list(SIDES))
def test_the_eyes_look_at_a_target(scene, eye_bones, side):
    character = arkit_character(eye_bones=eye_bones)
    fill(character)
    take = lively_take(character)
    target = bpy.data.objects.new("Target", None)
    scene.collection.objects.link(target)
    rig = rig_of(character.mesh)
    low, high = sorted(SIDES[side])
    in_face = eye_places(rig).eyes.mean(axis=0) + rig.scale * np.array([(low + high) * 2, 0.0, 1.0])
    target.location = rig.space.matrix_world @ Vector((rig.axes @ in_face).tolist())
    bpy.context.view_layer.update()
    take.alive.head_motion, take.alive.saccade_strength = False, 0.0
    take.alive.look_at = target
    if eye_bones:
        turns = np.mean([turn_of(character, "left_eye", frame)[1] for frame in range(50, 250, 40)])
        assert np.sign(turns) == (1 if side == "left" else -1)
        assert 0.2 < abs(turns) < 0.9
    else:
        values = values_at(100, character.mesh)
        towards, away = ("Out", "In") if side == "left" else ("In", "Out")
        assert values[f"{PREFIX}eyeLook{towards}Left"] > 0.3
        assert values[f"{PREFIX}eyeLook{away}Left"] < 0.05


def test_neck_and_head_share_a_turn(scene):
    character = arkit_character()
    fill(character)
    apply_motion(character.mesh, motion_of(neck=(0.2, -0.1, 0.05)), scene)
    for role in ("neck", "head"):
        np.testing.assert_allclose(turn_of(character, role, 5), [0.1, -0.05, 0.025], atol=2e-3)


def test_a_head_bone_alone_takes_the_whole_turn(scene):
    character = arkit_character()
    fill(character)
    character.mesh.emote.character.neck_bone = ""
    apply_motion(character.mesh, motion_of(neck=(0.2, -0.1, 0.05)), scene)
    np.testing.assert_allclose(turn_of(character, "head", 5), [0.2, -0.1, 0.05], atol=2e-3)
    np.testing.assert_allclose(turn_of(character, "neck", 5), 0.0, atol=1e-6)


def test_looks_of_the_expression_turn_eye_bones(scene):
    character = arkit_character()
    fill(character)
    apply_motion(character.mesh, motion_of(eyeLookOutLeft=0.5, eyeLookInRight=0.5, eyeLookDownLeft=0.25), scene)
    np.testing.assert_allclose(turn_of(character, "left_eye", 5), [0.105, 0.245, 0.0], atol=5e-3)
    np.testing.assert_allclose(turn_of(character, "right_eye", 5), [0.0, 0.245, 0.0], atol=5e-3)


def test_an_idle_take_lets_a_character_blink(scene):
    character = arkit_character()
    fill(character)
    assert bpy.ops.emote.alive_idle(head=character.mesh.name) == {"FINISHED"}
    assert moved(character.mesh.emote.takes[0], "eyeBlinkLeft") > 0.8
