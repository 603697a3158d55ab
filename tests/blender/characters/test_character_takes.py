"""Takes on characters that have no head of this add-on."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="these tests run in Blender's Python module")

from character_rigs import arkit_character, vrm_character  # noqa: E402
from filled import fill, motion_of, values_at  # noqa: E402
from measured_lips import lip_gap_mm, open_head_gaps_mm  # noqa: E402

from emote_blender.blender.head.rig import head_of, is_head, rig_of  # noqa: E402
from emote_blender.blender.scene.find_head import choose_head, heads_in  # noqa: E402
from emote_blender.blender.takes.make import apply_motion  # noqa: E402
from emote_blender.retarget.compatibility import check_fits_head  # noqa: E402
from emote_blender.retarget.signals import JAW_OPEN_RADIANS, OPEN_NAMES  # noqa: E402


@pytest.fixture
def character(scene):
    built = arkit_character()
    fill(built)
    return built


def test_a_character_is_found_by_each_of_its_objects(character):
    assert all(head_of(item) == character.mesh for item in character.objects)
    assert is_head(character.mesh)
    assert not is_head(character.others[0])
    assert heads_in(bpy.context.scene) == [character.mesh]
    assert choose_head(bpy.context) == character.mesh


def test_the_open_model_fits_a_character(character):
    check_fits_head("the model", "open_head", len(OPEN_NAMES), OPEN_NAMES, rig_of(character.mesh))


def test_a_take_moves_the_keys_of_every_mesh(character):
    apply_motion(character.mesh, motion_of(browInnerUp=0.75, tongueOut=0.5), bpy.context.scene)
    face, teeth, brows = (values_at(5, mesh) for mesh in (character.mesh, *character.others))
    assert face["head.ARKit_browInnerUp"] == pytest.approx(0.75)
    assert brows["head.ARKit_browInnerUp"] == pytest.approx(0.75)
    assert teeth["head.ARKit_tongueOut"] == pytest.approx(0.5)
    assert "head.ARKit_browInnerUp" not in teeth


@pytest.mark.parametrize(
    "mode, placement",
    [
        *((mode, "tilted") for mode in ("QUATERNION", "AXIS_ANGLE", "XYZ", "ZXY")),
        *(("XYZ", placement) for placement in ("plain", "centimetres", "applied", "mirrored")),
    ],
)
def test_a_jaw_bone_opens_the_mouth_as_far_as_the_open_head(scene, mode, placement):
    character = arkit_character(placement=placement, rotation_mode=mode)
    fill(character, placement=placement)
    character.mesh.emote.character.calibrate = False
    apply_motion(character.mesh, motion_of(jaw=0.3), scene)
    expected = open_head_gaps_mm(np.zeros((1, 50)), np.array([[0.3, 0, 0]]))[0, 4]
    assert lip_gap_mm(character.mesh, 5) == pytest.approx(expected, abs=0.5)


def test_a_jaw_key_opens_instead_of_a_bone(scene):
    character = arkit_character(jaw="key", armature=False)
    fill(character)
    character.mesh.emote.character.calibrate = False
    apply_motion(character.mesh, motion_of(jaw=0.5 * JAW_OPEN_RADIANS), scene)
    assert values_at(5, character.mesh)["head.ARKit_jawOpen"] == pytest.approx(0.5, abs=1e-3)


def test_gaps_between_takes_show_no_key(character):
    scene = bpy.context.scene
    apply_motion(character.mesh, motion_of(jawForward=0.625, browInnerUp=0.5), scene, 1)
    apply_motion(character.mesh, motion_of(jawForward=0.625), scene, 60, "later")
    for mesh in (character.mesh, *character.others):
        assert max(map(abs, values_at(40, mesh).values())) < 1e-6
        assert max(map(abs, values_at(-30, mesh).values())) < 1e-6


def test_a_character_without_armature_speaks_by_keys(scene):
    character = vrm_character(armature=False)
    fill(character, {"Fcl_EYE_Close": "eyeBlinkLeft"}, "NONE")
    apply_motion(character.mesh, motion_of(eyeBlinkLeft=1.0), scene)
    assert values_at(5, character.mesh)["Fcl_EYE_Close"] == pytest.approx(1.0)
