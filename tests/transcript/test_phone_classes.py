from emote_blender.training.corpus import phones as corpus_phones
from emote_blender.transcript import phones


def test_the_corpus_and_the_transcript_speak_of_the_same_classes():
    assert corpus_phones.CLASSES is phones.CLASSES
    assert corpus_phones.VISEMES is phones.VISEMES
    assert corpus_phones.from_ipa is phones.from_ipa


def test_letters_that_ipa_does_not_know_take_the_class_of_their_kin():
    for letter, kin in phones.IPA_KIN.items():
        assert phones.from_ipa(chr(letter)) == ()
        assert phones.from_ipa(kin) != ()
