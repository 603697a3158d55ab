"""Timed texts of every kind to cues."""

import json

import pytest
from subtitle_texts import EAF, FORMATS, HI, ROLLING, SONG, SRT, TTML, VTT, WHISPER, WHISPER_CPP, YO

from emote_blender.transcript.subtitles import parse_timed_text, read_subtitles
from emote_blender.transcript.timed_transcript import Cue, TimedTranscript


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_every_format_gives_the_same_cues(kind, line_end, tmp_path):
    path = tmp_path / f"line.{kind}"
    path.write_bytes(FORMATS[kind].replace("\n", line_end).encode())
    found = read_subtitles(path)
    assert [cue.text for cue in found.cues] == [HI.text, YO.text]
    for cue, expected in zip(found.cues, (HI, YO)):
        # MicroDVD counts in frames of 0.04 s.
        assert cue.start_seconds == pytest.approx(expected.start_seconds, abs=0.021)
        assert cue.end_seconds == pytest.approx(expected.end_seconds, abs=0.021)
    assert found.warnings == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("kind", ["srt", "TextGrid", "eaf", "json"])
def test_a_format_may_be_in_any_unicode(kind, encoding, tmp_path):
    path = tmp_path / f"line.{kind}"
    path.write_bytes(FORMATS[kind].encode(encoding))
    assert read_subtitles(path).text == "Hi there\nGo on!"


def test_a_format_is_found_by_its_content_whatever_the_file_is_called(tmp_path):
    for kind, text in FORMATS.items():
        path = tmp_path / "line.srt"
        path.write_text(text, encoding="utf-8")
        assert read_subtitles(path).text == "Hi there\nGo on!", kind


def test_a_code_page_is_read_with_a_warning(tmp_path):
    path = tmp_path / "line.srt"
    path.write_bytes(SRT.replace("Hi", "Grüße aus München").encode("cp1252"))
    transcript = read_subtitles(path)
    assert transcript.cues[0].text == "Grüße aus München there"
    assert transcript.warnings == (
        "the transcript was read as Windows-1252; if its letters are wrong, save it in UTF-8",
    )


@pytest.mark.parametrize(
    "times, start, end",
    [
        ("00:00:01,000 --> 00:00:02,500", 1.0, 2.5),
        ("0:0:1.0 -> 0:0:2.5", 1.0, 2.5),
        ("1:02,5 --> 1:04,0", 62.5, 64.0),
        ("100:00:01,000 --> 100:00:02,000", 360_001.0, 360_002.0),
        ("00:00:01:500 --> 00:00:02:500", 1.5, 2.5),
        ("00:00:01:15 --> 00:00:02:00", 1.5, 2.0),
        ("00: 00: 01, 000 -> 00: 00: 02, 500", 1.0, 2.5),
        ("00:00:01,000 --&gt; 00:00:02,500", 1.0, 2.5),
        ("00:00:01,000→00:00:02,500", 1.0, 2.5),
        ("00:00:01 --> 00:00:02", 1.0, 2.0),
        ("1.5 --> 2.25", 1.5, 2.25),
        ("00.00.01,000 --> 00.00.02,500", 1.0, 2.5),
        ("00;00;01;15 --> 00;00;02;00", 1.5, 2.0),
        ("00:00:01,000 --> 00:00:02,500 X1:100 X2:200 Y1:100 Y2:200", 1.0, 2.5),
        ("[00:00:01.000 --> 00:00:02.500]", 1.0, 2.5),
        ("1 00:00:01,000 --> 00:00:02,500", 1.0, 2.5),
        ("-00:00:01,000 --> 00:00:02,500", -1.0, 2.5),
    ],
)
def test_times_are_read_as_people_write_them(times, start, end):
    assert parse_timed_text(f"{times}\nHello") == TimedTranscript((Cue("Hello", start, end),))


def test_cues_need_no_empty_line_between_them_and_no_counter():
    assert parse_timed_text(SRT.replace("\n\n", "\n")).cues == (HI, YO)
    assert parse_timed_text(SRT.replace("1\n", "").replace("2\n", "")).cues[1].text == "Go on!"
    numbers = "1\n00:01.0 --> 00:02.0\n5\n2\n00:02.0 --> 00:03.0\n4\n4\n\n3\n00:03.0 --> 00:04.0\n3"
    assert parse_timed_text(numbers).text == "5\n4 4\n3"


def test_subtitles_in_one_line_have_the_same_cues():
    assert parse_timed_text(" ".join(SRT.split())).cues == (HI, YO)
    assert parse_timed_text(" ".join(SRT.replace("1\n", "").replace("2\n", "").split())).cues == (HI, YO)


def test_a_cue_whose_times_are_half_lost_is_kept_if_its_start_is_known():
    text = "00:01.0 -->\nHi\n\n --> 00:04,0\nlost\n\n00:05.0 --> 00:06.0\n10 -> 20\nYo"
    found = parse_timed_text(text)
    assert found.cues == (Cue("Hi", 1.0, 5.0), Cue("10 -> 20 Yo", 5.0, 6.0))
    assert found.warnings == ("1 cue of the transcript without usable times ('lost'): left out",)


@pytest.mark.parametrize("left", ["00:00:05,000 --", "00:00:05,0", "00:"])
def test_a_file_that_breaks_off_in_the_times_of_a_cue_has_the_cues_before_it(left):
    assert parse_timed_text(f"{SRT}\n3\n{left}").cues == (HI, YO)


@pytest.mark.parametrize(
    "text",
    [
        "0:01\nhello there\n0:03\nand you\n",
        "0:01\n\nhello there\n\n1 second\n".replace("1 second\n", "0:03\nand you"),
        "Anna Lee  0:01\nhello there\n\nBob  0:03\nand you\n",
        "Speaker 1 (00:01):\nhello there\n\nSpeaker 2 (00:03):\nand you\n",
        "[00:00:01] Anna: hello there\n[00:00:03] Bob: and you\n",
        "[00:01.00] hello there\n[00:03.00] and you\n",
        "00:00:01 Anna: hello there\n00:00:03 Bob Lee: and you\n",
        "00:00:01.00 hello there\n00:00:03 and you\n",
        "(0:01) hello there\n(0:03) and you\n",
        "0:01 Anna: hello there\n0:03 Bob: and you\n",
    ],
)
def test_a_transcript_with_a_time_for_each_speech_lasts_until_the_next(text):
    assert parse_timed_text(text).cues == (Cue("hello there", 1.0, 3.0), Cue("and you", 3.0, 8.0))


@pytest.mark.parametrize(
    "text",
    [
        "12:30 is lunch.\n13:00 we meet.",
        "12:30\nand so on\nfor\nfive\nlines",
        "We meet at\n10:30 - 11:15\nor so",
        "9:15",
        "12:30 Lunch with Anna: yes\n13:00 we meet.",
    ],
)
def test_times_of_day_are_words(text):
    assert parse_timed_text(text) is None


def test_lyrics_last_until_the_next_and_may_be_repeated():
    text = "[ar:Somebody]\n[ti:A song]\n[00:01.00][00:09.50]La la <00:01.5> la\n[00:03]Oh yes\n[00:05.25]\n"
    found = parse_timed_text(text)
    assert found.cues == (Cue("La la la", 1.0, 3.0), Cue("Oh yes", 3.0, 9.5), Cue("La la la", 9.5, 14.5))


def test_an_offset_of_lyrics_makes_them_earlier():
    assert [cue.start_seconds for cue in parse_timed_text(SONG).cues] == [0.5, 1.5]


def test_sami_has_the_language_that_comes_first():
    sync = "<SYNC Start={}><P Class=KRCC>{}<P Class=ENCC>{}\n"
    text = (
        "<SAMI><HEAD></HEAD><BODY>\n"
        + sync.format(1000, "안녕<br>하세요", "Hi")
        + "<SYNC Start=2000><P Class=KRCC>&nbsp;\n"
    )
    text += sync.format(3000, "네", "Yes") + "</BODY></SAMI>"
    assert parse_timed_text(text).text == "안녕 하세요\n네"


def test_a_vtt_file_names_its_language_and_so_do_others():
    assert parse_timed_text(VTT.replace("Kind: captions", "Kind: captions\nLanguage: en-GB")).language == "en-GB"
    assert parse_timed_text(WHISPER).language == "en"
    assert parse_timed_text(WHISPER_CPP).language == "en"
    assert parse_timed_text(EAF).language == "eng"
    assert parse_timed_text(TTML.replace("<tt ", '<tt xml:lang="de" ')).language == "de"
    assert parse_timed_text(SRT).language == ""


def test_captions_that_roll_are_read_once():
    found = parse_timed_text(ROLLING)
    assert found.cues == (Cue("i told you", 0.16, 2.389), Cue("never to", 2.399, 4.47), Cue("open it", 4.48, 6.0))


def test_captions_that_grow_are_read_once():
    shown = ["I", "I told", "I told you", "I told you never"]
    text = "\n\n".join(f"00:0{n}.000 --> 00:0{n + 1}.000\n{words}" for n, words in enumerate(shown))
    assert " ".join(parse_timed_text(text).text.split()) == "I told you never"


def test_what_is_said_several_times_is_read_several_times():
    text = "\n\n".join(f"00:0{n}.000 --> 00:0{n + 1}.000\nNo, no!" for n in range(5))
    assert parse_timed_text(text).text == "\n".join(["No, no!"] * 5)


def test_words_one_by_one_are_joined_into_phrases():
    words = "I told you never To open that door".split()
    pieces = [{"word": word, "start": 0.4 * n, "end": 0.4 * n + 0.3} for n, word in enumerate(words)]
    pieces += [{"word": "Now", "start": 9.0, "end": 9.2}]
    found = parse_timed_text(json.dumps({"word_segments": pieces}))
    assert [cue.text for cue in found.cues] == ["I told you never To open that door", "Now"]
    assert (found.cues[0].start_seconds, found.cues[0].end_seconds) == (0.0, pytest.approx(3.1))
