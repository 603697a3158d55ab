"""The figures of an evaluation, each a number over the clips of one voice or of a whole set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...emotion import EMOTIONS
from ..data.clip_batch import LABELS_PER_FRAME
from . import metrics, metrics_content
from .clip_measures import ARTICULATION, ClipMeasures, Pair, jitter
from .emotion_judge import level
from .evaluation_clips import INTENSITIES

NAN = float("nan")
_Labelled = list[tuple[Pair, np.ndarray]]


@dataclass(frozen=True)
class VoiceScores:
    """The figures of one voice or set; NaN if they cannot be measured (no reference, no phones, no judge).

    A name in `*_reference` is the same figure of the reference motions, the upper limit. `emotional_*` is the same
    figure of the emotional motions.

    Attributes:
        voice: name for the table.
        utterances: number of clips.
        opening_r, jaw_r, width_r: correlation of lip gap, jaw angle and mouth width with the reference, over the frames
            of all clips together.
        closure_*, tuck_*, rounding_*: contacts of p b m, f v, and u o w (`metrics.closures`, `tucks`, `roundings`).
        inner_closure_*: contacts of the p b m that touch no silence (`metrics.inner_closures`).
        first_closure_recall: of p, b, m at the start of an utterance.
        rest_closed: fraction of the frames at rest, two or more away from speech and closed in the reference, that are
            closed (`metrics.at_rest`).
        phone_accuracy: fraction of the phone labels, silence apart, that the encoder recognises from the sound alone.
        opening_speed, closing_speed: peak speed of the lips per syllable (`metrics.syllable_speeds`), sum over the
            syllables, relative to the reference's.
        jitter, lip_jitter: energy above 8 Hz of the lip gap and of the lips' vertices, relative to the reference's.
        vertex_error, max_vertex_error, lip_vertex_error, upper_face_deviation: mm, see `metrics_mesh`.
        brow_r: correlation of the brows' height minus its mean in each clip: whether they move at the right time.
        brow_liveliness, cheek_liveliness: `metrics_mesh.liveliness` of plain and emotional motions, relative to the
            references'.
        emotion_recognised: fraction of the motions in 8 emotions at full intensity that the judge names correctly.
        intensity_recognised: fraction of the motions at intensities 0, 1, 2 whose judged strength is nearest to theirs.
        intensity_rising: fraction of the utterances whose judged strength rises with the intensity.
        emotion_closure_loss, emotion_opening_loss: closure_f1 and opening_r, minus those under the emotion at full
            intensity that lowers them most.
        emotion_strength: distance of the mean emotional face from the neutral one, relative to the reference's.
        articulation_r: r of the articulation of the same sound under neutral and under each emotion, mean over lip gap,
            jaw and mouth width, and over 7 emotions.
        articulation_pairs_r: the same for all 28 pairs of emotions.
        articulation_opening_r: the same as articulation_r for the lip gap alone.
        emotion_stability: see `metrics_content.stability`.
    """

    voice: str
    utterances: int
    opening_r: float
    jaw_r: float
    width_r: float
    closure_recall: float
    closure_precision: float
    closure_f1: float
    inner_closure_recall: float
    inner_closure_precision: float
    inner_closure_f1: float
    first_closure_recall: float
    tuck_recall: float
    tuck_precision: float
    tuck_f1: float
    rounding_recall: float
    rounding_precision: float
    rounding_f1: float
    rest_closed: float
    phone_accuracy: float
    opening_speed: float
    closing_speed: float
    jitter: float
    lip_jitter: float
    vertex_error: float
    max_vertex_error: float
    lip_vertex_error: float
    upper_face_deviation: float
    brow_r: float
    brow_liveliness: float
    cheek_liveliness: float
    emotional_opening_r: float
    emotional_closure_recall: float
    emotional_closure_f1: float
    emotional_tuck_recall: float
    emotional_rest_closed: float
    emotional_lip_jitter: float
    emotional_vertex_error: float
    emotional_lip_vertex_error: float
    emotional_upper_face_deviation: float
    emotional_brow_r: float
    emotion_closure_loss: float
    emotion_opening_loss: float
    emotion_recognised: float
    emotion_recognised_reference: float
    intensity_recognised: float
    intensity_recognised_reference: float
    intensity_rising: float
    intensity_rising_reference: float
    emotion_strength: float
    articulation_r: float
    articulation_reference_r: float
    articulation_pairs_r: float
    articulation_pairs_reference_r: float
    articulation_opening_r: float
    articulation_opening_reference_r: float
    emotion_stability: float
    emotion_stability_reference: float


def score(voice: str, clips: list[ClipMeasures], rest_width: float) -> VoiceScores:
    """The figures of some clips.

    Args:
        voice: name for the table.
        clips: the measures of each clip.
        rest_width: distance of the mouth's corners at rest, mm.
    """
    plain = [clip.plain for clip in clips if clip.plain is not None]
    expressive = [pair for clip in clips for pair in clip.expressive.values()]
    labelled = _labelled([(clip.plain, clip.labels) for clip in clips])
    spoken = _labelled([(pair, clip.labels) for clip in clips for pair in clip.expressive.values()])
    closures, tucks = _contacts(labelled, metrics.closures, "gap"), _contacts(labelled, metrics.tucks, "tuck")
    inner = _contacts(labelled, metrics.inner_closures, "gap")
    roundings = _contacts(
        labelled, lambda found, wanted, labels: metrics.roundings(found, wanted, rest_width, labels), "width"
    )
    emotional_closures = _contacts(spoken, metrics.closures, "gap")
    firsts = [metrics.first_closure(pair.found.gap, labels) for pair, labels in labelled]
    moving = plain + expressive
    return VoiceScores(
        voice=voice,
        utterances=len(clips),
        opening_r=_r(plain, "gap"),
        jaw_r=_r(plain, "jaw"),
        width_r=_r(plain, "width"),
        closure_recall=closures.recall,
        closure_precision=closures.precision if labelled else NAN,
        closure_f1=closures.f1,
        inner_closure_recall=inner.recall,
        inner_closure_precision=inner.precision if inner.events else NAN,
        inner_closure_f1=inner.f1,
        first_closure_recall=_mean([float(first) for first in firsts if first is not None]),
        tuck_recall=tucks.recall,
        tuck_precision=tucks.precision if tucks.events else NAN,
        tuck_f1=tucks.f1,
        rounding_recall=roundings.recall,
        rounding_precision=roundings.precision if labelled else NAN,
        rounding_f1=roundings.f1,
        rest_closed=_rest_closed(labelled),
        phone_accuracy=_phone_accuracy(clips),
        **_speeds(labelled),
        jitter=jitter(plain, "gap"),
        lip_jitter=jitter(plain, "lips"),
        vertex_error=_mean([pair.surface.mean_error for pair in plain]),
        max_vertex_error=_mean([pair.surface.max_error for pair in plain]),
        lip_vertex_error=_mean([pair.surface.lip_error for pair in plain]),
        upper_face_deviation=_mean([pair.surface.upper_deviation for pair in plain]),
        brow_r=_centred_r(plain, "brow"),
        brow_liveliness=_share([pair.surface.brows for pair in moving]),
        cheek_liveliness=_share([pair.surface.cheeks for pair in moving]),
        emotional_opening_r=_r(expressive, "gap"),
        emotional_closure_recall=emotional_closures.recall,
        emotional_closure_f1=emotional_closures.f1,
        emotional_tuck_recall=_contacts(spoken, metrics.tucks, "tuck").recall,
        emotional_rest_closed=_rest_closed(spoken),
        emotional_lip_jitter=jitter(expressive, "lips"),
        emotional_vertex_error=_mean([pair.surface.mean_error for pair in expressive]),
        emotional_lip_vertex_error=_mean([pair.surface.lip_error for pair in expressive]),
        emotional_upper_face_deviation=_mean([pair.surface.upper_deviation for pair in expressive]),
        emotional_brow_r=_centred_r(expressive, "brow"),
        **_emotion_losses(clips, closures.f1, _r(plain, "gap")),
        **_emotion_scores(clips),
        **_independence_scores(clips),
    )


def _speeds(pairs: _Labelled) -> dict[str, float]:
    """The peak speeds of the lips relative to the references'."""
    found = [metrics.syllable_speeds(pair.found.gap, labels) for pair, labels in pairs]
    wanted = [metrics.syllable_speeds(pair.wanted.gap, labels) for pair, labels in pairs]
    shares = [_share([(a, b) for f, w in zip(found, wanted) for a, b in zip(f[:, i], w[:, i])]) for i in (0, 1)]
    return {"opening_speed": shares[0], "closing_speed": shares[1]}


def _phone_accuracy(clips: list[ClipMeasures]) -> float:
    """The fraction of the phone labels that are recognised."""
    right = [clip.phones_right for clip in clips if clip.phones_right is not None]
    return _mean(np.concatenate(right).astype(float).tolist()) if right else NAN


def _emotion_losses(clips: list[ClipMeasures], closure_f1: float, opening_r: float) -> dict[str, float]:
    """What an emotion takes from the words at most."""
    by_emotion = [
        [(clip.expressive[emotion], clip.labels) for clip in clips if emotion in clip.expressive]
        for emotion in EMOTIONS
    ]
    spoken = [pairs for pairs in by_emotion if pairs]
    f1 = [_contacts(_labelled(pairs), metrics.closures, "gap").f1 for pairs in spoken]
    r = [_r([pair for pair, _ in pairs], "gap") for pairs in spoken]
    return {
        "emotion_closure_loss": closure_f1 - min(f1, default=NAN),
        "emotion_opening_loss": opening_r - min(r, default=NAN),
    }


def _emotion_scores(clips: list[ClipMeasures]) -> dict[str, float]:
    """The figures that come from the judge, and the strength of the emotions."""
    verdicts = [verdict for clip in clips for verdict in clip.verdicts]
    found, wanted = ([clip.strengths for clip in clips], [clip.strengths_reference for clip in clips])
    figures = {
        "emotion_recognised": _mean([float(verdict.found == verdict.asked) for verdict in verdicts]),
        "emotion_recognised_reference": _mean(
            [float(verdict.reference == verdict.asked) for verdict in verdicts if verdict.reference is not None]
        ),
        "emotion_strength": _share(
            [
                (float(np.linalg.norm(added)), float(np.linalg.norm(reference)))
                for clip in clips
                if clip.residuals_reference is not None
                for added, reference in zip(clip.residuals, clip.residuals_reference, strict=True)
            ]
        ),
    }
    for suffix, given in (("", found), ("_reference", wanted)):
        judged = np.array([row for row in given if row is not None and np.isfinite(row).all()]).reshape(-1, 3)
        hits = [float(level(strength) == asked) for row in judged for strength, asked in zip(row, INTENSITIES)]
        figures[f"intensity_recognised{suffix}"] = _mean(hits)
        figures[f"intensity_rising{suffix}"] = metrics_content.rising(judged)
    return figures


def _independence_scores(clips: list[ClipMeasures]) -> dict[str, float]:
    """The figures of independence between words and emotions."""
    figures = {}
    contents_reference = [clip.contents_reference for clip in clips if clip.contents_reference is not None]
    residuals_reference = [clip.residuals_reference for clip in clips if clip.residuals_reference is not None]
    for suffix, contents in (("", [clip.contents for clip in clips]), ("_reference", contents_reference)):
        tracks = ARTICULATION if contents else ()
        matrices = [metrics_content.agreement([content[track] for content in contents]) for track in tracks]
        with_first = [metrics_content.agreement_with_first(matrix) for matrix in matrices]
        figures[f"articulation{suffix}_r"] = _mean(with_first)
        figures[f"articulation_pairs{suffix}_r"] = _mean([metrics_content.agreement_of_pairs(m) for m in matrices])
        figures[f"articulation_opening{suffix}_r"] = with_first[0] if with_first else NAN
    figures["emotion_stability"] = metrics_content.stability(np.stack([clip.residuals for clip in clips]))
    figures["emotion_stability_reference"] = (
        metrics_content.stability(np.stack(residuals_reference)) if residuals_reference else NAN
    )
    return figures


def _labelled(pairs: Sequence[tuple[Pair | None, np.ndarray | None]]) -> _Labelled:
    """The pairs whose phones are known, with the phones cut to the pair's frames."""
    return [
        (pair, labels[: LABELS_PER_FRAME * len(pair.found.gap)])
        for pair, labels in pairs
        if pair is not None and labels is not None
    ]


def _contacts(pairs: _Labelled, measure: Callable[..., metrics.Contacts], track: str) -> metrics.Contacts:
    """A measure of contacts over labelled pairs, without those whose track is NaN (a head without teeth)."""
    return metrics.total(
        measure(getattr(pair.found, track), getattr(pair.wanted, track), labels)
        for pair, labels in pairs
        if np.isfinite(getattr(pair.wanted, track)).all()
    )


def _rest_closed(pairs: _Labelled) -> float:
    """The fraction of the frames at rest that are closed."""
    frames = [metrics.at_rest(pair.found.gap, pair.wanted.gap, labels) for pair, labels in pairs]
    return _mean(np.concatenate(frames).astype(float).tolist()) if frames else NAN


def _r(pairs: list[Pair], track: str) -> float:
    """The correlation of a track over the frames of all pairs."""
    if not pairs:
        return NAN
    found = np.concatenate([getattr(pair.found, track) for pair in pairs])
    return metrics.correlation(found, np.concatenate([getattr(pair.wanted, track) for pair in pairs]))


def _centred_r(pairs: list[Pair], track: str) -> float:
    """The correlation of a track minus its mean in each pair: of the timing, whatever the resting position."""
    if not pairs:
        return NAN
    found, wanted = (
        np.concatenate([track - track.mean() for track in tracks])
        for tracks in ([getattr(pair.found, track) for pair in pairs], [getattr(pair.wanted, track) for pair in pairs])
    )
    return metrics.correlation(found, wanted)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else NAN


def _share(values: list[tuple[float, float]]) -> float:
    """The sum of the found values divided by the sum of the wanted ones."""
    found, wanted = (float(sum(pair[i] for pair in values)) for i in (0, 1))
    return found / wanted if wanted > 1e-6 else NAN
