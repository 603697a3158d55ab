"""What a model is judged on: clips with sound, a reference motion, and, where they are known, the sounds in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from ...audio import FRAME_SAMPLES, SAMPLE_RATE, Waveform
from ...emotion import EMOTIONS
from ...errors import InputError
from ...speech_model.config import EMOTEConfig
from ..corpus.motion.emotion_styles import EXPRESSION_NAMES
from ..data.clip_batch import LABELS_PER_FRAME
from ..data.clips import Clips, SelectedClips
from ..data.corpus.speech_batches import (
    PART_FILE,
    SPEAKERS,
    Window,
    conditioned_motion,
    load_part,
    prepared_parts,
)
from ..data.mead.mead import PUBLISHED_SPLIT, MEADClips
from ..data.mead.reconstruction import fitting_reconstruction
from ..data.motion_folder import MotionFolder
from .metrics import runs
from .wrong_words import with_wrong_words

FULL_INTENSITY = 2.0
INTENSITIES = (0.0, 1.0, 2.0)
TEXTS_FILE = "texts.npy"  # beside a part's arrays: (U,) what each utterance says
_JUDGE_SHARE = 4  # each fourth utterance teaches the judge and is never tested
_JUDGE_UTTERANCES = 32  # of a part; each is seen in 22 conditions
_JUDGE_CLIPS = 1000  # of recordings
SHORTEST_FRAMES = 10


@dataclass(frozen=True, eq=False)
class EvaluationClip:
    """One clip to speak.

    voice: for the table. speaker: the style, one of the model's. labels: (2 T,) phone classes at 50 Hz, or None.
    text: what is said, or None. emotion, intensity: of the recording. reference: the motion (T, E + 3) that belongs to
    the clip under an emotion at an intensity, None where it was not recorded so. shape: (S,) identity, or None.
    """

    voice: str
    waveform: Waveform
    speaker: str
    labels: np.ndarray | None
    text: str | None
    emotion: str
    intensity: float
    reference: Callable[[str, float], np.ndarray | None]
    shape: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class ReferenceMotion:
    """A motion that a judge learns from. motion: (T, E + 3). shape: (S,) identity, or None."""

    motion: np.ndarray
    emotion: str
    intensity: float
    speaker: str
    shape: np.ndarray | None = None


class EvaluationSet(Protocol):
    """Clips to test, and motions of other clips for the judge."""

    @property
    def name(self) -> str:
        """For the table."""
        ...

    def clips(self, limit: int) -> Iterator[EvaluationClip]:
        """At most `limit` clips, spread evenly."""
        ...

    def for_judge(self) -> Iterator[ReferenceMotion]:
        """Motions of clips that `clips` never gives."""
        ...


class CorpusSet:
    """A prepared part of the generated corpus (`speech_batches.prepare_part`).

    Its reference is known for every emotion and intensity; the recording counts as neutral.
    """

    def __init__(self, name: str, folder: Path, speakers: tuple[str, ...] = SPEAKERS, wrong_words: float = 0.0) -> None:
        """speakers: the model's; the corpus's styles where the model has them. wrong_words: share of the texts' words
        that are replaced by others of the part, the same in every run."""
        self.name, self._wrong_words = name, wrong_words
        self._part = load_part(folder)
        self._speakers = [
            style if style in speakers else speakers[i % len(speakers)] for i, style in enumerate(SPEAKERS)
        ]
        voices, texts = folder / "voices.npy", folder / TEXTS_FILE
        self._voices = np.load(voices) if voices.is_file() else np.full(self._part.num_utterances, name)
        self._texts = np.load(texts) if texts.is_file() else None

    def clips(self, limit: int) -> Iterator[EvaluationClip]:
        """At most `limit` utterances, in the styles in turn."""
        tested = [i for i in range(self._part.num_utterances) if i % _JUDGE_SHARE != _JUDGE_SHARE - 1]
        for number, index in enumerate(_spread(tested, limit)):
            window, style = self._window(index), number % len(SPEAKERS)

            def reference(emotion: str, intensity: float, window=window, style=style) -> np.ndarray:
                return conditioned_motion(window, emotion, intensity, SPEAKERS[style]).motion

            yield EvaluationClip(
                voice=str(self._voices[index]),
                waveform=Waveform(window.samples, SAMPLE_RATE),
                speaker=self._speakers[style],
                labels=window.labels,
                text=self._text(index),
                emotion=EMOTIONS[0],
                intensity=FULL_INTENSITY,
                reference=reference,
            )

    def for_judge(self) -> Iterator[ReferenceMotion]:
        """Utterances apart from the tested ones, in every emotion at every intensity; in one style each where there
        are enough of them, else in more."""
        kept = _spread(list(range(_JUDGE_SHARE - 1, self._part.num_utterances, _JUDGE_SHARE)), _JUDGE_UTTERANCES)
        num_styles = min(len(SPEAKERS), -(-_JUDGE_UTTERANCES // max(1, len(kept))))
        conditions = [(name, level) for name in EMOTIONS for level in INTENSITIES if name != EMOTIONS[0]]
        for number, index in enumerate(kept):
            window = self._window(index)
            styles = [SPEAKERS[(number + i) % len(SPEAKERS)] for i in range(num_styles)]
            for style in styles:
                for emotion, intensity in [(EMOTIONS[0], FULL_INTENSITY), *conditions]:
                    motion = conditioned_motion(window, emotion, intensity, style).motion
                    yield ReferenceMotion(motion, emotion, intensity, style)

    def _text(self, index: int) -> str | None:
        """What utterance `index` says, as far as it is told."""
        if self._texts is None:
            return None
        others = [str(text) for text in np.delete(self._texts, index)]
        return (
            with_wrong_words(str(self._texts[index]), self._wrong_words, others, np.random.default_rng(index)) or None
        )

    def _window(self, index: int) -> Window:
        """Utterance `index` whole."""
        part = self._part
        begin, end = int(part.offsets[index]), int(part.offsets[index + 1])
        return Window(
            part.samples[begin * FRAME_SAMPLES : end * FRAME_SAMPLES].astype(np.float32) / 32768,
            part.articulation[begin:end].astype(np.float32),
            part.loudness[begin:end].astype(np.float32),
            part.labels[begin * LABELS_PER_FRAME : end * LABELS_PER_FRAME],
        )


class RecordedSet:
    """Recorded clips. Each has one reference: its own, under its own condition."""

    def __init__(self, name: str, tested: Clips, taught: Clips, speakers: tuple[str, ...]) -> None:
        """tested: clips to speak. taught: other clips, for the judge. speakers: the model's; a person whom it does not
        know gets the style of one whom it does."""
        self.name, self._tested, self._taught, self._speakers = name, tested, taught, speakers

    def clips(self, limit: int) -> Iterator[EvaluationClip]:
        """At most `limit` clips; of each, the longest stretch in which the face was seen."""
        for index in _spread(list(range(len(self._tested))), limit):
            clip = self._tested[index]
            start, end = max(runs(clip.valid), key=lambda run: run[1] - run[0], default=(0, 0))
            if end - start < SHORTEST_FRAMES:
                continue
            person = self._tested.speakers[clip.speaker]
            own = (EMOTIONS[clip.emotion], float(clip.intensity))
            motion = clip.motion[start:end]

            def reference(emotion: str, intensity: float, own=own, motion=motion) -> np.ndarray | None:
                return motion if (emotion, intensity) == own else None

            yield EvaluationClip(
                voice=person,
                waveform=Waveform(clip.samples[start * FRAME_SAMPLES : end * FRAME_SAMPLES], SAMPLE_RATE),
                speaker=person if person in self._speakers else self._speakers[clip.speaker % len(self._speakers)],
                labels=None if clip.labels is None else clip.labels[start * LABELS_PER_FRAME : end * LABELS_PER_FRAME],
                text=None,
                emotion=own[0],
                intensity=own[1],
                reference=reference,
                shape=clip.shape,
            )

    def for_judge(self) -> Iterator[ReferenceMotion]:
        """Motions of the other clips, spread evenly."""
        for index in _spread(list(range(len(self._taught))), _JUDGE_CLIPS):
            clip = self._taught[index]
            if clip.valid.sum() >= SHORTEST_FRAMES:
                emotion, person = EMOTIONS[clip.emotion], self._taught.speakers[clip.speaker]
                yield ReferenceMotion(clip.motion[clip.valid], emotion, float(clip.intensity), person, clip.shape)


def open_tests(folder: Path, config: EMOTEConfig, wrong_words: float | None = None) -> list[EvaluationSet]:
    """The tests in a folder for a model: parts of the corpus, the processed MEAD, or motion files with their sound.

    Args:
        wrong_words: share of wrong words in the texts, if texts are needed; None: they are not.

    Raises:
        InputError: the folder is missing or holds nothing that can be tested, or its motions are of another face than
            the model's.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give one with prepared parts of the corpus, motions, or MEAD")
    parts = prepared_parts(folder)
    if parts:
        if config.expression_names != EXPRESSION_NAMES:
            raise InputError(
                f"the corpus in {folder} moves the open head, and the model {config.name} moves {config.face}; "
                "judge it on motions of its own face"
            )
        silent = [part for part in parts if wrong_words is not None and not (part / TEXTS_FILE).is_file()]
        if silent:
            raise InputError(
                f"{silent[0]} has no {TEXTS_FILE}, so what is said there is not known; leave out --transcript"
            )
        return [CorpusSet(part.resolve().name, part, config.speakers, wrong_words or 0.0) for part in parts]
    if wrong_words is not None:
        raise InputError(f"what is said in {folder} is not known; leave out --transcript")
    if any((root / "reconstructions").is_dir() for root in (folder, folder / "processed")):
        return [_mead(folder, config)]
    if next(folder.rglob("*.npz"), None) is None:
        raise InputError(
            f"{folder} holds no prepared part of the corpus ({PART_FILE}), no motion files (.npz) and no MEAD "
            "(reconstructions); give the folder that does"
        )
    return [_motions(folder, config)]


def _mead(folder: Path, config: EMOTEConfig) -> RecordedSet:
    """MEAD's test identities, in the reconstruction that fits the model; the judge learns from its training
    identities."""
    reconstruction = fitting_reconstruction(folder, config.num_expression)
    identities = PUBLISHED_SPLIT if config.speakers == PUBLISHED_SPLIT.train else None

    def clips(split: Literal["train", "test"], with_audio: bool) -> MEADClips:
        return MEADClips(
            folder,
            split,
            num_expression=config.num_expression,
            num_shape=reconstruction.num_shape,
            with_audio=with_audio,
            reconstruction=reconstruction.name,
            identities=identities,
        )

    return RecordedSet("MEAD test", clips("test", True), clips("train", False), config.speakers)


def _motions(folder: Path, config: EMOTEConfig) -> RecordedSet:
    """A folder's motions; the judge learns from each fourth."""
    motions = MotionFolder(folder, num_expression=config.num_expression)
    if motions.face and motions.face != config.face:
        raise InputError(
            f"the motions in {folder} are of the face {motions.face}, and the model {config.name} moves {config.face}; "
            "judge it on motions of its own face"
        )
    for_judge = range(_JUDGE_SHARE - 1, len(motions), _JUDGE_SHARE)
    tested = [i for i in range(len(motions)) if i not in for_judge]
    name = folder.resolve().name
    return RecordedSet(name, SelectedClips(motions, tested), SelectedClips(motions, for_judge), config.speakers)


def _spread(indices: list[int], limit: int) -> list[int]:
    """At most `limit` of the indices, evenly from first to last."""
    if limit < 1:
        raise ValueError(f"limit must be at least 1, found {limit}")
    chosen = np.unique(np.linspace(0, len(indices) - 1, min(limit, len(indices))).astype(int)) if indices else []
    return [indices[i] for i in chosen]
