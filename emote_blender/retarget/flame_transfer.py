"""Motions of the open basis for FLAME heads and FLAME's for the open head, by what both do to the same places.

The displacements of the same places on both faces are compared (`correspondence`), those of the lips and of the gap
between them most. A linear map gives the coefficients and the jaw's rotation that explain them (ridge least squares);
per clip they are brought within their limits, without jumps, against the exact displacements with the jaw turned.
Where the source closes its lips the target's are closed too. What neither face's components do alike is carried over by
meaning: a blink is lids, the eyes' looks are rotations of the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..flame.refinement_maps import refinement_maps
from ..motion import FaceMotion
from .bounded_least_squares import Problem, solve
from .correspondence import correspondence
from .eyes_and_lids import BLINK, closed_lids, named_values, turned_eyes, with_blinks
from .face_points import FacePoints, LipPoints, lip_points_at, points_at
from .face_shape import FaceShape

_MISFIT_MM = 0.5  # what a displacement may be off without a reason
_PER_REGION = 12.0  # neighbouring points say the same: so many of them count as one
_NAMED_SIZE, _NUMBERED_SIZE, _JAW_RADIANS = 0.5, 1.0, 0.03  # usual sizes of coefficients, and by how much jaws differ
_NUMBERED_LIMIT = 5.0  # standard deviations
_JAW_LIMITS = ((-0.1, 0.7), (-0.2, 0.2), (-0.2, 0.2))  # radians
_LIP_WEIGHT, _GAP_WEIGHT = 4.0, 40.0  # of a point on the lips, and of the gap at a station, against another point
_SMOOTHNESS = 0.1  # of the change between frames at 25 fps, against the prior
_ROUNDS = 2  # with the exact displacements of the turned jaw
_CLOSED_MM, _PARTED_MM = 0.6, 2.0  # gap up to which lips are closed, and from which they are not
_SHUT_MM = 0.5  # gap up to which lips count as closed in the report, as `flame.measure.LIPS_CLOSED_GAP`
_SLACK_MM = 0.3  # a gap is right to this
_PART_FRAMES = 1000  # whose points are in memory at once
_MIDDLE = 3  # stations that count as the middle of the mouth
_CLOSING_ROUNDS = 4
_BY_JOINTS = ("eyeLook", "tongue")  # components that FLAME's joints have or nothing has


@dataclass(frozen=True, eq=False)
class Transfer:
    """From the coefficients of one face to those of another.

    Attributes:
        source_basis: name of the source's basis.
        target_basis: name of the target's basis.
        source_names: names of the source's components, or None.
        target_names: names of the target's components, or None.
        num_target: number of the target's components.
        source_columns: (M,) the source's components that are compared.
        target_columns: (N,) the target's components that are fitted.
        source: the source's points; those of the components `source_columns`.
        target: the target's points.
        source_lips: the source's lips.
        target_lips: the target's lips.
        point_weights: (P,) weight of each point.
        problem: the least squares; the last three coefficients are the jaw's rotation.
        closing: (N,) coefficients that bring the target's lips one millimetre nearer.
        opening: (N,) coefficients that part them by one millimetre.
        jaw_gap: millimetres by which a radian of the jaw parts the target's lips.
    """

    source_basis: str
    target_basis: str
    source_names: tuple[str, ...] | None
    target_names: tuple[str, ...] | None
    num_target: int
    source_columns: np.ndarray
    target_columns: np.ndarray
    source: FacePoints
    target: FacePoints
    source_lips: LipPoints
    target_lips: LipPoints
    point_weights: np.ndarray
    problem: Problem
    closing: np.ndarray
    opening: np.ndarray
    jaw_gap: float


def transfer_between(source: FaceShape, target: FaceShape) -> Transfer:
    """The transfer from one face to another; it takes some tenths of a second.

    Raises:
        ModelError: if a face has no mouth that its jaw opens, or no eyes.
    """
    source_columns = _columns(source, (*_BY_JOINTS, BLINK) if target.expression_names is None else _BY_JOINTS)
    target_columns = _columns(target, _BY_JOINTS)
    same = correspondence(source, target)
    target_points = points_at(target, same.second, target_columns)
    target_lips = lip_points_at(target, same.second_lips, target_columns)
    point_weights = (1.0 + (_LIP_WEIGHT - 1.0) * same.lip_nearness).astype(np.float32)
    named = target.expression_names is not None
    count = len(target_columns)
    size = np.r_[np.full(count, _NAMED_SIZE if named else _NUMBERED_SIZE), np.full(3, _JAW_RADIANS)]
    ridge = _PER_REGION * (_MISFIT_MM / size) ** 2
    limit = 1.0 if named else _NUMBERED_LIMIT
    jaw_low, jaw_high = np.array(_JAW_LIMITS).T
    lips = refinement_maps(
        target.vertices, target.directions[:, :, target_columns], target.jaw_weights, target.joints, named
    ).lips
    still = np.zeros((2, count), np.float32)
    gaps = target_lips.gap(still, np.array([[0.0, 0, 0], [0.1, 0, 0]]))[:, 0]
    transfer = Transfer(
        source.basis,
        target.basis,
        source.expression_names,
        target.expression_names,
        target.num_expression,
        source_columns,
        target_columns,
        points_at(source, same.first, source_columns),
        target_points,
        lip_points_at(source, same.first_lips, source_columns),
        target_lips,
        point_weights,
        Problem(
            np.zeros((count + 3, count + 3)),
            ridge,
            _SMOOTHNESS * ridge,
            np.r_[np.full(count, 0.0 if named else -limit), jaw_low],
            np.r_[np.full(count, limit), jaw_high],
        ),
        np.zeros(count) if lips is None else lips.closing,
        np.zeros(count) if lips is None else lips.opening,
        float(gaps[1] - gaps[0]) / 0.1,
    )
    return replace(transfer, problem=replace(transfer.problem, gram=_gram(transfer)))


def convert(transfer: Transfer, motion: FaceMotion) -> FaceMotion:
    """A motion of the source's basis in the target's. `meta["transfer"]` says how well it fits, in millimetres.

    Args:
        transfer: from the basis of the motion.
        motion: of the first components of the source, or of components that it names.
    """
    given = _source_coefficients(transfer, motion)
    source_lips = transfer.source_lips
    gap = source_lips.gap(given, motion.jaw) - source_lips.gap_at_rest()
    rate = max(motion.fps / 25.0, 1e-3) ** 2  # changes between frames are smaller at a higher rate
    problem = replace(transfer.problem, smoothness=transfer.problem.smoothness * rate)
    count = len(transfer.target_columns)
    prior = np.concatenate([np.zeros((len(given), count)), motion.jaw], axis=1)
    solution = prior
    for _ in range(_ROUNDS):
        left = np.einsum("tn,nm->tm", solution, problem.gram)
        for start in range(0, len(given), _PART_FRAMES):
            part = slice(start, start + _PART_FRAMES)
            left[part] += _left(transfer, given[part], motion.jaw[part], gap[part], solution[part])
        solution = solve(problem, left, prior)
    solution = _with_closures(transfer, solution, gap)
    some = np.unique(np.linspace(0, len(given) - 1, _PART_FRAMES).astype(int))
    misfit = np.linalg.norm(_misfit(transfer, given[some], motion.jaw[some], solution[some]), axis=2)
    fit = _fit(transfer, misfit) | _closure_fit(transfer, gap + source_lips.gap_at_rest(), solution)
    return _motion(transfer, motion, solution, fit)


def _misfit(transfer: Transfer, given: np.ndarray, jaw: np.ndarray, solution: np.ndarray) -> np.ndarray:
    """(T, P, 3) what the source's displacements are beyond the target's, mm."""
    count = len(transfer.target_columns)
    of_target = transfer.target.displaced(solution[:, :count], solution[:, count:])
    return transfer.source.displaced(given, jaw) - of_target


def _left(transfer: Transfer, given: np.ndarray, jaw: np.ndarray, gap: np.ndarray, solution: np.ndarray) -> np.ndarray:
    """(T, N + 3) products of the target's components with what is left of displacements and gaps (T, S)."""
    count, lips = len(transfer.target_columns), transfer.target_lips
    misfit = _misfit(transfer, given, jaw, solution).reshape(len(given), -1)
    left_gap = gap + lips.gap_at_rest() - lips.gap(solution[:, :count], solution[:, count:])
    found = np.einsum("tc,ac->ta", misfit, _weighted(transfer)).astype(np.float64)
    return found + _GAP_WEIGHT * left_gap @ _gap_directions(transfer).T


def _gap_directions(transfer: Transfer) -> np.ndarray:
    """(N + 3, S) by how much each coefficient parts the target's lips at each station, mm."""
    lips = transfer.target_lips
    both = np.concatenate([lips.points.directions, lips.points.jaw_directions()])
    height = both.reshape(len(both), -1, 3)[..., 1].reshape(len(both), 2, lips.num_stations, -1).mean(3)
    return height[:, 0] - height[:, 1]


def _both(transfer: Transfer) -> np.ndarray:
    """(N + 3, 3 P) directions of the target's points and of its jaw."""
    return np.concatenate([transfer.target.directions, transfer.target.jaw_directions()])


def _weighted(transfer: Transfer) -> np.ndarray:
    """(N + 3, 3 P) the same with the weight of each point."""
    return _both(transfer) * np.repeat(transfer.point_weights, 3)


def _gram(transfer: Transfer) -> np.ndarray:
    gaps = _gap_directions(transfer)
    products = np.einsum("ac,bc->ab", _both(transfer), _weighted(transfer))
    return products.astype(np.float64) + _GAP_WEIGHT * gaps @ gaps.T


def _with_closures(transfer: Transfer, solution: np.ndarray, source_gap: np.ndarray) -> np.ndarray:
    """The coefficients with the lips closed, and not pressed through each other, where the source closes them."""
    count = len(transfer.target_columns)
    lips, problem = transfer.target_lips, transfer.problem
    wanted = source_gap[:, :_MIDDLE].max(1)
    weight = 1.0 - np.clip((wanted - _CLOSED_MM) / (_PARTED_MM - _CLOSED_MM), 0.0, 1.0)
    at_rest = np.minimum(lips.gap_at_rest()[:_MIDDLE], _SLACK_MM)
    solution = solution.copy()
    for number in range(_CLOSING_ROUNDS):
        found = lips.gap(solution[:, :count], solution[:, count:])[:, :_MIDDLE] - at_rest
        parted = np.maximum(found.max(1) - np.maximum(wanted, 0.0), 0.0) * weight
        crossed = np.maximum(np.minimum(wanted, 0.0) - _SLACK_MM - found[:, 0], 0.0) * weight * (parted == 0)
        if max(parted.max(), crossed.max()) < _SLACK_MM / 10:
            break
        solution[:, :count] += parted[:, None] * transfer.closing + crossed[:, None] * transfer.opening
        if number and transfer.jaw_gap > 0:  # what the components could not do, the jaw does
            solution[:, count] -= parted / transfer.jaw_gap
        solution = np.clip(solution, problem.low, problem.high)
    return solution


def _columns(shape: FaceShape, left_out: tuple[str, ...]) -> np.ndarray:
    """Numbers of the components whose names begin otherwise; all of them in a basis without names."""
    names = shape.expression_names or [""] * shape.num_expression
    return np.array([index for index, name in enumerate(names) if not name.startswith(left_out)], np.intp)


def _source_coefficients(transfer: Transfer, motion: FaceMotion) -> np.ndarray:
    """(T, M) the motion's coefficients of the components that are compared; those that it lacks are zero."""
    whole = np.zeros((motion.num_frames, int(transfer.source_columns.max()) + 1), np.float32)
    names = motion.meta.get("expression_names")
    if names and transfer.source_names:
        number = {name: index for index, name in enumerate(names)}
        for column in transfer.source_columns:
            if transfer.source_names[column] in number:
                whole[:, column] = motion.expression[:, number[transfer.source_names[column]]]
    else:
        shared = min(whole.shape[1], motion.num_expression)
        whole[:, :shared] = motion.expression[:, :shared]
    return whole[:, transfer.source_columns]


def _motion(transfer: Transfer, motion: FaceMotion, solution: np.ndarray, fit: dict[str, Any]) -> FaceMotion:
    """The motion of the target's coefficients."""
    count = len(transfer.target_columns)
    expression = np.zeros((motion.num_frames, transfer.num_target), np.float32)
    expression[:, transfer.target_columns] = solution[:, :count]
    meta = dict(motion.meta)
    eyes, lids = motion.eyes, motion.lids
    given = named_values(motion)
    if transfer.target_names is None:
        meta.pop("expression_names", None)
        eyes, lids = turned_eyes(given, eyes), closed_lids(given, lids)
    else:
        meta["expression_names"] = list(transfer.target_names)
        expression, lids = with_blinks(expression, transfer.target_names, lids)
    meta["face"] = transfer.target_basis
    meta["transfer"] = {"from": transfer.source_basis, **fit}
    return replace(
        motion, expression=expression, jaw=solution[:, count:].astype(np.float32), eyes=eyes, lids=lids, meta=meta
    )


def _fit(transfer: Transfer, misfit: np.ndarray) -> dict[str, Any]:
    """Distances between the same places of both faces, mm."""
    lips = misfit[:, transfer.point_weights > 1.0]
    return {
        "mean_mm": round(float(misfit.mean()), 3),
        "percentile_95_mm": round(float(np.percentile(misfit, 95)), 3),
        "lips_mean_mm": round(float(lips.mean()), 3),
        "lips_percentile_95_mm": round(float(np.percentile(lips, 95)), 3),
    }


def _closure_fit(transfer: Transfer, source_gap: np.ndarray, solution: np.ndarray) -> dict[str, Any]:
    """Number of frames in which the source's lips are closed, and the target's widest gap in them, mm.

    Args:
        transfer: from one face to the other.
        source_gap: (T, S) gap of the source's lips.
        solution: (T, N + 3) the target's coefficients and jaw.
    """
    closed = source_gap[:, 0] <= _SHUT_MM
    if not closed.any():
        return {"closed_frames": 0}
    count = len(transfer.target_columns)
    gap = transfer.target_lips.gap(solution[closed, :count], solution[closed, count:])[:, 0]
    return {"closed_frames": int(closed.sum()), "closed_gap_mm": round(float(gap.max()), 3)}
