"""Random texts of the varied parts of the corpus: words, commands, questions, lists, numbers, and more languages."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

from .sentences import (
    ENGLISH_SOUNDS,
    INTERJECTIONS,
    OBJECTS,
    SUBJECTS,
    TAILS,
    VERBS,
    dictionary_words,
    english_sentence,
    pseudo_sentence,
)

COMMANDS = (
    "stop|wait|go|come here|put it back|pick it up|be quiet|move over|give me the map|bring me both|push the button|"
    "pull the lever|mind the step|look at me|listen|follow them|open the door|close your eyes|be brave|pay the bill|"
    "make room|find five more|breathe|please sit down|beware of the bull|turn left|forget it|behave|help me up|"
    "let me see|beat the eggs|pass the pepper|press both pedals|don't move|never mind|watch out|hurry up|leave it be"
).split("|")
ASKED = (
    "who|what|when|where|why|how|which of them|how often|what if|do you know if|could it be that|would you mind if|"
    "is it true that|did you say that|may I ask why|whose"
).split("|")
STRESSED = "never|only|really|exactly|of course|at last|but|maybe|perfectly|by far|probably|finally|always".split("|")


@dataclass(frozen=True)
class Spelling:
    """How invented words of a language are written.

    Attributes:
        consonants: onsets of syllables.
        vowels: nuclei of syllables.
        codas: what may close a syllable.
    """

    consonants: list[str]
    vowels: list[str]
    codas: tuple[str, ...] = ("n", "l", "r", "s", "m", "t")


_CYRILLIC_CODAS = ("н", "л", "р", "с", "м", "т")
_LATIN = "p b m f v t d n s z l k g r h".split()

# More languages than `sentences.PSEUDO_LANGUAGES`; keys are espeak-ng's language codes. Not included are languages with
# phones that have no class in `phones`, and those for which espeak-ng reads our spelling as English.
MORE_LANGUAGES: dict[str, Spelling] = {
    "ru": Spelling(
        "п б м ф в т д н с з л к г р х ж ш ч щ й пр бл ст мн вл".split(),
        "а э и о у ы я е ё ю а о и".split(),
        _CYRILLIC_CODAS,
    ),
    "uk": Spelling("п б м ф в т д н с з л к г р х ж ш ч".split(), "а е и о у і ї я є ю".split(), _CYRILLIC_CODAS),
    "bg": Spelling("п б м ф в т д н с з л к г р х ж ш ч ц".split(), "а е и о у ъ я ю".split(), _CYRILLIC_CODAS),
    "el": Spelling(
        "π μπ μ φ β τ ντ ν σ ζ λ κ γκ ρ χ θ δ γ".split(), "α ε η ο ου ω αι υ".split(), ("ν", "ς", "ρ")
    ),
    "ro": Spelling([*_LATIN, "j", "ș", "ț", "ce", "gh"], "a e i o u ă î ea oa".split()),
    "da": Spelling([*_LATIN, "j", "sk", "bl"], "a e i o u y æ ø å".split()),
    "nb": Spelling([*_LATIN, "j", "sj", "kj"], "a e i o u y æ ø å ei au".split()),
    "is": Spelling([*_LATIN, "j", "þ", "ð", "hv"], "a e i o u y á é í ó ú ö æ".split()),
    "et": Spelling("p m v t d n s l k g r h j".split(), "a e i o u õ ä ö ü aa ee uu".split()),
    "lv": Spelling([*_LATIN, "j", "š", "ž", "č", "ļ", "ņ"], "a e i o u ā ē ī ū ie".split()),
    "lt": Spelling([*_LATIN[:-1], "j", "š", "ž", "č"], "a e i o u ą ė y ū ie uo".split()),
    "sk": Spelling([*_LATIN, "j", "š", "ž", "č", "ľ", "ch"], "a e i o u á é í ó ú ô y".split()),
    "sl": Spelling([*_LATIN, "j", "š", "ž", "č"], "a e i o u".split()),
    "hr": Spelling([*_LATIN, "j", "š", "ž", "č", "lj", "nj"], "a e i o u".split()),
    "ca": Spelling([*_LATIN[:-1], "j", "ny", "ll", "ix", "qu"], "a e i o u à é í ó ú".split()),
    "eu": Spelling("p b m f t d n s z l k g r tx ts x ll".split(), "a e i o u ai au".split()),
    "cy": Spelling("p b m ff f t d n s l c g r h ch dd ll th".split(), "a e i o u w y".split()),
    "id": Spelling([*_LATIN, "j", "c", "ng", "ny", "w", "y"], "a e i o u ai au".split()),
    "sw": Spelling([*_LATIN, "mb", "nd", "ny", "ch", "sh", "w", "y"], "a e i o u".split(), ("",)),
    "eo": Spelling([*_LATIN, "ĉ", "ĝ", "ŝ", "ĵ", "j"], "a e i o u aŭ eŭ".split()),
    "la": Spelling([*_LATIN, "qu", "j"], "a e i o u ae au".split()),
    "hi": Spelling(
        "प ब म फ भ व त द न स ज ल क ग र ह श च य ट ड".split(),
        ["", "ा", "ि", "ी", "ु", "ू", "े", "ो", "ै", "ौ"],
        ("न", "र", "म"),
    ),
    "ja": Spelling(
        "ぱ ぴ ぷ ぺ ぽ ば び ぶ べ ぼ ま み む め も ふ た て と だ で な に の".split()
        + "さ し す せ そ ざ か き く け こ が ご ら り る れ わ や ゆ よ は ち つ".split(),
        ["", "", "い", "う", "ん", "お"],
        ("ん",),
    ),
}  # fmt: skip


@lru_cache(maxsize=1)
def _bilabial_words() -> tuple[str, ...]:
    """Dictionary words that begin with a bilabial, by their spelling."""
    words = tuple(w for w in dictionary_words() if w[0] in "pbm" and w[:2] not in ("ps", "pn", "ph", "mn"))
    return words or ("map", "push", "ball")


def english_word(rng: random.Random) -> str:
    """A word; at least a third begin with p, b or m."""
    return rng.choice(_bilabial_words() if rng.random() < 0.33 else dictionary_words())


def english_phrases(rng: random.Random) -> list[str]:
    """The phrases of a clip: two clips in three have one, the others two or three."""
    count = 1 if rng.random() < 0.67 else rng.choice((2, 2, 3))
    return [english_phrase(rng) for _ in range(count)]


def english_phrase(rng: random.Random) -> str:
    """A phrase of a random kind, from a single word to a sentence."""
    kind = rng.random()
    if kind < 0.22:
        return english_sentence(rng)
    if kind < 0.36:
        return english_word(rng) + rng.choice([".", ".", "!", "?"])
    if kind < 0.50:
        return _command(rng)
    if kind < 0.62:
        return _question(rng)
    if kind < 0.74:
        return _list(rng)
    if kind < 0.82:
        return _numbers(rng)
    if kind < 0.91:
        return " ".join(english_word(rng) for _ in range(rng.randint(2, 7))) + "."
    return pseudo_sentence(rng, *ENGLISH_SOUNDS)


def foreign_phrases(rng: random.Random, spelling: Spelling) -> list[str]:
    """The one or two phrases of a clip, each of 1 to 11 invented words."""
    phrases = []
    for _ in range(1 if rng.random() < 0.7 else 2):
        count = rng.choice((1, 2, 3, rng.randint(4, 8), rng.randint(4, 11)))
        words = [_invented_word(rng, spelling) for _ in range(count)]
        for i in range(count - 1):
            if rng.random() < 0.15:
                words[i] += ","
        phrases.append(" ".join(words) + rng.choice([".", ".", "?", "!"]))
    return phrases


def _invented_word(rng: random.Random, spelling: Spelling) -> str:
    word = ""
    for _ in range(rng.randint(1, 4)):
        if rng.random() < 0.88 or not word:
            word += rng.choice(spelling.consonants)
        word += rng.choice(spelling.vowels)
        if rng.random() < 0.2:
            word += rng.choice(spelling.codas)
    return word


def _command(rng: random.Random) -> str:
    words = rng.choice(COMMANDS)
    kind = rng.random()
    if kind < 0.15:
        words = f"{rng.choice(INTERJECTIONS)}, {words}"
    elif kind < 0.3:
        words = f"{words}, {rng.choice(['Bob', 'my friend', 'please', 'Mum', 'Paul', 'everybody', 'now'])}"
    return words + rng.choice([".", "!", "!"])


def _question(rng: random.Random) -> str:
    words = [rng.choice(ASKED), rng.choice(SUBJECTS), rng.choice(VERBS), rng.choice(OBJECTS)]
    if rng.random() < 0.3:
        words.append(rng.choice(TAILS))
    if rng.random() < 0.3:
        words.insert(1, rng.choice(STRESSED))
    return " ".join(words) + "?"


def _list(rng: random.Random) -> str:
    things = [rng.choice(OBJECTS) if rng.random() < 0.3 else english_word(rng) for _ in range(rng.randint(2, 6))]
    return ", ".join(things[:-1]) + rng.choice([", and ", " and ", " or ", ", "]) + things[-1] + "."


def _numbers(rng: random.Random) -> str:
    kind = rng.randrange(4)
    if kind == 0:
        return ", ".join(str(rng.randint(0, 99)) for _ in range(rng.randint(1, 6))) + "."
    if kind == 1:
        return f"{rng.choice(['room', 'page', 'bus number', 'about', 'maybe', 'the year'])} {rng.randint(100, 2099)}."
    if kind == 2:
        return f"{rng.choice(VERBS)} {rng.randint(2, 900)} {english_word(rng)}s for {rng.randint(1, 99)} pounds."
    return f"{rng.randint(1, 12)} {rng.choice(['forty five', 'thirty', 'o clock', 'fifteen', 'p m', 'a m'])}?"
