"""The camera of a fit: from points of the head to pixels, and the pose of a rigid head.

The camera's axes are x to the picture's right, y up and z towards the camera, so that a head which faces the camera
without a turn has the axes of its face model. Points in front of the camera have negative z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....motion_tools.rotation import axis_angle_to_matrix
from ..response import Response

DEFAULT_VIEW_DEGREES = 50.0
_POSE_ROUNDS = 6
_UNDISTORTING_ROUNDS = 2


@dataclass(frozen=True)
class Camera:
    """A perspective camera without distortion.

    Attributes:
        focal: focal length, pixels.
        centre: (x, y) pixel where the optical axis meets the picture.
    """

    focal: float
    centre: tuple[float, float]

    @classmethod
    def of_picture(cls, image_size: tuple[int, int], view_degrees: float = DEFAULT_VIEW_DEGREES) -> Camera:
        """The camera of pictures of this (width, height), whose longer side spans an angle of view."""
        width, height = image_size
        return cls(max(width, height) / 2 / np.tan(np.radians(view_degrees) / 2), (width / 2, height / 2))

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) pixels of points (..., 3) in the camera's axes, metres."""
        depth = -points[..., 2]
        u = self.centre[0] + self.focal * points[..., 0] / depth
        v = self.centre[1] - self.focal * points[..., 1] / depth
        return np.stack([u, v], axis=-1)

    def directions(self, points: np.ndarray) -> np.ndarray:
        """(..., 2, 3) derivative of the pixels by the points."""
        depth = -points[..., 2]
        derivative = np.zeros((*points.shape[:-1], 2, 3), points.dtype)
        derivative[..., 0, 0] = self.focal / depth
        derivative[..., 0, 2] = self.focal * points[..., 0] / depth**2
        derivative[..., 1, 1] = -self.focal / depth
        derivative[..., 1, 2] = -self.focal * points[..., 1] / depth**2
        return derivative


@dataclass(frozen=True, eq=False)
class HeadPose:
    """Where a head is in each frame: a point p of the face model is at rotation @ p + translation.

    Attributes:
        rotation: (T, 3, 3) in the camera's axes.
        translation: (T, 3) metres.
    """

    rotation: np.ndarray
    translation: np.ndarray

    def of(self, points: np.ndarray) -> np.ndarray:
        """(T, L, 3) points (L, 3) or (T, L, 3) of the face model in the camera's axes."""
        return np.matmul(points, np.swapaxes(self.rotation, 1, 2)) + self.translation[:, None]

    def moved(self, step: np.ndarray) -> HeadPose:
        """The pose after a step (T, 6): a small turn about the camera's axes, then a shift."""
        turn = axis_angle_to_matrix(step[:, :3])
        return HeadPose(turn @ self.rotation, self.translation + step[:, 3:])

    def __getitem__(self, frames) -> HeadPose:
        """The pose in some frames."""
        return HeadPose(self.rotation[frames], self.translation[frames])


def rigid_pose(camera: Camera, points: np.ndarray, pixels: np.ndarray, weights: np.ndarray) -> HeadPose:
    """The pose by which a rigid face is seen at given pixels, by weighted least squares.

    It begins with the scaled orthographic camera that fits best.

    Args:
        camera: the camera.
        points: (L, 3) the face, metres.
        pixels: (T, L, 2) where it is seen.
        weights: (L,) weight of each point.
    """
    pose = _orthographic_pose(camera, points, pixels, weights)
    for _ in range(_POSE_ROUNDS):
        turned = np.matmul(points, np.swapaxes(pose.rotation, 1, 2))
        seen = turned + pose.translation[:, None]
        directions = pose_directions(camera.directions(seen), turned).reshape(len(pixels), -1, 6)
        left = (pixels - camera.pixels(seen)).reshape(len(pixels), -1)
        weighted = np.swapaxes(directions * np.repeat(weights**2, 2)[:, None], 1, 2)
        step = np.linalg.solve(weighted @ directions, weighted @ left[..., None])[..., 0]
        size = np.linalg.norm(step[:, :3], axis=1, keepdims=True)
        step[:, :3] *= np.minimum(1.0, 0.5 / np.maximum(size, 1e-12))  # radians that a step may turn
        pose = pose.moved(step)
    return pose


def undistorted(
    camera: Camera, points: np.ndarray, pixels: np.ndarray, weights: np.ndarray, response: Response
) -> np.ndarray:
    """(T, L, 2) pixels without what the landmarker makes of turned heads and of the gaps between lips and between lids.

    Args:
        camera: the camera.
        points: (L, 3) the face, metres.
        pixels: (T, L, 2) where the landmarker shows it.
        weights: (L,) weight of each point.
        response: of the landmarker.
    """
    found = pixels
    for _ in range(_UNDISTORTING_ROUNDS):
        pose = rigid_pose(camera, points, found, weights)
        metres = (-pose.of(points)[:, :, 2].mean(1) / camera.focal)[:, None, None]  # of a pixel
        places = (pixels - np.asarray(camera.centre)) * [1.0, -1.0] * metres
        places = response.parted_lips(places, pose.rotation[:, :2, 1])
        places = response.parted_lids(places, pose.rotation[:, :2, 1])
        places -= np.matmul(response.of_turns(pose.rotation), np.swapaxes(pose.rotation[:, :2, :2], 1, 2))
        found = places / metres * [1.0, -1.0] + np.asarray(camera.centre)
    return found


def pose_directions(directions: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """(T, L, 2, 6) derivative of pixels by a turn about the camera's axes and a shift.

    Args:
        directions: (T, L, 2, 3) derivative by the points.
        turned: (T, L, 3) the points, turned but not shifted.
    """
    return np.concatenate([np.cross(turned[:, :, None], directions), directions], axis=3)


def _orthographic_pose(camera: Camera, points: np.ndarray, pixels: np.ndarray, weights: np.ndarray) -> HeadPose:
    known = np.concatenate([points, np.ones((len(points), 1))], axis=1) * weights[:, None]
    seen = (pixels - np.asarray(camera.centre)) * [1.0, -1.0] * weights[:, None]
    affine = np.einsum("kl,tlc->tck", np.linalg.pinv(known), seen)  # (T, 2, 4)
    left, sizes, right = np.linalg.svd(affine[:, :, :3], full_matrices=False)
    rows = left @ right
    rotation = np.concatenate([rows, np.cross(rows[:, 0], rows[:, 1])[:, None]], axis=1)
    depth = camera.focal / sizes.mean(1)  # a pixel is depth / focal metres
    centre = np.average(points, axis=0, weights=weights)
    middle = np.average((pixels - np.asarray(camera.centre)) * [1.0, -1.0], axis=1, weights=weights)
    place = np.column_stack([middle * (depth / camera.focal)[:, None], -depth])
    return HeadPose(rotation, place - rotation @ centre)
