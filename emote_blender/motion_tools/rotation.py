"""Rotations as axis-angle, quaternion and matrix; numpy, the last axis holds the components.

Axis-angle vectors have the length of their angle in radians. Quaternions are (w, x, y, z), Blender's order.
"""

from __future__ import annotations

import numpy as np


def axis_angle_to_quaternion(axis_angle: np.ndarray) -> np.ndarray:
    """Unit quaternions (..., 4) with w >= 0 for angles up to pi, from axis-angle vectors (..., 3), radians."""
    axis_angle = np.asarray(axis_angle, dtype=np.float64)
    half_angle = 0.5 * np.linalg.norm(axis_angle, axis=-1, keepdims=True)
    # np.sinc is sin(pi x) / (pi x): exact at an angle of zero, where axis = v / |v| has no value.
    vector = 0.5 * axis_angle * np.sinc(half_angle / np.pi)
    return np.concatenate([np.cos(half_angle), vector], axis=-1)


def axis_angle_to_matrix(axis_angle: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) of axis-angle vectors (..., 3) in radians, in their dtype (Rodrigues' formula).

    The angle is |r + 1e-8| as in smplx, so that results agree to the last digits and nothing is divided by zero.
    """
    axis_angle = np.asarray(axis_angle)
    angle = np.linalg.norm(axis_angle + axis_angle.dtype.type(1e-8), axis=-1)[..., None, None]
    x, y, z = np.moveaxis(axis_angle / angle[..., 0], -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    identity = np.eye(3, dtype=axis_angle.dtype)
    return identity + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def quaternion_to_axis_angle(quaternion: np.ndarray) -> np.ndarray:
    """Axis-angle vectors (..., 3) with an angle in [0, pi], from quaternions (..., 4) of any length above zero."""
    quaternion = np.asarray(quaternion, dtype=np.float64)
    quaternion = quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)
    # q and -q are the same rotation; w >= 0 is the one with the angle up to pi.
    quaternion = np.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    sine = np.linalg.norm(quaternion[..., 1:], axis=-1, keepdims=True)
    half_angle = np.arctan2(sine, quaternion[..., :1])
    return 2.0 * quaternion[..., 1:] / np.sinc(half_angle / np.pi)


def continuous_quaternions(quaternions: np.ndarray) -> np.ndarray:
    """The same rotations (T, 4) with signs chosen so that neighbours in time are near each other.

    q and -q are the same rotation, but a curve that jumps between them rotates the wrong way between two keys.
    """
    quaternions = np.asarray(quaternions, dtype=np.float64)
    steps = np.where(np.sum(quaternions[1:] * quaternions[:-1], axis=-1) < 0, -1.0, 1.0)
    signs = np.concatenate([np.ones(min(1, len(quaternions))), np.cumprod(steps)])
    return quaternions * signs[:, None]


def slerp(start: np.ndarray, end: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Unit quaternions (..., 4) on the shorter arc from `start` to `end`; weight (...,) is 0 at start and 1 at end."""
    weight = np.asarray(weight, dtype=np.float64)[..., None]
    cosine = np.sum(start * end, axis=-1, keepdims=True)
    end = np.where(cosine < 0, -end, end)
    angle = np.arccos(np.clip(np.abs(cosine), 0.0, 1.0))
    # sin(w a) / sin(a) through sinc, so that equal ends (a = 0) give the weights of a straight line.
    scale = np.sinc(angle / np.pi)
    start_weight = (1.0 - weight) * np.sinc((1.0 - weight) * angle / np.pi) / scale
    end_weight = weight * np.sinc(weight * angle / np.pi) / scale
    blended = start_weight * start + end_weight * end
    return blended / np.linalg.norm(blended, axis=-1, keepdims=True)
