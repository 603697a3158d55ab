"""Festival's voices in other languages, for evaluation only (`generate.UNSEEN_VALIDATION`).

Nothing is trained on them: their licences do not allow it, and the figures for unseen voices depend on it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ..text.sentences import PSEUDO_LANGUAGES
from ..text.varied_text import MORE_LANGUAGES, Spelling, foreign_phrases
from . import foreign_phones
from .festival import speak_batch
from .utterance import Utterance

APT_LINE_UNSEEN = (
    "apt-get install --no-install-recommends festival festvox-italp16k festvox-itapc16k festvox-czech-ph "
    "festvox-czech-dita festvox-czech-machac festvox-czech-krb festvox-suopuhe-lj festvox-suopuhe-mv "
    "festvox-ca-ona-hts festvox-ru"
)
_BATCH = 12  # sentences per process: few enough for a shard of six minutes to have every voice


@dataclass(frozen=True)
class ForeignVoice:
    """A voice of another language.

    Attributes:
        language: of the invented words; a key of `PSEUDO_LANGUAGES` or `MORE_LANGUAGES`.
        encoding: of the text that it reads.
        phone_classes: the classes of each of its phone names.
        licence: of the voice.
        labels_fit: False if `label_check` found its phone times wrong.
    """

    language: str
    encoding: str
    phone_classes: Mapping[str, tuple[str, ...]]
    licence: str
    labels_fit: bool = True


# The Russian voice is cut from recordings that were segmented automatically. Its labels are 0.02 to 0.03 s late, and
# some boundaries 0.05 s off, so it is used only if it is given by name.
VOICES: dict[str, ForeignVoice] = {
    "lp_diphone": ForeignVoice("it", "iso-8859-1", foreign_phones.ITALIAN, "GPL-2+"),
    "pc_diphone": ForeignVoice("it", "iso-8859-1", foreign_phones.ITALIAN, "GPL-2+"),
    "czech_ph": ForeignVoice("cs", "iso-8859-2", foreign_phones.CZECH, "GPL-2+"),
    "czech_dita": ForeignVoice("cs", "iso-8859-2", foreign_phones.CZECH, "GPL-3+"),
    "czech_machac": ForeignVoice("cs", "iso-8859-2", foreign_phones.CZECH, "GPL-3+"),
    "czech_krb": ForeignVoice("cs", "iso-8859-2", foreign_phones.CZECH, "GPL-3+"),
    "suo_fi_lj_diphone": ForeignVoice("fi", "iso-8859-1", foreign_phones.FINNISH, "LGPL-2+"),
    "hy_fi_mv_diphone": ForeignVoice("fi", "iso-8859-1", foreign_phones.FINNISH, "LGPL-2+"),
    "upc_ca_ona_hts": ForeignVoice("ca", "iso-8859-15", foreign_phones.CATALAN, "LGPL-2.1+"),
    "msu_ru_nsh_clunits": ForeignVoice("ru", "utf-8", foreign_phones.RUSSIAN, "BSD-like and GPL-3", labels_fit=False),
}

FITTING_VOICES = tuple(name for name, voice in VOICES.items() if voice.labels_fit)


def utterances(rng: random.Random, voices: Sequence[str]) -> Iterator[Utterance]:
    """Endless sentences of invented words by each voice in turn.

    Raises:
        ValueError: a voice names a phone that `foreign_phones` does not know.
    """
    spellings = {code: Spelling(*sounds) for code, sounds in PSEUDO_LANGUAGES.items()} | MORE_LANGUAGES
    while True:
        for name in voices:
            voice = VOICES[name]
            sentences: list[tuple[str, str]] = []
            while len(sentences) < _BATCH:
                stretch = f"(Parameter.set 'Duration_Stretch {rng.uniform(0.85, 1.2):.2f})"
                sentences += [(stretch, text) for text in foreign_phrases(rng, spellings[voice.language])]
            classes = partial(foreign_phones.classes_of, table=voice.phone_classes)
            yield from speak_batch(name, sentences, classes, voice.encoding)
