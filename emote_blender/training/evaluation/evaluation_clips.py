"""The test sets of an evaluation: clips with sound, reference motions and, if known, phones and text."""

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
from ..data.corpus.parts import PART_FILE, load_part, prepared_parts
from ..data.corpus.speech_batches import SPEAKERS, Window, conditioned_motion
from ..data.mead.mead import PUBLISHED_SPLIT, MEADClips
from ..data.mead.reconstruction import fitting_reconstruction
from ..data.motion_folder import MotionFolder
from .metrics import runs
from .wrong_words import with_wrong_words

FULL_INTENSITY = 2.0
INTENSITIES = (0.0, 1.0, 2.0)
TEXTS_FILE = "texts.npy"  # beside a part's arrays: (U,) text of each utterance
_JUDGE_SHARE = 4  # every fourth utterance trains the judge and is never tested
_JUDGE_UTTERANCES = 32  # at most, of a part; each is used in 22 conditions
_JUDGE_CLIPS = 1000  # at most, of recordings
SHORTEST_FRAMES = 10


@dataclass(frozen=True, eq=False)
class EvaluationClip:
    """One clip to test.

    Attributes:
        voice: name for the table.
        waveform: its sound.
        speaker: the speaker style to generate, one of the model's.
        labels: (2 T,) phone classes at 50 Hz; None if unknown.
        text: the words; None if unknown.
        emotion: of the recording.
        intensity: of the recording.
        reference: function of emotion and intensity that gives the reference motion (T, E + 3), or None if there is
            none.
        shape: (S,) identity coefficients; None for the mean head.
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
    """A motion that the judge is trained on.

    Attributes:
        motion: (T, E + 3) expression, then jaw axis-angle in radians.
        emotion: its name.
        intensity: 0 to 2.
        speaker: its name.
        shape: (S,) identity coefficients; None for the mean head.
    """

    motion: np.ndarray
    emotion: str
    intensity: float
    speaker: str
    shape: np.ndarray | None = None


class EvaluationSet(Protocol):
    """Clips to test, and motions of other clips for the judge."""

    @property
    def name(self) -> str:
        """Name for the table."""
        ...

    def clips(self, limit: int) -> Iterator[EvaluationClip]:
        """At most `limit` clips, evenly spread over the set."""
        ...

    def for_judge(self) -> Iterator[ReferenceMotion]:
        """Motions of clips that `clips` never yields."""
        ...


class CorpusSet:
    """A prepared part of the generated corpus (`parts.prepare_part`).

    Every emotion and intensity has a reference; the recording counts as neutral.

    Args:
        name: for the table.
        folder: of the part.
        speakers: the model's speakers. The corpus's styles are used as far as the model has them.
        wrong_words: fraction of each text's words to replace by words of other texts of the part, the same in every
            run.
    """

    def __init__(self, name: str, folder: Path, speakers: tuple[str, ...] = SPEAKERS, wrong_words: float = 0.0) -> None:
        self.name, self._wrong_words = name, wrong_words
        self._part = load_part(folder)
        self._speakers = [
            style if style in speakers else speakers[i % len(speakers)] for i, style in enumerate(SPEAKERS)
        ]
        voices, texts = folder / "voices.npy", folder / TEXTS_FILE
        self._voices = np.load(voices) if voices.is_file() else np.full(self._part.num_utterances, name)
        self._texts = np.load(texts) if texts.is_file() else None

    def clips(self, limit: int) -> Iterator[EvaluationClip]:
        """At most `limit` utterances, with the speaker styles in turn."""
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
        """Utterances that are not tested, in every emotion at every intensity.

        Each has one speaker style if there are enough utterances, else several.
        """
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
        """The text of utterance `index`, with wrong words if these are wanted; None if unknown."""
        if self._texts is None:
            return None
        others = [str(text) for text in np.delete(self._texts, index)]
        return (
            with_wrong_words(str(self._texts[index]), self._wrong_words, others, np.random.default_rng(index)) or None
        )

    def _window(self, index: int) -> Window:
        """The whole utterance `index`."""
        part = self._part
        begin, end = int(part.offsets[index]), int(part.offsets[index + 1])
        return Window(
            part.samples[begin * FRAME_SAMPLES : end * FRAME_SAMPLES].astype(np.float32) / 32768,
            part.articulation[begin:end].astype(np.float32),
            part.loudness[begin:end].astype(np.float32),
            part.labels[begin * LABELS_PER_FRAME : end * LABELS_PER_FRAME],
        )


class RecordedSet:
    """Recorded clips, each with one reference: its own motion, under its own condition.

    Args:
        name: for the table.
        tested: clips to test.
        judged: other clips, which the judge is trained on.
        speakers: the model's speakers. A person who is not among them gets the style of one of them.
    """

    def __init__(self, name: str, tested: Clips, judged: Clips, speakers: tuple[str, ...]) -> None:
        self.name, self._tested, self._judged, self._speakers = name, tested, judged, speakers

    def clips(self, limit: int) -> Iterator[EvaluationClip]:
        """At most `limit` clips, each cut to its longest run of valid frames."""
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
        """Motions of clips that are not tested, evenly spread."""
        for index in _spread(list(range(len(self._judged))), _JUDGE_CLIPS):
            clip = self._judged[index]
            if clip.valid.sum() >= SHORTEST_FRAMES:
                emotion, person = EMOTIONS[clip.emotion], self._judged.speakers[clip.speaker]
                yield ReferenceMotion(clip.motion[clip.valid], emotion, float(clip.intensity), person, clip.shape)


def open_tests(folder: Path, config: EMOTEConfig, wrong_words: float | None = None) -> list[EvaluationSet]:
    """The test sets in a folder: parts of the corpus, the processed MEAD, or motion files with their sound.

    Args:
        folder: the data.
        config: of the model to test.
        wrong_words: fraction of wrong words in the texts; None if no texts are needed.

    Raises:
        InputError: the folder is missing or has nothing that can be tested, it has no texts although they are needed,
            or its motions belong to another face than the model's.
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
    """MEAD's test identities, in the reconstruction that fits the model; the training identities train the judge."""
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
    """A folder's motions; every fourth trains the judge."""
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
    """At most `limit` of the indices, evenly spread from first to last."""
    if limit < 1:
        raise ValueError(f"limit must be at least 1, found {limit}")
    chosen = np.unique(np.linspace(0, len(indices) - 1, min(limit, len(indices))).astype(int)) if indices else []
    return [indices[i] for i in chosen]
