"""Utterances of the voices that judge models: own sentences, with phones from a forced alignment."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..forced_alignment import ForcedAligner
from ..text.judge_sentences import PRONUNCIATIONS, SENTENCES
from .utterance import Utterance, to_utterance

_SILENCE_SECONDS = 0.25  # before and after each sentence
_SLOWEST, _FASTEST = 0.88, 1.18  # relative to the voice's own speed


@dataclass(frozen=True, eq=False)
class JudgeLine:
    """A sentence to speak.

    Attributes:
        voice: name of the voice.
        text: the sentence.
        speed: relative to the voice's own.
    """

    voice: str
    text: str
    speed: float


@dataclass(frozen=True, eq=False)
class SpokenLine:
    """A sentence as a voice speaks it.

    Attributes:
        samples: (N,) mono, of any scale.
        sample_rate: Hz.
        speaker: engine and voice.
        text: the sentence.
    """

    samples: np.ndarray
    sample_rate: int
    speaker: str
    text: str


def draw_lines(rng: random.Random, voices: Iterable[str]) -> Iterator[JudgeLine]:
    """Endless sentences in random order by each voice in turn; each is spoken once before one is spoken again."""
    voices = tuple(voices)
    waiting: list[str] = []
    while True:
        for voice in voices:
            if not waiting:
                waiting = rng.sample(SENTENCES, len(SENTENCES))
            yield JudgeLine(voice, waiting.pop(), rng.uniform(_SLOWEST, _FASTEST))


def aligned(lines: Iterable[SpokenLine]) -> Iterator[Utterance]:
    """The lines between silences, with the phones of a forced alignment; without those whose text does not fit.

    Raises:
        InputError: the aligner is not installed.
    """
    aligner = ForcedAligner(PRONUNCIATIONS)
    for line in lines:
        silence = np.zeros(round(_SILENCE_SECONDS * line.sample_rate))
        samples = np.concatenate([silence, line.samples, silence])
        unlabelled = to_utterance(samples, line.sample_rate, [], lambda symbol: (), line.speaker, line.text)
        utterance = relabelled(unlabelled, aligner)
        if utterance is not None:
            yield utterance


def relabelled(utterance: Utterance, aligner: ForcedAligner) -> Utterance | None:
    """An utterance with the phones of a forced alignment; None if its text does not fit its sound."""
    phones = aligner.align(utterance.samples, utterance.text)
    if phones is None:
        return None
    return replace(utterance, phone_classes=phones.classes, phone_times=phones.times)
