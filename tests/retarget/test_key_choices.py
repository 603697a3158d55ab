"""Which of several keys move the face: both sides, copies, parts and wholes, visemes, several meshes."""

import pytest
from key_tables import CASES, OCULUS, check_rows, table

from emote_blender.retarget.key_names import SURE, propose
from emote_blender.retarget.name_families import SIGNALS
from emote_blender.retarget.signals import ARKIT_NAMES


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


def test_numbered_correctives_are_no_visemes():
    keys = [f"CTRL_expressions_{name}" for name in ("mouthCornerPullL", "mouthCornerPullR", "eyeBlinkL", "eyeBlinkR")]
    proposal = propose([*keys, *(f"CTRL_expressions_corrective{number}" for number in range(60))], jaw_is_bone=True)
    assert {row.target for row in proposal.rows} == set(keys)
    assert not proposal.visemes_open_jaw


def test_six_letters_after_the_word_mouth_are_visemes():
    proposal = propose([f"mouth {letter}" for letter in "ABCDEF"])
    assert proposal.kind == "Rhubarb"
    assert len(proposal.rows) == 6
