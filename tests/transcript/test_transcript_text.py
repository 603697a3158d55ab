import numpy as np
import pytest

from emote_blender.errors import InputError
from emote_blender.transcript.text import read_transcript, require_speakable_length


def test_a_text_is_itself_and_a_text_file_its_contents(tmp_path):
    assert read_transcript("Hello there.") == "Hello there."
    path = tmp_path / "línea.txt"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path.write_text("Grüß Gott, ñandú\n", encoding=encoding)
        assert read_transcript(str(path)) == "Grüß Gott, ñandú\n"


def test_a_text_that_ends_like_a_file_name_is_a_text_unless_it_is_one_word():
    assert read_transcript("open the file notes.txt") == "open the file notes.txt"
    with pytest.raises(InputError, match=r"notes\.txt not found"):
        read_transcript("notes.txt")


@pytest.mark.parametrize(
    "content, complaint",
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        ("… — !?".encode(), "has no words"),
        (bytes(np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8)), "not a text file in UTF-8"),
        (b"hello\0world", "is not text"),
        (bytes(range(1, 9)) * 50 + b"abc", "is not text"),
        ("Grüße".encode("latin-1"), "not a text file in UTF-8"),
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


def test_a_book_is_refused_for_a_short_clip_and_a_fast_speaker_is_not():
    with pytest.raises(InputError, match=r"too many for 2\.0 s of sound"):
        require_speakable_length("word " * 200_000, 2.0)
    require_speakable_length("twenty five letters per second" * 60, 60.0)
