"""The direction in which a head faces, fitted to its joints: any rotation, scale or mirroring may have been applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

HUMAN_JOINTS = {
    "root": (0.0, -0.165, -0.036),
    "neck": (0.0, -0.085, -0.034),
    "jaw": (0.0, 0.0, 0.002),
    "left_eye": (0.0348, 0.019, 0.0495),
    "right_eye": (-0.0348, 0.019, 0.0495),
}
"""Joints of the open head, metres, in the face model's axes. FLAME's lie similarly."""
_ALIGNED_DEGREES = 0.3  # axes nearer to those of the space are taken as equal to them: rounding, and uneven eyes
_UPRIGHT_DEGREES = 8.0  # the same of the up axis that was fitted to joints of another head
_MIRRORED = 0.5  # a mirrored fit must leave less than this part of the other's residual
_FLAT = 1e-6  # of the joints' largest extent: less means that they lie on a line


@dataclass(frozen=True, eq=False)
class HeadAxes:
    """A head's orientation and size in a space.

    Attributes:
        axes: (3, 3) orthogonal; the face's left, up and front as columns. Its determinant is -1 for a mirrored head.
        scale: units of the space per metre of the face model.
        residual: root mean square distance of the joints after the fit, metres of the face model.
    """

    axes: np.ndarray
    scale: float
    residual: float


def fit_axes(joints: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray] | None = None) -> HeadAxes | None:
    """The axes of a head, from where its joints are; None if they do not determine them.

    The rotation (or reflection) and scale that take the reference to the joints with the least squares (Kabsch;
    S. Umeyama, PAMI 13, 1991). Without a reference of this very head, left is the direction between its eyes, and up
    is an axis of the space where that is as likely as the fit.

    Args:
        joints: (3,) positions by joint name.
        reference: (3,) positions of the same head in the face model's axes, metres; None for a head that is not known.
    """
    known = HUMAN_JOINTS if reference is None else reference
    names = [name for name in known if name in joints]
    if not {"left_eye", "right_eye"} <= set(names) or len(names) < 3:
        return None
    wanted = np.array([known[name] for name in names], np.float64)
    found = np.array([joints[name] for name in names], np.float64)
    if not np.isfinite(found).all() or _is_line(found) or _is_line(wanted):
        return None
    wanted -= wanted.mean(0)
    found -= found.mean(0)
    fits = [best_rotation(wanted, found, handedness) for handedness in (1.0, -1.0)]
    best = fits[1] if fits[1].residual < _MIRRORED * fits[0].residual else fits[0]
    axes = best.axes
    if reference is None:
        axes = _upright(axes, np.asarray(joints["left_eye"], np.float64) - joints["right_eye"])
    return HeadAxes(_aligned(axes), best.scale, best.residual)


def best_rotation(wanted: np.ndarray, found: np.ndarray, handedness: float = 1.0) -> HeadAxes:
    """The rotation and scale that take some points to others with the least squares (S. Umeyama, PAMI 13, 1991).

    Args:
        wanted: (J, 3) points in the face model's axes, metres, centred.
        found: (J, 3) the same points in the space, centred.
        handedness: 1, or -1 for a reflection.
    """
    left, sizes, right = np.linalg.svd(found.T @ wanted)
    signs = np.array([1.0, 1.0, handedness * np.sign(np.linalg.det(left @ right))])
    axes = (left * signs) @ right
    scale = float((sizes * signs).sum() / (wanted**2).sum())
    residual = float(np.sqrt(((found / max(scale, 1e-12) - wanted @ axes.T) ** 2).sum(1).mean()))
    return HeadAxes(axes, scale, residual)


def _is_line(points: np.ndarray) -> bool:
    sizes = np.linalg.svd(points - points.mean(0), compute_uv=False)
    return bool(sizes[1] <= _FLAT * sizes[0])


def _upright(axes: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Axes with this left, and with an axis of the space as up if that lies near."""
    handedness = np.sign(np.linalg.det(axes))
    left = left / np.linalg.norm(left)
    nearest = nearest_axis(left)
    if left @ nearest > np.cos(np.radians(_ALIGNED_DEGREES)):
        left = nearest
    up = axes[:, 1]
    nearest = nearest_axis(up)
    if up @ nearest > np.cos(np.radians(_UPRIGHT_DEGREES)):
        up = nearest
    up = up - (up @ left) * left
    up /= np.linalg.norm(up)
    return np.stack([left, up, handedness * np.cross(left, up)], axis=1)


def _aligned(axes: np.ndarray) -> np.ndarray:
    """The axes, or those of the space if each lies near one."""
    nearest = np.stack([nearest_axis(column) for column in axes.T], axis=1)
    near = (axes * nearest).sum(0) > np.cos(np.radians(_ALIGNED_DEGREES))
    return nearest if near.all() else axes


def nearest_axis(direction: np.ndarray) -> np.ndarray:
    """(3,) the signed coordinate axis nearest a direction."""
    largest = int(np.argmax(np.abs(direction)))
    axis = np.zeros(3)
    axis[largest] = np.sign(direction[largest])
    return axis
