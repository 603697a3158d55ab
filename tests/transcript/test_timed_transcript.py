from emote_blender.transcript.timed_transcript import Cue, TimedTranscript

LINES = TimedTranscript((Cue("one", 0.0, 1.0), Cue("two", 1.5, 3.0), Cue("three", 40.0, 41.0)), "en")


def test_shifting_moves_every_cue_and_keeps_the_words():
    shifted = LINES.shifted(-1.5)
    assert [(cue.start_seconds, cue.end_seconds) for cue in shifted.cues] == [(-1.5, -0.5), (0.0, 1.5), (38.5, 39.5)]
    assert (shifted.text, shifted.language) == ("one\ntwo\nthree", "en")


def test_cues_of_which_a_part_lies_in_a_range_are_within_it():
    within = LINES.within(2.0, 30.0)
    assert within is not None
    assert within.text == "two"
    assert LINES.within(5.0, 30.0) is None
