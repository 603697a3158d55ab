"""Bones' names: the joints of a face in the conventions of many rigs, and names that only look like them."""

import pytest

from emote_blender.retarget.bone_names import bones_by_role, read_bone_name

JAWS = (
    "jaw jaw_master DEF-jaw ORG-jaw J_Bip_C_Jaw CC_Base_JawRoot FACIAL_C_Jaw lowerJaw lowerjaw mixamorig:Jaw "
    "c_jawbone.x jawbone.x Jaw_M jaw_C0_0_jnt mandible あご 下顎 Character1_Jaw b_Jaw Bip01_Jaw LowerJaw jaw_ctrl"
).split()
NECKS = "neck Neck mixamorig:Neck J_Bip_C_Neck CC_Base_NeckTwist01 neck_01 neckLower neck1 c_neck.x Neck_M 首".split()
HEADS = "head Head mixamorig:Head J_Bip_C_Head CC_Base_Head head.x c_head.x ValveBiped.Bip01_Head1 Head_M 頭".split()
LEFT_EYES = (
    "eye.L Eye_L lEye l_eye LeftEye leftEye mixamorig:LeftEye J_Adj_L_FaceEye CC_Base_L_Eye FACIAL_L_Eye c_eye.l eye.l "
    "lf_eye_jnt EyeL 左目 DEF-eye.L eyeball_L"
).split()
OTHERS = (
    "jaw.L jaw.L.001 upperJaw CC_Base_UpperJaw jaw_end JawEnd lJawClench MCH-jaw_master FACIAL_L_Jawline jaw_ref.x "
    "teeth.B tongue eyes eyebrow.L lEyelidUpper FACIAL_L_EyeParallel c_eye_target.x c_eye_offset.l master_eye.L "
    "HeadTop_End Head_end HeadNub hairband headphones 両目 spine.006 hand.L"
).split()


@pytest.mark.parametrize(
    "names, role",
    [(JAWS, "jaw"), (NECKS, "neck"), (HEADS, "head"), (LEFT_EYES, "left_eye")],
    ids=["jaw", "neck", "head", "left_eye"],
)
def test_names_of_many_rigs_are_read(names, role):
    found = {name: read_bone_name(name) for name in names}
    assert {name: bone and bone.role for name, bone in found.items()} == dict.fromkeys(names, role)


def test_the_right_eye_is_the_other_one():
    names = "eye.R Eye_R rEye r_eye RightEye mixamorig:RightEye J_Adj_R_FaceEye CC_Base_R_Eye FACIAL_R_Eye c_eye.r 右目"
    assert {read_bone_name(name).role for name in names.split()} == {"right_eye"}


@pytest.mark.parametrize("name", OTHERS)
def test_names_that_only_look_like_them_are_left_alone(name):
    assert read_bone_name(name) is None


def test_a_jaw_is_meant_before_a_chin_or_a_copy():
    found = bones_by_role(["chin", "jaw.001", "jaw", "mouth"])
    assert [bone.name for bone in found["jaw"]] == ["jaw", "jaw.001", "chin", "mouth"]


def test_a_name_without_letters_is_nothing():
    assert read_bone_name("001") is None
    assert read_bone_name("") is None
    assert bones_by_role([]) == {}
