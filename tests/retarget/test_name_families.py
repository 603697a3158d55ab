import json

import pytest

from emote_blender.retarget.name_families import SIGNALS, VISEMES, families, read_family
from emote_blender.retarget.signals import ARKIT_NAMES


def test_all_families_are_read_and_name_known_signals():
    names = [family.name for family in families()]
    assert len(names) == len(set(names)) > 20
    assert names[0] == "ARKit"
    assert names[-1] == "own names"
    for family in families():
        for meaning in (*family.exact.values(), *family.sided.values()):
            assert {source for source, _ in meaning.signals} <= SIGNALS
            assert all(0 < abs(strength) <= 1 for _, strength in meaning.signals)
        assert set(family.visemes.values()) <= set(VISEMES)
        assert len(set(family.visemes.values())) >= family.least or not family.visemes


def test_arkits_family_has_all_its_names():
    meanings = families()[0].exact
    assert all(meanings[name.lower()].signals == ((name, 1.0),) for name in ARKIT_NAMES)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"shapes": {"a": "jawOpened"}}, "unknown signal 'jawOpened'"),
        ({"mixes": {"a": {"jawOpen": "1"}}}, "mixes.a.jawOpen must be float"),
        ({"visemes": {"a": "xx"}}, "visemes.a is 'xx'"),
        ({"version": 2}, "version 2 is unknown"),
        ({"color": 1}, "unknown field color"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, changes, sentence):
    path = tmp_path / "family.json"
    path.write_text(json.dumps({"version": 1, "name": "n"} | changes))
    with pytest.raises(ValueError, match="family.json: ") as error:
        read_family(path)
    assert sentence in str(error.value)


def test_groups_stand_for_several_names(tmp_path):
    path = tmp_path / "family.json"
    shapes = {"wink{side}": "eyeBlink{side}", "Funnel{quarter}": "mouthFunnel", "Suck{half}": "mouthPucker"}
    path.write_text(json.dumps({"version": 1, "name": "n", "shapes": shapes}))
    family = read_family(path)
    assert family.exact["winkl"].signals == (("eyeBlinkLeft", 1.0),)
    assert family.exact["wink"].signals == (("eyeBlinkLeft", 0.5), ("eyeBlinkRight", 0.5))
    assert {family.exact[f"funnel{part}"].part for part in ("ul", "ur", "dl", "dr")} == {"UL", "UR", "DL", "DR"}
    assert family.exact["suckupper"].signals == (("mouthPucker", 1.0),)
