"""A transcript as a person gives it: a text, or a text file; made safe to speak, or refused with a sentence."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from ..errors import InputError

_MAX_BYTES = 4 << 20
# Nobody speaks faster: quick speech has about 20 letters per second. The rest is room for a strip that was cut.
_LETTERS_PER_SECOND, _SPARE_LETTERS = 50, 2000


def read_transcript(given: str, folder: str | Path = "") -> str:
    """The text that is meant: the contents of a .txt file (UTF-8, or UTF-16 with its mark), else `given` itself.

    A relative path is relative to `folder`.

    Raises:
        InputError: if the file cannot be read as text, or there is no word in it.
    """
    if given.lower().endswith(".txt"):
        path = Path(folder) / Path(given).expanduser()
        if os.path.isfile(path):
            return require_words(_read_text_file(path), str(path))
        if len(given.split()) == 1 or os.sep in given:
            raise InputError(f"{path} not found; check the path of the transcript, or write its text")
    return require_words(given, "the transcript")


def require_words(text: str, name: str) -> str:
    """The text; raises InputError if it holds no letter and no digit, or is no text at all."""
    strange = sum(letter == "�" or unicodedata.category(letter) == "Cc" and not letter.isspace() for letter in text)
    if "\0" in text or strange > 3 + 0.02 * len(text):
        raise InputError(f"{name} is not text; write the words that are spoken, or give a text file in UTF-8")
    if not any(letter.isalnum() for letter in text):
        found = "has no words" if text.strip() else "is empty"
        raise InputError(f"{name} {found}; write the words that are spoken, or leave the transcript out")
    return text


def require_speakable_length(text: str, duration_seconds: float) -> None:
    """Returns nothing; raises InputError if nobody could speak the text within the sound."""
    letters = sum(map(str.isalnum, text))
    if letters > _SPARE_LETTERS + _LETTERS_PER_SECOND * duration_seconds:
        raise InputError(
            f"the transcript has {letters} letters, too many for {duration_seconds:.1f} s of sound; "
            "give only the words that are spoken in it"
        )


def speakable(text: str) -> str:
    """The text, letter for letter, with spaces for what is not spoken: control characters, emoji, unknown signs.

    espeak-ng would read an emoji's name, and take some control characters for commands.
    """
    return "".join(
        letter if letter == "\n" or unicodedata.category(letter) not in _UNSPOKEN else " " for letter in text
    )


_UNSPOKEN = {"Cc", "Cf", "Cn", "Co", "Cs", "So", "Sk"}


def _read_text_file(path: Path) -> str:
    """A file's text; raises InputError."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path} is larger than {_MAX_BYTES >> 20} MB; is it the right transcript?")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); choose a text file") from error
    has_utf16_mark = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return data.decode("utf-16" if has_utf16_mark else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file in UTF-8; save the transcript as UTF-8") from error
