"""Transcripts with wrong words, to measure the effect of an inexact transcript."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def with_wrong_words(text: str, share: float, others: Sequence[str], rng: np.random.Generator) -> str:
    """The text with a fraction of its words, at random positions, replaced by words of other texts.

    Args:
        text: the words.
        share: fraction of the words to replace, 0 to 1; the number is rounded.
        others: the texts that the wrong words come from.
        rng: source of randomness.

    Raises:
        ValueError: the share is outside 0..1, or no other text has a word that this one lacks.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share of wrong words {share} is outside 0..1")
    words = text.split()
    count = int(share * len(words) + 0.5)
    if not count:
        return text
    known = {word.lower() for word in words}
    foreign = sorted({word for other in others for word in other.split() if word.lower() not in known})
    if not foreign:
        raise ValueError("the other texts have no other words")
    for position in rng.choice(len(words), count, replace=False):
        words[position] = foreign[int(rng.integers(len(foreign)))]
    return " ".join(words)
