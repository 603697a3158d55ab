"""Channels are found by the part of the face that they move."""

import json
from pathlib import Path

import pytest

from emote_blender.motion_tools.channel_groups import channel_group

HEAD_CARD = Path(__file__).parents[2] / "models/open_head/head.json"


def test_every_component_of_the_open_head_belongs_to_a_part_of_the_face():
    names = json.loads(HEAD_CARD.read_text(encoding="utf-8"))["expression_names"]
    groups = {name: channel_group(name) for name in names}
    assert set(groups.values()) == {"Jaw", "Lips", "Cheeks and Nose", "Brows", "Eyes", "Tongue"}
    assert groups["jawForward"] == "Jaw"
    assert groups["mouthClose"] == groups["mouthSmileLeft"] == "Lips"
    assert groups["cheekPuff"] == groups["noseSneerLeft"] == "Cheeks and Nose"
    assert groups["browInnerUp"] == "Brows"
    assert groups["eyeBlinkRight"] == "Eyes"
    assert groups["tongueOut"] == "Tongue"


@pytest.mark.parametrize(
    ("bone", "group"), [("jaw", "Jaw"), ("neck", "Neck"), ("head", "Neck"), ("left_eye", "Eyes"), ("right_eye", "Eyes")]
)
def test_bones_belong_to_parts_of_the_face(bone, group):
    assert channel_group(bone) == group


@pytest.mark.parametrize("name", [None, "", "Exp1", "expression_07", "component0"])
def test_components_without_a_meaning_form_one_group(name):
    assert channel_group(name) == "Expression"
