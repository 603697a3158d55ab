"""Texts for voices that speak several sentences at once."""

from __future__ import annotations

import random

from .sentences import english_sentence
from .varied_text import english_phrase


def english_text(rng: random.Random) -> str:
    """A sentence, one to three phrases, or two sentences; varied punctuation gives short and long pauses."""
    kind = rng.random()
    if kind < 0.5:
        return english_sentence(rng)
    if kind < 0.85:
        return " ".join(english_phrase(rng) for _ in range(rng.randint(1, 3)))
    first = english_sentence(rng).rstrip(".!?")
    return f"{first}{rng.choice([',', ';', ' -', '...', '.'])} {english_sentence(rng)}"
