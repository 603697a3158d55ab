"""The tiers of TextGrids and of ELAN files to cues."""

import pytest
from subtitle_texts import EAF, textgrid

from emote_blender.transcript.subtitles import parse_timed_text
from emote_blender.transcript.timed_transcript import Cue


@pytest.mark.parametrize(
    "tiers",
    [
        {"phones": ["HH AH L OW", "sil"], "words": ["hello you", "sp"]},
        {"MAU": ["h", "@"], "KAN-MAU": ["h@l@U", "ju:"], "ORT-MAU": ["hello you", ""]},
        {
            "phonemes": ["hh", "ah"],
            "tones": ["H* L-L%", ""],
            "notes on it": ["a long remark", ""],
            "Text": ["hello you", ""],
        },
        {"a": ["h", "l"], "b": ["hello you", ""]},
        {"speaker1_-_words": ["hello you", "sil"], "speaker1_-_phones": ["h", "e"]},
        {"transcription": ["hello you", ""], "phonetic transcription": ["h@l@U ju: h@l@U", ""]},
        {"words phones": ["h", "e"], "sentence": ["hello you", "<sil>"]},
    ],
)
def test_the_tier_of_words_is_chosen_by_name_or_by_its_labels(tiers):
    assert parse_timed_text(textgrid(**tiers)).text == "hello you"


def test_the_words_of_two_speakers_are_read_in_order():
    tiers = {"anna_-_words": ["hello there", "", "yes of course"], "bob_-_words": ["", "are you", ""]}
    assert parse_timed_text(textgrid(**tiers)).text == "hello there\nare you\nyes of course"


def test_speakers_have_tiers_of_their_own_and_a_translation_is_none():
    tiers = {"Anna": ["hello there", "", ""], "Bob": ["", "are you well", ""], "Anna DE": ["guten Tag ihr", "", ""]}
    assert parse_timed_text(textgrid(**tiers)).text == "hello there\nare you well"


def test_a_point_lasts_until_the_next():
    text = (
        '"ooTextFile"\n"TextGrid"\n0\n4\n<exists>\n1\n"TextTier"\n"words"\n0\n4\n2\n0.5\n"say ""hi"""\n1.5\n"you two"'
    )
    assert parse_timed_text(text).cues == (Cue('say "hi"', 0.5, 1.5), Cue("you two", 1.5, 6.5))


def test_annotations_of_elan_without_times_lie_in_the_one_that_they_belong_to():
    text = EAF.replace('<TIME_SLOT TIME_SLOT_ID="b" TIME_VALUE="2500"/>', '<TIME_SLOT TIME_SLOT_ID="b"/>')
    found = parse_timed_text(text)
    assert found.cues[0] == Cue("Hi there", 1.0, 2.0)  # halfway to the next slot
    reference = (
        '<TIER TIER_ID="words"><ANNOTATION><REF_ANNOTATION ANNOTATION_ID="w" ANNOTATION_REF="1"><ANNOTATION_VALUE>Hi'
        "</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>"
    )
    assert parse_timed_text(EAF.replace("</ANNOTATION_DOCUMENT>", reference)).cues == (Cue("Hi", 1.0, 2.5),)
