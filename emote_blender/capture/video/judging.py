"""Which frames' points cannot be trusted, as far as the points themselves show it.

The network's score of presence stays high on a covered face, so other signs are used: a face that is turned away, two
looks at the same frame that do not agree, skin of another colour, and places that jump away and back. What a fit leaves
over is judged by the fit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .appearance import LARGEST_PART, SKIN_POINTS, covered_parts
from .face_track import Reason

LARGEST_YAW = math.radians(55)
LARGEST_DISAGREEMENT = 0.02
"""Mean distance of the points of two looks at the same frame, in widths of the face: 0.002 is usual."""

_LEAST_PRESENCE = 0.5
_JUMP = 0.35  # widths of the face from the median of five frames
_JUMP_FRAMES = 2  # frames before, and as many after, that the median takes in

# Pairs of points that lie opposite each other: on the person's right, and on the left.
_PAIRS = np.array([(33, 263), (133, 362), (61, 291), (234, 454), (127, 356), (58, 288)])


@dataclass(frozen=True, eq=False)
class Second:
    """What the second pass saw in a frame.

    Attributes:
        seconds: time of the frame.
        reason: what the first pass found: NONE, NO_FACE or TOO_SMALL.
        is_break: whether the face was found anew.
        yaw: how far the face is turned to its side, radians.
        place: (3,) centre and width of the points, pixels; None if no face is followed.
        presence: how likely the crop shows a face, 0 to 1.
        disagreement: mean distance from the points of the first pass, in widths of the face.
        colors: what `appearance.skin_colors` gives; None if no face is followed.
    """

    seconds: float
    reason: Reason
    is_break: bool
    yaw: float = 0.0
    place: np.ndarray | None = None
    presence: float = 0.0
    disagreement: float = 0.0
    colors: np.ndarray | None = None


def yaw_of_points(points: np.ndarray) -> float:
    """How far a face is turned to its side, radians, from (478, 3) points."""
    across = (points[_PAIRS[:, 1]] - points[_PAIRS[:, 0]]).sum(0)
    return math.atan2(float(across[2]), math.hypot(float(across[0]), float(across[1])))


def place_of_points(points: np.ndarray) -> np.ndarray:
    """(3,) centre and width of (478, 3) points, in their unit."""
    flat = points[:, :2]
    return np.array([*flat.mean(0), np.ptp(flat, axis=0).max()])


def judge(looks: list[Second]) -> np.ndarray:
    """(T,) uint8, a `Reason` for each frame."""
    reasons = np.array([look.reason for look in looks], np.uint8)
    nothing = np.full((len(SKIN_POINTS), 3), np.nan, np.float32)
    covered = covered_parts(np.array([nothing if look.colors is None else look.colors for look in looks]))
    for index, look in enumerate(looks):
        if look.place is None or look.reason != Reason.NONE:
            continue
        if abs(look.yaw) > LARGEST_YAW:
            reasons[index] = Reason.TURNED_AWAY
        elif (
            look.presence < _LEAST_PRESENCE or look.disagreement > LARGEST_DISAGREEMENT or covered[index] > LARGEST_PART
        ):
            reasons[index] = Reason.COVERED
    reasons[(reasons == Reason.NONE) & _jumps(looks)] = Reason.JUMPED
    return reasons


def _jumps(looks: list[Second]) -> np.ndarray:
    """(T,) bool, frames in which the face is far from where it is just before and after."""
    jumps = np.zeros(len(looks), bool)
    places = np.array([np.full(3, np.nan) if look.place is None else look.place for look in looks])
    for index in np.flatnonzero(~np.isnan(places[:, 0])):
        # As many frames before as after, so that the median of a steady motion is its middle.
        for reach in range(min(_JUMP_FRAMES, index, len(looks) - 1 - index), 0, -1):
            around = places[index - reach : index + reach + 1]
            if np.isnan(around).any():
                continue
            x, y, width = np.median(around, axis=0)
            jumps[index] = math.hypot(places[index, 0] - x, places[index, 1] - y) > _JUMP * width
            break
    return jumps
