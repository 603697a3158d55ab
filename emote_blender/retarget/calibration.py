"""What a character's mouth needs so that its lips do what the open head's do: factors on signals, found once.

Shapes at 1 differ between characters: `jawOpen` opens one mouth by 15 mm and the next by 40, `mouthClose` closes too
little or too much. Each is measured on the character's lips. Strengths of the table stay the user's: the factors
are found with strengths of 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from .lips import Lips, LipShape, open_lips
from .mapping import KEY, FaceMapping, MappingRow
from .signals import JAW_OPEN_RADIANS

LEAST, MOST = 0.3, 3.0
"""Limits of the factors."""

_USUAL, _LOUD = 0.3, 0.5  # of jawOpen, what a stressed and what a loud vowel have
_STILL_MOVES = 0.25  # of the usual movement, at least
_LARGEST_PLAIN = 2.0  # rows that give more move a shape key whose whole shape is there
_NO_EFFECT_MM = 0.5
_CLOSES = 0.5  # part of the jaw's opening that a key must close to be used for it
_REACHED = 0.98  # of the widest opening: further values of a clamped row change nothing
_CORNERS = ("mouthSmile", "mouthStretch", "mouthDimple", "mouthFrown")
_FURTHER = 1.25  # the corners of a mouth may move further than the open head's by this


@dataclass(frozen=True, eq=False)
class Calibration:
    """How a character's mouth differs from the open head's.

    Attributes:
        lips: its lips, in the order of the shape keys that the table moves.
        factors: factor on each signal that needs one.
        jaw_yields: whether no key closes the lips of an open jaw, so that the jaw opens less instead.
    """

    lips: Lips
    factors: Mapping[str, float] = field(default_factory=dict)
    jaw_yields: bool = False

    def signals(self, signals: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The signals with the factors; (T,) by name."""
        changed = dict(signals)
        if self.jaw_yields:
            changed["jawOpen"] = np.maximum(changed["jawOpen"] - np.maximum(changed["mouthClose"], 0.0), 0.0)
        for name, factor in self.factors.items():
            changed[name] = changed[name] * np.float32(factor)
        return changed

    def values(self, moved: Mapping[tuple[str, str], np.ndarray], num_frames: int) -> np.ndarray:
        """(T, C) values of the shape keys in the order of `lips.names`."""
        values = np.zeros((num_frames, len(self.lips.names)), np.float32)
        for index, name in enumerate(self.lips.names):
            values[:, index] = moved.get((name, KEY), 0.0)
        return values


def calibrate(mapping: FaceMapping, jaw_is_bone: bool, lips: Lips) -> Calibration:
    """The calibration of a character.

    Args:
        mapping: the table of its shape keys.
        jaw_is_bone: whether a bone opens its mouth.
        lips: its lips, as its own mesh was measured.
    """
    plain = replace(mapping, rows=tuple(map(_with_full_strength, mapping.rows)))
    factors: dict[str, float] = {}

    def shape(**signals: np.ndarray) -> LipShape:
        """The character's lips for these signals, with the factors found so far."""
        scaled = {name: values * factors.get(name, 1.0) for name, values in signals.items()}
        num_frames = len(next(iter(scaled.values())))
        jaw = np.zeros((num_frames, 3))
        if jaw_is_bone:
            jaw[:, 0] = scaled.pop("jawOpen", np.zeros(num_frames)) * JAW_OPEN_RADIANS
        scaled["_frames"] = np.zeros(num_frames)
        return lips.shape(Calibration(lips).values(plain.evaluate(scaled), num_frames), jaw)

    factors["jawOpen"] = _jaw_factor(shape, np.sqrt(lips.width / open_lips().width))
    close = _close_factor(shape)
    factors["mouthClose"] = 1.0 if close is None else close
    factors |= _corner_factors(shape)
    return Calibration(lips, {name: factor for name, factor in factors.items() if factor != 1.0}, close is None)


def _with_full_strength(row: MappingRow) -> MappingRow:
    """A row that gives a signal of 1 as the whole shape: 1, or 10 for a shape key whose values go up to that."""
    whole = row.high if row.high > _LARGEST_PLAIN else 1.0
    return replace(row, strength=float(np.sign(row.strength)) * whole, offset=0.0)


def _open_shape(jaw: float = 0.0, **components: float) -> LipShape:
    """The open head's lips in a pose: the jaw in radians, components by name."""
    lips = open_lips()
    values = np.zeros((1, len(lips.names)))
    for name, value in components.items():
        values[0, lips.names.index(name)] = value
    return lips.shape(values, np.array([[jaw, 0.0, 0.0]]))


def _jaw_factor(shape: Callable[..., LipShape], size: float) -> float:
    """The factor by which jawOpen opens the mouth as far as the open head's; 1 if it does not open it.

    Args:
        shape: the character's lips for signals.
        size: how far its mouth opens, relative to the open head's: a drawn face has large eyes and a small mouth.
    """
    factors = np.geomspace(LEAST, MOST, 80)
    opening = shape(jawOpen=_USUAL * factors).opening
    opening = opening - shape(jawOpen=np.zeros(1)).opening
    if opening.max() < _NO_EFFECT_MM:
        return 1.0
    wanted = size * float(_open_shape(_USUAL * JAW_OPEN_RADIANS).opening[0])
    # A mouth that is open at rest needs less of the jaw: as much as makes a loud vowel alike.
    at_rest = max(float(shape(jawOpen=np.zeros(1)).opening[0]), 0.0)
    wanted = max(wanted - at_rest * _USUAL / _LOUD, _STILL_MOVES * wanted)
    wanted = min(wanted, _REACHED * float(opening.max()))
    return float(np.interp(wanted, np.maximum.accumulate(opening), factors))


def _close_factor(shape: Callable[..., LipShape]) -> float | None:
    """The factor by which mouthClose closes the lips of an open jaw; None if it cannot."""
    factors = np.linspace(0.0, MOST, 121)
    gap = shape(jawOpen=np.full(len(factors), _USUAL), mouthClose=_USUAL * factors).opening
    if gap[0] < _NO_EFFECT_MM:
        return 1.0  # nothing opens
    if gap.min() > (1.0 - _CLOSES) * gap[0]:
        return None
    least = np.minimum.accumulate(gap)
    wanted = max(0.0, float(least[-1]) / _REACHED)
    return max(float(np.interp(-wanted, -least, factors)), LEAST)


def _corner_factors(shape: Callable[..., LipShape]) -> dict[str, float]:
    """Factors below 1 for signals that move the corners of the mouth much further than the open head's."""
    factors = {}
    for name in (stem + side for stem in _CORNERS for side in ("Left", "Right")):
        moved = _reach(shape(**{name: np.ones(1)}))
        wanted = _FURTHER * _reach(_open_shape(**{name: 1.0}))
        if moved > wanted:
            factors[name] = max(wanted / moved, LEAST)
    return factors


def _reach(shape: LipShape) -> float:
    """How far a corner moves, mm."""
    return float(np.linalg.norm(shape.corners[0], axis=-1).max())
