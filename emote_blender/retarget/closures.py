"""Closed lips on a character where the motion closes the open head's: the last step of calibration, per frame.

Whatever parts or presses the lips yields a little: the gap in each column of the mouth is brought between two limits
that follow the open head's gap. Frames that keep to them stay as they are, and no value leaves its row's limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .bounded_least_squares import bounded_solution
from .calibration import Calibration
from .lips import Lips, LipShape
from .mapping import KEY, FaceMapping

CLOSED_MM = 0.8
"""Lips of the open head with a smaller gap, relative to that at rest, are closed; 0.5 mm in `flame.measure.lip_gap`."""

_TARGET_MM = 0.25  # gap of closed lips on the character
_OVERLAP_MM = -0.4  # below this they press through each other
_WIDENING = 3.0  # mm that the character's lips may part for each mm beyond CLOSED_MM
_SPOKEN_SECONDS = 0.4  # lips that part within this time speak
_SPOKEN_MM = (0.5, 2.0)
_BLOCK = 2000  # frames that are solved at a time
_STEPS = 4  # of Gauss and Newton; the lowest point of a lip changes as it moves
_NO_EFFECT_MM = 0.3  # of a key at 1
_RIDGE_MM = 0.4  # movement below which a key is not worth changing
_TUCKED = (0.25, 0.6)  # of mouthRollLower: f and v, where the lower lip goes behind the upper one

_PARTING = ("jawOpen", "mouthLowerDown", "mouthUpperUp", "mouthFunnel", "mouthPucker", "mouthShrugUpper", "viseme_")
_CLOSING = ("mouthClose", "viseme_PP", "mouthPress", "mouthRoll", "mouthShrugLower")
_FEELING = ("mouthSmile", "mouthFrown", "mouthStretch", "mouthDimple", "noseSneer", "jawForward")
_RELUCTANCE = 5.0  # of keys that show feelings, which yield last


@dataclass(frozen=True, eq=False)
class _Freedom:
    """Which of a character's keys may change, and how far.

    Attributes:
        keys: (F,) their places among the keys.
        span: (F,) range of values that the table allows; the unit of the following.
        low: (F,) least value.
        high: (F,) greatest value.
        grows: (F,) bool, whether the value may grow.
        reluctance: (F,) how much less than others it changes.
    """

    keys: np.ndarray
    span: np.ndarray
    low: np.ndarray
    high: np.ndarray
    grows: np.ndarray
    reluctance: np.ndarray


def close_lips(
    calibration: Calibration,
    mapping: FaceMapping,
    values: np.ndarray,
    jaw: np.ndarray | None,
    source: LipShape,
    signals: Mapping[str, np.ndarray],
    fps: float,
) -> tuple[np.ndarray, np.ndarray | None]:
    """The values (T, C) of a character's keys and the rotation (T, 3) of its jaw with the lips closed in speech.

    Args:
        calibration: its lips; values are in their order.
        mapping: the table of its keys.
        values: (T, C) values of the keys.
        jaw: (T, 3) rotation of its jaw bone as axis-angle, or None.
        source: the open head's lips in the motion.
        signals: the motion's signals by name.
        fps: frames per second.
    """
    lips = calibration.lips
    most, least = _limits(lips, source, signals, fps)
    gap = lips.shape(values, jaw).gap
    wrong = np.flatnonzero(((gap > most) | (gap < least)).any(1))
    if not len(wrong):
        return values, jaw
    freedom = _freedom(lips, mapping)
    values, jaw = values.copy(), None if jaw is None else jaw.copy()
    for start in range(0, len(wrong), _BLOCK):
        frames = wrong[start : start + _BLOCK]
        turned = None if jaw is None else jaw[frames]
        solved, share = _within_limits(lips, freedom, values[frames], turned, most[frames], least[frames])
        values[frames] = solved
        if jaw is not None:
            jaw[frames] *= share
    return values, jaw


def _within_limits(
    lips: Lips,
    freedom: _Freedom,
    values: np.ndarray,
    jaw: np.ndarray | None,
    most: np.ndarray,
    least: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The values (T, C) of the keys, and the share (T, 1) of the jaw's rotation, that keep the gaps within limits.

    Args:
        lips: the character's lips.
        freedom: what may change.
        values: (T, C) values of the keys.
        jaw: (T, 3) rotation of its jaw bone, or None.
        most: (T, K) greatest gap, mm.
        least: (T, K) least gap.
    """
    solved = values.astype(np.float64)
    first, share = solved[:, freedom.keys] / freedom.span, np.ones((len(solved), 1))
    low = np.minimum(first, freedom.low)
    high = np.where(freedom.grows, np.maximum(first, freedom.high), first)
    ridge = np.diag((_RIDGE_MM * np.append(freedom.reluctance, 1.0)) ** 2)
    for _ in range(_STEPS):
        turned = None if jaw is None else share * jaw
        gap = lips.shape(solved, turned).gap
        excess = np.maximum(gap - most, 0.0) + np.minimum(gap - least, 0.0)  # (T, K) mm too far apart, or together
        slopes = _slopes(lips, solved, turned, freedom)  # (T, K, F + 1)
        slopes[excess == 0] = 0.0
        system = np.einsum("tki,tkj->tij", slopes, slopes) + ridge
        now = solved[:, freedom.keys] / freedom.span
        step = bounded_solution(
            system,
            -np.einsum("tki,tk->ti", slopes, excess),
            np.concatenate([low - now, -share], axis=1),
            np.concatenate([high - now, 1.0 - share], axis=1),
        )
        solved[:, freedom.keys] = (now + step[:, :-1]) * freedom.span
        share = share + step[:, -1:]
    return solved, share


def _limits(
    lips: Lips, source: LipShape, signals: Mapping[str, np.ndarray], fps: float
) -> tuple[np.ndarray, np.ndarray]:
    """(T, K) greatest and least gap of the character's lips, mm."""
    speaks = spoken(source.opening, fps)[:, None]
    # Rounded lips touch and overlap near the corners while they are open in the middle: that is no closure.
    middle = source.opening[:, None]
    most = _TARGET_MM + _WIDENING * np.maximum(np.maximum(source.gap, middle) - CLOSED_MM, 0.0)
    most = most + (1.0 - speaks) * np.maximum(lips.rest_gap, 0.0)
    least = _OVERLAP_MM - _WIDENING * np.maximum(middle - CLOSED_MM, 0.0)
    return most, least + tucked(signals)[:, None] * np.minimum(source.gap - _OVERLAP_MM, 0.0)


def tucked(signals: Mapping[str, np.ndarray]) -> np.ndarray:
    """(T,) how far the lower lip is behind the upper one, 0 to 1, as in f and v."""
    return _rise(signals["mouthRollLower"], *_TUCKED)


def spoken(opening: np.ndarray, fps: float) -> np.ndarray:
    """(T,) 1 where the lips part shortly before or after, 0 in silence."""
    reach = max(1, round(_SPOKEN_SECONDS * fps))
    padded = np.pad(opening, reach, mode="edge")
    nearness = np.cos(np.linspace(-0.5, 0.5, 2 * reach + 3)[1:-1] * np.pi) ** 2
    return _rise((np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1) * nearness).max(1), *_SPOKEN_MM)


def _rise(values: np.ndarray, start: float, end: float) -> np.ndarray:
    part = np.clip((values - start) / (end - start), 0.0, 1.0)
    return part * part * (3.0 - 2.0 * part)


def _freedom(lips: Lips, mapping: FaceMapping) -> _Freedom:
    """What the closing of the lips may change."""
    place = {name: index for index, name in enumerate(lips.names)}
    low, high = np.zeros(len(place)), np.zeros(len(place))
    grows, used = np.zeros(len(place), bool), np.zeros(len(place), bool)
    reluctance = np.full(len(place), _RELUCTANCE)
    for row in mapping.rows:
        if row.enabled and row.channel == KEY and row.target in place:
            index = place[row.target]
            low[index] += row.low
            high[index] += row.high
            grows[index] |= row.source.startswith(_CLOSING)
            used[index] |= row.source.startswith(_PARTING + _CLOSING + _FEELING)
            if row.source.startswith(_PARTING + _CLOSING):
                reluctance[index] = 1.0
    span = high - low
    keys = np.flatnonzero(used & (np.abs(lips.directions).max((0, 1)) * span > _NO_EFFECT_MM))
    span = span[keys]
    return _Freedom(keys, span, low[keys] / span, high[keys] / span, grows[keys], reluctance[keys])


def _slopes(lips: Lips, values: np.ndarray, jaw: np.ndarray | None, freedom: _Freedom) -> np.ndarray:
    """(T, K, F + 1) mm by which each key over its span parts the lips in each column, and all of the jaw's rotation."""
    posed = lips.posed(values, jaw)[..., 1]
    upper, lower = lips.mouth.upper, lips.mouth.lower
    columns = np.arange(len(upper))
    lowest = upper[columns, posed[:, upper].argmin(2)]  # (T, K) points
    highest = lower[columns, posed[:, lower].argmax(2)]
    up = lips.directions[:, 1, freedom.keys] * freedom.span
    slopes = np.zeros((*lowest.shape, len(freedom.keys) + 1))
    slopes[..., :-1] = up[lowest] - up[highest]
    if jaw is not None:
        by_jaw = posed - lips.posed(values, None)[..., 1]
        slopes[..., -1] = np.take_along_axis(by_jaw, lowest, 1) - np.take_along_axis(by_jaw, highest, 1)
    return slopes
