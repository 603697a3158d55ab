"""Whether recognised words are speech at all, and of the recogniser's language, by their confidence.

A recogniser finds words in music, noise and other languages too, and is not sure of them. Mean confidence of
pocketsphinx over a line: of 62 English lines (people, neural voices, flite, festival) .46 to .98; of 27 lines in ten
other languages .17 to .56, four of them above the limit; of music, babble and speech backwards at most .46.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .interface import RecognisedWord

_LEAST_CONFIDENCE = 0.45
_SLOWEST = 0.55  # mean seconds of a word in a stretch: .16 to .40 in speech, .67 and .84 in music and babble
_STRETCH_WORDS = 15
_LONGEST_PAUSE = 5.0  # seconds within a stretch
_LEAST_SHARE = 0.5  # of all words; fewer are credible by chance


def credible_words(words: Sequence[RecognisedWord]) -> list[RecognisedWord]:
    """The words without stretches in which the recogniser was unsure; none if most were such.

    Args:
        words: the words in the order of the sound.
    """
    found = [word for stretch in _stretches(words) if _is_credible(stretch) for word in stretch]
    return found if len(found) >= _LEAST_SHARE * len(words) else []


def _stretches(words: Sequence[RecognisedWord]) -> list[list[RecognisedWord]]:
    """The words in stretches of about a line each, divided at long pauses too."""
    stretches: list[list[RecognisedWord]] = []
    spoken: list[RecognisedWord] = []  # between two long pauses
    for index, word in enumerate(words):
        spoken.append(word)
        if index + 1 == len(words) or words[index + 1].start_seconds - word.end_seconds > _LONGEST_PAUSE:
            count = max(1, round(len(spoken) / _STRETCH_WORDS))
            bounds = [len(spoken) * part // count for part in range(count + 1)]
            stretches += [spoken[first:last] for first, last in zip(bounds, bounds[1:])]
            spoken = []
    return stretches


def _is_credible(stretch: Sequence[RecognisedWord]) -> bool:
    seconds = np.mean([word.end_seconds - word.start_seconds for word in stretch])
    is_slow = len(stretch) > 3 and seconds > _SLOWEST
    return bool(np.mean([word.confidence for word in stretch]) >= _LEAST_CONFIDENCE and not is_slow)
