"""Timed texts with faulty times or that cannot be used: mended, or refused in one sentence; and what many cues cost."""

import contextlib

import pytest
from counted_steps import counted_steps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from subtitle_texts import EAF, FORMATS, ROLLING, SONG, TEXTGRID, textgrid

from emote_blender.errors import EmoteError, InputError
from emote_blender.transcript.subtitles import parse_timed_text, read_subtitles
from emote_blender.transcript.timed_transcript import Cue, TimedTranscript


@pytest.mark.parametrize(
    "text, cues, warning",
    [
        (
            "00:05.0 --> 00:02.0\nHi\n\n00:06.0 --> 00:07.0\nYo",
            (Cue("Hi", 2.0, 5.0), Cue("Yo", 6.0, 7.0)),
            "1 cue of the transcript with an end before the start ('Hi' at 5.0 s): start and end were swapped",
        ),
        (
            "00:03.0 --> 00:03.0\nHi\n\n00:06.0 --> 00:07.0\nYo",
            (Cue("Hi", 3.0, 6.0), Cue("Yo", 6.0, 7.0)),
            "1 cue of the transcript without duration ('Hi' at 3.0 s): taken to last until the next cue",
        ),
        (
            "-00:03.0 --> -00:01.0\nHi\n\n-00:01.0 --> 00:07.0\nYo",
            (Cue("Yo", -1.0, 7.0),),
            "1 cue of the transcript before the sound begins ('Hi' at -3.0 s): left out",
        ),
        (
            "00:06.0 --> 00:07.0\nYo\n\n00:02.0 --> 00:03.0\nHi",
            (Cue("Hi", 2.0, 3.0), Cue("Yo", 6.0, 7.0)),
            "the cues of the transcript are not in the order of their times: they were sorted",
        ),
        (
            '{"segments": [{"start": "x", "end": 1, "text": "Hi"}, {"start": 6, "end": 7, "text": "Yo"}]}',
            (Cue("Yo", 6.0, 7.0),),
            "1 cue of the transcript without usable times ('Hi'): left out",
        ),
    ],
)
def test_faulty_times_are_mended_with_a_sentence(text, cues, warning):
    assert parse_timed_text(text) == TimedTranscript(cues, warnings=(warning,))


def test_cues_that_overlap_are_kept_and_the_same_cue_twice_is_one():
    cue = "00:01.0 --> 00:04.0\nHi\n\n"
    assert parse_timed_text(cue + cue + "00:02.0 --> 00:03.0\nYo").cues == (Cue("Hi", 1.0, 4.0), Cue("Yo", 2.0, 3.0))


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("WEBVTT\n\n", "a.srt has no cue"),
        ("WEBVTT 1\n\n00:01.0 --> 00:02.0\n[Music]", "a.srt has 1 cue without a word"),
        ("1\n-00:00:03,0 --> -00:00:01,0\nHi", "a.srt has no cue with usable times: 1 cue .* before the sound begins"),
        (TEXTGRID[:400], "a.srt is a damaged TextGrid; save it again in Praat"),
        (textgrid(phones=["HH", "AH"], MAU=["h", "@"]), "a.srt holds phones and no words; add a tier with the words"),
        ('{"mouthCues": [{"start": 0.0, "end": 0.1, "value": "X"}]}', "a.srt holds no words with times"),
        ("ooBinaryFile\x08TextGrid 1", "a.srt is a binary TextGrid; save it in Praat as a text file"),
        (EAF[:700], r"a.srt is a damaged ELAN file \(.*\); save it again"),
        (
            EAF.replace("<ANNOTATION_DOCUMENT", '<!DOCTYPE x [<!ENTITY a "1">]><ANNOTATION_DOCUMENT'),
            "declares a document type, which is not read in ELAN files",
        ),
        ("Hello, 1", "a.srt holds no words with times; export it again as SubRip"),
        ('{"a": 1}', "a.srt holds no words with times"),
        ("[" * 100_000 + "1", "a.srt holds no words with times"),
        ("PK\x03\x04 1", "a.srt is a zip file"),
        ("\0\1\2 1 binary", "a.srt is not a text file"),
    ],
)
def test_what_cannot_be_used_gets_one_sentence(text, complaint, tmp_path):
    path = tmp_path / "a.srt"
    path.write_bytes(text.encode())
    with pytest.raises(InputError, match=complaint) as caught:
        read_subtitles(path)
    assert "\n" not in str(caught.value)


def test_a_bomb_of_entities_is_not_expanded():
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE tt [{entities}]><tt><body><p begin="1s">&e11;</p></body></tt>'
    with pytest.raises(InputError, match="declares a document type, which is not read in TTML files"):
        parse_timed_text(bomb)


def steps_of_cues(count):
    """The steps of reading so many cues."""
    text = "".join(
        f"{n}\n{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02},000 --> {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02},900\n"
        f"Line {n} of <i>many</i>,\nthey said\n\n"
        for n in range(count)
    )
    assert len(parse_timed_text(text).cues) == count
    return counted_steps(parse_timed_text, text)


@pytest.mark.once
def test_the_cost_of_many_cues_grows_with_their_number():
    assert steps_of_cues(2_000) < 15 * steps_of_cues(200)  # 10 times; 100 times where each looks at all others


PIECES_OF_TEXTS = st.sampled_from(
    [
        *FORMATS.values(),
        ROLLING,
        SONG,
        "00:01.0 --> ",
        "{",
        "[",
        "<tt>",
        "<SAMI>",
        "ooTextFile TextGrid",
        "\t1.0",
        "1\t2\t",
        "WEBVTT\n",
    ]
)


@pytest.mark.once
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_damaged_text_of_any_format_gives_cues_or_one_sentence(data):
    text = data.draw(PIECES_OF_TEXTS)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 60))
        text = text[:place] + data.draw(st.one_of(st.text(max_size=20), PIECES_OF_TEXTS)) + text[place + length :]
    try:
        found = parse_timed_text(text)
    except EmoteError:
        return
    if found is not None:
        assert all(any(map(str.isalnum, cue.text)) and "\n" not in cue.text for cue in found.cues)
        assert all(cue.start_seconds < cue.end_seconds for cue in found.cues)
        starts = [cue.start_seconds for cue in found.cues]
        assert starts == sorted(starts)


@pytest.mark.once
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_bytes_give_cues_or_one_sentence(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.srt"
    path.write_bytes(data)
    with contextlib.suppress(EmoteError):
        read_subtitles(path)
