"""The measures of one clip: it is generated in all emotions and compared with its reference motions."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...emotion import EMOTIONS, EmotionTrack
from ...transcript.language import AUTO
from ..corpus import phones
from . import metrics, metrics_mesh
from .emotion_judge import EmotionJudge, statistics
from .evaluation_clips import FULL_INTENSITY, INTENSITIES, EvaluationClip
from .face_reader import FaceReader, FaceReading

if TYPE_CHECKING:
    from ...pipeline import EMOTEPipeline

NEUTRAL = EMOTIONS[0]
Words = Literal["none", "exact", "auto"]
ARTICULATION = ("gap", "jaw", "width")  # the tracks that describe the mouth
_LIP_STRIDE = 8  # neighbouring lip vertices move together, so some are enough for a spectrum
_FACE_STRIDE = 4


@dataclass(frozen=True, eq=False)
class Tracks:
    """Tracks of one motion; see `FaceReading`.

    Attributes:
        gap: (T,) lip gap, mm.
        tuck: (T,) distance of the lower lip from the upper teeth, mm.
        width: (T,) distance of the mouth's corners, mm.
        jaw: (T,) jaw opening, radians.
        brow: (T,) height of the brows, mm.
        lips: (T, K) heights and depths of some lip vertices, mm.
    """

    gap: np.ndarray
    tuck: np.ndarray
    width: np.ndarray
    jaw: np.ndarray
    brow: np.ndarray
    lips: np.ndarray


@dataclass(frozen=True)
class Surface:
    """Errors of one motion's surface against its reference, mm (see `metrics_mesh`).

    Attributes:
        mean_error: mean vertex error of the face.
        max_error: largest vertex error of each frame, mean over frames, of the face.
        lip_error: the same for the lips.
        upper_deviation: upper-face dynamics deviation.
        brows: liveliness of the brows, of the generated motion and of the reference.
        cheeks: the same for the cheeks.
    """

    mean_error: float
    max_error: float
    lip_error: float
    upper_deviation: float
    brows: tuple[float, float]
    cheeks: tuple[float, float]


@dataclass(frozen=True)
class Pair:
    """A generated motion and its reference.

    Attributes:
        found: tracks of the generated motion.
        wanted: tracks of the reference.
        surface: errors of the surface.
    """

    found: Tracks
    wanted: Tracks
    surface: Surface


@dataclass(frozen=True)
class Verdict:
    """The judge's results for one emotion at full intensity.

    Attributes:
        asked: the emotion that was generated.
        found: the emotion that the judge names for the generated motion.
        reference: the emotion that it names for the reference; None without one.
    """

    asked: str
    found: str
    reference: str | None


@dataclass(frozen=True, eq=False)
class ClipMeasures:
    """All measures of one clip.

    Attributes:
        voice: name for the table.
        labels: (2 T,) phone classes at 50 Hz; None if unknown.
        phones_right: (S,) bool, see `metrics.recognised_phones`; None without labels or phone head.
        plain: the motion under the clip's own condition (corpus: neutral); None without a reference.
        expressive: the emotional motions that have a reference, by emotion.
        contents: (8, T) each track of `ARTICULATION` in all emotions.
        contents_reference: the same of the references; None unless all are known.
        residuals: (7, D) mean face of each emotion minus the neutral one, mm.
        residuals_reference: the same of the references; None unless all are known.
        verdicts: the judge's results, one per emotion that it knows.
        emotion: the emotion that was also generated at lower intensities.
        strengths: (3,) judged strength of that emotion at intensities 0, 1, 2; NaN without a judge.
        strengths_reference: the same of the references; None unless all are known.
        duration_seconds: of the clip.
        cost_seconds: of encoding and generating one motion.
    """

    voice: str
    labels: np.ndarray | None
    phones_right: np.ndarray | None
    plain: Pair | None
    expressive: dict[str, Pair]
    contents: dict[str, np.ndarray]
    contents_reference: dict[str, np.ndarray] | None
    residuals: np.ndarray
    residuals_reference: np.ndarray | None
    verdicts: tuple[Verdict, ...]
    emotion: str
    strengths: np.ndarray
    strengths_reference: np.ndarray | None
    duration_seconds: float
    cost_seconds: float


class ClipExaminer:
    """Generates motions of clips with a model and measures them.

    Args:
        pipeline: the model.
        reader: poses the head and reads tracks.
        judge: names emotions; None leaves those measures out.
        words: the words that the model is given: none, those of each clip ("exact"), or those of its own recogniser
            ("auto").
    """

    def __init__(
        self, pipeline: EMOTEPipeline, reader: FaceReader, judge: EmotionJudge | None, words: Words = "none"
    ) -> None:
        self.pipeline, self.reader, self.judge, self.words = pipeline, reader, judge, words

    def examine(self, clip: EvaluationClip, emotion: str) -> ClipMeasures:
        """All measures of a clip; `emotion` is generated at each intensity, the others at full intensity."""
        started = time.perf_counter()
        transcript = {"none": None, "exact": clip.text, "auto": AUTO}[self.words]
        given: dict[str, Any] = {"transcript": transcript} if transcript else {}
        features = self.pipeline.encode(clip.waveform, **given)
        motions = {(NEUTRAL, FULL_INTENSITY): self._generate(features, NEUTRAL, FULL_INTENSITY, clip.speaker)}
        cost = time.perf_counter() - started
        asked = [(name, FULL_INTENSITY) for name in EMOTIONS]
        asked += [(emotion, intensity) for intensity in INTENSITIES] + [(clip.emotion, clip.intensity)]
        for condition in asked:
            if condition not in motions:
                motions[condition] = self._generate(features, *condition, clip.speaker)
        found = {condition: self.reader.read(motion, clip.shape) for condition, motion in motions.items()}
        references = {condition: clip.reference(*condition) for condition in motions}
        wanted = {
            condition: self.reader.read(motion, clip.shape)
            for condition, motion in references.items()
            if motion is not None
        }
        own = (clip.emotion, clip.intensity)
        pairs = {condition: self._pair(found[condition], wanted[condition]) for condition in wanted}
        expressive = {
            name: pair for (name, level), pair in pairs.items() if level == FULL_INTENSITY and name != NEUTRAL
        }
        if own in pairs and clip.emotion != NEUTRAL:
            expressive[clip.emotion] = pairs[own]
        every = {name: wanted.get((name, FULL_INTENSITY)) for name in EMOTIONS}
        complete = {name: reading for name, reading in every.items() if reading is not None}
        in_all = {name: found[name, FULL_INTENSITY] for name in EMOTIONS}
        is_complete = len(complete) == len(EMOTIONS)
        return ClipMeasures(
            voice=clip.voice,
            labels=clip.labels,
            phones_right=self._phones_right(clip),
            plain=pairs.get(own),
            expressive=expressive,
            contents=_contents(in_all),
            contents_reference=_contents(complete) if is_complete else None,
            residuals=self._residuals(in_all),
            residuals_reference=self._residuals(complete) if is_complete else None,
            verdicts=self._verdicts(in_all, every),
            emotion=emotion,
            strengths=self._strengths(found, emotion, clip.speaker),
            strengths_reference=(
                self._strengths(wanted, emotion, clip.speaker)
                if all((emotion, intensity) in wanted for intensity in INTENSITIES)
                else None
            ),
            duration_seconds=features.duration_seconds,
            cost_seconds=cost,
        )

    def _generate(self, features, emotion: str, intensity: float, speaker: str) -> np.ndarray:
        """(T, E + 3) generated motion under one condition."""
        motion = self.pipeline.generate(features, EmotionTrack.constant(emotion, intensity), speaker)
        return np.concatenate([motion.expression, motion.jaw], 1)

    def _phones_right(self, clip: EvaluationClip) -> np.ndarray | None:
        """Whether each phone label that is not silence was recognised; None without labels or phone head."""
        has_phone_head = self.pipeline.config.audio_encoder.num_phones == len(phones.CLASSES)
        if clip.labels is None or not has_phone_head:
            return None
        return metrics.recognised_phones(self.pipeline.phone_posteriors(clip.waveform), clip.labels)

    def _pair(self, found: FaceReading, wanted: FaceReading) -> Pair:
        """A generated motion and its reference, both cut to the shorter length, with the surface errors."""
        length = min(len(found.gap), len(wanted.gap))
        vertices, reference = found.vertices[:length], wanted.vertices[:length]
        regions, rest = self.reader.regions, self.reader.rest

        def both(region: str) -> tuple[np.ndarray, np.ndarray]:
            return vertices[:, regions[region]], reference[:, regions[region]]

        brows, cheeks = both("brows"), both("cheeks")
        surface = Surface(
            mean_error=metrics_mesh.mean_vertex_error(*both("face")),
            max_error=metrics_mesh.max_vertex_error(*both("face")),
            lip_error=metrics_mesh.max_vertex_error(*both("lips")),
            upper_deviation=metrics_mesh.face_dynamics_deviation(*both("upper_face"), rest[regions["upper_face"]]),
            brows=(metrics_mesh.liveliness(brows[0]), metrics_mesh.liveliness(brows[1])),
            cheeks=(metrics_mesh.liveliness(cheeks[0]), metrics_mesh.liveliness(cheeks[1])),
        )
        return Pair(self._tracks(found, length), self._tracks(wanted, length), surface)

    def _tracks(self, reading: FaceReading, length: int) -> Tracks:
        lips = reading.vertices[:length, self.reader.regions["lips"][::_LIP_STRIDE], 1:]
        names = ("gap", "tuck", "width", "jaw", "brow")
        return Tracks(lips=lips.reshape(length, -1).copy(), **{name: getattr(reading, name)[:length] for name in names})

    def _residuals(self, readings: dict[str, FaceReading]) -> np.ndarray:
        """(7, D) mean face of each emotion minus the neutral one, mm."""
        face = self.reader.regions["face"][::_FACE_STRIDE]
        means = np.stack([readings[name].vertices[:, face].mean(0).ravel() for name in EMOTIONS])
        return means[1:] - means[0]

    def _verdicts(self, found: dict[str, FaceReading], wanted: dict[str, FaceReading | None]) -> tuple[Verdict, ...]:
        """The judge's results, one per emotion that it knows."""
        if self.judge is None:
            return ()
        verdicts = []
        for name in self.judge.emotions:
            reference = wanted[name]
            named = None if reference is None else self.judge.emotion(self._statistics(reference))
            verdicts.append(Verdict(name, self.judge.emotion(self._statistics(found[name])), named))
        return tuple(verdicts)

    def _strengths(self, readings: dict[tuple[str, float], FaceReading], emotion: str, speaker: str) -> np.ndarray:
        """(3,) judged strength of an emotion at each intensity; NaN without a judge."""
        if self.judge is None:
            return np.full(len(INTENSITIES), np.nan)
        judged = [self._statistics(readings[emotion, intensity]) for intensity in INTENSITIES]
        return np.array([self.judge.strength(values, emotion, speaker) for values in judged])

    def _statistics(self, reading: FaceReading) -> np.ndarray:
        return statistics(reading.points, self.reader.rest_points)


def jitter(pairs: list[Pair], track: str) -> float:
    """Energy above 8 Hz of a track of the generated motions, relative to the references'; NaN without pairs."""
    found = sum(metrics.fast_energy(getattr(pair.found, track)) for pair in pairs)
    wanted = sum(metrics.fast_energy(getattr(pair.wanted, track)) for pair in pairs)
    return found / max(wanted, 1e-9) if pairs else float("nan")


def _contents(readings: dict[str, FaceReading]) -> dict[str, np.ndarray]:
    """(8, T) each articulation track in all emotions."""
    length = min(len(reading.gap) for reading in readings.values())
    return {track: np.stack([getattr(readings[name], track)[:length] for name in EMOTIONS]) for track in ARTICULATION}
