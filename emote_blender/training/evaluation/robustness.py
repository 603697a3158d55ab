"""How well a model copes with recordings as they are, and whether the mouth rests in sounds without speech.

    python -m emote_blender.training.evaluation.robustness MODEL --data PART [--limit 40] [-o robustness.json]

Clips of prepared parts of the corpus are degraded (`degradations`) and compared with the reference motions of the clean
clips, plain and from the sound alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...audio import FRAME_SAMPLES, SAMPLE_RATE, Waveform
from ...emotion import EMOTIONS, EmotionTrack
from ...errors import EmoteError, InputError
from ...files.atomic_write import write_json
from ...files.console_progress import ProgressLine, say
from ..corpus import phones
from . import metrics
from .degradations import DEGRADATIONS, Degradation
from .evaluation_clips import FULL_INTENSITY, EvaluationClip, EvaluationSet
from .face_reader import FaceReader
from .speechless_sounds import SPEECHLESS_SOUNDS

if TYPE_CHECKING:
    from ...pipeline import EMOTEPipeline

NEUTRAL = EMOTIONS[0]
CLEAN = "clean"
MOST_OPENING_WITHOUT_SPEECH = 0.1
"""Bar of `Robustness.without_speech`."""
ROBUSTNESS_CLIPS = 40
"""Largest number of clips per part, unless another is given."""
_DRAWS = 3  # of each sound without speech
_PEAK = 0.6


@dataclass(frozen=True)
class DegradedScores:
    """The figures of one part under one condition.

    Attributes:
        opening_r: correlation of the lip gap with the reference, over the frames of all clips together.
        closure_f1: of closed lips on p b m (`metrics.closures`).
    """

    opening_r: float
    closure_f1: float


@dataclass(frozen=True)
class Robustness:
    """The results of one model.

    Attributes:
        parts: the scores by part and condition.
        without_speech: mean lip opening in each sound without speech, relative to that in the speech of clean clips.
        limit: largest number of clips per part.
    """

    parts: dict[str, dict[str, DegradedScores]]
    without_speech: dict[str, float]
    limit: int

    @property
    def is_calm(self) -> bool:
        """True if the mouth nearly rests in all sounds without speech."""
        return max(self.without_speech.values()) <= MOST_OPENING_WITHOUT_SPEECH


def examine_robustness(
    pipeline: EMOTEPipeline,
    reader: FaceReader,
    tests: Sequence[EvaluationSet],
    limit: int = ROBUSTNESS_CLIPS,
    progress: Callable[[float, str], None] | None = None,
    degradations: Mapping[str, Degradation] = DEGRADATIONS,
) -> Robustness:
    """The results of a model on degraded clips of each test set, and on sounds without speech.

    Args:
        pipeline: the model.
        reader: poses the head and reads tracks.
        tests: the test sets; their clips need phones.
        limit: largest number of clips per set.
        progress: called with a fraction 0 to 1 and a text.
        degradations: by name; one is `CLEAN`.

    Raises:
        InputError: the sets have no clips with known phones.
    """
    parts: dict[str, dict[str, DegradedScores]] = {}
    openings: list[np.ndarray] = []
    for number, test in enumerate(tests):
        clips = [clip for clip in test.clips(limit) if clip.labels is not None]
        references = [reader.read(_reference(clip)).gap for clip in clips]
        scores = parts.setdefault(test.name, {})
        for step, (name, degrade) in enumerate(degradations.items()):
            if progress:
                progress((number + step / len(degradations)) / len(tests), f"{test.name}: {name}")
            gaps = [
                _gap(pipeline, reader, clips, index, name, degrade)[: len(reference)]
                for index, reference in enumerate(references)
            ]
            scores[name] = _scores(clips, gaps, references)
            if name == CLEAN:
                openings += [_in_speech(clip, gap) for clip, gap in zip(clips, gaps, strict=True)]
    if not openings:
        raise InputError("robustness is measured on clips whose phones are known; give prepared parts of the corpus")
    in_speech = float(np.maximum(np.concatenate(openings), 0).mean())
    without_speech = {}
    for name, make in SPEECHLESS_SOUNDS.items():
        gaps = [_generated_gap(pipeline, reader, make(_rng(name, draw)), None) for draw in range(_DRAWS)]
        without_speech[name] = float(np.maximum(np.concatenate(gaps), 0).mean()) / in_speech
    return Robustness(parts, without_speech, limit)


def as_tables(result: Robustness) -> str:
    """The results as two Markdown tables."""
    names = list(result.parts)
    columns = " | ".join(f"{name}: mouth opening r | p b m F1" for name in names)
    lines = [f"| recording | {columns} |", "|---|" + "---:|---:|" * len(names)]
    for condition in next(iter(result.parts.values())):
        scores = [result.parts[name][condition] for name in names]
        figures = " | ".join(f"{score.opening_r:.3f} | {score.closure_f1:.3f}" for score in scores)
        lines.append(f"| {condition} | {figures} |")
    lines += ["", "| sound without speech | mean opening relative to speech ↓ |", "|---|---:|"]
    lines += [f"| {name} | {opening:.3f} |" for name, opening in result.without_speech.items()]
    return "\n".join(lines)


def _reference(clip: EvaluationClip) -> np.ndarray:
    """The reference motion of a clip, neutral."""
    motion = clip.reference(NEUTRAL, FULL_INTENSITY)
    if motion is None:
        raise InputError(f"a clip of {clip.voice} has no neutral reference; give prepared parts of the corpus")
    return motion


def _rng(name: str, index: int) -> np.random.Generator:
    """Random numbers that depend on a name and an index only."""
    return np.random.default_rng([zlib.crc32(name.encode()), index])


def _gap(
    pipeline: EMOTEPipeline,
    reader: FaceReader,
    clips: Sequence[EvaluationClip],
    index: int,
    name: str,
    degrade: Degradation,
) -> np.ndarray:
    """The lip gap (T,), mm, of the motion for a degraded clip, from where the clip begins."""
    sounds = [np.asarray(clip.waveform.samples, np.float64) for clip in clips]
    degraded = degrade(sounds[index], sounds[:index] + sounds[index + 1 :], _rng(name, index))
    peak = max(1e-9, float(np.abs(degraded.samples).max()))
    samples = (degraded.samples * (_PEAK / peak)).astype(np.float32)
    return _generated_gap(pipeline, reader, samples, clips[index].speaker)[degraded.start // FRAME_SAMPLES :]


def _generated_gap(pipeline: EMOTEPipeline, reader: FaceReader, samples: np.ndarray, speaker: str | None) -> np.ndarray:
    """The lip gap (T,), mm, of the neutral motion for a sound."""
    features = pipeline.encode(Waveform(samples, SAMPLE_RATE))
    motion = pipeline.generate(features, EmotionTrack.constant(NEUTRAL, FULL_INTENSITY), speaker)
    return reader.read(np.concatenate([motion.expression, motion.jaw], 1)).gap


def _scores(clips: list[EvaluationClip], gaps: list[np.ndarray], references: list[np.ndarray]) -> DegradedScores:
    """The figures over all clips of a part."""
    contacts = metrics.total(
        metrics.closures(gap, reference, clip.labels[: 2 * len(gap)])
        for clip, gap, reference in zip(clips, gaps, references, strict=True)
        if clip.labels is not None
    )
    return DegradedScores(metrics.correlation(np.concatenate(gaps), np.concatenate(references)), contacts.f1)


def _in_speech(clip: EvaluationClip, gap: np.ndarray) -> np.ndarray:
    """The lip gap in the frames that are not silent."""
    assert clip.labels is not None
    spoken = (clip.labels[: 2 * len(gap)].reshape(len(gap), -1) != phones.SILENCE).any(1)
    return gap[spoken]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    from ...files.paths import find_head, find_model
    from ...flame.model import FaceModel
    from ...pipeline import EMOTEPipeline
    from .evaluation_clips import open_tests

    parser = argparse.ArgumentParser(
        prog="python -m emote_blender.training.evaluation.robustness",
        description="Measure a model on degraded recordings and on sounds without speech.",
    )
    parser.add_argument("model", metavar="MODEL", help="name or folder of the speech model")
    parser.add_argument("--data", type=Path, required=True, nargs="+", metavar="D", help="prepared parts of the corpus")
    parser.add_argument(
        "--limit", type=int, default=ROBUSTNESS_CLIPS, metavar="N", help="clips per part (default: %(default)s)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the figures there as JSON")
    options = parser.parse_args(arguments)
    try:
        pipeline = EMOTEPipeline.from_pretrained(str(find_model(options.model)))
        config = pipeline.config
        reader = FaceReader(FaceModel.load(find_head(config.face)), config.num_expression, config.expression_names)
        tests = [test for folder in options.data for test in open_tests(folder, config)]
        progress = ProgressLine(sys.stderr, config.name)
        try:
            result = examine_robustness(pipeline, reader, tests, options.limit, progress)
        finally:
            progress.clear()
        if options.output:
            write_json(options.output, asdict(result))
    except EmoteError as error:
        say(f"error: {error}")
        return 1
    print(as_tables(result))
    print(f"\nthe mouth rests without speech: {json.dumps(result.is_calm)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
