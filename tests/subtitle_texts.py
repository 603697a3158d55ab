"""Timed texts of every kind that say the same two lines, and TextGrids of tiers."""

import json

from emote_blender.transcript.timed_transcript import Cue

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


SONG = "[offset:+500]\n[00:01.00]Early\n[00:02.00]Late"
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
TIER = '"IntervalTier"\n"{}"\n0\n4\n{}\n'


def textgrid(**tiers):
    """A short TextGrid of tiers by name, each a list of labels of one second."""
    lines = ['"ooTextFile"\n"TextGrid"\n0\n4\n<exists>', str(len(tiers))]
    for name, labels in tiers.items():
        lines.append(TIER.format(name.replace("_", " "), len(labels)).strip())
        lines += [f'{start}\n{start + 1}\n"{label}"' for start, label in enumerate(labels)]
    return "\n".join(lines)
