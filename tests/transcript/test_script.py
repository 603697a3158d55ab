import math

import pytest

from emote_blender.errors import Cancelled, InputError
from emote_blender.transcript.phones import CLASSES
from emote_blender.transcript.script import prepare, pronounce
from emote_blender.transcript.timed_transcript import Cue, TimedTranscript

TEXT = "My brother bought a small boat last spring, and he has not used it once. " * 20


def test_a_text_is_pronounced_in_parts_as_it_is_as_a_whole():
    script = prepare(TEXT, "en-us")
    assert len(script.passages) > 2
    parts = [word for passage in script.passages for word in script.words([passage])]
    assert tuple(parts) == pronounce(TEXT, "en-us").words


def test_rough_phones_are_those_of_the_words():
    script = prepare(TEXT, "en-us")
    exact = [[phone for word in script.words([passage]) for phone in word.phones] for passage in script.passages]
    rough = script.rough_phones()
    assert len(rough) == len(exact)
    for one, other in zip(rough, exact):
        assert abs(len(one) - len(other)) <= 0.03 * len(other)
        assert sum(a == b for a, b in zip(sorted(one), sorted(other))) > 0.9 * len(other)


def test_the_marks_of_words_in_another_language_are_no_phones():
    script = prepare("Das ist ein Update für den Browser.", "de")
    words = script.pronounce().words
    assert [CLASSES[phone] for phone in words[3].phones] == ["AH", "P", "D", "EH", "IH", "T"]
    (rough,) = script.rough_phones()
    assert rough == [phone for word in words for phone in word.phones]


def test_words_have_the_time_of_their_cue_in_the_order_of_starts():
    cues = TimedTranscript((Cue("one of", 4.0, 5.0), Cue("the people", 5.0, 6.0), Cue("before them", 1.0, 2.0)))
    words = prepare(cues, "en-us").pronounce().words
    assert [(word.text, word.start_seconds, word.end_seconds) for word in words] == [
        ("before", 1.0, 2.0),
        ("them", 1.0, 2.0),
        ("one", 4.0, 5.0),
        ("of the", 4.0, 6.0),
        ("people", 5.0, 6.0),
    ]


def test_words_of_a_text_have_no_times():
    (word,) = prepare("hello", "en-us").pronounce().words
    assert (word.start_seconds, word.end_seconds) == (-math.inf, math.inf)


def test_the_language_that_subtitles_name_is_used_if_none_is_chosen_and_it_is_known():
    german = (Cue("Chat live", 0.0, 1.0),)
    assert prepare(TimedTranscript(german, "de")).language == "de"
    assert prepare(TimedTranscript(german, "de"), "fr").language == prepare("Chat live", "fr").language
    assert prepare(TimedTranscript(german, "klingon-x")).language == prepare("Chat live").language


@pytest.mark.parametrize(
    "transcript, complaint",
    [("?!", "no words"), (TimedTranscript((Cue(" ", 0, 1),)), "is empty"), ("a " * (3 << 20), "6.3 million letters")],
)
def test_a_transcript_that_cannot_be_used_is_refused(transcript, complaint):
    with pytest.raises(InputError, match=complaint):
        prepare(transcript)


def test_rough_phones_can_be_cancelled():
    with pytest.raises(Cancelled):
        prepare(TEXT, "en-us").rough_phones(lambda: True)
