"""The speech engines that report phone times, their licences, and endless speech from each.

The weights that ship are trained on `ENGINES` only: their licences allow a model trained on their sound to be given
away (spec/DEFAULT_MODEL.md). flite's voice kal16 is not used, because its phone times are 0.09 to 0.14 s off.
The voices of `UNSEEN_ENGINES` are for evaluation: nothing is ever trained on them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from types import ModuleType

from ....errors import InputError
from ....transcript import phones as phone_classes
from .. import phones
from ..text import sentences, varied_text
from . import espeak, festival, festival_unseen, flite, foreign_phones, utterance, variation
from .utterance import APT_LINE, SAMPLE_RATE, Utterance, to_utterance
from .variation import varied

__all__ = (
    "APT_LINE", "ENGINES", "LICENCES", "SAMPLE_RATE", "UNSEEN_ENGINES", "Utterance", "family", "is_available",
    "require_engines", "sources", "to_utterance", "utterances", "voices_of",
)  # fmt: skip

FLITE_PITCH = flite.FLITE_PITCH
FESTIVAL_VOICES = festival.FESTIVAL_VOICES

ENGINES = (
    "espeak", "espeak_languages", "festival", "flite", "espeak_varied", "festival_varied", "flite_varied",
)  # fmt: skip
UNSEEN_ENGINES = ("festival_unseen",)

LICENCES: dict[str, str] = {
    "espeak-ng": "GPL-3+ program; sound made by rule, from formants and short recorded consonants",
    "flite awb, rms, slt": "BSD-like (Carnegie Mellon University)",
    "festival kal_diphone, ked_diphone": "BSD-like (University of Edinburgh, Carnegie Mellon University)",
    "festival cmu_us_slt_arctic_hts": "BSD-like (Carnegie Mellon University, HTS working group)",
    **{f"festival {name} (evaluation only)": voice.licence for name, voice in festival_unseen.VOICES.items()},
}
"""Licence of each engine and voice, from the copyright file of its Debian package."""


def family(engine: str) -> str:
    """The program behind an engine name; to hold out "flite" is to hold out every engine of its family."""
    return engine.partition("_")[0]


def utterances(engine: str, seed: int, voices: tuple[str, ...] | None = None) -> Iterator[Utterance]:
    """Endless utterances of an engine, the same for the same seed.

    Args:
        engine: one of `ENGINES` or `UNSEEN_ENGINES`.
        seed: of all random choices.
        voices: names of the voices; None: all (see `voices_of`).

    Raises:
        InputError: the engine or one of its voices is not installed.
        ValueError: there is no such engine.
    """
    rng = random.Random(seed)
    if engine in ("espeak", "espeak_languages"):
        return espeak.utterances(rng, other_languages=engine == "espeak_languages")
    if engine == "flite":
        return flite.utterances(rng, voices or tuple(FLITE_PITCH))
    if engine == "festival":
        return festival.utterances(rng, voices or tuple(FESTIVAL_VOICES))
    if engine == "espeak_varied":
        return varied(espeak.varied_clips(rng), random.Random(seed + 1))
    if engine == "flite_varied":
        return varied(flite.varied_clips(rng, voices or tuple(FLITE_PITCH)), random.Random(seed + 1))
    if engine == "festival_varied":
        return varied(festival.varied_clips(rng, voices or tuple(FESTIVAL_VOICES)), random.Random(seed + 1))
    if engine == "festival_unseen":
        return festival_unseen.utterances(rng, voices or festival_unseen.FITTING_VOICES)
    raise ValueError(f"engine {engine!r}; known: {ENGINES + UNSEEN_ENGINES}")


def voices_of(engine: str) -> tuple[str, ...]:
    """Names that `utterances` takes as voices; none for espeak-ng, which combines languages and variants itself."""
    if engine == "festival_unseen":
        return festival_unseen.FITTING_VOICES
    return {"flite": tuple(FLITE_PITCH), "festival": tuple(FESTIVAL_VOICES)}.get(family(engine), ())


def sources(engine: str) -> tuple[ModuleType, ...]:
    """The modules, other than this one, that decide an engine's texts, sound and phones."""
    own = {"espeak": espeak, "festival": festival, "flite": flite}[family(engine)]
    modules = [own, sentences, utterance, phones, phone_classes]
    if engine.endswith("_varied"):
        modules += [varied_text, variation]
    if engine == "festival_unseen":
        modules += [festival_unseen, foreign_phones, varied_text]
    return tuple(modules)


def is_available(engine: str) -> bool:
    """True if this machine has the engine with all voices of `voices_of`.

    Raises:
        ValueError: there is no such engine.
    """
    if engine not in ENGINES + UNSEEN_ENGINES:
        raise ValueError(f"engine {engine!r}; known: {ENGINES + UNSEEN_ENGINES}")
    if family(engine) == "espeak":
        return espeak.find_library() is not None
    if family(engine) == "festival":
        listed = festival.listed_voices()
    else:
        listed = flite.listed_voices()
    return all(voice in listed for voice in voices_of(engine))


def require_engines(engines: tuple[str, ...]) -> None:
    """Raise an InputError with the command to type if an engine is not installed."""
    missing = sorted(engine for engine in set(engines) if not is_available(engine))
    if missing:
        unseen = any(engine in UNSEEN_ENGINES for engine in missing)
        line = festival_unseen.APT_LINE_UNSEEN if unseen else APT_LINE
        raise InputError(f"speech engines not installed: {', '.join(missing)}; run: {line}")
