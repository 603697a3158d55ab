"""The shape of a person's face, once per clip, and where this person's landmarks lie beside it."""

from __future__ import annotations

import numpy as np

from .camera import Camera, HeadPose, rigid_pose
from .equations import PAIRS, Linearised, landmark_weights, linearised
from .fitted_face import FittedFace
from .frames import step
from .observed import Observed
from .prior import Prior

_ROUNDS = 5
_LIMIT = 2.0  # of an identity coefficient, in standard deviations
_TIE = 0.0  # the frames are no neighbours
_STEPS_PER_ROUND = 2
_STEADY = 1e-4
_AT_LIMIT, _HELD = 1e-6, 1e6  # how near a value is to its limit, and the precision by which it then stays there


def identity_of_frames(
    face: FittedFace, camera: Camera, prior: Prior, pixels: np.ndarray, observed: Observed | None = None
) -> np.ndarray:
    """(S,) identity coefficients by which frames of any expression are explained best.

    Args:
        face: the mean face.
        camera: the camera.
        prior: of the expressions.
        pixels: (K, L, 2) landmarks of some frames, different ones if possible.
        observed: what is known of their expressions beside the landmarks.
    """
    shape = np.zeros(face.identity.shape[2])
    pose = rigid_pose(camera, face.rest, pixels, landmark_weights())
    values = np.broadcast_to(np.clip(prior.mean, face.low, face.high), (len(pixels), face.num_values)).copy()
    for _ in range(_ROUNDS):
        person = face.with_identity(shape)
        for _ in range(_STEPS_PER_ROUND):
            pose, values, _ = step(person, camera, prior, pose, values, pixels, _TIE, observed)
        rows = linearised(person, camera, pose, values, pixels)
        others = np.concatenate([rows.pose, rows.values], axis=2)
        precision = np.zeros((len(pixels), others.shape[2], others.shape[2]))
        precision[:, 6:, 6:] = prior.precision
        pull = np.zeros(others.shape[::2])
        pull[:, 6:] = (prior.mean - values) @ prior.precision
        if observed is not None:
            column = 6 + np.arange(face.num_values)
            precision[:, column, column] += observed.weight
            pull[:, 6:] += observed.weight * (observed.mean - values)
        held = (values <= face.low + _AT_LIMIT) | (values >= face.high - _AT_LIMIT)
        frame, column = np.nonzero(held)
        precision[frame, 6 + column, 6 + column] += _HELD
        shape = _next_shape(face, rows, others, precision, pull, shape)
    return shape


def identity_of_neutral(face: FittedFace, camera: Camera, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Identity coefficients (S,) and the landmarks' offsets (L, 3), metres, from frames with a neutral face.

    Args:
        face: the mean face.
        camera: the camera.
        pixels: (K, L, 2) landmarks of the neutral frames.
    """
    shape = np.zeros(face.identity.shape[2])
    still = np.zeros((len(pixels), face.num_values))
    for _ in range(_ROUNDS):
        person = face.with_identity(shape)
        pose = rigid_pose(camera, person.rest, pixels, landmark_weights())
        rows = linearised(person, camera, pose, still, pixels)
        still_pose = np.zeros((len(pixels), 6, 6)), np.zeros((len(pixels), 6))
        shape = _next_shape(face, rows, rows.pose, *still_pose, shape)
    person = face.with_identity(shape)
    pose = rigid_pose(camera, person.rest, pixels, landmark_weights())
    return shape, offsets_of(person, camera, pose, still, pixels).mean(0)


def offsets_of(face: FittedFace, camera: Camera, pose: HeadPose, values: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """(T, L, 3) by how much each landmark is beside its place in each frame, in the head's axes, metres.

    Depth is not seen: a landmark is moved at right angles to the camera's direction.
    """
    rows = linearised(face, camera, pose, values, pixels)
    across, down = rows.left[:, : 2 * len(face.rest)].reshape(len(pixels), 2, -1).swapaxes(0, 1)
    beside = np.stack([across, -down, np.zeros_like(across)], axis=2)
    return np.matmul(beside, pose.rotation)


def _next_shape(
    face: FittedFace,
    rows: Linearised,
    others: np.ndarray,
    precision: np.ndarray,
    pull: np.ndarray,
    shape: np.ndarray,
) -> np.ndarray:
    """The identity after a step in which the other unknowns follow it.

    The frames count as one, because a landmarker is wrong about a face in all of them alike.

    Args:
        face: the mean face.
        rows: of the frames.
        others: (T, R, M) derivative of the rows by the other unknowns.
        precision: (T, M, M) of these.
        pull: (T, M) precision times the way to their prior mean.
        shape: the identity of the step before.
    """
    if not len(shape):
        return shape  # a head without identity components
    places = np.einsum("tald,lds->tals", rows.turned, face.identity)
    pairs = places[:, :, PAIRS[:, 0]] - places[:, :, PAIRS[:, 1]]
    of_shape = np.concatenate([part.reshape(len(places), -1, part.shape[3]) for part in (places, pairs)], axis=1)
    of_shape, others = of_shape * rows.weights[:, None], others * rows.weights[:, None]
    left = (rows.left * rows.weights)[:, :, None]
    transposed = np.swapaxes(others, 1, 2)
    system = transposed @ others + precision + _STEADY * np.eye(others.shape[2])
    right = transposed @ np.concatenate([of_shape, left], axis=2)
    right[:, :, -1] += pull
    follow = np.linalg.solve(system, right)
    reduced = np.concatenate([of_shape, left], axis=2) - others @ follow
    gram = np.einsum("trs,tru->su", of_shape, reduced) / len(places)
    count = len(shape)
    change = np.linalg.solve(gram[:, :-1] + np.eye(count), gram[:, -1] - shape)
    return np.clip(shape + change, -_LIMIT, _LIMIT)
