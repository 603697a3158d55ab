"""The report of an evaluation: a table, JSON, and a folder with both and pictures."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ...emotion import EMOTIONS
from ...errors import InputError
from ...files.atomic_write import replacing
from .evaluate import Evaluation, PartResult
from .voice_scores import VoiceScores

logger = logging.getLogger(__name__)

FORMAT = 1

# In the table's order. Arrows point in the better direction; × is relative to the reference.
MEASURES = {
    "opening_r": "mouth opening r ↑",
    "jaw_r": "jaw r ↑",
    "width_r": "mouth width r ↑",
    "closure_recall": "p b m closed: recall ↑",
    "closure_precision": "p b m closed: precision ↑",
    "closure_f1": "p b m closed: F1 ↑",
    "inner_closure_recall": "p b m inside speech: recall ↑",
    "inner_closure_precision": "p b m inside speech: precision ↑",
    "inner_closure_f1": "p b m inside speech: F1 ↑",
    "first_closure_recall": "p b m that begin a clip: recall ↑",
    "tuck_recall": "f v at the teeth: recall ↑",
    "tuck_precision": "f v at the teeth: precision ↑",
    "tuck_f1": "f v at the teeth: F1 ↑",
    "rounding_recall": "u o w rounded: recall ↑",
    "rounding_precision": "u o w rounded: precision ↑",
    "rounding_f1": "u o w rounded: F1 ↑",
    "rest_closed": "closed at rest ↑",
    "phone_accuracy": "phones recognised ↑",
    "opening_speed": "peak opening speed per syllable × → 1",
    "closing_speed": "peak closing speed per syllable × → 1",
    "jitter": "jitter of the lip gap × ↓",
    "lip_jitter": "jitter of the lips × ↓",
    "vertex_error": "vertex error, mean, mm ↓",
    "max_vertex_error": "vertex error, largest (MVE), mm ↓",
    "lip_vertex_error": "lip vertex error (LVE), mm ↓",
    "upper_face_deviation": "upper-face dynamics deviation (FDD), mm → 0",
    "brow_r": "brow movement r ↑",
    "brow_liveliness": "liveliness of the brows × → 1",
    "cheek_liveliness": "liveliness of the cheeks × → 1",
    "emotional_opening_r": "emotional: mouth opening r ↑",
    "emotional_closure_recall": "emotional: p b m recall ↑",
    "emotional_closure_f1": "emotional: p b m F1 ↑",
    "emotional_tuck_recall": "emotional: f v recall ↑",
    "emotional_rest_closed": "emotional: closed at rest ↑",
    "emotional_lip_jitter": "emotional: jitter of the lips × ↓",
    "emotional_vertex_error": "emotional: vertex error, mean, mm ↓",
    "emotional_lip_vertex_error": "emotional: lip vertex error (LVE), mm ↓",
    "emotional_upper_face_deviation": "emotional: FDD, mm → 0",
    "emotional_brow_r": "emotional: brow movement r ↑",
    "emotion_closure_loss": "largest loss of p b m F1 in any emotion ↓",
    "emotion_opening_loss": "largest loss of mouth opening r in any emotion ↓",
    "emotion_recognised": "emotion recognised (of 8) ↑",
    "emotion_recognised_reference": "— of the reference",
    "intensity_recognised": "intensity recognised (of 3) ↑",
    "intensity_recognised_reference": "— of the reference",
    "intensity_rising": "strength rises with intensity ↑",
    "intensity_rising_reference": "— of the reference",
    "emotion_strength": "emotion strength × → 1",
    "articulation_r": "same words, neutral and emotional: articulation r ↑",
    "articulation_reference_r": "— of the reference",
    "articulation_pairs_r": "same words, any two emotions: articulation r ↑",
    "articulation_pairs_reference_r": "— of the reference",
    "articulation_opening_r": "same words, neutral and emotional: mouth opening r ↑",
    "articulation_opening_reference_r": "— of the reference",
    "emotion_stability": "same emotion, other words: stability ↑",
    "emotion_stability_reference": "— of the reference",
}

AT_LEAST = {
    "opening_r": 0.92, "closure_f1": 0.88, "tuck_f1": 0.9, "emotion_recognised": 0.8, "articulation_r": 0.8
}  # fmt: skip
AT_MOST = {"jitter": 1.0, "lip_jitter": 1.0}
LEAST_TIMES_REAL_TIME = 20.0
"""The bars of the open model on a held-out engine.

In addition, the judged strength must rise with the intensity in every emotion."""


def as_table(rows: Sequence[VoiceScores]) -> str:
    """The scores as a Markdown table with a column per voice or part; figures that are NaN everywhere are left out."""
    lines = [
        f"| | {' | '.join(row.voice for row in rows)} |",
        "|---|" + "---:|" * len(rows),
        f"| clips | {' | '.join(str(row.utterances) for row in rows)} |",
    ]
    for name, label in MEASURES.items():
        values = [getattr(row, name) for row in rows]
        if not all(math.isnan(value) for value in values):
            lines.append(f"| {label} | {' | '.join(_figure(value) for value in values)} |")
    return "\n".join(lines)


def as_json(evaluation: Evaluation, facts: dict[str, Any] | None = None) -> dict[str, Any]:
    """The evaluation as values of JSON; NaN becomes null. `facts` are added at the top level."""
    best = max((part.scores for part in evaluation.parts), key=lambda scores: np.nan_to_num(scores.opening_r))
    report = {
        "format": FORMAT,
        "model": evaluation.model,
        "face": evaluation.face,
        **(facts or {}),
        "times_real_time": evaluation.times_real_time,
        "fast_enough": evaluation.times_real_time >= LEAST_TIMES_REAL_TIME,
        "judge_examples": evaluation.judge_examples,
        "emotions": list(EMOTIONS),
        "measures": MEASURES,
        "bars": {"at_least": AT_LEAST, "at_most": AT_MOST, "times_real_time": LEAST_TIMES_REAL_TIME},
        "parts": {
            part.name: {
                "scores": asdict(part.scores),
                "voices": [asdict(row) for row in part.rows[:-1]],
                "bars_met": bars_met(part),
                "drop_from_best": {"best": best.voice, **drop(best, part.scores)},
                "confusion": part.confusion.found.tolist(),
                "confusion_reference": part.confusion.reference.tolist(),
                "strengths": part.strengths.tolist(),
                "strengths_reference": part.strengths_reference.tolist(),
            }
            for part in evaluation.parts
        },
    }
    return _without_nan(report)


def bars_met(part: PartResult) -> dict[str, bool]:
    """Whether each bar is met, by the figure's name; a figure that is NaN does not meet it."""
    scores = part.scores
    met = {name: bool(getattr(scores, name) >= bar) for name, bar in AT_LEAST.items()}
    met |= {name: bool(getattr(scores, name) <= bar) for name, bar in AT_MOST.items()}
    judged = part.strengths[np.isfinite(part.strengths).all(1)]
    met["strength_rises"] = bool(len(judged) and (np.diff(judged, axis=1) > 0).all())
    return met


def drop(seen: VoiceScores, unseen: VoiceScores) -> dict[str, float]:
    """The difference of each figure between a set that the model was trained on and one that it was not."""
    return {name: getattr(seen, name) - getattr(unseen, name) for name in MEASURES}


def write_report(evaluation: Evaluation, output: Path, facts: dict[str, Any] | None = None) -> list[Path]:
    """Write scores.json, table.md and pictures into a folder, which is made if missing, and return their paths.

    Args:
        evaluation: the results.
        output: the folder.
        facts: more values for scores.json.

    Raises:
        InputError: a file cannot be written.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{output} cannot be created ({error.strerror}); choose another folder") from error
    texts = {
        "scores.json": json.dumps(as_json(evaluation, facts), indent=1, ensure_ascii=False),
        "table.md": as_table(evaluation.rows),
    }
    for name, text in texts.items():
        with replacing(output / name) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    written = [output / name for name in texts]
    if find_spec("matplotlib") is None:
        logger.warning("no pictures without the Python package matplotlib; run `pip install matplotlib`")
        return written
    from .plots import write_plots

    return written + write_plots(evaluation, output)


def _figure(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _without_nan(value: Any) -> Any:
    """The value with None for NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
