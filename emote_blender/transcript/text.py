"""Transcripts from the user: a text or a text file, checked and cleaned for speech."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from ..errors import InputError
from .subtitles import parse_timed_text
from .timed_transcript import TimedTranscript

_MAX_BYTES = 4 << 20
SUFFIXES = (".txt", ".srt", ".vtt", ".sbv")
# Fast speech has about 20 letters per second. The rest is a margin for strips that were cut.
_LETTERS_PER_SECOND, _SPARE_LETTERS = 50, 2000


def read_transcript(given: str, folder: str | Path = "") -> str | TimedTranscript:
    """The contents of a text or subtitle file, else the text `given` itself; with times, if it holds any.

    A text that looks like a path on any system is never taken as words. A relative path is relative to `folder`.

    Raises:
        InputError: if the file is missing or cannot be read as text, or there is no word in it.
    """
    if not looks_like_a_file(given):
        return parse_timed_text(given) or require_words(given, "the transcript")
    path = Path(folder, os.path.expanduser(given.strip()))
    if not os.path.isfile(path):
        raise InputError(
            f"{path} not found; check the path of the transcript, or write its words "
            "(with a period if they end in .txt)"
        )
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path} is not a .txt or .srt file; save the transcript as plain text (UTF-8)")
    text = require_words(_read_text_file(path), str(path))
    return parse_timed_text(text) or text


def looks_like_a_file(given: str) -> bool:
    """Whether a text of one line is a path rather than words, with the separators of Windows and of the others.

    It is a path if it ends in .txt; if it begins like one from the root, the home or the current folder; or if it ends
    in the suffix of another kind of text file, and has a separator or is one word.
    """
    given = given.strip()
    if len(given.splitlines()) != 1:
        return False
    if given.lower().endswith(".txt") or _PATH_START.match(given):
        return True
    is_one_word = len(given.split()) == 1
    return _TEXT_SUFFIX.search(given) is not None and (is_one_word or "/" in given or "\\" in given)


_PATH_START = re.compile(r"[A-Za-z]:[\\/]|\\\\|//|~[\\/]|\.{1,2}[\\/]|/\w+/\w")
_TEXT_SUFFIX = re.compile(r"\w\.(text|md|srt|vtt|csv|json|rtf|docx?|odt|pdf)$", re.IGNORECASE)


def require_words(text: str, name: str) -> str:
    """The text as it is; raises InputError if it holds no letter and no digit, or is no text at all."""
    strange = sum(letter == "�" or unicodedata.category(letter) == "Cc" and not letter.isspace() for letter in text)
    if "\0" in text or strange > 3 + 0.02 * len(text):
        raise InputError(f"{name} is not text; write the words that are spoken, or give a text file in UTF-8")
    if not any(letter.isalnum() for letter in text):
        found = "has no words" if text.strip() else "is empty"
        raise InputError(f"{name} {found}; write the words that are spoken, or leave the transcript out")
    return text


def require_speakable_length(text: str, duration_seconds: float) -> None:
    """Raise InputError if nobody could speak the text within the sound."""
    letters = sum(map(str.isalnum, text))
    if letters > _SPARE_LETTERS + _LETTERS_PER_SECOND * duration_seconds:
        raise InputError(
            f"the transcript has {letters} letters, too many for {duration_seconds:.1f} s of sound; "
            "give only the words that are spoken in it"
        )


def speakable(text: str) -> str:
    """The text with a space for every character that is not spoken: control characters, emoji, unknown signs.

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
