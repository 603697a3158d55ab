"""Kokoro's judging styles, for evaluation only: nothing is trained on them, nor on a mixture with them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from .judge_voices import SpokenLine, aligned, draw_lines
from .kokoro import Kokoro, speaker_of
from .utterance import Utterance


def utterances(rng: random.Random, styles: Sequence[str]) -> Iterator[Utterance]:
    """Endless judging sentences by each style in turn."""
    voice = Kokoro()

    def spoken() -> Iterator[SpokenLine]:
        for line in draw_lines(rng, styles):
            mixture = ((line.voice, 1.0),)
            sound = voice.speak(line.text, mixture, line.speed)
            yield SpokenLine(sound.samples, sound.sample_rate, speaker_of(mixture), line.text)

    return aligned(spoken())
