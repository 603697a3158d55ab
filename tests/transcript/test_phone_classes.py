from emote_blender.training.corpus import phones as corpus_phones
from emote_blender.transcript import phones


def test_the_corpus_and_the_transcript_speak_of_the_same_classes():
    assert phones.CLASSES == corpus_phones.CLASSES
    assert phones.VISEMES == corpus_phones.VISEMES
    for symbol in "p ˈɑː eɪ tʃ oʊ ɚ _: ʘ ʲ ts pf ɔːɹ iə ɡ ʁ ç ɲ ɨ ʉ ɬ".split():
        assert phones.from_ipa(symbol) == corpus_phones.from_ipa(symbol)
