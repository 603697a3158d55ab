import os
import re

import numpy as np
import pytest

from emote_blender.errors import InputError
from emote_blender.transcript import text as transcript_text
from emote_blender.transcript.text import read_transcript, transcript_of_text
from emote_blender.transcript.timed_transcript import Cue, TimedTranscript


def test_a_text_is_itself_and_a_text_file_its_contents(tmp_path):
    assert read_transcript("Hello there.") == "Hello there."
    path = tmp_path / "línea.txt"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path.write_text("Grüß Gott, ñandú\n", encoding=encoding)
        assert read_transcript(str(path)) == "Grüß Gott, ñandú\n"


@pytest.mark.parametrize(
    "given",
    [
        "notes.txt",
        "take one.txt",
        "my lines/take one.txt",
        "my lines\\take one.txt",
        "C:\\lines\\Take One.TXT",
        " take one.txt\n",
        "C:/lines/take one",
        "\\\\server\\lines\\take one",
        "//lines/take one",
        "~/take one",
        "../take one",
        "..\\take one",
        "/home/anna/take one",
        "one.srt",
        "scene 3.srt",
        "my lines\\take one.docx",
        "final script v2.docx",
        "the words.pages",
        "take 3.wav",
        "scene 3.TextGrid",
        "notes.md",
        "lines/words.json",
        '"C:\\lines\\take one.srt"',
        "'take one.vtt'",
        "“take one.txt”",
        "file:///home/anna/take%20one.srt",
        "Größe.eaf",
    ],
)
def test_what_looks_like_a_file_on_any_system_is_never_taken_as_words(given, tmp_path):
    with pytest.raises(InputError, match="not found; check the path|path of Windows|address in a network") as caught:
        read_transcript(given, tmp_path)
    assert re.split(r"[\\/ ]|%20", given.strip("\n \"'“”"))[-1] in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "Open the file notes.txt.",
        "First line,\nthen take one.txt",
        "He and/or she",
        "Is it 9/11 or 24/7?",
        "Note: this is it.",
        "Look at the docs on docs.md",
        "... well / no",
        "/ɹ/ as in red",
        "He said: yes",
        "File: open it",
        "Write it into a file, e.g. readme.md",
        "Open your package.json",
        "That is 5.txt or so.",
        "It ends in .docx.",
        "the.end",
        "No .txt, no .srt",
        "She said, no. Mr. Smith",
    ],
)
def test_words_with_signs_of_paths_are_words(text, tmp_path):
    assert read_transcript(text, tmp_path) == text


def test_a_subtitle_file_is_a_transcript_with_times(tmp_path):
    (tmp_path / "one.srt").write_text(
        "1\n00:00:01,000 --> 00:00:02,500\nHello\nthere\n\n2\n00:00:03,000 --> 00:00:04,000\nBye"
    )
    transcript = read_transcript("one.srt", tmp_path)
    assert transcript == TimedTranscript((Cue("Hello there", 1.0, 2.5), Cue("Bye", 3.0, 4.0)))


@pytest.mark.parametrize(
    "name, complaint",
    [
        ("line.docx", "is no plain text; save it as .txt"),
        ("line.rtf", "is no plain text; save it as .txt"),
        ("line.pdf", "is no plain text; save it as .txt"),
        ("line.wav", "is a sound or video file; give a text file or a subtitle file as transcript"),
        ("line.srt", "holds no words with times; export it again as SubRip"),
    ],
)
def test_a_file_of_another_kind_is_named_with_what_to_do(tmp_path, name, complaint):
    (tmp_path / name).write_text("Hello there")
    with pytest.raises(InputError, match=complaint) as caught:
        read_transcript(name, tmp_path)
    assert str(tmp_path / name) in str(caught.value)


def test_a_folder_is_no_transcript(tmp_path):
    (tmp_path / "lines.txt").mkdir()
    for given in ("lines.txt", str(tmp_path)):
        with pytest.raises(InputError, match="is a folder; give a text file or a subtitle file in it"):
            read_transcript(given, tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no folder of devices")
def test_a_device_is_no_transcript():
    with pytest.raises(InputError, match="/dev/null is a pipe or a device; save the words in a text file"):
        read_transcript("/dev/null")


def test_a_path_may_be_pasted_with_quotes_or_as_a_url(tmp_path):
    path = tmp_path / "take one.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,500\nHello")
    for given in (f'"{path}"', f"'{path}'", path.as_uri(), '"take one.srt"'):
        assert read_transcript(given, tmp_path) == TimedTranscript((Cue("Hello", 1.0, 2.5),))


def test_subtitles_in_a_text_file_or_as_text_have_times(tmp_path):
    text = "1\n00:00:01,000 --> 00:00:02,500\n<i>Hello</i>"
    (tmp_path / "line.txt").write_text(text)
    expected = TimedTranscript((Cue("Hello", 1.0, 2.5),))
    assert read_transcript("line.txt", tmp_path) == expected
    assert read_transcript(text) == expected


def test_a_text_is_read_without_its_markup(tmp_path):
    (tmp_path / "line.txt").write_text("<speak>I told <sub alias='you'>u</sub> <break/>never</speak>")
    assert str(read_transcript("line.txt", tmp_path)).split() == ["I", "told", "you", "never"]
    assert str(read_transcript("ANNA: I told you. [door slams]")).split() == ["I", "told", "you."]


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("[Music]", "the transcript has no words that are spoken, only markup, names or directions"),
        ("<speak></speak>", "the transcript has no words that are spoken"),
        (r"{\rtf1\ansi Hello}", r"the transcript is rich text \(RTF\); give it as plain text"),
        ("WEBVTT\n\n", "the transcript has no cue"),
    ],
)
def test_a_text_without_spoken_words_gets_one_sentence(text, complaint):
    with pytest.raises(InputError, match=complaint):
        read_transcript(text)


def test_json_of_a_recogniser_without_times_gives_its_words(tmp_path):
    (tmp_path / "line.json").write_text('{"text": " I told you <b>never</b>.", "usage": {"seconds": 4}}')
    assert read_transcript("line.json", tmp_path) == " I told you never."
    assert read_transcript('{"text": "Hello"}\n{"text": "there"}') == "Hello\nthere"
    with pytest.raises(InputError, match="has no words that are spoken"):
        read_transcript('{"name": 1}')


def test_a_huge_file_of_subtitles_is_refused(tmp_path):
    with (tmp_path / "line.srt").open("wb") as file:
        file.truncate(33 << 20)
    with pytest.raises(InputError, match=r"line\.srt is larger than 32 MB"):
        read_transcript("line.srt", tmp_path)


def test_spaces_around_a_path_are_no_part_of_it(tmp_path):
    (tmp_path / "take one.txt").write_text("Hello there")
    assert read_transcript(" take one.txt ", tmp_path) == "Hello there"


def test_a_home_that_does_not_exist_is_a_path_that_is_not_found(tmp_path):
    with pytest.raises(InputError, match="not found"):
        read_transcript("~no_such_user/line.txt", tmp_path)


@pytest.mark.parametrize(
    "content, complaint",
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        ("… — !?".encode(), "has no words"),
        (bytes(np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8)), "is not a text file"),
        (b"hello\0world", "is not a text file"),
        (bytes(range(1, 9)) * 50 + b"abc", "is not text"),
        (b"PK\x03\x04word/document.xml", "is a document of Word"),
        (b"a" * (5 << 20), "is larger than 4 MB"),
    ],
)
def test_a_file_that_is_no_transcript_gets_one_sentence(tmp_path, content, complaint):
    path = tmp_path / "line.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=complaint) as caught:
        read_transcript(str(path))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "  ", "?!", "a\0b"])
def test_an_argument_without_words_gets_one_sentence(text):
    with pytest.raises(InputError, match="the transcript "):
        read_transcript(text)


def test_a_text_that_is_too_long_is_refused_before_it_is_cleaned(monkeypatch):
    cleaned: list[str] = []
    monkeypatch.setattr(transcript_text, "clean_text", cleaned.append)
    with pytest.raises(InputError, match="has 4.5 million letters, more than 4 million"):
        transcript_of_text("word " * 900_000)
    assert cleaned == []


@pytest.mark.parametrize("letter, is_text", [("\x01", False), ("\x7f", False), ("\ufffd", False), ("\x85", True)])
def test_a_text_of_control_characters_is_no_text(letter, is_text):
    if is_text:
        assert str(transcript_of_text("word " + letter * 10)).startswith("word")
        return
    with pytest.raises(InputError, match="is not text"):
        transcript_of_text("word " + letter * 10)


def test_a_text_in_a_code_page_is_read_with_a_warning(tmp_path, caplog):
    (tmp_path / "line.txt").write_bytes("Schließ die Tür".encode("cp1252"))
    assert read_transcript("line.txt", tmp_path) == "Schließ die Tür"
    assert "line.txt was read as Windows-1252; if its letters are wrong, save it in UTF-8" in caplog.text
