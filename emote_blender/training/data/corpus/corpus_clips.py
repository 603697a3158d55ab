"""The generated corpus as clips: every utterance in every emotion, at every intensity, by every speaker."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from ....audio import FRAME_SAMPLES
from ....emotion import NUM_INTENSITIES
from ..clips import LABELS_PER_FRAME, SpeechClip
from .speech_batches import EMOTIONS, SPEAKERS, SpeechPart, Window, conditioned_motion, load_part

Condition = tuple[str, float, str]

EVERY_CONDITION: tuple[Condition, ...] = tuple(
    (emotion, float(level), speaker) for emotion, level, speaker in product(EMOTIONS, range(NUM_INTENSITIES), SPEAKERS)
)


class CorpusClips:
    """Clip `u * len(conditions) + c` is utterance `u` under `conditions[c]`: emotion, intensity 0..2, speaker.

    The same sentence in several emotions is what tells emotion and content apart; the motion of each is made when it
    is asked for.

    Args:
        folders: prepared parts (`speech_batches.prepare_part`), one after the other.
        conditions: which to speak each utterance under.
    """

    def __init__(self, folders: Sequence[Path], conditions: Sequence[Condition] = EVERY_CONDITION) -> None:
        if not conditions:
            raise ValueError("at least one condition is needed")
        self.folders = tuple(folders)
        self.conditions = tuple(conditions)
        self._parts: list[SpeechPart] | None = None

    @property
    def speakers(self) -> Sequence[str]:
        """The corpus's."""
        return SPEAKERS

    def __getstate__(self) -> dict:
        """Without the arrays: another process opens its own."""
        return {**self.__dict__, "_parts": None}

    def __len__(self) -> int:
        return sum(part.num_utterances for part in self._opened()) * len(self.conditions)

    def __getitem__(self, index: int) -> SpeechClip:
        if not 0 <= index < len(self):
            raise IndexError(index)
        utterance, which = divmod(index, len(self.conditions))
        emotion, intensity, speaker = self.conditions[which]
        number, part = utterance, self._opened()[0]
        for part in self._opened():
            if number < part.num_utterances:
                break
            number -= part.num_utterances
        window = _utterance(part, number)
        return SpeechClip(
            samples=window.samples,
            motion=conditioned_motion(window, emotion, intensity, speaker).motion.astype(np.float32),
            valid=np.ones(len(window.loudness), dtype=bool),
            emotion=EMOTIONS.index(emotion),
            intensity=intensity,
            speaker=SPEAKERS.index(speaker),
            name=f"utterance {utterance}, {emotion} {intensity:g}, {speaker}",
            labels=window.labels,
            articulation=window.articulation,
        )

    def _opened(self) -> list[SpeechPart]:
        """The parts, opened where they are used."""
        if self._parts is None:
            self._parts = [load_part(folder) for folder in self.folders]
        return self._parts


def _utterance(part: SpeechPart, number: int) -> Window:
    """A whole utterance, as it was recorded."""
    begin, end = int(part.offsets[number]), int(part.offsets[number + 1])
    return Window(
        part.samples[begin * FRAME_SAMPLES : end * FRAME_SAMPLES].astype(np.float32) / 32768,
        part.articulation[begin:end].astype(np.float32),
        part.loudness[begin:end].astype(np.float32),
        part.labels[begin * LABELS_PER_FRAME : end * LABELS_PER_FRAME].astype(np.int64),
    )
