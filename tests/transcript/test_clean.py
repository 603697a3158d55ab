"""Texts without what is not spoken."""

import csv
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emote_blender.transcript.clean import clean_cues, clean_text

NOTHING_TO_CLEAN = [
    "Hello there.",
    "Grüß Gott, ñandú\n",
    "Two  spaces\tand a tab\n\nand lines",
    "3 < 5 and 7 > 2",
    "a <b and c> d",
    "I <3 you -> really",
    "R&D at AT&T & Co; x&y;",
    "2 * 3 * 4 = 24, 5*3*2",
    "snake_case_name and a_b",
    "Note: this is said aloud.",
    "Warning: so is this.",
    "He said: yes",
    "Time: five. Place: here.",
    "Remember: never.\nQuestion: why?",
    "It is 12:30: time to go",
    "The ratio A:B is 3:1",
    "Dr. Smith: he is here.",
    "[the] king (and so did I) said",
    "[I told you never to open that door]",
    "He wrote (at last) to me",
    "Open C:\\new\\names now",
    "http://a.b/c_d_e?f=1&g=2",
    "-5 degrees - or more",
    "WE ARE ALL IN CAPITALS: YES",
    "5. Fifth, 6) sixth",
    "«Привет», сказал он.",
    "他说：你好",
    "What?! #1 of @all 100% $3",
]


@pytest.mark.parametrize("text", NOTHING_TO_CLEAN)
def test_a_text_without_markup_stays_as_it_is(text):
    assert clean_text(text) == text


@pytest.mark.parametrize(
    "text, words",
    [
        # HTML, XML
        ("<i>Hi</i> un<b>believ</b>able<br>you<br/>two", "Hi unbelievable you two"),
        ('<font color="#ff0000" size=3>Red</font> <a href="http://x.y">link</a>', "Red link"),
        ("<p>One</p><p>two</p><!-- not\nspoken --><style>p {}</style>", "One two"),
        ("&quot;R&amp;D&quot; it&#39;s&nbsp;&lt;i&gt;ok&lt;/i&gt;", '"R&D" it\'s ok'),
        ("so\u00adft hy\u200ephen\ufeff", "soft hyphen"),
        # SSML
        ('<?xml version="1.0"?><speak version="1.1" xml:lang="en">I <break time="500ms"/>told</speak>', "I told"),
        (
            "<speak>the <sub alias=\"World Wide Web Consortium\">W3C</sub> and <sub alias='a&amp;b'>x</sub></speak>",
            "the World Wide Web Consortium and a&b",
        ),
        ('<s>One<break/>two</s><s><prosody rate="slow">three</prosody></s>', "One two three"),
        ('<say-as interpret-as="date">3 May</say-as> <phoneme alphabet="ipa" ph="x">tomato</phoneme>', "3 May tomato"),
        (
            '<amazon:effect name="whispered">Hi</amazon:effect> <mstts:express-as style="sad">you</mstts:express-as>',
            "Hi you",
        ),
        ('<voice name="x"><metadata>no</metadata>Yes</voice>', "Yes"),
        ("<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>です", "漢字です"),
        # subtitles
        (r"{\an8}Top\Nline {\i1}x{\i0}\hy", "Top line x y"),
        (r"Hello\nthere", "Hello there"),
        ("<v Roger Bingham>We <00:00:01.500><c.yellow>are</c></v>", "We are"),
        # Markdown
        ("# Title\n\n* one\n* two\n> quoted\n---\n", "Title one two quoted"),
        ("**bold** *it* _under_ __both__ ***all*** ~~no~~ `code`", "bold it under both all no code"),
        ("See [the link](http://x.y/z_(a)) and ![a picture](p.png) now", "See the link and now"),
        # directions
        ("(sighs) Well [door slams] I *laughs* am *really* here.", "Well I am really here."),
        ("[laughs] [MUSIC PLAYING] (off-screen) Yes (clears throat) no", "Yes no"),
        ("♪ upbeat music ♪ ♪ la la la ♪", "la la la"),
        ("Hello.\n(she waits)\nBye.", "Hello. Bye."),
        ("(lacht) Nein. [Musik] (rires) Non.", "Nein. Non."),
        # speakers
        ("ANNA: I told you. BOB: Now look. ANNA: No!", "I told you. Now look. No!"),
        ("Anna: I told you.\nBob: Now look.", "I told you. Now look."),
        ("Anna: I told you. Bob: Now look. Anna: No! Bob: Yes.", "I told you. Now look. No! Yes."),
        ("Anna: I told you.\nNever.\nAnna: Now look.", "I told you. Never. Now look."),
        ("[Anna]: Hi\n(Bob): Yes\n>> ANNA: Go >> No", "Hi Yes Go No"),
        ("Speaker 1: Hi\nSPEAKER_00: Yes", "Hi Yes"),
        ("MRS. O'NEIL (O.S.): Hi\nMAN #2 [whispering]: Yes", "Hi Yes"),
        ("АННА: Привет. Как дела?", "Привет. Как дела?"),
        ("小明：你好\n小红：再见", "你好 再见"),
        ("INT. HOUSE - DAY\n\nANNA\n(quietly)\nI told you.\n\nBOB (O.S.)\nWhat?\n\nCUT TO:\n", "I told you. What?"),
        ("Note: Anna speaks.\nANNA: Hi.\nANNA: Bye.", "Note: Anna speaks. Hi. Bye."),
    ],
)
def test_what_is_not_spoken_is_left_out_of_a_text(text, words):
    assert " ".join(clean_text(text).split()) == words
    assert clean_text(clean_text(text)) == clean_text(text)


@pytest.mark.parametrize(
    "text, words",
    [
        ("- Hi.\n- Hello.\n–Yes", "Hi. Hello. Yes"),
        ("-5 degrees", "-5 degrees"),
        ("Anna: Hi", "Hi"),
        ("ANNA (on phone): Hi", "Hi"),
        ("[Anna] Hi [door creaks]", "Hi"),
        ("Speaker 1\nHi", "Hi"),
        ("&gt;&gt; JOHN: hi", "hi"),
        ("[Music]", ""),
        ("(door creaks)", ""),
        ("(DOOR CREAKS) Hi", "Hi"),
        ("(She is lying.) Yes", "She is lying. Yes"),
        ("♪ Music ♪", ""),
        ("♪ Oh say can you see ♪", "Oh say can you see"),
        ("# Oh say can you see #", "Oh say can you see"),
        ("Note: this is said", "Note: this is said"),
        ("12:30: go", "12:30: go"),
        ("<i>Hi</i>\n<b>you</b>", "Hi you"),
        ("...", ""),
        ("［笑］ はい （拍手）", "はい"),
    ],
)
def test_what_is_not_spoken_is_left_out_of_a_subtitle(text, words):
    assert clean_cues([text]) == [words]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.one_of(st.sampled_from("<>&;[](){}*_#:\\/-|\n \"'aAnN1♪"), st.characters()), max_size=200))
def test_cleaning_never_fails(text):
    assert isinstance(clean_text(text), str)
    assert len(clean_cues([text, text])) == 2


@pytest.mark.once
@pytest.mark.parametrize(
    "piece",
    ["[a]", "(a) ", "<!--", "*a", "<a a=b ", "♪", "&amp;", "Anna: ", "A\n\n", "- ", "[a](b", "<head>", "`", "{\\",
     " ", "\n", "AB: x. ", "<sub alias='a'>", "(laugh ", "[Anna]: ", "a b c d e f: ", "<v a", "INT. ", "~~",
     "<", "_a", ">", "\t"],
)  # fmt: skip
def test_no_text_takes_long_to_clean(piece):
    text = piece * (100_000 // len(piece))
    start = time.process_time()
    clean_text(text)
    clean_cues([text])
    assert time.process_time() - start < 3.0  # about 0.3 s; a search that goes back and forth takes minutes


def test_sentences_of_48_languages_stay_as_they_are():
    path = Path(__file__).parents[1] / "data" / "sentences.csv"
    with path.open(encoding="utf-8", newline="") as file:
        sentences = [row["sentence"] for row in csv.DictReader(file)]
    assert [clean_text(sentence) for sentence in sentences] == sentences
    assert clean_cues(sentences) == sentences
