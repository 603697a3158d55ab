"""Where a face looks: its left, up and front, fitted to what its shape keys move and where its joints lie.

The place that a shape key moves most (`centre_of`) is compared with the same place on the open head. Left and right
shapes lie symmetrically, so that the axis of the jaw is exact on any symmetric face; how far up is tilted depends on
how much the face resembles the open head from the side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..flame.head_axes import HUMAN_JOINTS, best_rotation

CENTRES_MM = {
    "eyeBlinkLeft": (35.6, 28.4, 67.2),
    "eyeBlinkRight": (-35.6, 28.4, 67.2),
    "eyeWideLeft": (36.4, 31.0, 67.8),
    "eyeWideRight": (-36.4, 31.0, 67.8),
    "browDownLeft": (25.9, 51.7, 78.1),
    "browDownRight": (-25.9, 51.7, 78.1),
    "browInnerUp": (0.0, 51.8, 80.8),
    "browOuterUpLeft": (42.6, 53.8, 68.8),
    "browOuterUpRight": (-42.6, 53.8, 68.8),
    "cheekSquintLeft": (37.9, 2.6, 69.8),
    "cheekSquintRight": (-37.9, 2.6, 69.8),
    "noseSneerLeft": (16.6, 0.7, 81.8),
    "noseSneerRight": (-16.6, 0.7, 81.8),
    "mouthSmileLeft": (23.4, -41.4, 77.0),
    "mouthSmileRight": (-23.4, -41.4, 77.0),
    "mouthFrownLeft": (22.2, -42.8, 77.9),
    "mouthFrownRight": (-22.2, -42.8, 77.9),
    "mouthPucker": (0.0, -42.9, 78.8),
    "mouthFunnel": (0.0, -43.3, 80.2),
    "jawOpen": (0.0, -55.5, 67.6),
    "viseme_aa": (0.0, -55.5, 67.6),
    "viseme_oh": (0.0, -54.9, 68.3),
    "viseme_ou": (0.0, -46.5, 75.5),
}
"""Centre of what each signal moves on the open head, mm: left, up and front of the middle between the ears."""

JOINTS_MM = {role: 1000.0 * np.array(HUMAN_JOINTS[role]) for role in ("jaw", "left_eye", "right_eye")}
"""The open head's joints in the same axes. Neck bones lie too differently from rig to rig."""

_MOST_MISFIT = 0.35  # of the spread of the points: what does not resemble a face


@dataclass(frozen=True, eq=False)
class FacePlace:
    """Where a face lies in a space.

    Attributes:
        axes: (3, 3) its left, up and front as columns, orthonormal.
        scale: units of the space per metre of a head of the open head's size.
        origin: (3,) the middle between the ears.
        misfit: root mean square of what the points are off, as a share of their spread.
    """

    axes: np.ndarray
    scale: float
    origin: np.ndarray
    misfit: float

    def on_open_head(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) points of the space as metres on a head of the open head's size: left, up, front.

        Args:
            points: (..., 3).
        """
        return (points - self.origin) @ self.axes / self.scale


def centre_of(points: np.ndarray, displacements: np.ndarray) -> np.ndarray | None:
    """(3,) the centre of what a shape moves, weighted by the square of the distance; None if it moves nothing.

    Args:
        points: (V, 3) the mesh at rest.
        displacements: (V, 3).
    """
    weights = np.einsum("vc,vc->v", displacements, displacements, dtype=np.float64)
    total = weights.sum()
    return np.einsum("v,vc->c", weights, points, dtype=np.float64) / total if total > 0 else None


def halves_of(points: np.ndarray, displacements: np.ndarray) -> np.ndarray | None:
    """(2, 3) centres of the two halves of what a shape moves on both sides; None if it moves too little.

    The halves lie apart along the line in which what it moves is longest; which of them is the left one stays open.

    Args:
        points: (V, 3) the mesh at rest.
        displacements: (V, 3).
    """
    middle = centre_of(points, displacements)
    if middle is None:
        return None
    weights = np.einsum("vc,vc->v", displacements, displacements, dtype=np.float64)
    off = points - middle
    line = np.linalg.eigh(np.einsum("v,va,vb->ab", weights, off, off))[1][:, -1]
    first = off @ line > 0
    halves = [centre_of(points[half], displacements[half]) for half in (first, ~first)]
    return None if halves[0] is None or halves[1] is None else np.stack([halves[0], halves[1]])


def fit_face_of_pairs(
    centres: Mapping[str, np.ndarray],
    pairs: Mapping[str, np.ndarray],
    joints: Mapping[str, np.ndarray] | None = None,
    behind: np.ndarray | None = None,
) -> FacePlace | None:
    """As `fit_face`, with shapes that move both sides, and with names whose left may be the viewer's.

    What shapes move of a face lies nearly in one plane, so that a face whose left and right are swapped fits well
    if it looks backwards. Of several ways to name the sides, one is taken by which the face does not look into the
    head, then the one that follows the names, then the one that fits best.

    Args:
        centres: (3,) centre of what a signal moves, by the signal's name.
        pairs: (2, 3) centres of the halves of what a shape moves, by the signal's name without its side.
        joints: (3,) place of a joint by its role.
        behind: (3,) direction from the face into the head, or None if it is not known.
    """
    across = np.subtract(*next(iter(pairs.values()))) if pairs else np.zeros(3)
    found = []
    for is_swapped in (False, True):
        named = {_other_side(name): point for name, point in centres.items()} if is_swapped else dict(centres)
        for sign in (1.0, -1.0) if pairs else (1.0,):
            sided = dict(named)
            for stem, (one, other) in pairs.items():
                left, right = (one, other) if (one - other) @ across * sign > 0 else (other, one)
                sided |= {f"{stem}Left": left, f"{stem}Right": right}
            place = fit_face(sided, joints)
            if place is not None:
                looks_in = behind is not None and float(place.axes[:, 2] @ behind) > 0
                found.append((looks_in, is_swapped, place.misfit, place))
    return min(found, key=lambda each: each[:3])[3] if found else None


def _other_side(name: str) -> str:
    """The name of a signal on the other side."""
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    return name.removesuffix("Right") + "Left" if name.endswith("Right") else name


def direction_into_head(points: np.ndarray, centres: np.ndarray) -> np.ndarray | None:
    """(3,) direction from what shapes move of a face to the rest of the head; None without vertices near it.

    Args:
        points: (V, 3) the mesh at rest, perhaps with a body.
        centres: (N, 3) centres of what shapes move.
    """
    middle = centres.mean(axis=0)
    reach = 2.0 * float(np.sqrt(((centres - middle) ** 2).sum(axis=1).mean()))
    off = points - middle.astype(points.dtype)
    near = np.einsum("vc,vc->v", off, off) < reach**2
    return off[near].mean(axis=0, dtype=np.float64) if near.any() else None


def fit_face(centres: Mapping[str, np.ndarray], joints: Mapping[str, np.ndarray] | None = None) -> FacePlace | None:
    """Where a face lies by the centres of its shapes and by its joints, or None if they do not decide it.

    The rotation, scale and translation of the open head's points to these, by least squares (Umeyama 1991).

    Args:
        centres: (3,) centre of what a signal moves, by the signal's name; names without a known place are ignored.
        joints: (3,) place of a joint by its role.
    """
    known = {**CENTRES_MM, **JOINTS_MM}
    found = [(known[name], point) for name, point in [*centres.items(), *(joints or {}).items()] if name in known]
    if len(found) < 3:
        return None
    head = np.array([place for place, _ in found]) / 1000.0
    space = np.array([point for _, point in found], np.float64)
    head_middle, middle = head.mean(axis=0), space.mean(axis=0)
    head, space = head - head_middle, space - middle
    spread = np.sqrt((space**2).sum() / len(space))
    # Points on a line leave the turn about it open.
    if spread == 0 or np.linalg.svd(head, compute_uv=False)[1] < 0.02:
        return None
    fit = best_rotation(head, space)
    misfit = fit.residual * fit.scale / float(spread)
    if fit.scale <= 0 or misfit > _MOST_MISFIT:
        return None
    return FacePlace(fit.axes, fit.scale, middle - fit.scale * fit.axes @ head_middle, misfit)
