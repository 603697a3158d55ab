"""Code pages of text files from before UTF-8: which one a file is in, by the letters that it would have in each.

In the wrong code page a text has letters that no language has together ("Pøíliš"), signs inside words ("b³ser"),
capitals after small letters ("tÈ"), or two scripts in a word ("Tьr"). The code page whose text has fewest of these is
taken; of several, the one whose text is likeliest to be in a language of that page. Statistics of bytes are no help for
a table with a few words: charset-normalizer 3.5 finds half of those in tests/files/test_code_pages.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from .language_scores import language_scores

# Letters beyond ASCII, in lower case, by the code of their language in py3langid.
_WESTERN = {
    "en": "é",
    "de": "äöüßé",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "es": "áéíóúñü",
    "it": "àèéìòóùî",
    "pt": "áâãàçéêíóôõú",
    "nl": "éëïóèöü",
    "da": "æøåéòôü",
    "no": "æøåéòôü",
    "sv": "åäöéàü",
    "fi": "åäöšž",
    "is": "áéíóúýþæðö",
    "ca": "àçèéíïòóúü",
    "et": "äõöüšž",
    "sq": "ëç",
}
_CENTRAL = {
    "de": "äöüßé",
    "pl": "ąćęłńóśźż",
    "cs": "áčďéěíňóřšťúůýž",
    "sk": "áäčďéíľňóôšťúýž",
    "hu": "áéíóöőúüű",
    "ro": "ăâîşţ",
    "hr": "čćđšž",
    "sl": "čšž",
    "sq": "ëç",
}
_BALTIC = {"lt": "ąčęėįšųūž", "lv": "āčēģīķļņšūž", "et": "äõöüšž"}
_CYRILLIC = {
    "ru": "абвгдежзийклмнопрстуфхцчшщъыьэюяё",
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "bg": "абвгдежзийклмнопрстуфхцчшщъьюя",
    "sr": "абвгдђежзијклљмнњопрстћуфхцчџш",
    "be": "абвгдеёжзійклмнопрстуўфхцчшыьэюя",
}
_TURKISH = {"tr": "çğıöşüâîû\u0307"}  # İ is i and a dot in lower case
_GREEK = {"el": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"}
_HEBREW = {"he": "אבגדהוזחטיךכלםמןנסעףפץצקרשת"}
_ARABIC = {"ar": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي،؟", "fa": "آئابتثجحخدذرزسشصضطظعغفقلمنهوپچژگکی،؟"}

# Of two that fit equally well, the first is taken.
_ALPHABETIC = {
    "Windows-1252": ("cp1252", _WESTERN),
    "Windows-1250": ("cp1250", _CENTRAL),
    "Windows-1255": ("cp1255", _HEBREW),
    "Windows-1251": ("cp1251", _CYRILLIC),
    "Windows-1254": ("cp1254", _TURKISH),
    "Windows-1253": ("cp1253", _GREEK),
    "Windows-1257": ("cp1257", _BALTIC),
    "Windows-1256": ("cp1256", _ARABIC),
    "Mac Roman": ("mac_roman", _WESTERN),
    "DOS 850": ("cp850", _WESTERN),
    "DOS 852": ("cp852", _CENTRAL),
    "DOS 866": ("cp866", _CYRILLIC),
}
# Frequent characters in place of an alphabet.
_KANA = "".join(map(chr, range(0x3041, 0x30FF)))
_SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能子那得着下自之年过后作里么好天没都吗吧去想看"
)
_TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能子那得著下自之年過後作裡麼好天沒都嗎吧去想看"
)
_HANGUL = "이다는을에가고하지의은도로기사나리자어아해를라수대한일그서요인시스있니습게정만우부안세오보전주네"
_IDEOGRAPHIC = {
    "Shift JIS": ("cp932", {"ja": _KANA}),
    "GB 18030": ("gb18030", {"zh": _SIMPLIFIED}),
    "Big5": ("cp950", {"zh": _TRADITIONAL}),
    "EUC-KR": ("cp949", {"ko": _HANGUL}),
}
_SHARE_OF_FREQUENT = 0.15  # about half of what ordinary text has
_MOST_MISFITS = 0.2  # share of the characters beyond ASCII
_BYTES_TO_READ = 30_000  # more would not change the choice
_SURER = 2.0  # difference of log-likelihoods by which a later code page must be likelier
_SIGNS = "‘’‚“”„«»‹›–—…•·€£§°©®™¡¿ªº´\xa0\xad"
_WORD = re.compile(r"[^\W\d_]+")
_SIGN_INSIDE_A_WORD = re.compile(r"[^\W\d_](?=[^\w\s\x00-\x7f‘’´·\xad][^\W\d_])")


@dataclass(frozen=True)
class _Candidate:
    """A code page that a file may be in.

    Attributes:
        name: its name in sentences.
        codec: Python's name of it.
        text: the text of the sample in it.
        languages: that are written in it, by their codes in py3langid.
        misfits: see `_misfits`.
    """

    name: str
    codec: str
    text: str
    languages: tuple[str, ...]
    misfits: float


def decode_code_page(data: bytes) -> tuple[str, str] | None:
    """The text of a file in a code page, and the code page's name; None if none fits.

    Args:
        data: the whole file, which is neither UTF-8 nor UTF-16.
    """
    sample = b"\n".join(line for line in data.splitlines() if not line.isascii())[:_BYTES_TO_READ]
    candidates: dict[str, _Candidate] = {}
    for pages, misfits in ((_ALPHABETIC, _misfits), (_IDEOGRAPHIC, _ideographic_misfits)):
        for name, (codec, letters) in pages.items():
            try:
                data.decode(codec)
            except UnicodeDecodeError:
                continue
            text = sample.decode(codec, "ignore")  # it may end within a character
            candidate = _Candidate(name, codec, text, tuple(letters), misfits(text, list(letters.values())))
            candidates.setdefault(text, candidate)
    lowest = min((candidate.misfits for candidate in candidates.values()), default=1.0)
    if lowest > _MOST_MISFITS:
        return None
    best = [candidate for candidate in candidates.values() if candidate.misfits == lowest]
    if len(best) > 1:
        unlikely = [_unlikelihood(candidate.text, candidate.languages) for candidate in best]
        best = [candidate for candidate, value in zip(best, unlikely, strict=True) if value <= min(unlikely) + _SURER]
    return data.decode(best[0].codec), best[0].name


def _misfits(text: str, alphabets: list[str]) -> float:
    """Share of the characters beyond ASCII that do not fit their word, or the best alphabet of their line."""
    num_misfits = num_characters = 0
    for line in text.splitlines():
        beyond = [letter for letter in line.lower() if letter > "\x7f" and letter not in _SIGNS]
        outside = (sum(letter not in alphabet for letter in beyond) for alphabet in alphabets)
        num_misfits += min(outside) + len(_SIGN_INSIDE_A_WORD.findall(line))
        num_misfits += sum(_is_torn(word) for word in _WORD.findall(line) if not word.isascii())
        num_characters += sum(letter > "\x7f" for letter in line)
    return num_misfits / max(num_characters, 1)


def _is_torn(word: str) -> bool:
    """Whether no word has such capitals, such final letters, or letters of two scripts."""
    has_usual_case = word == word.upper() or word[1:] == word[1:].lower()
    has_final_letter_inside = not set(word[:-1]).isdisjoint("ךםןףץ")  # of Hebrew
    return not has_usual_case or has_final_letter_inside or len(set(map(_is_latin, word))) > 1


def _is_latin(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith("LATIN")


def _ideographic_misfits(text: str, frequent: list[str]) -> float:
    """Share of the characters beyond ASCII that are alone among ASCII letters; 1 if too few are frequent ones."""
    beyond = [letter for letter in text if letter > "\x7f" and letter.isalpha()]
    if not beyond or sum(letter in frequent[0] for letter in beyond) < _SHARE_OF_FREQUENT * len(beyond):
        return 1.0
    return sum(map(_is_alone, " " + text, text, text[1:] + " ")) / len(beyond)


def _is_alone(before: str, letter: str, after: str) -> bool:
    return letter > "\x7f" and (before + after).isascii() and (before + after).isalpha()


def _unlikelihood(text: str, languages: Collection[str]) -> float:
    """Log-likelihood of a text's likeliest language over that of the likeliest of `languages`."""
    scores = language_scores(text)
    return max(scores.values()) - max(scores[language] for language in languages)
