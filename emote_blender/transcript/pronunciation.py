"""Text to words with the phone classes of their pronunciation."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..errors import InputError
from .espeak import Espeak, SpokenWord, open_espeak
from .language_tags import is_automatic, match_language, near_languages
from .phones import CLASS_INDEX, IPA_KIN, SILENCE, from_ipa

# Scripts without spaces between words: every character is a word in reports.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


@dataclass(frozen=True)
class PronouncedWord:
    """A word of a transcript.

    Attributes:
        text: as it is written, without the punctuation around it; several words if they are spoken as one.
        phones: indices into `phones.CLASSES`, at least one, none of them silence.
        start_seconds: time before which it is not spoken; minus infinity if none is known.
        end_seconds: time after which it is not spoken; infinity if none is known.
    """

    text: str
    phones: tuple[int, ...]
    start_seconds: float = -math.inf
    end_seconds: float = math.inf


@dataclass(frozen=True)
class Pronunciation:
    """The pronunciation of a transcript.

    Attributes:
        language: code of its language.
        words: in the order of the text, without characters that are not spoken.
    """

    language: str
    words: tuple[PronouncedWord, ...]


@dataclass(frozen=True)
class Passage:
    """A few sentences of a transcript, which are pronounced at once.

    Attributes:
        text: what is spoken.
        cues: (index in `text` of the character after its last one, start and end in seconds) of each cue that it
            consists of; empty if no times are known.
    """

    text: str
    cues: tuple[tuple[int, float, float], ...] = ()

    @property
    def num_words(self) -> int:
        """Number of its words, as they are written."""
        return len(_words(self.text))

    def is_within(self, start_seconds: float, end_seconds: float) -> bool:
        """Whether one of its cues lies at least in part between two times."""
        return any(end >= start_seconds and start <= end_seconds for _, start, end in self.cues)

    def time_of(self, first: int, last: int) -> tuple[float, float]:
        """(start, end) in seconds of the cues with the characters [first, last]; infinite if no times are known."""
        cues = [
            cue for before, cue in zip(((0, 0.0, 0.0), *self.cues), self.cues) if first < cue[0] and last >= before[0]
        ]
        return min((start for _, start, _ in cues), default=-math.inf), max((end for *_, end in cues), default=math.inf)


def pronounce_passage(passage: Passage, language: str, espeak: Espeak) -> list[PronouncedWord]:
    """The words of a short text, by the places in the text at which espeak-ng begins each word."""
    text = passage.text
    tokens = _words(text)
    if not tokens:
        return []
    phones: list[list[int]] = [[] for _ in tokens]
    index = 0
    for word in espeak.speak(text, language) or []:
        # The place may be that of a sign before the word ("-- well"), but never one before the last word.
        while index + 1 < len(tokens) and word.start >= tokens[index].end() and _reaches(text, word, tokens[index + 1]):
            index += 1
        phones[index] += _classes(word.phonemes)
    words: list[PronouncedWord] = []
    waiting = ""
    for token, classes in zip(tokens, phones):
        written = _without_punctuation(token.group())
        if classes:
            times = passage.time_of(token.start(), token.end() - 1)
            words.append(PronouncedWord(f"{waiting} {written}".strip(), tuple(classes), *times))
            waiting = ""
        elif words:
            # Spoken with the word before: "of the" is one word to espeak-ng.
            _, end = passage.time_of(token.start(), token.end() - 1)
            words[-1] = replace(
                words[-1], text=f"{words[-1].text} {written}", end_seconds=max(words[-1].end_seconds, end)
            )
        else:
            waiting = f"{waiting} {written}"
    return words


def rough_phones(passage: Passage, language: str, espeak: Espeak) -> list[int]:
    """The phones of a passage, without the words that they belong to: 30 times as fast as `pronounce_passage`."""
    return _classes(espeak.phonemes(passage.text, language))


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


def _words(text: str) -> list[re.Match[str]]:
    """The words of a text as they are written."""
    return [match for match in _TOKEN.finditer(text) if any(map(str.isalnum, match.group()))]


def _classes(phonemes: Iterable[str]) -> list[int]:
    """Phone classes of phonemes in IPA, without silence."""
    spoken = (CLASS_INDEX[name] for phoneme in phonemes for name in from_ipa(phoneme.translate(IPA_KIN)))
    return [phone for phone in spoken if phone != SILENCE]


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
