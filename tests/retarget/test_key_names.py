"""Spellings of shape keys met in the wild, and what is proposed for them."""

import pytest
from character_shapes import SPELLINGS
from counted_steps import counted_steps
from hypothesis import given, settings
from hypothesis import strategies as st

from emote_blender.retarget.key_names import SURE, Proposal, propose
from emote_blender.retarget.name_families import SIGNALS, families
from emote_blender.retarget.name_words import distance, words_of
from emote_blender.retarget.signals import ARKIT_NAMES

OCULUS = "sil PP FF TH DD kk CH SS nn RR aa E ih oh ou".split()


def table(proposal: Proposal) -> dict[str, dict[str, float]]:
    """Strength of each signal by key."""
    found: dict[str, dict[str, float]] = {}
    for row in proposal.rows:
        found.setdefault(row.target, {})[row.source] = row.strength
    return found


def check_rows(proposal: Proposal, expected: str) -> None:
    """Assert that exactly these keys surely show these signals, written as "key:signal key:signal"."""
    wanted = dict(pair.rsplit(":", 1) for pair in expected.split())
    sure = {row.target for row, certainty in zip(proposal.rows, proposal.certainties) if certainty >= SURE}
    assert {key: "+".join(sources) for key, sources in table(proposal).items() if key in sure} == wanted


PREFIXES = ("", "head.ARKit_", "!ex-", "Bob_", "blendShape1.", "CTRL_expressions_", "Face.M_F00_000_00_")


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_arkits_names_are_known_in_any_spelling_with_any_prefix(spelling, prefix):
    keys = {prefix + SPELLINGS[spelling](name): name for name in ARKIT_NAMES}
    proposal = propose(list(keys))
    assert {row.target: row.source for row in proposal.rows} == keys
    assert set(proposal.certainties) == {1.0}
    assert not proposal.unmapped
    assert not proposal.doubled
    assert proposal.kind in ("ARKit", "MetaHuman")


@pytest.mark.parametrize(
    "key, signal",
    [
        ("A01_Brow_Inner_Up", "browInnerUp"),
        ("A38_Mouth_Smile_Left", "mouthSmileLeft"),
        ("A25_Jaw_Open", "jawOpen"),
        ("AK_09_EyeBlinkLeft", "eyeBlinkLeft"),
        ("blendShape1.AK_13_EyeLookInLeft", "eyeLookInLeft"),
        ("JAWOPEN", "jawOpen"),
        ("MOUTHLEFT", "mouthLeft"),
        ("eyeblinkl", "eyeBlinkLeft"),
        ("l_eyeBlink", "eyeBlinkLeft"),
        ("rEyeBlink", "eyeBlinkRight"),
        ("eyeBlink_rgt", "eyeBlinkRight"),
        ("eyeBlink lft", "eyeBlinkLeft"),
        ("L_mouthSmile_L", "mouthSmileLeft"),
        ("Mouth Smile (Left)", "mouthSmileLeft"),
        ("jawOpenShape", "jawOpen"),
        ("jawOpen_bs", "jawOpen"),
        ("c_jawOpen_geo", "jawOpen"),
        ("facs_bs_MouthFunnel_div2", "mouthFunnel"),
        ("facs_jnt_JawOpen", "jawOpen"),
        ("facs_ctrl_CheekPuff", "cheekPuff"),
        ("Genesis9__facs_bs_MouthSmileLeft_div2", "mouthSmileLeft"),
        ("head_lod0_mesh__jaw_open", "jawOpen"),
        ("Mix::Smile_Left", "mouthSmileLeft"),
        ("AU_12_L_SmileRaiser", "mouthSmileLeft"),
        ("AU26", "jawOpen"),
        ("AU04_R", "browDownRight"),
        ("まばたき_左", "eyeBlinkLeft"),
        ("ウィンク右", "eyeBlinkRight"),
        ("ｳｨﾝｸ２右", "eyeBlinkRight"),
        ("tongueUp", "tongueUp"),
    ],
)
def test_a_spelling_is_known(key, signal):
    proposal = propose([key])
    assert table(proposal) == {key: {signal: 1.0}}
    assert min(proposal.certainties) >= 0.8


CASES = {
    "VRoid": (
        "Fcl_ALL_Neutral Fcl_ALL_Angry Fcl_ALL_Joy Fcl_BRW_Fun Fcl_EYE_Natural Fcl_EYE_Close_L Fcl_EYE_Close_R "
        "Fcl_EYE_Spread Fcl_MTH_Close Fcl_MTH_Angry Fcl_MTH_Joy Fcl_MTH_SkinFung Fcl_MTH_SkinFung_L Fcl_MTH_A "
        "Fcl_MTH_I Fcl_MTH_U Fcl_MTH_E Fcl_MTH_O Fcl_HA_Hide Fcl_EYE_Iris_Hide",
        "Fcl_EYE_Close_L:eyeBlinkLeft Fcl_EYE_Close_R:eyeBlinkRight Fcl_EYE_Spread:eyeWideLeft+eyeWideRight "
        "Fcl_MTH_A:viseme_aa Fcl_MTH_I:viseme_ih Fcl_MTH_U:viseme_ou Fcl_MTH_E:viseme_E Fcl_MTH_O:viseme_oh",
    ),
    "VRM": (
        "aa ih ou ee oh blink blinkLeft blinkRight happy angry sad relaxed surprised neutral lookUp",
        "aa:viseme_aa ih:viseme_ih ou:viseme_ou ee:viseme_E oh:viseme_oh blinkLeft:eyeBlinkLeft "
        "blinkRight:eyeBlinkRight lookUp:eyeLookUpLeft+eyeLookUpRight",
    ),
    "VRM ": (
        "A I U E O Blink Blink_L Blink_R Joy Angry Sorrow Fun LookUp Neutral",
        "A:viseme_aa I:viseme_ih U:viseme_ou E:viseme_E O:viseme_oh Blink_L:eyeBlinkLeft Blink_R:eyeBlinkRight "
        "LookUp:eyeLookUpLeft+eyeLookUpRight",
    ),
    "VRChat": (
        "vrc.blink_left vrc.blink_right vrc.lowerlid_left vrc.lowerlid_right "
        + " ".join(f"vrc.v_{name.lower()}" for name in OCULUS),
        "vrc.blink_left:eyeBlinkLeft vrc.blink_right:eyeBlinkRight "
        + " ".join(f"vrc.v_{name.lower()}:viseme_{name}" for name in OCULUS),
    ),
    "Ready Player Me": (
        "viseme_sil viseme_PP viseme_FF viseme_TH viseme_DD viseme_kk viseme_CH viseme_SS viseme_nn "
        "viseme_RR viseme_aa "
        "viseme_E viseme_I viseme_O viseme_U mouthOpen",
        "viseme_sil:viseme_sil viseme_PP:viseme_PP viseme_FF:viseme_FF viseme_TH:viseme_TH viseme_DD:viseme_DD "
        "viseme_kk:viseme_kk viseme_CH:viseme_CH viseme_SS:viseme_SS viseme_nn:viseme_nn viseme_RR:viseme_RR "
        "viseme_aa:viseme_aa viseme_E:viseme_E viseme_I:viseme_ih viseme_O:viseme_oh viseme_U:viseme_ou",
    ),
    "Preston Blair": (
        "AI E O U etc L WQ MBP FV rest",
        "AI:viseme_aa E:viseme_E O:viseme_oh U:viseme_ou etc:viseme_DD L:viseme_nn WQ:viseme_RR MBP:viseme_PP "
        "FV:viseme_FF rest:viseme_sil",
    ),
    "Rhubarb": (
        " ".join(f"mouth_{letter}" for letter in "ABCDEFGHX"),
        "mouth_A:viseme_PP mouth_B:viseme_SS mouth_C:viseme_E mouth_D:viseme_aa mouth_E:viseme_oh mouth_F:viseme_ou "
        "mouth_G:viseme_FF mouth_H:viseme_nn mouth_X:viseme_sil",
    ),
    "Microsoft visemes": (
        " ".join(f"viseme_{number}" for number in range(22)),
        "viseme_0:viseme_sil viseme_2:viseme_aa viseme_4:viseme_E viseme_6:viseme_ih viseme_7:viseme_ou "
        "viseme_8:viseme_oh viseme_13:viseme_RR viseme_14:viseme_nn viseme_15:viseme_SS viseme_16:viseme_CH "
        "viseme_17:viseme_TH viseme_18:viseme_FF viseme_19:viseme_DD viseme_20:viseme_kk viseme_21:viseme_PP",
    ),
    "MMD": (
        "あ い う え お ん まばたき ウィンク ウィンク右 笑い 真面目 にこり なごみ 瞳小",
        "あ:viseme_aa い:viseme_ih う:viseme_ou え:viseme_E お:viseme_oh ん:viseme_nn ウィンク:eyeBlinkLeft "
        "ウィンク右:eyeBlinkRight",
    ),
    "Daz": (
        "eCTRLvAA eCTRLvEE eCTRLvEH eCTRLvER eCTRLvF eCTRLvIH eCTRLvK eCTRLvL eCTRLvM eCTRLvOW eCTRLvS "
        "eCTRLvSH eCTRLvT "
        "eCTRLvTH eCTRLvUW eCTRLMouthOpen eCTRLEyesClosedL eCTRLEyesClosedR eCTRLHappy",
        "eCTRLvAA:viseme_aa eCTRLvEE:viseme_ih eCTRLvEH:viseme_E eCTRLvER:viseme_RR eCTRLvF:viseme_FF "
        "eCTRLvK:viseme_kk "
        "eCTRLvL:viseme_nn eCTRLvM:viseme_PP eCTRLvOW:viseme_oh eCTRLvS:viseme_SS eCTRLvSH:viseme_CH eCTRLvT:viseme_DD "
        "eCTRLvTH:viseme_TH eCTRLvUW:viseme_ou eCTRLEyesClosedL:eyeBlinkLeft eCTRLEyesClosedR:eyeBlinkRight",
    ),
    "Character Creator 1:1": (
        "AE Ah B_M_P Ch_J EE F_V K_G_H_NG Oh R S_Z T_L_D_N Th W_OO",
        "AE:viseme_E Ah:viseme_aa B_M_P:viseme_PP Ch_J:viseme_CH EE:viseme_ih F_V:viseme_FF K_G_H_NG:viseme_kk "
        "Oh:viseme_oh R:viseme_RR S_Z:viseme_SS T_L_D_N:viseme_DD Th:viseme_TH W_OO:viseme_ou",
    ),
    "Animaze": (
        "viseme_AA viseme_EH_AE viseme_IH_AY viseme_AW_OW viseme_OY_UH_UW viseme_M_P_B viseme_FV viseme_CH_J_SH "
        "viseme_N_NG_DH viseme_R_ER viseme_L",
        "viseme_AA:viseme_aa viseme_EH_AE:viseme_E viseme_IH_AY:viseme_ih viseme_AW_OW:viseme_oh "
        "viseme_OY_UH_UW:viseme_ou viseme_M_P_B:viseme_PP viseme_FV:viseme_FF viseme_CH_J_SH:viseme_CH "
        "viseme_N_NG_DH:viseme_DD viseme_R_ER:viseme_RR viseme_L:viseme_nn",
    ),
    "Character Creator": (
        "Eye_L_Look_L Eye_R_Look_L Eye_L_Look_R Eye_R_Look_R Eye_L_Look_Up Brow_Raise_Inner_L Brow_Raise_Inner_R "
        "Brow_Drop_L Cheek_Raise_R Cheek_Puff_L Cheek_Puff_R Jaw_Open Jaw_L Mouth_R Mouth_Up_Upper_L "
        "Mouth_Down_Lower_R "
        "Mouth_Roll_In_Upper_L Mouth_Roll_In_Upper_R Mouth_Funnel_Up_L Mouth_Funnel_Down_L Mouth_Close V_Open "
        "Head_Turn_L Nose_Nostril_Raise_L Tongue_Narrow",
        "Eye_L_Look_L:eyeLookOutLeft Eye_R_Look_L:eyeLookInRight Eye_L_Look_R:eyeLookInLeft "
        "Eye_R_Look_R:eyeLookOutRight Eye_L_Look_Up:eyeLookUpLeft Brow_Raise_Inner_L:browInnerUp "
        "Brow_Raise_Inner_R:browInnerUp Brow_Drop_L:browDownLeft Cheek_Raise_R:cheekSquintRight Cheek_Puff_L:cheekPuff "
        "Cheek_Puff_R:cheekPuff Jaw_Open:jawOpen Jaw_L:jawLeft Mouth_R:mouthRight Mouth_Up_Upper_L:mouthUpperUpLeft "
        "Mouth_Down_Lower_R:mouthLowerDownRight Mouth_Roll_In_Upper_L:mouthRollUpper "
        "Mouth_Roll_In_Upper_R:mouthRollUpper Mouth_Funnel_Up_L:mouthFunnel Mouth_Funnel_Down_L:mouthFunnel "
        "Mouth_Close:mouthClose",
    ),
    "MetaHuman": (
        "CTRL_expressions_jawOpen CTRL_expressions_jawOpenExtreme CTRL_expressions_jawFwd "
        "CTRL_expressions_mouthFunnelUL CTRL_expressions_mouthFunnelUR CTRL_expressions_mouthFunnelDL "
        "CTRL_expressions_mouthFunnelDR CTRL_expressions_mouthLipsTogetherUL CTRL_expressions_mouthLipsTogetherDL "
        "CTRL_expressions_mouthCornerPullL CTRL_expressions_mouthSharpCornerPullL CTRL_expressions_eyeLookLeftL "
        "CTRL_expressions_eyeLookLeftR CTRL_expressions_browRaiseInL CTRL_expressions_browRaiseInR "
        "CTRL_expressions_mouthStickyUC CTRL_expressions_mouthUpperLipRollInL CTRL_expressions_mouthUpperLipRollInR",
        "CTRL_expressions_jawOpen:jawOpen CTRL_expressions_jawFwd:jawForward "
        "CTRL_expressions_mouthFunnelUL:mouthFunnel "
        "CTRL_expressions_mouthFunnelUR:mouthFunnel CTRL_expressions_mouthFunnelDL:mouthFunnel "
        "CTRL_expressions_mouthFunnelDR:mouthFunnel CTRL_expressions_mouthLipsTogetherUL:mouthClose "
        "CTRL_expressions_mouthLipsTogetherDL:mouthClose CTRL_expressions_mouthCornerPullL:mouthSmileLeft "
        "CTRL_expressions_eyeLookLeftL:eyeLookOutLeft CTRL_expressions_eyeLookLeftR:eyeLookInRight "
        "CTRL_expressions_browRaiseInL:browInnerUp CTRL_expressions_browRaiseInR:browInnerUp "
        "CTRL_expressions_mouthUpperLipRollInL:mouthRollUpper CTRL_expressions_mouthUpperLipRollInR:mouthRollUpper",
    ),
    "Meta face tracking": (
        "JawDrop JawThrust JawSidewaysLeft LipFunnelerLB LipFunnelerLT LipFunnelerRB LipFunnelerRT LipSuckLB LipSuckRB "
        "LipSuckLT LipSuckRT LipCornerPullerL LipsToward InnerBrowRaiserL InnerBrowRaiserR EyesClosedR UpperLidRaiserL "
        "EyesLookRightL CheekSuckL",
        "JawDrop:jawOpen JawThrust:jawForward JawSidewaysLeft:jawLeft LipFunnelerLB:mouthFunnel "
        "LipFunnelerLT:mouthFunnel LipFunnelerRB:mouthFunnel LipFunnelerRT:mouthFunnel LipSuckLB:mouthRollLower "
        "LipSuckRB:mouthRollLower LipSuckLT:mouthRollUpper LipSuckRT:mouthRollUpper LipCornerPullerL:mouthSmileLeft "
        "LipsToward:mouthClose InnerBrowRaiserL:browInnerUp InnerBrowRaiserR:browInnerUp EyesClosedR:eyeBlinkRight "
        "UpperLidRaiserL:eyeWideLeft EyesLookRightL:eyeLookInLeft",
    ),
    "Mixamo": (
        "Blink_Left BrowsDown_Right BrowsUp_Left EyesWide_Left Frown_Left Jaw_Down LowerLipDown_Right LowerLipIn "
        "MouthNarrow_Left MouthNarrow_Right NoseScrunch_Left Smile_Right UpperLipUp_Left MouthUp",
        "Blink_Left:eyeBlinkLeft BrowsDown_Right:browDownRight BrowsUp_Left:browOuterUpLeft EyesWide_Left:eyeWideLeft "
        "Frown_Left:mouthFrownLeft Jaw_Down:jawOpen LowerLipDown_Right:mouthLowerDownRight LowerLipIn:mouthRollLower "
        "MouthNarrow_Left:mouthPucker MouthNarrow_Right:mouthPucker NoseScrunch_Left:noseSneerLeft "
        "Smile_Right:mouthSmileRight UpperLipUp_Left:mouthUpperUpLeft",
    ),
    "Roblox": (
        "JawDrop LipsTogether Pucker FlatPucker Funneler LowerLipSuck LeftLipCornerPuller RightLipCornerDown "
        "LeftInnerBrowRaiser RightInnerBrowRaiser ChinRaiserUpperLip EyesLookLeft LeftEyeClosed Corrugator",
        "JawDrop:jawOpen LipsTogether:mouthClose Pucker:mouthPucker Funneler:mouthFunnel LowerLipSuck:mouthRollLower "
        "LeftLipCornerPuller:mouthSmileLeft RightLipCornerDown:mouthFrownRight LeftInnerBrowRaiser:browInnerUp "
        "RightInnerBrowRaiser:browInnerUp ChinRaiserUpperLip:mouthShrugUpper "
        "EyesLookLeft:eyeLookOutLeft+eyeLookInRight LeftEyeClosed:eyeBlinkLeft",
    ),
    "faceshift": (
        "EyeBlink_L EyeOpen_L BrowsU_C BrowsU_L BrowsD_R JawFwd LipsStretch_L LipsLowerClose ChinLowerRaise Sneer Puff",
        "EyeBlink_L:eyeBlinkLeft EyeOpen_L:eyeWideLeft BrowsU_C:browInnerUp BrowsU_L:browOuterUpLeft "
        "BrowsD_R:browDownRight JawFwd:jawForward LipsStretch_L:mouthStretchLeft LipsLowerClose:mouthRollLower "
        "ChinLowerRaise:mouthShrugLower Sneer:noseSneerLeft+noseSneerRight Puff:cheekPuff",
    ),
    "Unified Expressions": (
        "EyeClosedLeft BrowInnerUpLeft BrowInnerUpRight MouthClosed MouthRaiserLower LipSuckUpper LipFunnelUpper "
        "LipFunnelLower CheekPuffLeft CheekPuffRight MouthCornerPullLeft",
        "EyeClosedLeft:eyeBlinkLeft BrowInnerUpLeft:browInnerUp BrowInnerUpRight:browInnerUp MouthClosed:mouthClose "
        "MouthRaiserLower:mouthShrugLower LipSuckUpper:mouthRollUpper LipFunnelUpper:mouthFunnel "
        "LipFunnelLower:mouthFunnel CheekPuffLeft:cheekPuff CheekPuffRight:cheekPuff "
        "MouthCornerPullLeft:mouthSmileLeft",
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_familys_names_are_known(kind):
    names, expected = CASES[kind]
    proposal = propose(names.split())
    check_rows(proposal, expected)
    assert proposal.kind == kind.strip()
    assert {certainty for certainty in proposal.certainties if certainty >= SURE} == {1.0}


def test_every_name_in_the_families_is_proposed_by_itself_as_it_is_written():
    for family in families():
        for (stem, side), meaning in family.sided.items():
            if side:
                rows = propose([f"{stem}_{side}"]).rows
                assert rows, (family.name, stem, side)
                if family.name == "ARKit":
                    assert tuple((row.source, row.strength) for row in rows) == meaning.signals


def test_a_key_for_both_sides_is_moved_by_both_half_each():
    assert table(propose(["mouthSmile"])) == {"mouthSmile": {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5}}
    assert table(propose(["Blink"])) == {"Blink": {"eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5}}


def test_a_key_for_both_sides_gives_way_to_keys_for_each():
    proposal = propose(["blink", "blinkLeft", "blinkRight"])
    check_rows(proposal, "blinkLeft:eyeBlinkLeft blinkRight:eyeBlinkRight")
    assert proposal.unmapped == ("blink",)
    assert proposal.reasons["blink"] == "eyeBlinkLeft is shown by blinkLeft"
    assert proposal.doubled["eyeBlinkLeft"] == ("blinkLeft", "blink")


def test_a_key_for_both_sides_stays_where_only_one_side_has_its_own():
    proposal = propose(["まばたき", "ウィンク"])
    check_rows(proposal, "まばたき:eyeBlinkLeft+eyeBlinkRight")
    assert proposal.doubled["eyeBlinkLeft"] == ("まばたき", "ウィンク")


@pytest.mark.parametrize("names", ["browInnerUpLeft browInnerUpRight", "browInnerUp_L browInnerUp_R"])
def test_what_arkit_has_once_moves_both_parts_of_it_in_full(names):
    left, right = names.split()
    assert table(propose([left, right])) == {left: {"browInnerUp": 1.0}, right: {"browInnerUp": 1.0}}


def test_parts_give_way_to_the_whole():
    proposal = propose(["browInnerUp", "browInnerUpLeft", "browInnerUpRight"])
    check_rows(proposal, "browInnerUp:browInnerUp")
    assert proposal.doubled == {"browInnerUp": ("browInnerUp", "browInnerUpLeft", "browInnerUpRight")}


def test_a_key_with_two_directions_gets_a_negative_strength():
    rows = propose(["eCTRLJawSide-Side"]).rows
    assert [(row.source, row.strength, row.low, row.high) for row in rows] == [
        ("jawLeft", 1.0, 0.0, 1.0),
        ("jawRight", -1.0, -1.0, 0.0),
    ]


@pytest.mark.parametrize(
    "key, reason",
    [
        ("jawOpen_corrective", "a helper of jawOpen"),
        ("jawOpen_old", "a helper of jawOpen"),
        ("old jawOpen", "a helper of jawOpen"),
        ("jaw open mask", "a helper of jawOpen"),
        ("jawOpen_fix_01", "a helper of jawOpen"),
        ("backup.mouthFunnel", "a helper of mouthFunnel"),
        ("jawOpen_mouthSmileLeft", "a combination of shapes"),
        ("mouthClose_jawOpen", "a combination of shapes"),
        ("facs_cbs_MouthSmileLeft_MouthFrownLeft", "a helper of mouthFrown"),
        ("Fcl_ALL_Joy", "an emotion"),
        ("Expression Happy", "an emotion"),
        ("怒り顔 喜び", "an emotion"),
    ],
)
def test_misleading_names_are_left_out_with_the_reason(key, reason):
    proposal = propose([key, "browInnerUp"])
    assert proposal.unmapped == (key,)
    assert reason in proposal.reasons[key]


def test_the_clean_name_is_taken_and_its_copy_is_reported():
    proposal = propose(["jawOpen.001", "jawOpen"])
    check_rows(proposal, "jawOpen:jawOpen")
    assert proposal.doubled == {"jawOpen": ("jawOpen", "jawOpen.001")}


def test_a_numbered_name_alone_is_taken_but_less_certain():
    proposal = propose(["mouthPucker1"])
    assert table(proposal) == {"mouthPucker1": {"mouthPucker": 1.0}}
    assert SURE < proposal.certainties[0] < 1.0


def test_a_prefix_of_all_keys_is_not_misleading():
    names = [f"old_{name}" for name in ARKIT_NAMES]
    assert {row.target for row in propose(names).rows} == set(names)


@pytest.mark.parametrize(
    "key, signal",
    [
        ("jawOpne", "jawOpen"),
        ("mouthSmlieLeft", "mouthSmileLeft"),
        ("mouthSmileRihgt", "mouthSmileRight"),
        ("eyeBlnk_L", "eyeBlinkLeft"),
        ("browInerUp", "browInnerUp"),
        ("head.mouthPuker", "mouthPucker"),
        ("mouthLowerDwonRight", "mouthLowerDownRight"),
        ("noseSnerLeft", "noseSneerLeft"),
        ("face_lips_upper_raise_L", "mouthUpperUpLeft"),
        ("face lip corner up R", "mouthSmileRight"),
        ("mandible_drop", "jawOpen"),
        ("lids_shut_L", "eyeBlinkLeft"),
        ("lips_trumpet", "mouthFunnel"),
        ("eyebrow.lowered.R", "browDownRight"),
        ("lower_lip_pulled_down_L", "mouthLowerDownLeft"),
        ("KieferAuf", "jawOpen"),
        ("MundLächelnLinks", "mouthSmileLeft"),
        ("LippenKussmund", "mouthPucker"),
        ("Boca_Abierta", "jawOpen"),
        ("SourireDroite", "mouthSmileRight"),
        ("口_開き", "jawOpen"),
        ("左眼闭", "eyeBlinkLeft"),
        ("입벌리기", "jawOpen"),
    ],
)
def test_a_misspelt_or_unknown_name_is_guessed_and_uncertain(key, signal):
    proposal = propose([key])
    assert table(proposal) == {key: {signal: 1.0}}
    assert SURE <= proposal.certainties[0] < 0.8
    assert proposal.kind == "own names"


@pytest.mark.parametrize(
    "names",
    [
        "Muscle_A Muscle_E Muscle_I Muscle_O Muscle_U",
        "Hair_A Hair_B Hair_C Hair_D Hair_E Hair_F Hair_G Hair_H",
        "Weight Robe_Open Door_Closed Shirt_Up Age_Old Boots_L Boots_R Key_1 Key_2",
        "a b c",
        "Squash Bend",
        "",
    ],
)
def test_names_of_no_face_are_left_alone(names):
    proposal = propose(names.split())
    assert not proposal.rows
    assert proposal.unmapped == tuple(names.split())
    assert proposal.kind == ""


@pytest.mark.parametrize("key, missing, used", [("Nose_Up", "noseSneer", False), ("Lips_Sealed", "mouthClose", True)])
def test_beside_a_whole_family_what_may_build_the_face_is_not_used_unasked(key, missing, used):
    proposal = propose([*[name for name in ARKIT_NAMES if not name.startswith(missing)], key])
    given = [certainty for row, certainty in zip(proposal.rows, proposal.certainties) if row.target == key]
    assert given
    assert (min(given) >= SURE) == used


def test_arkits_mouth_needs_no_visemes_beside_it():
    visemes = [f"viseme_{name}" for name in OCULUS]
    proposal = propose([*ARKIT_NAMES, *visemes, "mouthOpen"])
    assert {row.target for row in proposal.rows} == set(ARKIT_NAMES)
    assert proposal.reasons["viseme_PP"] == "a viseme; other shape keys move the mouth"
    assert not proposal.visemes_open_jaw


def test_visemes_move_a_mouth_that_has_little_else():
    visemes = [f"viseme_{name}" for name in OCULUS]
    proposal = propose([*visemes, "jawOpen", "mouthFunnel", "mouthSmileLeft", "eyeBlinkLeft"])
    assert {row.target for row in proposal.rows} == {*visemes, "mouthSmileLeft", "eyeBlinkLeft"}
    assert proposal.reasons["jawOpen"] == "visemes move the mouth"
    assert proposal.visemes_open_jaw


def test_visemes_that_leave_the_jaw_alone_keep_the_key_that_opens_it():
    names = "V_Open V_Explosive V_Dental_Lip V_Tight_O V_Tight V_Wide V_Affricate V_Lip_Open Jaw_Open Mouth_Pucker"
    proposal = propose(names.split())
    assert {"V_Explosive", "Jaw_Open"} <= {row.target for row in proposal.rows}
    assert "Mouth_Pucker" in proposal.unmapped
    assert not proposal.visemes_open_jaw


def test_a_jaw_bone_opens_the_mouth_of_arkits_other_shapes():
    names = [name for name in ARKIT_NAMES if not name.startswith("jaw")]
    visemes = [f"viseme_{name}" for name in OCULUS]
    assert "mouthFunnel" not in {row.source for row in propose([*names, *visemes]).rows}
    assert {row.source for row in propose([*names, *visemes], jaw_is_bone=True).rows} == set(names)


def test_names_say_more_than_numbers():
    proposal = propose([*(f"viseme_{name}" for name in OCULUS), *(f"phoneme_{number:02d}" for number in range(25))])
    assert {row.target for row in proposal.rows} == {f"viseme_{name}" for name in OCULUS}


def test_one_set_of_visemes_is_taken_of_several():
    proposal = propose([*(f"vrc.v_{name.lower()}" for name in OCULUS), "A", "I", "U", "E", "O"])
    assert len(proposal.rows) == 15
    assert set(proposal.unmapped) == set("AIUEO")


def test_common_words_are_nobodys_names():
    names = ["Mouth Open", "Smile", "Frown", "Kiss", "Blink", "Brows Up", "Brows Down", "Angry"]
    proposal = propose(names)
    assert proposal.kind == "own names"
    assert proposal.unmapped == ("Angry",)


def test_a_brow_of_each_side_shares_what_arkit_has_once():
    rows = table(propose(["Brow Raise L", "Brow Raise R", "Brows Up"]))
    assert rows == {
        "Brow Raise L": {"browInnerUp": 0.5, "browOuterUpLeft": 0.5},
        "Brow Raise R": {"browInnerUp": 0.5, "browOuterUpRight": 0.5},
    }


@pytest.mark.parametrize("vowels", ["アイウエオ", "아이우에오", "啊咿呜诶哦"])
def test_vowels_are_known_in_scripts_of_asia(vowels):
    sources = [row.source for row in propose(list(vowels)).rows]
    assert sources == ["viseme_aa", "viseme_ih", "viseme_ou", "viseme_E", "viseme_oh"]


@pytest.mark.parametrize("ending", ["_Bob", "_hero_GEO", ".Wolf_Body_01"])
def test_an_ending_that_all_keys_share_makes_no_difference(ending):
    keys = {f"{name}{ending}": name for name in ARKIT_NAMES}
    proposal = propose(list(keys))
    assert {row.target: row.source for row in proposal.rows} == keys


@pytest.mark.parametrize("form", ["viseme_{number:02d}_{name}", "{number}.{name}", "{name}_01"])
def test_numbers_around_visemes_make_no_difference(form):
    keys = {form.format(number=number, name=name): f"viseme_{name}" for number, name in enumerate(OCULUS)}
    assert {row.target: row.source for row in propose(list(keys)).rows} == keys


def test_a_made_up_family_of_abbreviations_is_guessed():
    names = {
        "zx_jw_opn": "jawOpen",
        "zx_jw_fwd": "jawForward",
        "zx_mth_cls": "mouthClose",
        "zx_lp_crnr_up_lft": "mouthSmileLeft",
        "zx_lp_crnr_up_rgt": "mouthSmileRight",
        "zx_lp_crnr_dn_lft": "mouthFrownLeft",
        "zx_lp_upr_rse_lft": "mouthUpperUpLeft",
        "zx_lp_lwr_dn_rgt": "mouthLowerDownRight",
        "zx_lp_purse": "mouthPucker",
        "zx_lp_funnel": "mouthFunnel",
        "zx_brw_inr_up": "browInnerUp",
        "zx_brw_otr_up_lft": "browOuterUpLeft",
        "zx_lid_cls_lft": "eyeBlinkLeft",
        "zx_lid_cls_rgt": "eyeBlinkRight",
        "zx_chk_puff": "cheekPuff",
        "zx_tng_out": "tongueOut",
    }
    proposal = propose(list(names))
    assert {row.target: row.source for row in proposal.rows} == names
    assert SURE <= min(proposal.certainties)


def test_a_made_up_family_of_whole_words_in_another_order_is_guessed():
    names = {
        "OpenTheJaw": "jawOpen",
        "CloseTheLips": "mouthClose",
        "RaiseUpperLipLeft": "mouthUpperUpLeft",
        "RaiseUpperLipRight": "mouthUpperUpRight",
        "LiftCornerOfMouthLeft": "mouthSmileLeft",
        "DropCornerOfMouthRight": "mouthFrownRight",
        "PurseLips": "mouthPucker",
        "ShutLeftEye": "eyeBlinkLeft",
        "ShutRightEye": "eyeBlinkRight",
        "RaiseInnerBrows": "browInnerUp",
        "LowerLeftBrow": "browDownLeft",
        "WrinkleNoseLeft": "noseSneerLeft",
        "PuffCheeks": "cheekPuff",
        "StickTongueOut": "tongueOut",
    }
    proposal = propose(list(names))
    assert {row.target: row.source for row in proposal.rows} == names
    assert SURE <= min(proposal.certainties)


def test_names_on_different_meshes_do_not_double_each_other():
    face, teeth = ["head.jawOpen", "head.mouthClose"], ["teeth.jawOpen"]
    proposal = propose(face, others=[teeth])
    check_rows(proposal, "head.jawOpen:jawOpen head.mouthClose:mouthClose teeth.jawOpen:jawOpen")
    assert not proposal.doubled
    assert propose([*face, *teeth]).doubled == {"jawOpen": ("head.jawOpen", "teeth.jawOpen")}


def test_a_name_on_several_meshes_has_one_row():
    assert len(propose(["jawOpen"], others=[["jawOpen"], ["jawOpen"]]).rows) == 1


def test_no_key_is_in_rows_of_two_meanings():
    names = [name for case, _ in CASES.values() for name in case.split()]
    proposal = propose(names)
    for signal in SIGNALS:
        targets = [row.target for row in proposal.rows if row.source == signal and row.strength > 0]
        assert len(targets) == len(set(targets))
    assert len(proposal.unmapped) + len({row.target for row in proposal.rows}) == len(dict.fromkeys(names))


def test_the_cost_of_many_keys_grows_with_their_number():
    propose(["jawOpen"])  # reads the files
    words = "Muscle Weight Shirt Boots Eye Nose Mouth Hair Scar".split()

    def steps(count: int) -> int:
        names = [f"Head_{name}_{count}" for name in ARKIT_NAMES]
        names += [f"{words[i % 9]}_{words[i % 7]}_{i}_{count}" for i in range(count - 52)]
        found = []
        cost = counted_steps(lambda: found.append(propose(names)))
        assert len(found[0].rows) == 52
        return cost

    few, many = steps(100), steps(1000)
    assert many < 11 * few


@pytest.mark.parametrize(
    "name, every, sides",
    [
        ("eCTRLvAA", "e ctrl v aa", ""),
        ("PHMMouthOpenL", "phm mouth open l", "L"),
        ("mouthFunnelUL", "mouth funnel ul", ""),
        ("Eye_L_Look_R", "eye l look r", "LR"),
        ("A05_Lips", "a 5 lip", ""),
        ("口角左上げ", "口 角 l 上げ", "L"),
        ("Münder öffnen-links", "münder öffnen l", "L"),
        ("...", "", ""),
    ],
)
def test_names_are_split_into_words(name, every, sides):
    found = words_of(name)
    assert (" ".join(found.all), "".join(found.sides)) == (every, sides)


@pytest.mark.parametrize(
    "first, second, expected",
    [("open", "open", 0), ("opne", "open", 1), ("opn", "open", 1), ("oopen", "open", 1), ("abcd", "wxyz", 3)],
)
def test_the_distance_counts_changed_added_left_out_and_swapped_letters(first, second, expected):
    assert distance(first, second, 2) == expected


PIECES = st.sampled_from(
    [
        *ARKIT_NAMES,
        *OCULUS,
        "Left",
        "R",
        "_",
        ".",
        "old",
        "mouth",
        "open",
        "口",
        "あ",
        "１",
        "ｳ",
        "\u0301",
        "AU",
        "12",
        "",
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=6).map("".join) | st.text(max_size=12), max_size=30))
def test_any_names_give_a_table_in_which_each_name_is_once_or_left_out(names):
    proposal = propose(names)
    targets = {row.target for row in proposal.rows}
    assert targets.isdisjoint(proposal.unmapped)
    assert targets | set(proposal.unmapped) == set(names)
    assert len(proposal.rows) == len(proposal.certainties)
    assert len({(row.source, row.target) for row in proposal.rows}) == len(proposal.rows)
    assert all(0 < certainty <= 1 for certainty in proposal.certainties)
    assert set(proposal.reasons) <= set(proposal.unmapped)
    assert bool(proposal.rows) == bool(proposal.kind)


def test_numbered_correctives_are_no_visemes():
    keys = [f"CTRL_expressions_{name}" for name in ("mouthCornerPullL", "mouthCornerPullR", "eyeBlinkL", "eyeBlinkR")]
    proposal = propose([*keys, *(f"CTRL_expressions_corrective{number}" for number in range(60))], jaw_is_bone=True)
    assert {row.target for row in proposal.rows} == set(keys)
    assert not proposal.visemes_open_jaw


def test_six_letters_after_the_word_mouth_are_visemes():
    proposal = propose([f"mouth {letter}" for letter in "ABCDEF"])
    assert proposal.kind == "Rhubarb"
    assert len(proposal.rows) == 6
