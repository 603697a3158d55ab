import pytest

from emote_blender.training.corpus import phones


def test_there_are_39_different_classes_and_silence_is_the_first():
    assert len(set(phones.CLASSES)) == len(phones.CLASSES) == 39
    assert phones.CLASSES[phones.SILENCE] == "sil"


def test_every_class_belongs_to_one_viseme():
    members = [name for names in phones.VISEMES.values() for name in names]
    assert sorted(members) == sorted(phones.CLASSES)


@pytest.mark.parametrize(
    "symbol, classes",
    [
        ("p", ("P",)),
        ("ˈɑː", ("AA",)),
        ("eɪ", ("EH", "IH")),
        ("tʃ", ("T", "SH")),
        ("oʊ", ("OW", "UH")),
        ("ɚ", ("ER",)),
        ("_:", ("sil",)),
        ("", ("sil",)),
        ("ʘ", ()),
    ],
)
def test_ipa_of_espeak_becomes_classes(symbol, classes):
    assert phones.from_ipa(symbol) == classes


@pytest.mark.parametrize(
    "symbol, classes",
    [
        ("aa1", ("AA",)),
        ("ey", ("EH", "IH")),
        ("JH", ("D", "ZH")),
        ("pau", ("sil",)),
        ("ax", ("AX",)),
        ("dx", ("D",)),
        ("hh", ("HH",)),
        ("nonsense", None),
        ("rt", None),
    ],
)
def test_arpabet_of_flite_and_festival_becomes_classes(symbol, classes):
    assert phones.from_arpabet(symbol) == classes


def test_every_class_of_a_mapping_is_a_class():
    vowels, consonants = (
        "aa ae ah ao aw ax ay eh er ey ih iy ow oy uh uw",
        "b ch d dh el em en f g hh jh k l m n ng p r",
    )
    for symbol in f"{vowels} {consonants} s sh t th v w y z zh pau".split():
        assert set(phones.from_arpabet(symbol)) <= set(phones.CLASSES)
    for symbol in "iɪɯeɛæaɑɒɔoʊuʌəɚɜyøœpbmfvθðtdnszlɹrɾʃʒkɡŋxhwj":
        assert phones.from_ipa(symbol), symbol
        assert set(phones.from_ipa(symbol)) <= set(phones.CLASSES)
