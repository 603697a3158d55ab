"""Visemes and vowels of a motion, fitted on the shape of the mouth.

Each frame's lips (their gap from corner to corner, width, how far they come forward) are made of the character's own
viseme shapes as they were measured, or of the open head's if its lips were not found: non-negative least squares with a
price on every viseme, so that one or two remain and not a mixture of all, and with inertia in time. Closed lips weigh
most, so that they close.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .bounded_least_squares import bounded_solution
from .calibration import Calibration
from .closures import CLOSED_MM, spoken, tucked
from .lips import LipShape
from .mapping import FaceMapping
from .visemes import PREFIX, canonical_shape

PRESSED = PREFIX + "PP"

_GAP, _WIDTH, _FORWARD, _LOWER = 1.5, 0.45, 0.8, 0.8  # weights of the parts of a shape, mm against mm
_PRESS_MM = 3.0  # by which p, b and m differ from lips that only touch
_PRESSED_MM = 1.2  # overlap of the open head's pressed lips
_CLOSED = 3.0  # factor on the gap's weight where lips are closed
_PRICE_MM = 0.4  # of a viseme, per mm of its size: a viseme costs as much as any mixture of its size
_RIDGE, _INERTIA = 0.002, 0.0005  # of the squared size of a viseme
_ROUNDS = 2
_SHARPNESS = 4.0
_SMALL, _LEAST_SHARE = 0.2, 0.3  # a viseme's price is 0.8 if it is the largest of the frame, and 3.3 if it is none
_LEAST_SCALE, _MOST_SCALE = 0.2, 3.0
_STILL_MM = 0.3


def uses_visemes(mapping: FaceMapping) -> bool:
    """Whether a table asks for signals of visemes."""
    return any(row.enabled and row.source.startswith(PREFIX) for row in mapping.rows)


def viseme_signals(
    mapping: FaceMapping,
    calibration: Calibration | None,
    signals: Mapping[str, np.ndarray],
    jaw: np.ndarray | None,
    source: LipShape,
    fps: float,
) -> dict[str, np.ndarray]:
    """(T,) float32 signals of the visemes that a table asks for, 0 to 1.

    Args:
        mapping: the table.
        calibration: what the character's own shapes do, or None if its lips were not found.
        signals: the motion's other signals, whose keys shape the mouth too.
        jaw: (T, 3) rotation of the character's jaw bone, or None.
        source: the open head's lips in the motion.
        fps: frames per second.
    """
    names = tuple(sorted({row.source for row in mapping.rows if row.enabled and row.source.startswith(PREFIX)}))
    canonical = _features(canonical_shape(names))  # (C, F)
    wanted = _features(source)  # (T, F)
    speaks = spoken(source.opening, fps)
    gap = slice(0, source.gap.shape[1])
    wanted[:, gap] = np.maximum(wanted[:, gap], -CLOSED_MM)
    if calibration is None:
        shapes = canonical
    else:
        shapes = _shapes_of(mapping, calibration, names)
        scale = _scale(shapes, canonical)
        shapes = shapes / scale
        others = calibration.lips.shape(calibration.values(mapping.evaluate(signals), len(wanted)), jaw)
        given = _features(others)
        given[:, gap] -= (1.0 - speaks)[:, None] * calibration.lips.rest_gap  # in silence it is as it is at rest
        wanted = wanted - given / scale
    pressed = speaks * np.clip(-source.opening / _PRESSED_MM, 0.0, 1.0) * (1.0 - tucked(signals))
    shapes = np.column_stack([shapes, [_PRESS_MM * (name == PRESSED) for name in names]])
    wanted = np.column_stack([wanted, _PRESS_MM * pressed])
    weights = np.column_stack([_weights(source), np.ones(len(wanted))])  # (T, F + 1)
    still = np.abs(shapes).max(1) < _STILL_MM
    found = _few_visemes(shapes, wanted, weights, np.where(still, 0.0, 1.0), _INERTIA * (fps / 25.0) ** 2)
    return dict(zip(names, np.ascontiguousarray(found.T, np.float32), strict=True))


def _few_visemes(
    shapes: np.ndarray, wanted: np.ndarray, weights: np.ndarray, high: np.ndarray, inertia: float
) -> np.ndarray:
    """(T, C) weights of few visemes whose shapes add up to what is wanted.

    Every viseme has a price in proportion to its size, so that a mixture costs no less than the one viseme that it
    looks like. Those that turn out small become dearer (reweighted l1: Candes, Wakin and Boyd, "Enhancing sparsity by
    reweighted l1 minimization", 2008).

    Args:
        shapes: (C, F) features of each viseme at 1.
        wanted: (T, F) features of each frame.
        weights: (T, F) how much each counts.
        high: (C,) greatest weight of each viseme.
        inertia: weight of the change from frame to frame, relative to a usual viseme's squared size.
    """
    squared = weights**2
    system = np.einsum("cf,tf,df->tcd", shapes, squared, shapes)
    aim = np.einsum("cf,tf,tf->tc", shapes, squared, wanted)
    size = np.sqrt(np.einsum("tcc->c", system) / len(system))
    usual = float(size.max()) ** 2
    system += np.diag(_RIDGE * size**2 + 1e-6 * max(usual, 1.0))
    # At first those are cheap that alone explain a frame nearly as well as the best one does.
    alone = np.clip(aim / np.maximum(size**2, 1e-9), 0.0, high)
    gain = alone * (2.0 * aim - alone * size**2)
    share = (gain / np.maximum(gain.max(1, keepdims=True), 1e-9)) ** _SHARPNESS
    found = np.zeros_like(aim)
    for _ in range(_ROUNDS):
        price = 1.0 / (share + _LEAST_SHARE)
        found = bounded_solution(system, aim - _PRICE_MM * size * price, 0.0, high, inertia * usual, found)
        beside = np.pad(found, ((1, 1), (0, 0)), mode="edge")
        share = (beside[:-2] + 2.0 * beside[1:-1] + beside[2:]) / 4.0
        share = share / np.maximum(share.max(1, keepdims=True), _SMALL)
    return found


def _features(shape: LipShape) -> np.ndarray:
    """(T, F) gap, width, forward and height of the lower lip, mm."""
    return np.concatenate([shape.gap, shape.width[:, None], shape.forward, shape.lower[:, None]], axis=1)


def _weights(source: LipShape) -> np.ndarray:
    """(T, F) how much each feature counts."""
    columns = source.gap.shape[1]
    closed = 1.0 - np.clip((source.gap - CLOSED_MM) / 1.5, 0.0, 1.0)
    gap = _GAP / np.sqrt(columns) * (1.0 + (_CLOSED - 1.0) * closed)
    others = np.broadcast_to([_WIDTH, _FORWARD, _FORWARD, _LOWER], (len(gap), 4))
    return np.concatenate([gap, others], axis=1)


def _shapes_of(mapping: FaceMapping, calibration: Calibration, names: tuple[str, ...]) -> np.ndarray:
    """(C, F) what each viseme at 1 changes in the features of the character's lips at rest."""
    signals = {name: (np.arange(len(names) + 1) == index).astype(np.float32) for index, name in enumerate(names)}
    shape = calibration.lips.shape(calibration.values(mapping.evaluate(signals), len(names) + 1))
    features = _features(shape)
    return features[:-1] - features[-1]


def _scale(shapes: np.ndarray, canonical: np.ndarray) -> np.ndarray:
    """(F,) how much further the character's visemes go than the canonical ones, by kind of feature.

    A drawn mouth may open by a third of a real one: its widest viseme stands for the widest of the open head.
    """
    gaps, width, forward, lower = (slice(*ends) for ends in ((0, -4), (-4, -3), (-3, -1), (-1, None)))
    scale = np.empty(shapes.shape[1])
    for part in (gaps, width, forward, lower):
        own, other = shapes[:, part], canonical[:, part]
        ratio = float((own * other).sum() / max(float((other * other).sum()), 1e-9))
        scale[part] = np.clip(ratio, _LEAST_SCALE, _MOST_SCALE)
    return scale
