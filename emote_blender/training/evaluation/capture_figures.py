"""How near a captured face is to the one that was rendered."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import numpy as np

from ...capture.video.fit.clip import ClipFit
from ...capture.video.mix import mixed
from ...flame.measure import LIPS_CLOSED_GAP, lip_gap
from ...flame.model import FaceModel
from ...motion import FaceMotion
from ...motion_tools.rotation import axis_angle_to_matrix
from .rendered_clips import Clip

_CLOSED_MM = LIPS_CLOSED_GAP * 1e3
_STILL = 0.05  # standard deviation of a component that does not move


@dataclass(frozen=True)
class Figures:
    """Figures of a clip, or their means. Correlations and F1 are without a unit.

    Attributes:
        face_mm: mean distance of the skin of the face.
        lips_mm: of the lips.
        gap_r: correlation of the gap between the lips.
        gap_mm: mean error of the gap.
        closure_f1: frames in which the lips are closed.
        jaw_r: correlation of the jaw's turn.
        blink_f1: frames in which an eye is more closed than open.
        brow_r: correlation of the raised inner brows.
        gaze_r: correlation of the gaze to the sides.
        gaze_up_r: correlation of the gaze up and down.
        head_degrees: mean error of the head's rotation.
        sound_f1: closures when lips and jaw come from the sound.
        seen: fraction of frames in which the face was seen.
    """

    face_mm: float
    lips_mm: float
    gap_r: float
    gap_mm: float
    closure_f1: float
    jaw_r: float
    blink_f1: float
    brow_r: float
    gaze_r: float
    gaze_up_r: float
    head_degrees: float
    sound_f1: float
    seen: float


HEADINGS = (
    "face mm",
    "lips mm",
    "gap r",
    "gap mm",
    "closure F1",
    "jaw r",
    "blink F1",
    "brow r",
    "gaze r",
    "up r",
    "head °",
    "sound F1",
    "seen",
)
BARS = Figures(1.3, 2.0, 0.97, 1.3, 0.9, 0.93, 0.95, 0.9, 0.9, 0.8, 2.0, 0.97, 1.0)
_SMALLER_IS_BETTER = ("face_mm", "lips_mm", "gap_mm", "head_degrees")


def figures(model: FaceModel, clip: Clip, fit: ClipFit, seen: float) -> Figures:
    """The figures of a clip.

    Args:
        model: the head.
        clip: what was rendered.
        fit: what was captured.
        seen: fraction of frames in which the face was seen.
    """
    found, true = fit.motion, clip.motion
    posed, wanted = (model.vertices(motion.expression, motion.jaw) for motion in (found, true))
    off = np.linalg.norm(posed - wanted, axis=2) * 1e3
    skin = (model.v_template[:, 2] > 0) & (model.regions["skin"] > 0.5)
    gap, true_gap = lip_gap(model, posed) * 1e3, lip_gap(model, wanted) * 1e3
    with_sound = mixed(found, fit.valid, true, model)
    mixed_gap = lip_gap(model, model.vertices(with_sound.expression, with_sound.jaw)) * 1e3
    closed, names = true_gap < _CLOSED_MM, list(model.expression_names or ())

    def value(motion: FaceMotion, plus: str, minus: str | None = None) -> np.ndarray:
        lower = 0.0 if minus is None else motion.expression[:, names.index(minus)]
        return motion.expression[:, names.index(plus)] - lower

    blink, brow = ("eyeBlinkLeft", None), ("browInnerUp", None)
    across, up = ("eyeLookOutLeft", "eyeLookInLeft"), ("eyeLookUpLeft", "eyeLookDownLeft")
    return Figures(
        float(off[:, skin].mean()),
        float(off[:, model.regions["lips"] > 0.5].mean()),
        correlation(gap, true_gap),
        float(np.abs(gap - true_gap).mean()),
        f1(gap < _CLOSED_MM, closed),
        correlation(found.jaw[:, 0], true.jaw[:, 0]),
        f1(value(found, *blink) > 0.5, value(true, *blink) > 0.5),
        correlation(value(found, *brow), value(true, *brow)),
        correlation(value(found, *across), value(true, *across)),
        correlation(value(found, *up), value(true, *up)),
        float(head_degrees(clip, found).mean()),
        f1(mixed_gap < _CLOSED_MM, closed),
        seen,
    )


def head_degrees(clip: Clip, found: FaceMotion) -> np.ndarray:
    """(T,) angle between the captured and the true rotation of the head."""
    assert found.neck is not None
    turn = np.swapaxes(axis_angle_to_matrix(clip.rotation), 1, 2) @ axis_angle_to_matrix(found.neck.astype(np.float64))
    return np.degrees(np.arccos(np.clip((np.trace(turn, axis1=1, axis2=2) - 1) / 2, -1, 1)))


def mean_figures(rows: list[Figures]) -> Figures:
    """The means of some clips, of what each has."""
    values = np.array([astuple(row) for row in rows])
    there = np.isfinite(values)
    counts = there.sum(0)
    sums = np.where(there, values, 0.0).sum(0)
    return Figures(*np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).tolist())


def missed(row: Figures) -> list[str]:
    """Names of the figures that do not reach the bars, as they are printed."""
    names = [field.name for field in fields(Figures)]
    found = []
    for name, heading, value, bar in zip(names, HEADINGS, astuple(row), astuple(BARS), strict=True):
        worse = value > bar if name in _SMALLER_IS_BETTER else value < bar
        if worse:
            found.append(heading)
    return found


def swap_correlation(one: FaceMotion, other: FaceMotion) -> float:
    """Mean correlation of the same performance captured on two identities, of the components that move in both.

    Each component counts as much as it moves.
    """
    moves = np.sqrt(one.expression.std(0) * other.expression.std(0))
    named = np.flatnonzero(moves > _STILL)
    found = [correlation(one.expression[:, number], other.expression[:, number]) for number in named]
    return float(np.average([*found, correlation(one.jaw[:, 0], other.jaw[:, 0])], weights=[*moves[named], 0.3]))


def jitter_mm(model: FaceModel, motion: FaceMotion) -> float:
    """Mean way of the face's skin from frame to frame, millimetres."""
    skin = (model.v_template[:, 2] > 0) & (model.regions["skin"] > 0.5)
    posed = model.vertices(motion.expression, motion.jaw)[:, skin]
    return float(np.linalg.norm(np.diff(posed, axis=0), axis=2).mean() * 1e3)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's r; NaN if one of them does not change."""
    return float(np.corrcoef(one, other)[0, 1]) if min(one.std(), other.std()) > 1e-6 else float("nan")


def f1(found: np.ndarray, true: np.ndarray) -> float:
    """F1 of frames; NaN if there are none."""
    total = found.sum() + true.sum()
    return float(2.0 * (found & true).sum() / total) if total else float("nan")
