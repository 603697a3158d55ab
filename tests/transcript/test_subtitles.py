"""Timed texts of every kind to cues."""

import contextlib
import json

import pytest
from counted_steps import counted_steps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emote_blender.errors import EmoteError, InputError
from emote_blender.transcript.subtitles import parse_timed_text, read_subtitles
from emote_blender.transcript.timed_transcript import Cue, TimedTranscript

HI, YO = Cue("Hi there", 1.0, 2.5), Cue("Go on!", 3.0, 4.0)

SRT = "1\n00:00:01,000 --> 00:00:02,500\nHi\nthere\n\n2\n00:00:03,000 --> 00:00:04,000\nGo on!\n"
VTT = """WEBVTT - made by hand
Kind: captions

STYLE
::cue { color: red }

NOTE
a note --- of two
lines

intro
00:01.000 --> 00:02.500 align:start position:0%
<v Roger Bingham>Hi <c.yellow>there</c></v>

NOTE another

00:00:03.000 --> 00:00:04.000
Go <00:00:03.500>on!
"""
ASS = r"""[Script Info]
; a comment
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,twenty

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,not spoken
Dialogue: 0,0:00:01.00,0:00:02.50,Default,Anna,0,0,0,,{\an8\i1}Hi{\i0}\Nthere
Dialogue: 1,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\p1}m 0 0 l 100 0 100 100{\p0}
Dialogue: 0,not a time,0:00:02.50,Default,,0,0,0,,not spoken
Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\k20}Go {\k30}on!
"""
SSA = """[Script Info]
[V4 Styles]
[Events]
Format: Marked, Start, End, Style, Text
Dialogue: Marked=0,0:00:01.00,0:00:02.50,Default,Hi there
Dialogue: Marked=0,0:00:03.00,0:00:04.00,Default,Go on!
"""
SBV = "0:00:01.000,0:00:02.500\nHi\nthere\n\n0:00:03.000,0:00:04.000\nGo on!\n"
SUBVIEWER = "[INFORMATION]\n[TITLE]\n[END INFORMATION]\n00:00:01.00,00:00:02.50\nHi<br>there\n\n" + (
    "00:00:03.00,00:00:04.00\nGo on!\n"
)
PREMIERE = "00:00:01:00 - 00:00:02:15\nSpeaker 1\nHi there\n\n00:00:03:00 - 00:00:04:00\nSpeaker 2\nGo on!\n"
WHISPER_LOG = "[00:01.000 --> 00:02.500]  Hi there\n[00:03.000 --> 00:04.000]  Go on!\n"
LABELS = "1.000000\t2.500000\tHi there\n\\\t100.0\t200.0\n3,0\t4,0\tGo on!\n5.0\t6.0\n"
TSV = "start\tend\ttext\n1000\t2500\tHi there\n3000\t4000\tGo on!\n"
MICRODVD = "{1}{1}25.000\n{25}{63}Hi|there\n{75}{100}{y:i}Go on!\n"
MPL2 = "[10][25]/Hi|/there\n[30][40]Go on!\n"
TTML = """<?xml version="1.0" encoding="utf-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:tickRate="10000000"
 ttp:frameRate="30"><head><metadata>no</metadata></head><body><div>
<p begin="10000000t" end="25000000t">Hi<br/><span style="x">there</span></p><p begin="00:00:03:00" dur="1s">Go on!</p>
</div></body></tt>"""
NESTED_TTML = """<tt xmlns="http://www.w3.org/2006/10/ttaf1"><body begin="1s"><div><p>
<span begin="0s" end="1.5s">Hi there</span><span begin="2s" end="3s">Go on!</span></p></div></body></tt>"""
YOUTUBE = (
    '<transcript><text start="1" dur="1.5">Hi there</text><text start="3" dur="1">Go &amp;#111;n!</text></transcript>'
)
YOUTUBE_3 = """<timedtext format="3"><body><p t="1000" d="1500">Hi <s>there</s></p>
<p t="3000" d="1000">Go on!</p></body></timedtext>"""
TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 4
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 4
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1
            text = "sil"
        intervals [2]:
            xmin = 1
            xmax = 4
            text = "HH"
    item [2]:
        class = "IntervalTier"
        name = "utterances"
        xmin = 0
        xmax = 4
        intervals: size = 4
        intervals [1]:
            xmin = 0
            xmax = 1
            text = ""
        intervals [2]:
            xmin = 1
            xmax = 2.5
            text = "Hi there"
        intervals [3]:
            xmin = 2.5
            xmax = 3
            text = "<p:>"
        intervals [4]:
            xmin = 3
            xmax = 4
            text = "Go on!"
"""
SHORT_TEXTGRID = (
    'File type = "ooTextFile short"\n"TextGrid"\n\n0\n4\n<exists>\n1\n"IntervalTier"\n"ORT-MAU"\n0\n4\n3\n'
    '1\n2.5\n"Hi there"\n2.5\n3\n""\n3\n4\n"Go on!"\n'
)
EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" FORMAT="3.0" VERSION="3.0">
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="1000"/><TIME_SLOT TIME_SLOT_ID="b" TIME_VALUE="2500"/>
<TIME_SLOT TIME_SLOT_ID="c" TIME_VALUE="3000"/><TIME_SLOT TIME_SLOT_ID="d" TIME_VALUE="4000"/></TIME_ORDER>
<TIER TIER_ID="gloss"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="g" TIME_SLOT_REF1="a" TIME_SLOT_REF2="d">
<ANNOTATION_VALUE>a very long gloss of all that is said</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="Anna-transcript" LANG_REF="eng">
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="1" TIME_SLOT_REF1="a" TIME_SLOT_REF2="b">
<ANNOTATION_VALUE>Hi there</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="2" TIME_SLOT_REF1="c" TIME_SLOT_REF2="d">
<ANNOTATION_VALUE>Go on!</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>"""
PIECES = [{"start": 1.0, "end": 2.5, "text": " Hi there"}, {"start": 3.0, "end": 4.0, "text": " Go on!"}]
WHISPER = json.dumps({"text": " Hi there Go on!", "segments": PIECES, "language": "en"})
WHISPER_CPP = json.dumps(
    {
        "model": {"type": "base"},
        "result": {"language": "en"},
        "transcription": [
            {"timestamps": {"from": "00:00:01,000"}, "offsets": {"from": 1000, "to": 2500}, "text": " Hi there"},
            {"timestamps": {"from": "00:00:03,000"}, "offsets": {"from": 3000, "to": 4000}, "text": " Go on!"},
        ],
    }
)
TRANSFORMERS = json.dumps(
    {"text": "", "chunks": [{"timestamp": [1.0, 2.5], "text": "Hi there"}, {"timestamp": [3, 4], "text": "Go on!"}]}
)
ASSEMBLYAI = json.dumps(
    {"utterances": [{"start": 1000, "end": 2500, "text": "Hi there"}, {"start": 3000, "end": 4000, "text": "Go on!"}]}
)
JSON3 = json.dumps(
    {
        "events": [
            {"tStartMs": 0, "dDurationMs": 9000, "id": 1},
            {"tStartMs": 1000, "dDurationMs": 1500, "segs": [{"utf8": "Hi"}, {"utf8": " there", "tOffsetMs": 200}]},
            {"tStartMs": 3000, "dDurationMs": 1000, "segs": [{"utf8": "Go on!"}]},
        ]
    }
)
YOUTUBE_API = json.dumps(
    [{"text": "Hi there", "start": 1.0, "duration": 1.5}, {"text": "Go on!", "start": 3.0, "duration": 1.0}]
)
AMAZON = json.dumps(
    {
        "jobName": "x",
        "results": {
            "transcripts": [{"transcript": "Hi there. Go on!"}],
            "items": [
                {"start_time": "1.0", "end_time": "2.5", "alternatives": [{"confidence": "1", "content": "Hi there"}]},
                {"alternatives": [{"content": "."}], "type": "punctuation"},
                {"start_time": "3.0", "end_time": "4.0", "alternatives": [{"confidence": "1", "content": "Go on!"}]},
            ],
        },
    }
)
GOOGLE = json.dumps(
    {
        "results": [
            {
                "alternatives": [
                    {"transcript": "Hi", "words": [{"startTime": "1s", "endTime": "2.5s", "word": "Hi there"}]}
                ]
            },
            {"alternatives": [{"transcript": "Go", "words": [{"startTime": "3s", "endTime": "4s", "word": "Go on!"}]}]},
        ]
    }
)
FORMATS = {
    "srt": SRT,
    "vtt": VTT,
    "ass": ASS,
    "ssa": SSA,
    "sbv": SBV,
    "sub": SUBVIEWER,
    "premiere.txt": PREMIERE,
    "log.txt": WHISPER_LOG,
    "labels.txt": LABELS,
    "tsv": TSV,
    "microdvd.sub": MICRODVD,
    "mpl2.txt": MPL2,
    "ttml": TTML,
    "dfxp": NESTED_TTML,
    "srv1": YOUTUBE,
    "srv3": YOUTUBE_3,
    "TextGrid": TEXTGRID,
    "short.TextGrid": SHORT_TEXTGRID,
    "eaf": EAF,
    "json": WHISPER,
    "list.json": json.dumps(PIECES),
    "cpp.json": WHISPER_CPP,
    "transformers.json": TRANSFORMERS,
    "assembly.json": ASSEMBLYAI,
    "json3": JSON3,
    "api.json": YOUTUBE_API,
    "lines.json": "\n".join(map(json.dumps, PIECES)),
    "amazon.json": AMAZON,
    "google.json": GOOGLE,
}


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


SONG = "[offset:+500]\n[00:01.00]Early\n[00:02.00]Late"


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


ROLLING = """WEBVTT
Kind: captions
Language: en

00:00:00.160 --> 00:00:02.389 align:start position:0%
\x20
i<00:00:00.480><c> told</c><00:00:00.640><c> you</c>

00:00:02.389 --> 00:00:02.399 align:start position:0%
i told you
\x20

00:00:02.399 --> 00:00:04.470 align:start position:0%
i told you
never<00:00:02.800><c> to</c>

00:00:04.470 --> 00:00:04.480 align:start position:0%
never to
\x20

00:00:04.480 --> 00:00:06.000 align:start position:0%
never to
open<00:00:05.000><c> it</c>
"""


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


TIER = '"IntervalTier"\n"{}"\n0\n4\n{}\n'


def textgrid(**tiers):
    """A short TextGrid of tiers by name, each a list of labels of one second."""
    lines = ['"ooTextFile"\n"TextGrid"\n0\n4\n<exists>', str(len(tiers))]
    for name, labels in tiers.items():
        lines.append(TIER.format(name.replace("_", " "), len(labels)).strip())
        lines += [f'{start}\n{start + 1}\n"{label}"' for start, label in enumerate(labels)]
    return "\n".join(lines)


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
