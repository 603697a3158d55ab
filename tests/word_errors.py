"""Word error rate of recognised words."""

from __future__ import annotations

import re


def spoken_words(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation; an apostrophe stays inside its word."""
    return re.findall(r"\w+(?:'\w+)*", text.lower().replace("\u2019", "'"))


def word_errors(recognised: str, spoken: str) -> int:
    """The fewest words to insert, delete and replace (Levenshtein distance) that make one text of the other."""
    found, right = spoken_words(recognised), spoken_words(spoken)
    errors = list(range(len(found) + 1))
    for index, word in enumerate(right, start=1):
        before, errors = errors, [index]
        for place, other in enumerate(found, start=1):
            errors.append(min(before[place] + 1, errors[-1] + 1, before[place - 1] + (word != other)))
    return errors[-1]


def word_error_rate(recognised: str, spoken: str) -> float:
    """Errors per spoken word: 0 if all words are right, above 1 if there are more errors than words."""
    return word_errors(recognised, spoken) / len(spoken_words(spoken))
