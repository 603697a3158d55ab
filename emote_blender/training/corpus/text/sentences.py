"""Random sentences: an English grammar, word lists, numbers, and invented words in the spelling of other languages.

The labels come from the synthesiser, so a sentence need not mean anything. Together, the sentences should contain every
sound next to every other.
"""

from __future__ import annotations

import logging
import random
import re
from functools import lru_cache
from pathlib import Path

logger = logging.getLogger(__name__)

WORD_LISTS = (Path("/usr/share/dict/american-english"), Path("/usr/share/dict/words"))

SUBJECTS = (
    "I|you|we|they|my mother|the young man|every brave farmer|that old woman|Bob|Peter and Mary|the people above us|"
    "Vivian|nobody|someone in the room|this machine|your best friend|the woman from Boston|our family|a small bird|"
    "both of them|the captain"
).split("|")
VERBS = (
    "want|bought|saw|found|kept|moved|pushed|believed in|gave up|spoke about|heard|watched|dropped|remembered|opened|"
    "wash|love|promised|pulled|brought|forgot|painted|chose|threw away"
).split("|")
OBJECTS = (
    "the blue paper bag|a big fish|some warm bread|five empty boxes|the measure of pleasure|both of my shoes|"
    "a thin feather|the whole village|that book about wolves|every window|the voice of the queen|a cup of coffee|"
    "two yellow apples|the judge|an amazing picture|your money|the boy with the ball|nothing at all|my favourite movie"
).split("|")
TAILS = (
    "this morning|because it was cold|before the show|with the others|over there|if you please|for a long time|"
    "in the beautiful garden|without any trouble|as far as we know|near the river|by the way|on the phone|"
    "at half past five|when I was young|through the fog|maybe tomorrow"
).split("|")
INTERJECTIONS = "well|oh|no|yes|wow|please|hey|maybe|of course|thank you|good morning|I mean|my goodness".split("|")
NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty hundred thousand "
    "zero"
).split()

# How each language writes its consonants and vowels; keys are espeak-ng's language codes.
ENGLISH_SOUNDS = (
    "p b m f v t d n s z l k g h r j w th sh ch st pl br fr kr sp tr pr bl mp nt".split(),
    "a e i o u ai ou ee oo ea a o i e".split(),
)
PSEUDO_LANGUAGES: dict[str, tuple[list[str], list[str]]] = {
    "de": (
        ENGLISH_SOUNDS[0] + ["sch", "pf", "z", "tz", "ch"],
        "a e i o u ä ö ü ei au eu ie a e".split(),
    ),
    "fr-fr": (
        "p b m f v t d n s z l c g r j ch gn qu pr br".split(),
        "a e i o u é è ou eu au oi an on in u".split(),
    ),
    "es": ("p b m f v t d n s z l c g r j ch ñ qu ll rr".split(), "a e i o u ie ue ai".split()),
    "it": ("p b m f v t d n s z l c g r ch gl gn sc pp mm".split(), "a e i o u ia io uo".split()),
    "pt-br": ("p b m f v t d n s z l c g r ch lh nh".split(), "a e i o u ão é ó ei ou".split()),
    "nl": ("p b m f v t d n s z l k g r sch w j".split(), "a e i o u aa ee oe ui eu ij".split()),
    "sv": ("p b m f v t d n s l k g r sj j h".split(), "a e i o u å ä ö y".split()),
    "fi": ("p m v t n s l k r j h pp mm".split(), "a e i o u ä ö y aa ii uu".split()),
    "pl": ("p b m f w t d n s z l k g r cz sz ż ł".split(), "a e i o u y ą ę".split()),
    "cs": ("p b m f v t d n s z l k h r č š ž ř j".split(), "a e i o u á é í ó ú y".split()),
    "tr": ("p b m f v t d n s z l k g r ç ş c y h".split(), "a e ı i o ö u ü".split()),
    "hu": ("p b m f v t d n s z l k g r cs sz zs ny gy h".split(), "a e i o ö u ü á é".split()),
}


@lru_cache(maxsize=1)
def dictionary_words() -> tuple[str, ...]:
    """The lower-case words of 2 to 11 letters in the system's English word list (Debian package wamerican).

    Without a word list, the words of the grammar, with a warning: the sentences then vary less.
    """
    for path in WORD_LISTS:
        if path.is_file():
            words = path.read_text(encoding="utf-8").split()
            return tuple(word for word in words if re.fullmatch(r"[a-z]{2,11}", word))
    logger.warning("no English word list found (apt-get install wamerican); sentences use the built-in words only")
    phrases = SUBJECTS + VERBS + OBJECTS + TAILS + NUMBERS
    return tuple(sorted({word.lower() for phrase in phrases for word in phrase.split()}))


def english_sentence(rng: random.Random) -> str:
    """A sentence of 3 to about 14 words from the grammar, the word list or numbers; one in four has an extra comma."""
    words = dictionary_words()
    kind = rng.random()
    if kind < 0.45:
        parts = (rng.choice(SUBJECTS), rng.choice(VERBS), rng.choice(OBJECTS), rng.choice(TAILS))
        sentence = " ".join(parts)
        if rng.random() < 0.3:
            sentence = f"{rng.choice(INTERJECTIONS)}, {sentence}"
    elif kind < 0.8:
        opening = rng.choice(["the ", "a ", "this ", "do you ", "we ", "", "", "", ""])
        sentence = opening + " ".join(rng.choice(words) for _ in range(rng.randint(4, 10)))
    elif kind < 0.9:
        sentence = " ".join(rng.choice(NUMBERS) for _ in range(rng.randint(3, 8)))
    else:
        sentence = (
            f"{rng.choice(INTERJECTIONS)}, {rng.choice(SUBJECTS)} {rng.choice(VERBS)} "
            f"{rng.choice(words)} and {rng.choice(words)}"
        )
    if rng.random() < 0.25:
        tokens = sentence.split()
        index = rng.randrange(max(1, len(tokens) - 1))
        tokens[index] = tokens[index].rstrip(",") + ","
        sentence = " ".join(tokens)
    return sentence + rng.choice([".", ".", ".", "?", "!"])


def pseudo_sentence(rng: random.Random, consonants: list[str], vowels: list[str]) -> str:
    """A sentence of 5 to 11 invented words of 1 to 3 syllables, often with a comma in the middle.

    Args:
        rng: random numbers.
        consonants: spellings of consonants.
        vowels: spellings of vowels.
    """
    words = []
    for _ in range(rng.randint(5, 11)):
        word = ""
        for _ in range(rng.randint(1, 3)):
            if rng.random() < 0.85:
                word += rng.choice(consonants)
            word += rng.choice(vowels)
            if rng.random() < 0.25:
                word += rng.choice(["n", "l", "r", "s", "m", "t"])
        words.append(word)
    if rng.random() < 0.4:
        words[len(words) // 2] += ","
    return " ".join(words) + "."
