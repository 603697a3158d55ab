"""Identification of a text's language: its script leaves a few candidates, and py3langid chooses among them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from ..files.language_scores import MOST_LETTERS, language_scores

DEFAULT_LANGUAGE = "en-us"
AUTO = "auto"

# First word of a letter's Unicode name -> languages of espeak-ng in this script, by py3langid's codes, the most likely
# first. Small languages that others are easily mistaken for are left out; the user can still choose them.
_SCRIPTS = {
    "LATIN": "en de fr es it pt nl pl cs sk hu fi da sv no nn tr ro hr sl et lv lt ca vi id is sq cy ga eu af sw eo",
    "CYRILLIC": "ru uk be bg sr mk kk ky tt ba",
    "ARABIC": "ar fa ur ug",
    "DEVANAGARI": "hi mr ne",
    "BENGALI": "bn as",
    "GREEK": "el",
    "HEBREW": "he",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "zh",
    "THAI": "th",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "ORIYA": "or",
    "SINHALA": "si",
    "MYANMAR": "my",
    "ETHIOPIC": "am",
}
_ESPEAK_CODES = {"en": DEFAULT_LANGUAGE, "no": "nb", "nn": "nb", "zh": "cmn"}
# Difference of log-likelihoods by which a language must be likelier than the first of its script. One or two words are
# weak evidence: "Okay" would be Swahili. Measured on 199 English phrases and 406 of 32 other languages.
_SURER, _SURER_OF_A_WORD = 1.0, 5.0


def guess_language(text: str) -> str:
    """espeak-ng's code of a text's language; American English if the text gives no evidence.

    Raises:
        ModelError: if the script alone does not decide, and py3langid is not installed.
    """
    text = text[:MOST_LETTERS]
    script = _script(text)
    candidates = _SCRIPTS.get(script, "en").split()
    best = first = candidates[0]
    if len(candidates) > 1:
        scores = language_scores(text)
        best = max(candidates, key=lambda language: scores[language])
        is_short = len(re.findall(r"\w+", text)) <= 2
        if scores[best] - scores[first] < (_SURER_OF_A_WORD if is_short else _SURER):
            best = first
    return _ESPEAK_CODES.get(best, best)


def _script(text: str) -> str:
    """The first word of most letters' Unicode names; HIRAGANA for Japanese, which also uses Chinese characters."""
    scripts = Counter(
        "LATIN" if letter.isascii() else unicodedata.name(letter, "OTHER").split()[0].split("-")[0]
        for letter in text
        if letter.isalpha()
    )
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > 0.1 * scripts["CJK"] > 0:
        return "HIRAGANA"
    return scripts.most_common(1)[0][0] if scripts else "OTHER"
