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


def quaternion_to_euler(quaternions: np.ndarray, order: str) -> np.ndarray:
    """Euler angles (T, 3) about x, y and z, radians, of unit quaternions (T, 4), without jumps between frames.

    A rotation has two sets of angles, (a, b, c) and (a + pi, pi - b, c + pi) in the order of the turns, each up to
    whole turns. The first frame takes the smaller set, every other one the set that is nearer to the frame before.

    Args:
        quaternions: (T, 4) rotations.
        order: order of the turns in Blender's sense: XYZ turns about the fixed axis x first, then y, then z.
    """
    first, middle, last = ("XYZ".index(axis) for axis in order)
    sign = 1.0 if (first + 1) % 3 == middle else -1.0  # odd orders are even ones in a mirror
    matrix = quaternion_to_matrix(quaternions)
    from_first, from_last = matrix[:, :, first], matrix[:, last]
    cosine = np.hypot(from_first[:, first], from_first[:, middle])
    locked = cosine < 1e-7  # the first and the last turn have the same axis: only their sum is known
    one = np.where(
        locked,
        np.arctan2(-sign * matrix[:, middle, last], matrix[:, middle, middle]),
        np.arctan2(sign * from_last[:, middle], from_last[:, last]),
    )
    two = np.arctan2(-sign * from_last[:, first], cosine)
    three = np.where(locked, 0.0, np.arctan2(sign * from_first[:, middle], from_first[:, first]))
    angles = np.stack([one, two, three], axis=1)
    other = np.stack([one + np.pi, np.pi - two, three + np.pi], axis=1)
    same = np.abs(_half_turn(angles[1:] - angles[:-1])).sum(1)
    changed = np.abs(_half_turn(other[1:] - angles[:-1])).sum(1) < same
    start = np.abs(_half_turn(other[:1])).sum(1) < np.abs(angles[:1]).sum(1)
    take_other = np.cumsum(np.concatenate([start, changed])) % 2 == 1
    chosen = np.where(take_other[:, None], other, angles)
    chosen[:1] = _half_turn(chosen[:1])
    values = np.empty_like(chosen)
    values[:, [first, middle, last]] = np.unwrap(chosen, axis=0)
    return values


def matrix_to_quaternion(matrices: np.ndarray) -> np.ndarray:
    """Unit quaternions (T, 4) of the rotations nearest to matrices (T, 3, 3); the sign is arbitrary.

    I. Y. Bar-Itzhack, "New method for extracting the quaternion from a rotation matrix", JGCD 23, 2000: the eigenvector
    of the largest eigenvalue, which has no special cases.
    """
    m = np.asarray(matrices, dtype=np.float64)
    trace = np.trace(m, axis1=1, axis2=2)
    cross = np.stack([m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]], axis=1)
    form = np.empty((len(m), 4, 4))
    form[:, 0, 0], form[:, 1:, 0], form[:, 0, 1:] = trace, cross, cross
    form[:, 1:, 1:] = m + np.swapaxes(m, 1, 2) - trace[:, None, None] * np.eye(3)
    return np.linalg.eigh(form)[1][:, :, -1]


def quaternion_to_matrix(quaternions: np.ndarray) -> np.ndarray:
    """Rotation matrices (T, 3, 3) of unit quaternions (T, 4)."""
    w, x, y, z = np.asarray(quaternions, dtype=np.float64).T
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _half_turn(angles: np.ndarray) -> np.ndarray:
    """The same angles, radians, within half a turn of zero."""
    return angles - 2 * np.pi * np.round(angles / (2 * np.pi))


def axis_angle_to_angle_and_axis(axis_angle: np.ndarray) -> np.ndarray:
    """Angle and unit axis (T, 4) of axis-angle vectors (T, 3), radians; the axis never flips between frames.

    Where the angle is zero, the axis of the frame before is kept; x at the start.
    """
    vectors = np.asarray(axis_angle, dtype=np.float64)
    angle = np.linalg.norm(vectors, axis=1)
    turned = angle > 1e-6
    source = np.maximum.accumulate(np.where(turned, np.arange(1, len(vectors) + 1), 0))  # 0 is x, t + 1 is frame t
    directions = vectors / np.where(turned, angle, 1.0)[:, None]
    axis = np.concatenate([[[1.0, 0.0, 0.0]], directions])[np.concatenate([[0], source])]
    sign = np.cumprod(np.where(np.sum(axis[1:] * axis[:-1], axis=1) < 0, -1.0, 1.0))
    return np.column_stack([angle * sign, axis[1:] * sign[:, None]])


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
