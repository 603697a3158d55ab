"""Text to words with the phone classes of their pronunciation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..errors import Cancelled, InputError
from .espeak import Espeak, SpokenWord, open_espeak
from .language import AUTO, guess_language
from .language_tags import is_automatic, match_language, near_languages
from .phones import CLASS_INDEX, IPA_KIN, SILENCE, from_ipa
from .text import require_words, speakable

# Scripts without spaces between words: every character is a word in reports.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_PIECE = re.compile(r".+?(?:[.!?…。！？](?=\s)|[。！？]|\n|$)\s*", re.DOTALL)
_PIECE_LETTERS = 500  # espeak-ng is called with so much at once, so that work can be cancelled between


@dataclass(frozen=True)
class PronouncedWord:
    """A word of a transcript.

    Attributes:
        text: as it is written, without the punctuation around it; several words if they are spoken as one.
        phones: indices into `phones.CLASSES`, at least one, none of them silence.
    """

    text: str
    phones: tuple[int, ...]


@dataclass(frozen=True)
class Pronunciation:
    """The pronunciation of a transcript.

    Attributes:
        language: code of its language.
        words: in the order of the text, without characters that are not spoken.
    """

    language: str
    words: tuple[PronouncedWord, ...]


def pronounce(text: str, language: str = AUTO, cancelled: Callable[[], bool] | None = None) -> Pronunciation:
    """The words of a text and how they are spoken.

    Args:
        text: the spoken words.
        language: tag or name of a language (de, en-GB, "German"), or "auto" to guess it from the text.
        cancelled: called every few sentences.

    Raises:
        InputError: if the text holds no words, or the language is unknown.
        ModelError: if espeak-ng is not installed.
        Cancelled: if `cancelled` returns True.
    """
    require_words(text, "the transcript")
    espeak = open_espeak()
    code = guess_language(text) if is_automatic(language) else find_language(language, espeak)
    text = speakable(text)
    words: list[PronouncedWord] = []
    for piece in _pieces(text):
        if cancelled is not None and cancelled():
            raise Cancelled("cancelled; nothing was written")
        words += _pronounce_piece(piece, code, espeak)
    if not words:
        raise InputError(
            f"the transcript has no words that espeak-ng can speak in the language {code!r}; "
            "choose the language that it is in"
        )
    return Pronunciation(code, tuple(words))


def require_language(language: str) -> None:
    """Raise InputError unless espeak-ng speaks this language, or ModelError if it is not installed."""
    espeak = open_espeak()
    if not is_automatic(language):
        find_language(language, espeak)


def find_language(language: str, espeak: Espeak | None = None) -> str:
    """espeak-ng's code of a language by any tag or name ("EN_GB", "deu", "German"); raises InputError if none."""
    espeak = espeak or open_espeak()
    known, names = espeak.languages(), espeak.names()
    code = match_language(language, known, names)
    if code is None:
        near = [*near_languages(language, known, names), "en-us", "en-gb", "de", "es", "fr", "ru"]
        raise InputError(
            f"unknown language {language[:40]!r}; use auto, a language's name, or a code of espeak-ng, for example "
            f"{', '.join(list(dict.fromkeys(near))[:8])}"
        )
    return code


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces: whole sentences if they are short enough, else whole words, else parts of words."""
    piece = ""
    for match in _PIECE.finditer(text):
        for part in _short(match.group()):
            if piece and len(piece) + len(part) > _PIECE_LETTERS:
                yield piece
                piece = ""
            piece += part
    if piece.strip():
        yield piece


def _short(sentence: str) -> list[str]:
    """A sentence in pieces, cut between words if it is too long, and within words longer than a piece."""
    if len(sentence) <= _PIECE_LETTERS:
        return [sentence]
    parts = re.findall(rf"\S{{{_PIECE_LETTERS}}}|\S+\s*|\s+", sentence)
    return parts


def _pronounce_piece(text: str, language: str, espeak: Espeak) -> list[PronouncedWord]:
    """The words of a short text, by the places in the text at which espeak-ng begins each word."""
    tokens = [match for match in _TOKEN.finditer(text) if any(map(str.isalnum, match.group()))]
    if not tokens:
        return []
    phones: list[list[int]] = [[] for _ in tokens]
    index = 0
    for word in espeak.speak(text, language) or []:
        # The place may be that of a sign before the word ("-- well"), but never one before the last word.
        while index + 1 < len(tokens) and word.start >= tokens[index].end() and _reaches(text, word, tokens[index + 1]):
            index += 1
        spoken = (CLASS_INDEX[name] for phoneme in word.phonemes for name in from_ipa(phoneme.translate(IPA_KIN)))
        phones[index] += [phone for phone in spoken if phone != SILENCE]
    words: list[PronouncedWord] = []
    waiting = ""
    for token, classes in zip(tokens, phones):
        written = _without_punctuation(token.group())
        if classes:
            words.append(PronouncedWord(f"{waiting} {written}".strip(), tuple(classes)))
            waiting = ""
        elif words:
            # Spoken with the word before: "of the" is one word to espeak-ng.
            words[-1] = PronouncedWord(f"{words[-1].text} {written}", words[-1].phones)
        else:
            waiting = f"{waiting} {written}"
    return words


def _reaches(text: str, word: SpokenWord, token: re.Match[str]) -> bool:
    """Whether the first letter or digit after a word's place lies in this token or behind it."""
    start = word.start
    while start < len(text) and not text[start].isalnum():
        start += 1
    return start >= token.start()


def _without_punctuation(token: str) -> str:
    """The token from its first letter or digit to its last."""
    letters = [index for index, letter in enumerate(token) if letter.isalnum()]
    return token[letters[0] : letters[-1] + 1]
