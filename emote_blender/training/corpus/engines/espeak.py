"""Speech from the espeak-ng library: formant synthesis in a hundred languages; phone times from its events."""

from __future__ import annotations

import ctypes
import ctypes.util
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ....errors import InputError
from ....transcript.espeak import Callback
from .. import phones
from ..text.sentences import ENGLISH_SOUNDS, PSEUDO_LANGUAGES, english_sentence, pseudo_sentence
from ..text.varied_text import MORE_LANGUAGES, Spelling, english_phrases, foreign_phrases
from .utterance import APT_LINE, Utterance, to_utterance

ESPEAK_ENGLISH = (
    "en-us", "en-us", "en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-029", "en-us-nyc",
)  # fmt: skip
# Voice variants without voicing, too rough, or already sped up.
ESPEAK_LEFT_OUT = ("whisper", "whisperf", "croak", "fast", "Demonic", "announcer")
_PHONEME_EVENT = 7
_RATE, _PITCH, _RANGE = 1, 3, 4


def find_library() -> str | None:
    """Name of the espeak-ng library for ctypes; None if it is not installed."""
    for name in (ctypes.util.find_library("espeak-ng"), "libespeak-ng.so.1", "libespeak-ng.dylib", "espeak-ng.dll"):
        if name:
            try:
                ctypes.CDLL(name)
            except OSError:
                continue
            return name
    return None


class Espeak:
    """The espeak-ng library in synchronous mode. It has global state: use one instance per process.

    Raises:
        InputError: the library is not installed.
    """

    def __init__(self) -> None:
        name = find_library()
        if name is None:
            raise InputError(f"speech engine espeak-ng not installed; run: {APT_LINE}")
        self._library = ctypes.CDLL(name)
        synchronous, phoneme_events_in_ipa = 2, 3
        self.sample_rate = self._library.espeak_Initialize(synchronous, 0, None, phoneme_events_in_ipa)
        self._callback = Callback(self._receive)  # kept alive here: the library has only its address
        self._library.espeak_SetSynthCallback(self._callback)
        self._chunks: list[np.ndarray] = []
        self._events: list[tuple[float, str]] = []

    def variants(self) -> list[str]:
        """Names of the usable voice variants (files in voices/!v of the data folder)."""
        data_path = ctypes.c_char_p()
        self._library.espeak_Info.restype = ctypes.c_char_p
        self._library.espeak_Info(ctypes.byref(data_path))
        folder = Path((data_path.value or b"").decode()) / "voices" / "!v"
        names = sorted(path.name for path in folder.iterdir())
        return [n for n in names if n not in ESPEAK_LEFT_OUT and "robo" not in n.lower() and "Uni" not in n]

    def reseed(self, seed: int) -> None:
        """Seed the noise of breath and flutter, in versions that can (1.52 and later)."""
        if hasattr(self._library, "espeak_ng_SetRandSeed"):
            self._library.espeak_ng_SetRandSeed(ctypes.c_long(seed))

    def say(self, text: str, voice: str, rate: int, pitch: int, pitch_range: int):
        """The sound of a text and its phones; None if the voice does not exist or nothing is spoken.

        Args:
            text: the text.
            voice: language and variant, such as "en-us+f3".
            rate: words per minute.
            pitch: 0 to 100.
            pitch_range: 0 (monotone) to 100.

        Returns:
            (N,) int16 samples at `sample_rate`, and a list of (IPA, start, end) in seconds.
        """
        self._chunks, self._events = [], []
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            return None
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        data = text.encode("utf-8") + b"\0"
        utf8 = 1
        self._library.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 1, 0, utf8, None, None)
        if not self._chunks:
            return None
        samples = np.concatenate(self._chunks)
        ends = [start for start, _ in self._events[1:]] + [len(samples) / self.sample_rate]
        return samples, [(ipa, start, end) for (start, ipa), end in zip(self._events, ends, strict=True) if end > start]

    def _receive(self, wave, count, events) -> int:
        if count > 0 and wave:
            self._chunks.append(np.ctypeslib.as_array(wave, (count,)).copy())
        index = 0
        while events[index].type != 0:
            event = events[index]
            if event.type == _PHONEME_EVENT:
                ipa = bytes(event.string).split(b"\0")[0].decode("utf-8", "ignore")
                self._events.append((event.sample / self.sample_rate, ipa))
            index += 1
        return 0


def utterances(rng: random.Random, other_languages: bool) -> Iterator[Utterance]:
    """Endless sentences, each by a random voice: English ones, or ones of `PSEUDO_LANGUAGES`."""
    espeak = Espeak()
    variants = espeak.variants()
    while True:
        if other_languages:
            language = rng.choice(list(PSEUDO_LANGUAGES))
            text = pseudo_sentence(rng, *PSEUDO_LANGUAGES[language])
        else:
            language = rng.choice(ESPEAK_ENGLISH)
            text = english_sentence(rng) if rng.random() < 0.85 else pseudo_sentence(rng, *ENGLISH_SOUNDS)
        voice = f"{language}+{rng.choice(variants)}"
        rate, pitch, pitch_range = rng.randint(120, 230), rng.randint(15, 85), rng.randint(20, 90)
        espeak.reseed(rng.randrange(2**31))
        spoken = espeak.say(text, voice, rate, pitch, pitch_range)
        if spoken is not None:
            yield to_utterance(spoken[0], espeak.sample_rate, spoken[1], phones.from_ipa, f"espeak:{voice}", text)


VARIED_ENGLISH = (
    "en-us", "en-us", "en-us", "en", "en", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd",
    "en-029", "en-us-nyc",
)  # fmt: skip


# Letters of espeak-ng's IPA that `phones.from_ipa` does not know, and a letter of the same class.
_KIN = str.maketrans({"ʉ": "ʏ", "ε": "ɛ", "ä": "a", "ũ": "u", "ĩ": "i", "ɴ": "ŋ"})


def classes_of(symbol: str) -> tuple[str, ...]:
    """The classes of a phoneme in any of the languages; see `phones.from_ipa`."""
    return phones.from_ipa(symbol.translate(_KIN))


def varied_clips(rng: random.Random) -> Iterator[list[Utterance]]:
    """Endless clips of one to three phrases by one voice; two in three are English, the others of 35 languages."""
    espeak = Espeak()
    variants = espeak.variants()
    spellings = {code: Spelling(*sounds) for code, sounds in PSEUDO_LANGUAGES.items()} | MORE_LANGUAGES
    spellings["fr"] = spellings.pop("fr-fr")  # espeak-ng 1.51 finds this voice by its file name only
    while True:
        if rng.random() < 0.65:
            language = rng.choice(VARIED_ENGLISH)
            texts = english_phrases(rng)
        else:
            language = rng.choice(list(spellings))
            texts = foreign_phrases(rng, spellings[language])
        voice = f"{language}+{rng.choice(variants)}"
        rate, pitch, pitch_range = rng.randint(100, 270), rng.randint(5, 95), rng.randint(0, 100)
        clip = []
        for text in texts:
            espeak.reseed(rng.randrange(2**31))
            spoken = espeak.say(text, voice, round(rate * rng.uniform(0.9, 1.1)), pitch, pitch_range)
            if spoken is not None:
                clip.append(to_utterance(spoken[0], espeak.sample_rate, spoken[1], classes_of, f"espeak:{voice}", text))
        if clip:
            yield clip
