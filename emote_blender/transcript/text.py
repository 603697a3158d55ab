"""Transcripts from the user: a text or a file, checked and cleaned for speech."""

from __future__ import annotations

import logging
import os
import re
import unicodedata
from pathlib import Path

from ..errors import InputError
from ..files.pasted_path import impossible_path, pasted_path, unquoted
from ..files.text_file import read_text_file
from .clean import clean_text
from .subtitles import MAX_SUBTITLE_BYTES, parse_timed_text, read_subtitles, with_code_page
from .suffixes import SUBTITLE_SUFFIXES, SUFFIXES
from .timed_formats.recogniser_json import words_of_json
from .timed_transcript import TimedTranscript

logger = logging.getLogger(__name__)

_MAX_BYTES = 4 << 20
_MOST_LETTERS = 4 << 20
_STRANGE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufffd]")  # control characters but blanks, and U+FFFD

_DOCUMENTS = (".docx", ".doc", ".rtf", ".odt", ".pdf", ".pages", ".fdx", ".xlsx", ".ods", ".epub")
_SOUNDS = (".wav", ".mp3", ".m4a", ".flac", ".ogg", ".opus", ".aif", ".aiff", ".mp4", ".mov", ".mkv", ".webm")
# Nobody says these at the end of a line; .md and .json may be the last word of a sentence about computers.
_FILE_SUFFIX = re.compile(
    rf"[^\s./\\](?:{'|'.join(map(re.escape, ({*SUFFIXES} - {'.json', '.sub'}) | {*_DOCUMENTS, *_SOUNDS}))})$",
    re.IGNORECASE,
)
_PATH_START = re.compile(r"[A-Za-z]:[\\/]|\\\\|//|file:/|~[\\/]|\.{1,2}[\\/]|/\w+/\w", re.IGNORECASE)
_TEXT_SUFFIX = re.compile(
    r"\w\.(text|md|markdown|csv|json|sub|xml|ssml|html?|fountain|scc|stl|log|ini|ya?ml)$", re.IGNORECASE
)


def read_transcript(given: str, folder: str | Path = "") -> str | TimedTranscript:
    """The spoken words of a file, or of the text `given` itself; with times, if it holds any.

    A text that looks like a path on any system is never taken as words (see `looks_like_a_file`).

    Args:
        given: a text, a script, subtitles or other timed text as text; or the path of a file with one of these.
        folder: where a relative path begins.

    Raises:
        InputError: if the file is missing or cannot be read as text, or there is no word in it.
    """
    if not looks_like_a_file(given):
        return transcript_of_text(given)
    path = pasted_path(given, folder)
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder; give a text file or a subtitle file in it")
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path} is a pipe or a device; save the words in a text file, and give that")
    if not os.path.isfile(path):
        as_words = f" (with a period if they end in {path.suffix})" if path.suffix else ""
        not_found = f"{path} not found; check the path of the transcript, or write its words{as_words}"
        raise InputError(impossible_path(path) or not_found)
    suffix = path.suffix.lower()
    if suffix in _DOCUMENTS:
        raise InputError(f"{path} is no plain text; save it as .txt (plain text, UTF-8), and give that")
    if suffix in _SOUNDS:
        raise InputError(f"{path} is a sound or video file; give a text file or a subtitle file as transcript")
    if suffix in SUBTITLE_SUFFIXES and suffix != ".json":
        return read_subtitles(path)
    text, code_page = read_text_file(path, "transcript", MAX_SUBTITLE_BYTES if suffix == ".json" else _MAX_BYTES)
    transcript = transcript_of_text(text, str(path))
    if not isinstance(transcript, str):
        return with_code_page(transcript, code_page)
    if code_page:
        logger.warning("%s was read as %s; if its letters are wrong, save it in UTF-8", path, code_page)
    return transcript


def transcript_of_text(text: str, name: str = "the transcript") -> str | TimedTranscript:
    """The spoken words of a text, without markup, names of speakers and stage directions; with times, if it holds any.

    Args:
        text: a text, a script, or subtitles.
        name: of its file, for error sentences.

    Raises:
        InputError: if it holds no word, has too many letters, or is damaged.
    """
    require_words(text, name)
    if text.lstrip().startswith("{\\rtf"):
        raise InputError(f"{name} is rich text (RTF); give it as plain text")
    timed = parse_timed_text(text, name)
    if timed is not None:
        return timed
    spoken = words_of_json(text)
    spoken = text if spoken is None else spoken
    require_length(spoken, name)
    words = clean_text(spoken)
    if not any(map(str.isalnum, words)):
        raise InputError(
            f"{name} has no words that are spoken, only markup, names or directions; write the words, or leave the "
            "transcript out"
        )
    return words


def looks_like_a_file(given: str) -> bool:
    """Whether a text of one line is a path rather than words, with the separators of Windows and of the others.

    It is a path if it ends in the suffix of a transcript, a document or a sound; if it begins like one from the root,
    the home or the current folder, or like a file URL; or if it ends in the suffix of another kind of text file, and
    has a separator or is one word. Quotes around it are no part of it.
    """
    given = given.strip()
    if len(given.splitlines()) != 1:
        return False
    given = unquoted(given)
    if _FILE_SUFFIX.search(given) or _PATH_START.match(given):
        return True
    is_one_word = len(given.split()) == 1
    return _TEXT_SUFFIX.search(given) is not None and (is_one_word or "/" in given or "\\" in given)


def require_words(text: str, name: str) -> str:
    """The text as it is; raises InputError if it holds no letter and no digit, or is no text at all."""
    if "\0" in text or len(_STRANGE.findall(text)) > 3 + 0.02 * len(text):
        raise InputError(f"{name} is not text; write the words that are spoken, or give a text file in UTF-8")
    if not any(letter.isalnum() for letter in text):
        found = "has no words" if text.strip() else "is empty"
        raise InputError(f"{name} {found}; write the words that are spoken, or leave the transcript out")
    return text


def require_length(text: str, name: str) -> None:
    """Raise InputError if the text has more letters than are worth a search for those that are spoken."""
    if len(text) > _MOST_LETTERS:
        raise InputError(
            f"{name} has {len(text) / 1e6:.1f} million letters, more than {_MOST_LETTERS / 1e6:.0f} million; "
            "give only the part that is spoken"
        )


def speakable(text: str) -> str:
    """The text with a space for every character that is not spoken: control characters, emoji, unknown signs.

    espeak-ng would read an emoji's name, and take some control characters for commands.
    """
    return "".join(
        letter if letter == "\n" or unicodedata.category(letter) not in _UNSPOKEN else " " for letter in text
    )


_UNSPOKEN = {"Cc", "Cf", "Cn", "Co", "Cs", "So", "Sk"}
