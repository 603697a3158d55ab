"""Names of shape keys in families as they are met, and what tests compare of the table that is proposed for names."""

from emote_blender.retarget.key_names import SURE, Proposal

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
