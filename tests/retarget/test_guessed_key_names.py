"""Names of shape keys that no file has: misspelt, of made-up families, any text."""

import pytest
from counted_steps import counted_steps
from hypothesis import given, settings
from hypothesis import strategies as st
from key_tables import OCULUS, table

from emote_blender.retarget.key_names import SURE, propose
from emote_blender.retarget.name_words import distance, words_of
from emote_blender.retarget.signals import ARKIT_NAMES


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
