"""The evaluation of a speech model on the posed mesh: lips and jaw, emotions, and their independence of each other.

The command is `python -m emote_blender evaluate`; `report` writes the results.

Each utterance is generated in all 8 emotions, and in one of them at all 3 intensities. "Plain" figures compare the
motion under the clip's own condition (in the generated corpus: neutral), "emotional" figures those in other emotions at
full intensity. The generated corpus has a reference motion for every emotion and intensity.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...emote.model import EMOTE
from ...emotion import EMOTIONS
from ...flame.model import FaceModel
from ..corpus.generate import CorpusPart, generate_part
from ..data.corpus.parts import prepare_part
from .clip_measures import ClipExaminer, ClipMeasures, Words
from .emotion_judge import EmotionJudge, JudgedMotion, statistics
from .evaluation_clips import INTENSITIES, TEXTS_FILE, CorpusSet, EvaluationSet
from .face_reader import FaceReader
from .voice_scores import NAN, VoiceScores, score

logger = logging.getLogger(__name__)

MOST_VOICES = 6  # a set with more voices gets no scores per voice


@dataclass(frozen=True, eq=False)
class Confusion:
    """Confusion matrices of the judge: rows are the requested emotions, columns the named ones.

    Attributes:
        found: (8, 8) int counts of the generated motions.
        reference: (8, 8) int counts of the references.
    """

    found: np.ndarray
    reference: np.ndarray


@dataclass(frozen=True, eq=False)
class PartResult:
    """The results of one test set.

    Attributes:
        name: of the set.
        rows: scores of each voice, if there are at most `MOST_VOICES`, and those of all clips last.
        clips: the measures of each clip.
        confusion: of all clips.
        strengths: (7, 3) mean judged strength per emotion, without neutral, and intensity.
        strengths_reference: the same of the references.
    """

    name: str
    rows: tuple[VoiceScores, ...]
    clips: tuple[ClipMeasures, ...]
    confusion: Confusion
    strengths: np.ndarray
    strengths_reference: np.ndarray

    @property
    def scores(self) -> VoiceScores:
        """The scores of the whole set."""
        return self.rows[-1]


@dataclass(frozen=True)
class Evaluation:
    """The results of one model.

    Attributes:
        model: its name.
        face: basis of the head that it moves.
        parts: results of each test set.
        judge_examples: number of motions that the judge was trained on; 0 without a judge.
        times_real_time: speed of encoding and generating one motion, one clip at a time.
    """

    model: str
    face: str
    parts: tuple[PartResult, ...]
    judge_examples: int
    times_real_time: float

    @property
    def rows(self) -> list[VoiceScores]:
        """The rows of all parts."""
        return [row for part in self.parts for row in part.rows]


def run_evaluation(
    model: EMOTE,
    face_model: FaceModel,
    tests: Sequence[EvaluationSet],
    limit: int = 100,
    progress: Callable[[float, str], None] | None = None,
    words: Words = "none",
) -> Evaluation:
    """The results of a model on each test set.

    Args:
        model: the model.
        face_model: the head that it moves.
        tests: the test sets.
        limit: largest number of clips per set.
        progress: called with a fraction 0 to 1 and a text.
        words: the words that the model is given, see `ClipExaminer`.
    """
    from ...engine.torch import TorchEngine
    from ...pipeline import EMOTEPipeline

    config = model.config
    reader = FaceReader(face_model, config.num_expression, config.expression_names)
    if progress:
        progress(0.0, "training the judge")
    judge = train_judge(tests, reader)
    examiner = ClipExaminer(EMOTEPipeline(TorchEngine(model)), reader, judge, words)
    parts = []
    for number, test in enumerate(tests):
        clips: list[ClipMeasures] = []
        for clip in test.clips(limit):
            if progress:
                progress((number + min(1.0, len(clips) / limit)) / len(tests), test.name)
            clips.append(examiner.examine(clip, EMOTIONS[1 + len(clips) % (len(EMOTIONS) - 1)]))
        if clips:
            parts.append(_part(test.name, clips, reader.rest_width))
            logger.info("%s: %d clips", test.name, len(clips))
    measured = [clip for part in parts for clip in part.clips]
    seconds = sum(clip.duration_seconds for clip in measured)
    speed = seconds / max(1e-9, sum(clip.cost_seconds for clip in measured))
    return Evaluation(config.name, config.face, tuple(parts), judge.num_examples if judge else 0, speed)


def evaluate(
    model: EMOTE,
    face_model: FaceModel,
    folders: Mapping[str, Path],
    limit: int = 80,
    words: Words = "none",
    wrong_words: float = 0.0,
) -> Evaluation:
    """The results of a model on prepared parts of the corpus.

    Args:
        model: the model.
        face_model: the head that it moves.
        folders: folder of each part by name, as `prepare_validation` makes them.
        limit: largest number of clips per part.
        words: the words that the model is given, see `ClipExaminer`.
        wrong_words: fraction of the exact words to replace by wrong ones.
    """
    tests = [CorpusSet(name, folder, model.config.speakers, wrong_words) for name, folder in folders.items()]
    return run_evaluation(model, face_model, tests, limit, words=words)


def train_judge(tests: Sequence[EvaluationSet], reader: FaceReader) -> EmotionJudge | None:
    """A judge, trained on the sets' motions that are not tested; None if these have fewer than two emotions."""
    examples = [
        JudgedMotion(
            statistics(reader.points(item.motion, item.shape), reader.rest_points),
            item.emotion,
            item.intensity,
            item.speaker,
        )
        for test in tests
        for item in test.for_judge()
    ]
    return EmotionJudge(examples) if len({example.emotion for example in examples}) > 1 else None


def _part(name: str, clips: list[ClipMeasures], rest_width: float) -> PartResult:
    """The results of a test set."""
    voices = sorted({clip.voice for clip in clips})
    rows = []
    if 1 < len(voices) <= MOST_VOICES:
        rows = [score(voice, [clip for clip in clips if clip.voice == voice], rest_width) for voice in voices]
    rows.append(score(f"{name} (all)", clips, rest_width))
    confusion = Confusion(*(np.zeros((len(EMOTIONS), len(EMOTIONS)), int) for _ in range(2)))
    for verdict in (verdict for clip in clips for verdict in clip.verdicts):
        asked = EMOTIONS.index(verdict.asked)
        confusion.found[asked, EMOTIONS.index(verdict.found)] += 1
        if verdict.reference is not None:
            confusion.reference[asked, EMOTIONS.index(verdict.reference)] += 1
    return PartResult(
        name, tuple(rows), tuple(clips), confusion, mean_strengths(clips), mean_strengths(clips, reference=True)
    )


def mean_strengths(clips: list[ClipMeasures], reference: bool = False) -> np.ndarray:
    """(7, 3) mean judged strength per emotion, without neutral, and intensity; NaN if none was judged."""
    means = np.full((len(EMOTIONS) - 1, len(INTENSITIES)), NAN)
    for row, emotion in enumerate(EMOTIONS[1:]):
        judged = [
            clip.strengths_reference if reference else clip.strengths for clip in clips if clip.emotion == emotion
        ]
        given = [strengths for strengths in judged if strengths is not None]
        if given:
            means[row] = np.mean(given, axis=0)
    return means


def prepare_validation(parts: Iterable[CorpusPart], work: Path) -> dict[str, Path]:
    """The prepared folders of validation parts by name, below `work`; missing ones are made.

    Each also gets the voice and, if known, the text of every utterance.
    """
    folders = {}
    for part in parts:
        shards = generate_part(part, work / "corpus")
        folder = prepare_part(shards, work / "prepared" / part.name)
        voices, texts = [], []
        for shard in shards:
            with np.load(shard) as archive:
                voices.append(archive["speakers"])
                if "texts" in archive:
                    texts.append(archive["texts"])
        np.save(folder / "voices.npy", np.concatenate(voices))
        if len(texts) == len(shards):
            np.save(folder / TEXTS_FILE, np.concatenate(texts))
        folders[part.name] = folder
    return folders
