"""Recognised words that are left out because the recogniser was unsure of all words around them."""

from emote_blender.transcript.recognisers.credible_words import credible_words
from emote_blender.transcript.recognisers.interface import RecognisedWord


def words(count: int, confidence: float, seconds: float = 0.25, start: float = 0.0) -> list[RecognisedWord]:
    return [
        RecognisedWord(f"w{index}", start + index * seconds, start + (index + 1) * seconds, confidence)
        for index in range(count)
    ]


def test_an_unsure_word_among_sure_ones_stays():
    line = [*words(7, 0.8), *words(1, 0.05, start=1.75), *words(7, 0.8, start=2.0)]
    assert credible_words(line) == line


def test_a_line_of_unsure_words_goes():
    assert credible_words(words(15, 0.35)) == []


def test_words_that_are_far_too_long_go():
    assert credible_words(words(10, 0.9, seconds=0.7)) == []
    assert len(credible_words(words(3, 0.9, seconds=0.7))) == 3  # "Nooo!" is speech


def test_music_between_speech_goes_and_the_speech_stays():
    speech, music, more = words(30, 0.8), words(15, 0.3, start=20.0), words(30, 0.8, start=40.0)
    assert credible_words([*speech, *music, *more]) == [*speech, *more]


def test_a_few_sure_words_in_much_that_is_unsure_are_chance():
    lines = [words(15, 0.7 if line == 3 else 0.3, start=10.0 * line) for line in range(8)]
    assert credible_words([word for line in lines for word in line]) == []


def test_no_words_are_no_words():
    assert credible_words([]) == []
