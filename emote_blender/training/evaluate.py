"""Judges a speech model for the open head on speech with known phones: python -m emote_blender.training.evaluate MODEL

Everything about the mouth is measured on the posed mesh, not on coefficients. The reference is the motion that the
corpus asks for; "neutral" rows are spoken without emotion, the emotion columns with each emotion at full intensity.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from ..audio import SAMPLE_RATE, Waveform
from ..emote.checkpoint import load_model
from ..emote.model import EMOTE
from ..emotion import EmotionTrack
from ..flame.model import FaceModel
from ..paths import find_head, find_model
from . import metrics
from .corpus import phones
from .corpus.generate import FRAME_SAMPLES, FULL_VALIDATION, generate_part
from .dataset import (
    EMOTIONS,
    LABELS_PER_FRAME,
    SPEAKERS,
    SpeechPart,
    Window,
    conditioned_motion,
    load_part,
    prepare_part,
)
from .losses import FaceMesh, middle_of_lip, middle_of_teeth

logger = logging.getLogger(__name__)

FULL_INTENSITY = 2.0


@dataclass(frozen=True)
class VoiceScores:
    """Figures of one voice, or of all.

    opening_r, jaw_r: correlation of lip gap and jaw angle with the reference. closure_*: p, b, m on the mesh.
    first_closure_recall: of p, b, m that begin an utterance (NaN without any). tuck_recall: f, v.
    rest_closed: share of silent frames, closed in the reference, that are closed.
    jitter: energy of the lip gap above 8 Hz, as a multiple of the reference's.
    emotion_recognised: share of emotional utterances whose mean face is nearest the right one of 8 references.
    emotion_strength: distance of the mean face from the neutral one, as a multiple of the reference's.
    emotional_opening_r: correlation of the emotional lip gap with the emotional reference.
    words_kept_r: correlation of the lip gaps of the neutral and the emotional rendering of the same sound;
        words_kept_reference_r: the same of the references.
    emotional_closure_recall: p, b, m in emotional renderings.
    """

    voice: str
    utterances: int
    opening_r: float
    jaw_r: float
    closure_recall: float
    closure_precision: float
    closure_f1: float
    first_closure_recall: float
    tuck_recall: float
    rest_closed: float
    jitter: float
    emotion_recognised: float
    emotion_strength: float
    emotional_opening_r: float
    emotional_closure_recall: float
    words_kept_r: float
    words_kept_reference_r: float


@dataclass(frozen=True)
class _Reading:
    """One motion: gap (T,) mm, tuck height (T,) mm, jaw (T,) rad, face (3 * V,) mm mean over time."""

    gap: np.ndarray
    tuck: np.ndarray
    jaw: np.ndarray
    face: np.ndarray


class MeshReader:
    """Reads lip gap, tuck height and mean face off the head."""

    def __init__(self, face_model: FaceModel) -> None:
        upper, lower = (middle_of_lip(face_model, name) for name in ("lips_upper", "lips_lower"))
        teeth = middle_of_teeth(face_model)
        face = np.flatnonzero(face_model.regions["skin"] > 0.5)[::4]
        vertices = np.unique(np.concatenate([upper, lower, teeth, face]))
        self._mesh = FaceMesh(face_model, vertices)
        self._upper, self._lower, self._teeth, self._face = (
            np.searchsorted(vertices, chosen) for chosen in (upper, lower, teeth, face)
        )

    def read(self, motion: np.ndarray) -> _Reading:
        """Measures of a motion (T, E + 3)."""
        vertices = self._mesh(torch.from_numpy(np.ascontiguousarray(motion, np.float32))).numpy()
        heights = vertices[:, 1]
        lip_top = heights[:, self._lower].max(1)
        return _Reading(
            heights[:, self._upper].min(1) - lip_top,
            heights[:, self._teeth].min(1) - lip_top,
            motion[:, -3],
            vertices[..., self._face].mean(0).ravel(),
        )


@dataclass(frozen=True)
class _Comparison:
    """What one utterance contributes."""

    voice: str
    labels: np.ndarray
    found: _Reading
    wanted: _Reading
    emotion: str
    found_emotional: _Reading
    wanted_emotional: _Reading
    references: dict[str, np.ndarray]  # mean face per emotion


def compare(
    model: EMOTE, reader: MeshReader, part: SpeechPart, voices: np.ndarray, limit: int
) -> Iterator[_Comparison]:
    """Up to `limit` utterances, spread evenly over a part, rendered neutral and with an emotion by the pipeline."""
    from ..pipeline import EMOTEPipeline

    pipeline = EMOTEPipeline(model)
    for number, index in enumerate(np.unique(np.linspace(0, part.num_utterances - 1, limit).astype(int))):
        begin, end = part.offsets[index], part.offsets[index + 1]
        window = Window(
            part.samples[begin * FRAME_SAMPLES : end * FRAME_SAMPLES].astype(np.float32) / 32768,
            part.articulation[begin:end].astype(np.float32),
            part.loudness[begin:end].astype(np.float32),
            part.labels[begin * LABELS_PER_FRAME : end * LABELS_PER_FRAME],
        )
        emotion = EMOTIONS[1 + number % (len(EMOTIONS) - 1)]
        speaker = SPEAKERS[number % len(SPEAKERS)]
        wanted = {name: conditioned_motion(window, name, FULL_INTENSITY, speaker) for name in EMOTIONS}
        features = pipeline.encode(Waveform(window.samples, SAMPLE_RATE))
        found = []
        for spoken in ("neutral", emotion):
            motion = pipeline.generate(features, EmotionTrack.constant(spoken, FULL_INTENSITY), speaker)
            found.append(np.concatenate([motion.expression, motion.jaw], 1))
        yield _Comparison(
            str(voices[index]),
            window.labels,
            reader.read(found[0]),
            reader.read(wanted["neutral"].motion),
            emotion,
            reader.read(found[1]),
            reader.read(wanted[emotion].motion),
            {name: reader.read(motion.motion).face for name, motion in wanted.items()},
        )


def score(voice: str, comparisons: list[_Comparison]) -> VoiceScores:
    """The figures of the utterances given."""

    def joined(get) -> np.ndarray:
        return np.concatenate([get(c) for c in comparisons])

    contacts = sum(
        (metrics.closures(c.found.gap, c.wanted.gap, c.labels) for c in comparisons), metrics.Contacts(0, 0, 0, 0)
    )
    emotional = sum(
        (metrics.closures(c.found_emotional.gap, c.wanted_emotional.gap, c.labels) for c in comparisons),
        metrics.Contacts(0, 0, 0, 0),
    )
    tucks = sum(
        (metrics.tucks(c.found.tuck, c.wanted.tuck, c.labels) for c in comparisons), metrics.Contacts(0, 0, 0, 0)
    )
    at_rest = [c.found.gap[_silent(c)] < metrics.CLOSED_MM for c in comparisons]
    jitter = [(metrics.fast_energy(c.found.gap), metrics.fast_energy(c.wanted.gap)) for c in comparisons]
    recognised = [_nearest(c) == c.emotion for c in comparisons]
    strength = [_strength(c) for c in comparisons]
    return VoiceScores(
        voice=voice,
        utterances=len(comparisons),
        opening_r=metrics.correlation(joined(lambda c: c.found.gap), joined(lambda c: c.wanted.gap)),
        jaw_r=metrics.correlation(joined(lambda c: c.found.jaw), joined(lambda c: c.wanted.jaw)),
        closure_recall=contacts.recall,
        closure_precision=contacts.precision,
        closure_f1=contacts.f1,
        first_closure_recall=_first_closures(comparisons),
        tuck_recall=tucks.recall,
        rest_closed=float(np.mean(np.concatenate(at_rest))) if sum(map(len, at_rest)) else float("nan"),
        jitter=sum(found for found, _ in jitter) / max(1e-9, sum(wanted for _, wanted in jitter)),
        emotion_recognised=float(np.mean(recognised)),
        emotion_strength=float(np.mean(strength)),
        emotional_opening_r=metrics.correlation(
            joined(lambda c: c.found_emotional.gap), joined(lambda c: c.wanted_emotional.gap)
        ),
        emotional_closure_recall=emotional.recall,
        words_kept_r=metrics.correlation(joined(lambda c: c.found_emotional.gap), joined(lambda c: c.found.gap)),
        words_kept_reference_r=metrics.correlation(
            joined(lambda c: c.wanted_emotional.gap), joined(lambda c: c.wanted.gap)
        ),
    )


def _silent(comparison: _Comparison) -> np.ndarray:
    """Frames that are silent and closed in the reference."""
    silent = (comparison.labels.reshape(-1, LABELS_PER_FRAME) == phones.SILENCE).all(1)
    return silent & (comparison.wanted.gap < metrics.CLOSED_MM)


def _nearest(comparison: _Comparison) -> str:
    """The emotion whose mean face is nearest to the one found."""
    found = comparison.found_emotional.face
    return min(comparison.references, key=lambda name: float(((found - comparison.references[name]) ** 2).sum()))


def _strength(comparison: _Comparison) -> float:
    found = np.linalg.norm(comparison.found_emotional.face - comparison.found.face)
    wanted = np.linalg.norm(comparison.wanted_emotional.face - comparison.wanted.face)
    return float(found / max(float(wanted), 1e-6))


def _first_closures(comparisons: list[_Comparison]) -> float:
    """Recall of the p, b, m that begin an utterance."""
    hits = []
    for comparison in comparisons:
        spoken = np.flatnonzero(comparison.labels != phones.SILENCE)
        sounds = metrics.events(comparison.labels, phones.BILABIALS)
        if len(spoken) and sounds and abs(sounds[0][0] - spoken[0] / 50) < 1e-6:
            gap = comparison.found.gap
            hits.append(bool((gap[metrics.frames_of(sounds[0], len(gap))] < metrics.CLOSED_MM).any()))
    return float(np.mean(hits)) if hits else float("nan")


def evaluate(model: EMOTE, face_model: FaceModel, folders: dict[str, Path], limit: int = 80) -> list[VoiceScores]:
    """Scores per voice and, at the end of each part, over the part.

    Args:
        folders: prepared parts by name (see `dataset.prepare_part`), each with `voices.npy` beside its arrays.
        limit: utterances per part.
    """
    reader = MeshReader(face_model)
    rows = []
    for name, folder in folders.items():
        compared = list(compare(model, reader, load_part(folder), np.load(folder / "voices.npy"), limit))
        voices = sorted({c.voice for c in compared})
        if len(voices) <= 6:
            rows += [score(voice, [c for c in compared if c.voice == voice]) for voice in voices]
        rows.append(score(f"{name} (all)", compared))
    return rows


COLUMNS = {
    "opening_r": "opening r", "jaw_r": "jaw r", "closure_recall": "p/b/m recall", "closure_precision": "precision",
    "closure_f1": "F1", "first_closure_recall": "first p/b/m", "tuck_recall": "f/v recall",
    "rest_closed": "rest closed", "jitter": "jitter ×", "emotion_recognised": "emotion found",
    "emotion_strength": "strength ×", "emotional_opening_r": "emotional opening r",
    "emotional_closure_recall": "emotional p/b/m", "words_kept_r": "neutral–emotional r",
    "words_kept_reference_r": "(reference)",
}  # fmt: skip


def as_table(rows: list[VoiceScores]) -> str:
    """The scores as a Markdown table."""
    lines = ["| voice | clips | " + " | ".join(COLUMNS.values()) + " |", "|---|---|" + "---|" * len(COLUMNS)]
    for row in rows:
        figures = (f"{getattr(row, name):.3f}".replace("nan", "–") for name in COLUMNS)
        lines.append(f"| {row.voice} | {row.utterances} | " + " | ".join(figures) + " |")
    return "\n".join(lines)


def draw(model: EMOTE, face_model: FaceModel, folder: Path, path: Path) -> None:
    """A picture of the lip gap of three utterances, found and wanted, p/b/m shaded."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    compared = list(compare(model, MeshReader(face_model), load_part(folder), np.load(folder / "voices.npy"), 3))
    figure, axes = pyplot.subplots(len(compared), 1, figsize=(11, 2.4 * len(compared)), squeeze=False)
    for axis, item in zip(axes[:, 0], compared, strict=True):
        times = (np.arange(len(item.found.gap)) + 0.5) / metrics.FPS
        for start, end in metrics.events(item.labels, phones.BILABIALS):
            axis.axvspan(start, end, color="0.85")
        axis.plot(times, item.wanted.gap, "k", linewidth=1, label="reference")
        axis.plot(times, item.found.gap, "C3", linewidth=1.5, label="model")
        axis.plot(times, item.found_emotional.gap, "C0:", linewidth=1, label=f"model, {item.emotion}")
        axis.axhline(metrics.CLOSED_MM, color="0.5", linewidth=0.5)
        axis.set_title(item.voice, fontsize=9)
        axis.set_ylabel("lip gap, mm")
        axis.legend(fontsize=7, loc="upper right")
    axes[-1, 0].set_xlabel("seconds (grey: p, b, m)")
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def prepare_validation(parts, work: Path) -> dict[str, Path]:
    """Prepared folders of validation parts below `work`, made where they are missing."""
    folders = {}
    for part in parts:
        shards = generate_part(part, work / "corpus")
        folder = prepare_part(shards, work / "prepared" / part.name)
        voices = []
        for shard in shards:
            with np.load(shard) as archive:
                voices.append(archive["speakers"])
        np.save(folder / "voices.npy", np.concatenate(voices))
        folders[part.name] = folder
    return folders


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 when all went well."""
    parser = argparse.ArgumentParser(prog="python -m emote_blender.training.evaluate", description=__doc__)
    parser.add_argument("model", help="a model's name or folder")
    parser.add_argument("--head", default="open_head", help="a head's name or folder")
    parser.add_argument("--work", type=Path, default=Path("build/model"), help="where speech is cached")
    parser.add_argument("--parts", default=",".join(part.name for part in FULL_VALIDATION), help="names, with commas")
    parser.add_argument("--utterances", type=int, default=80, help="per part")
    parser.add_argument("--output", type=Path, help="folder for scores.json, table.md and opening.png")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    wanted = options.parts.split(",")
    parts = [part for part in FULL_VALIDATION if part.name in wanted]
    if len(parts) != len(wanted):
        parser.error(f"--parts: known are {', '.join(part.name for part in FULL_VALIDATION)}")
    folders = prepare_validation(parts, options.work)
    model, head = load_model(find_model(options.model)), FaceModel.load(find_head(options.head))
    rows = evaluate(model, head, folders, options.utterances)
    print(as_table(rows))
    if options.output:
        write_report(rows, model, head, folders, options.output)
    return 0


def write_report(
    rows: list[VoiceScores], model: EMOTE, face_model: FaceModel, folders: dict[str, Path], output: Path
) -> None:
    """Writes scores.json, table.md and opening.png into a folder."""
    output.mkdir(parents=True, exist_ok=True)
    (output / "scores.json").write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")
    (output / "table.md").write_text(as_table(rows) + "\n", encoding="utf-8")
    draw(model, face_model, list(folders.values())[-1], output / "opening.png")


if __name__ == "__main__":
    raise SystemExit(main())
