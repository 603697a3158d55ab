"""The fit of every frame of a clip: pose, expression, jaw and gaze, by bounded Gauss-Newton steps.

All frames take their steps together. Neighbours in time are tied to each other, in both directions alike, but not
across a cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....retarget.bounded_least_squares import bounded_solution
from .blinks import held_in_blinks
from .camera import Camera, HeadPose, rigid_pose
from .equations import equations, landmark_weights, linearised
from .fitted_face import FittedFace
from .observed import Observed
from .prior import Prior

_ROUNDS = 5
_BLOCK = 8  # frames whose rows are worked out at once: what fits into a processor's cache
_SPAN, _MARGIN = 512, 12  # frames that are solved together, and how many on either side are solved twice
_TIE = 10.0  # weight of a squared change between frames at 25 fps, against the prior's precision
_SETTLED = 1e-3
_SOLVER_STEPS = 60
_STEADY = 1e-4  # m² or rad², of the pose's steps


@dataclass(frozen=True, eq=False)
class FrameFit:
    """The unknowns of frames.

    Attributes:
        pose: of the head.
        values: (T, N + 3) the others, the jaw in its unit.
        residual: (T,) metres.
    """

    pose: HeadPose
    values: np.ndarray
    residual: np.ndarray


def fit_frames(
    face: FittedFace,
    camera: Camera,
    prior: Prior,
    pixels: np.ndarray,
    ties: np.ndarray | float = 0.0,
    observed: Observed | None = None,
) -> FrameFit:
    """The fit of frames.

    Args:
        face: the head, with the person's identity and offsets.
        camera: the camera.
        prior: of the unknowns.
        pixels: (T, L, 2) the landmarks.
        ties: (T - 1,) weight of the change from each frame to the next (`ties_of`); 0 if they are no neighbours.
        observed: what is known beside the landmarks.
    """
    ties = np.broadcast_to(ties, (max(len(pixels) - 1, 0),))
    parts = []
    for start in range(0, len(pixels), _SPAN):
        stop = min(start + _SPAN, len(pixels))
        span = slice(max(0, start - _MARGIN), min(len(pixels), stop + _MARGIN))
        inside = slice(span.start, max(span.stop - 1, 0))
        found = _fit_span(face, camera, prior, pixels[span], ties[inside], observed.part(span) if observed else None)
        parts.append((found, slice(start - span.start, stop - span.start)))
    pose = HeadPose(
        np.concatenate([found.pose.rotation[kept] for found, kept in parts]),
        np.concatenate([found.pose.translation[kept] for found, kept in parts]),
    )
    values = np.concatenate([found.values[kept] for found, kept in parts])
    return FrameFit(pose, values, np.concatenate([found.residual[kept] for found, kept in parts]))


def ties_of(times: np.ndarray, shots: np.ndarray) -> np.ndarray:
    """(T - 1,) weight of the change from each frame to the next: the less, the more time is between; none at a cut.

    Args:
        times: (T,) seconds, ascending.
        shots: (T,) number of the shot that each frame belongs to.
    """
    # The same motion at twice the frame rate makes half the change in twice as many steps.
    return np.where(np.diff(shots) == 0, _TIE / (25.0 * np.diff(times)) ** 2, 0.0)


def _fit_span(
    face: FittedFace, camera: Camera, prior: Prior, pixels: np.ndarray, ties: np.ndarray, observed: Observed | None
) -> FrameFit:
    pose = rigid_pose(camera, face.rest, pixels, landmark_weights())
    values = np.broadcast_to(np.clip(prior.mean, face.low, face.high), (len(pixels), face.num_values)).copy()
    residual = np.zeros(len(pixels))
    known = observed
    for _ in range(_ROUNDS):
        pose, changed, residual = step(face, camera, prior, pose, values, pixels, ties, known)
        done = np.abs(changed - values).max() < _SETTLED
        values = changed
        if done:
            break
        held = held_in_blinks(face, values, ties)
        known = observed.and_also(held) if observed and held else observed or held
    return FrameFit(pose, values, residual)


def step(
    face: FittedFace,
    camera: Camera,
    prior: Prior,
    pose: HeadPose,
    values: np.ndarray,
    pixels: np.ndarray,
    ties: np.ndarray | float,
    observed: Observed | None = None,
) -> tuple[HeadPose, np.ndarray, np.ndarray]:
    """A step of all frames: their pose, their other unknowns (T, N + 3), and the residual (T,) before it, metres."""
    found = [
        equations(linearised(face, camera, pose[block], values[block], pixels[block]))
        for block in (slice(start, start + _BLOCK) for start in range(0, len(pixels), _BLOCK))
    ]
    system = np.concatenate([part.system for part in found])
    wanted = np.concatenate([part.wanted for part in found])
    system[:, range(6), range(6)] += _STEADY
    # The pose has no limits: it is eliminated, and follows from the rest.
    of_pose, mixed = system[:, :6, :6], system[:, :6, 6:]
    eliminated = np.linalg.solve(of_pose, np.concatenate([mixed, wanted[:, :6, None]], axis=2))  # (T, 6, N + 4)
    reduced = system[:, 6:, 6:] - np.swapaxes(mixed, 1, 2) @ eliminated[:, :, :-1]
    left = wanted[:, 6:] - np.einsum("tpn,tp->tn", mixed, eliminated[:, :, -1])
    left += np.einsum("tnm,tm->tn", reduced, values) + prior.precision @ prior.mean
    reduced = reduced + prior.precision
    if observed is not None:
        column = np.arange(face.num_values)
        reduced[:, column, column] += observed.weight
        left += observed.weight * observed.mean
    changed = bounded_solution(reduced, left, face.low, face.high, ties, values, _SOLVER_STEPS)
    moved = eliminated[:, :, -1] - np.einsum("tpn,tn->tp", eliminated[:, :, :-1], changed - values)
    return pose.moved(moved), changed, np.concatenate([part.residual for part in found])
