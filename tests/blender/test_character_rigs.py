"""The characters that other tests use, and the measure of their lips."""

import math

import bpy
import character_rigs as rigs
import numpy as np
import pytest
from character_shapes import JAW_OPEN, SPELLINGS, arkit_shapes, oculus_shapes
from mathutils import Matrix, Quaternion
from measured_lips import closed_frames, evaluated_points, lip_gap_mm, lip_gaps_mm, open_head_gaps_mm

pytestmark = pytest.mark.ends


def turn_jaw(character: rigs.Character, angle: float) -> None:
    """Open the mouth by an angle about the axis that points to the character's left."""
    rig = character.armature
    bone = rig.pose.bones[character.bones["jaw"]]
    to_data, _ = rigs.PLACEMENTS[rig["placement"]]
    axis = to_data[:, 0] / np.linalg.norm(to_data[:, 0])
    rest = bone.bone.matrix_local.to_3x3()
    turn = rest.inverted() @ Quaternion(axis, angle).to_matrix() @ rest
    bone.matrix_basis = Matrix(turn).to_4x4()
    bpy.context.view_layer.update()


@pytest.mark.parametrize("placement", rigs.PLACEMENTS)
def test_a_jaw_bone_opens_the_lips_as_far_as_the_open_heads_jaw_does(placement):
    character = rigs.arkit_character(placement=placement)
    character.armature["placement"] = placement
    assert lip_gap_mm(character.mesh) == pytest.approx(-0.32, abs=0.02)
    for angle in (0.1, 0.25):
        turn_jaw(character, angle)
        expected = open_head_gaps_mm(np.zeros((1, 50)), np.array([[angle, 0, 0]]))[0]
        assert lip_gaps_mm(character.mesh) == pytest.approx(expected, abs=0.06)  # rounded weights


def test_the_key_mouth_close_shuts_the_lips_of_an_open_jaw():
    for jaw in ("bone", "key"):
        character = rigs.arkit_character(jaw=jaw, name=jaw, placement="plain", prefix="")
        character.armature["placement"] = "plain"
        keys = character.mesh.data.shape_keys.key_blocks
        for opening in (0.4, 1.0):
            if jaw == "bone":
                turn_jaw(character, opening * JAW_OPEN)
            else:
                keys["jawOpen"].value = opening
            keys["mouthClose"].value = 0.0
            bpy.context.view_layer.update()
            assert lip_gap_mm(character.mesh) > 9.0
            keys["mouthClose"].value = opening
            bpy.context.view_layer.update()
            assert -1.0 < lip_gap_mm(character.mesh) < 1.0


def test_turns_of_the_head_make_no_difference_to_the_gap():
    character = rigs.arkit_character(jaw="key", prefix="")
    character.mesh.data.shape_keys.key_blocks["jawOpen"].value = 0.5
    bpy.context.view_layer.update()
    before = lip_gaps_mm(character.mesh)
    character.armature.pose.bones["head"].matrix_basis = Matrix.Rotation(0.6, 4, "Y")
    bpy.context.view_layer.update()
    assert lip_gaps_mm(character.mesh) == pytest.approx(before, abs=0.01)


def test_closed_frames_are_those_with_the_lips_closed():
    jaw = np.array([[0.0, 0, 0], [0.2, 0, 0], [0.005, 0, 0]])
    assert closed_frames(np.zeros((3, 50)), jaw).tolist() == [0, 2]


@pytest.mark.parametrize(
    "spelling, expected",
    [
        ("camel", "eyeLookInLeft"),
        ("pascal", "EyeLookInLeft"),
        ("snake", "eye_look_in_left"),
        ("kebab", "eye-look-in-left"),
        ("spaces", "Eye Look In Left"),
        ("upper", "EYELOOKINLEFT"),
        ("underscore_L", "eyeLookIn_L"),
        ("dot_L", "eyeLookIn.L"),
        ("snake_l", "eye_look_in_l"),
        ("side_first", "leftEyeLookIn"),
        ("side_inside", "eyeLeftLookIn"),
    ],
)
def test_arkit_names_are_spelled(spelling, expected):
    assert SPELLINGS[spelling]("eyeLookInLeft") == expected
    names = [SPELLINGS[spelling](name) for name in arkit_shapes(True)]
    assert len(set(names)) == len(names)


def test_teeth_and_brows_have_only_the_keys_that_move_them():
    character = rigs.arkit_character(jaw="key", prefix="Head_")
    names = {item.name: set(item.data.shape_keys.key_blocks.keys()) for item in (character.mesh, *character.others)}
    assert names["Character Teeth"] >= {"Head_jawOpen", "Head_tongueOut"}
    assert "Head_browInnerUp" not in names["Character Teeth"]
    assert names["Character Brows"] >= {"Head_browInnerUp", "Head_eyeBlinkLeft"}
    assert len(names["Character"]) == 53
    assert names["Character"] > names["Character Teeth"]


KINDS = {
    "arkit with jaw bone": (lambda: rigs.arkit_character(), "head.ARKit_mouthSmileLeft"),
    "arkit with jaw key": (lambda: rigs.arkit_character("snake", "", "key"), "jaw_open"),
    "vroid": (lambda: rigs.vrm_character(), "Fcl_MTH_A"),
    "vrm1": (lambda: rigs.vrm_character("vrm1"), "aa"),
    "oculus": (lambda: rigs.oculus_character(), "viseme_PP"),
    "vrchat": (lambda: rigs.oculus_character("vrc.v_", lower=True), "vrc.v_pp"),
    "reallusion": (lambda: rigs.reallusion_character(), "V_Explosive"),
    "metahuman": (lambda: rigs.metahuman_character(), "CTRL_expressions_mouthFunnelUL"),
    "no armature": (lambda: rigs.arkit_character(armature=False, jaw="key", prefix=""), "jawOpen"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_names_and_closed_lips_at_rest(kind):
    make, key = KINDS[kind]
    character = make()
    assert key in character.mesh.data.shape_keys.key_blocks
    assert key in character.key_names
    assert -0.5 < lip_gap_mm(character.mesh) < 0.0
    assert all(name in character.armature.pose.bones for name in character.bones.values())


def test_a_vowel_opens_the_mouth_and_a_bilabial_does_not():
    character = rigs.oculus_character()
    keys = character.mesh.data.shape_keys.key_blocks
    gaps = {}
    for name in ("viseme_aa", "viseme_PP"):
        keys[name].value = 1.0
        bpy.context.view_layer.update()
        gaps[name] = lip_gap_mm(character.mesh)
        keys[name].value = 0.0
    assert gaps["viseme_aa"] > 15
    assert gaps["viseme_PP"] < 0.5


def test_a_character_without_a_jaw_cannot_open_its_mouth():
    character = rigs.arkit_character(jaw="none", prefix="")
    assert "jaw" not in character.bones
    assert not [name for name in character.key_names if "jaw" in name.lower()]


@pytest.mark.parametrize("key_range", [(-1.0, 1.0), (0.0, 10.0)])
def test_the_whole_shape_is_at_the_upper_limit(key_range):
    character = rigs.arkit_character(jaw="key", prefix="", key_range=key_range)
    key = character.mesh.data.shape_keys.key_blocks["jawOpen"]
    assert (key.slider_min, key.slider_max) == key_range
    key.value = key_range[1]
    bpy.context.view_layer.update()
    assert lip_gap_mm(character.mesh) == pytest.approx(28.6, abs=0.3)


def test_of_300_keys_40_are_visemes():
    character = rigs.many_keys_character()
    assert len(character.key_names) == 300
    assert set(oculus_shapes()) <= set(character.key_names)
    assert len([name for name in character.key_names if name.startswith(("viseme", "phoneme"))]) == 40


@pytest.mark.once
def test_a_body_of_half_a_million_vertices_stays_where_it_is_while_the_mouth_opens():
    character = rigs.arkit_character(jaw="key", prefix="", body_vertices=500_000)
    assert len(character.mesh.data.vertices) == pytest.approx(505_000, abs=3000)
    character.mesh.data.shape_keys.key_blocks["jawOpen"].value = 1.0
    bpy.context.view_layer.update()
    assert lip_gap_mm(character.mesh) > 28


def test_a_mouth_may_stand_open_at_rest():
    character = rigs.arkit_character(jaw="key", prefix="", rest_jaw=0.05)
    rest = open_head_gaps_mm(np.zeros((1, 50)), np.array([[0.05, 0, 0]]))[0]
    assert rest[4] > 3
    assert lip_gaps_mm(character.mesh) == pytest.approx(rest, abs=0.1)


def test_a_face_of_another_build_closes_its_lips():
    build = {"chinLength": 1.5, "faceWidth": -1.0, "lipFullness": 1.0, "jawWidth": 1.5}
    character = rigs.arkit_character(identity=build)
    plain = rigs.arkit_character(name="Plain")
    assert -1.0 < lip_gap_mm(character.mesh) < 0.2
    points, others = (evaluated_points(item.mesh)[1] for item in (character, plain))
    assert not np.allclose(points, others, atol=1e-3)


def test_shuffled_vertices_open_the_same_mouth():
    character = rigs.arkit_character(jaw="key", prefix="", shuffled=True)
    plain = rigs.arkit_character(jaw="key", prefix="", name="Plain")
    for item in (character, plain):
        item.mesh.data.shape_keys.key_blocks["jawOpen"].value = 0.7
    bpy.context.view_layer.update()
    assert lip_gaps_mm(character.mesh) == pytest.approx(lip_gaps_mm(plain.mesh), abs=1e-3)
    assert {len(face.vertices) for face in character.mesh.data.polygons} == {3}
    assert (evaluated_points(character.mesh)[0] != evaluated_points(plain.mesh)[0]).mean() > 0.99


def test_an_object_without_a_face_has_shape_keys():
    assert rigs.faceless_object().data.shape_keys.key_blocks.keys() == ["Basis", "Squash", "Bend", "Key 3"]


def test_a_driver_holds_a_key():
    character = rigs.arkit_character(jaw="key", prefix="")
    rigs.drive_key(character.mesh, "jawOpen", "0.5")
    bpy.context.view_layer.update()
    assert lip_gap_mm(character.mesh) > 10


@pytest.mark.parametrize("override, override_data", [(False, False), (True, False), (True, True)])
def test_a_character_is_linked_and_overridden(tmp_path, override, override_data):
    made = rigs.arkit_character(prefix="", jaw="key")
    character = rigs.linked_character(tmp_path / "hero.blend", made, override, override_data)
    assert len(character.others) == 2
    assert (character.mesh.override_library is not None) == override
    assert (character.mesh.data.library is None) == override_data
    assert character.armature.type == "ARMATURE"
    assert lip_gap_mm(character.mesh) == pytest.approx(-0.32, abs=0.02)
    if override_data:
        character.mesh.data.shape_keys.key_blocks["jawOpen"].value = 1.0
        bpy.context.view_layer.update()
        assert lip_gap_mm(character.mesh) == pytest.approx(28.6, abs=0.3)


def test_bones_point_anywhere_unless_asked_to_point_up():
    def leans(**options) -> float:
        bone = rigs.arkit_character(placement="plain", **options).armature.data.bones["jaw"]
        return math.degrees((bone.tail_local - bone.head_local).angle((0, 0, 1)))

    assert leans() > 20
    assert leans(name="Plain", odd_bones=False) < 0.1
