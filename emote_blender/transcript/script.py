"""A transcript that is ready to be followed: its language, and passages that are pronounced where they are needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..errors import Cancelled, InputError
from .espeak import Espeak, open_espeak
from .language import AUTO, guess_language
from .language_tags import is_automatic
from .pronunciation import (
    Passage,
    PronouncedWord,
    Pronunciation,
    find_language,
    pronounce_passage,
    rough_phones,
)
from .text import require_length, require_words, speakable
from .timed_transcript import Cue, TimedTranscript

_PIECE = re.compile(r".+?(?:[.!?…。！？](?=\s)|[。！？]|\n|$)\s*", re.DOTALL)
_PIECE_LETTERS = 500  # espeak-ng is called with so much at once, so that work can be cancelled between


@dataclass(frozen=True)
class Script:
    """A transcript that is ready to be pronounced, as a whole or in part.

    Attributes:
        language: espeak-ng's code of its language.
        passages: all of it, in order.
    """

    language: str
    passages: tuple[Passage, ...]

    @property
    def has_times(self) -> bool:
        """Whether the times of its words are roughly known."""
        return bool(self.passages[0].cues)

    @property
    def num_letters(self) -> int:
        """Number of its characters."""
        return sum(len(passage.text) for passage in self.passages)

    def pronounce(self, cancelled: Callable[[], bool] | None = None) -> Pronunciation:
        """All words and how they are spoken; raises as `words` and `pronunciation`."""
        return self.pronunciation(self.words(self.passages, cancelled))

    def pronunciation(self, words: Sequence[PronouncedWord]) -> Pronunciation:
        """Words of this script as a pronunciation; raises InputError if there are none."""
        if not words:
            raise InputError(
                f"the transcript has no words that espeak-ng can speak in the language {self.language!r}; "
                "choose the language that it is in"
            )
        return Pronunciation(self.language, tuple(words))

    def words(self, passages: Iterable[Passage], cancelled: Callable[[], bool] | None = None) -> list[PronouncedWord]:
        """The words of some of its passages; raises Cancelled if `cancelled` returns True before a passage."""
        espeak = open_espeak()
        return [
            word
            for passage in _asking(passages, cancelled)
            for word in pronounce_passage(passage, self.language, espeak)
        ]

    def rough_phones(self, cancelled: Callable[[], bool] | None = None) -> list[list[int]]:
        """The phones of each passage (see `rough_phones`); raises Cancelled as `words`."""
        espeak = open_espeak()
        return [rough_phones(passage, self.language, espeak) for passage in _asking(self.passages, cancelled)]


def prepare(transcript: str | TimedTranscript, language: str = AUTO) -> Script:
    """A transcript in passages, and the code of its language.

    Args:
        transcript: the spoken words, with or without times.
        language: as for `pronounce`; for "auto", the one that the transcript names is preferred.

    Raises:
        InputError: if the text holds no words, or too many, or the language is unknown.
        ModelError: if espeak-ng is not installed.
    """
    timed = transcript if isinstance(transcript, TimedTranscript) else None
    text = transcript if isinstance(transcript, str) else transcript.text
    require_words(text, "the transcript")
    require_length(text, "the transcript")
    espeak = open_espeak()
    if not is_automatic(language):
        code = find_language(language, espeak)
    else:
        code = (_known_language(timed.language, espeak) if timed else "") or guess_language(text)
    if timed is None:
        return Script(code, tuple(Passage(piece) for piece in _pieces(speakable(text))))
    return Script(code, tuple(_timed_passages(timed.cues)))


def _known_language(language: str, espeak: Espeak) -> str:
    """espeak-ng's code of a language that a file names; "" if it names none that is known."""
    try:
        return "" if is_automatic(language) else find_language(language, espeak)
    except InputError:
        return ""


def _timed_passages(cues: Iterable[Cue]) -> Iterator[Passage]:
    """The cues in passages: as many as are pronounced at once, in the order of their start."""
    text = ""
    ends: list[tuple[int, float, float]] = []
    for cue in sorted(cues, key=lambda cue: min(cue.start_seconds, cue.end_seconds)):
        start, end = sorted((cue.start_seconds, cue.end_seconds))
        for part in _short(speakable(cue.text).replace("\n", " ").strip() + " "):
            if text and len(text) + len(part) > _PIECE_LETTERS:
                yield Passage(text, tuple(ends))
                text, ends = "", []
            text += part
            ends.append((len(text), start, end))
    if text.strip():
        yield Passage(text, tuple(ends))


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
    return prepare(text, language).pronounce(cancelled)


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


def _asking(passages: Iterable[Passage], cancelled: Callable[[], bool] | None) -> Iterator[Passage]:
    """The passages in order; raises Cancelled if `cancelled` returns True before one."""
    for passage in passages:
        if cancelled is not None and cancelled():
            raise Cancelled("cancelled; nothing was written")
        yield passage
