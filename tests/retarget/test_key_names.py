"""Spellings of shape keys met in the wild, and what is proposed for them."""

import pytest
from character_shapes import SPELLINGS
from key_tables import CASES, check_rows, table

from emote_blender.retarget.key_names import SURE, propose
from emote_blender.retarget.name_families import families
from emote_blender.retarget.signals import ARKIT_NAMES

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
