"""The orthographic camera, and the fixed head pose in front of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ...flame.model import FaceModel
from ...motion_tools.rotation import axis_angle_to_matrix

FIXED_HEAD_POSE = (0.04197937, 0.0580671, 0.02439648)
"""Axis-angle, radians, of the rotation in `vertices @ rotation` (spec/EMOTE.md 6)."""


@dataclass(frozen=True)
class Camera:
    """An orthographic camera that looks along -z.

    It maps a point to scale * (x + shift_x, y + shift_y); the image spans -1 to 1 on both axes, y up.

    Attributes:
        scale: 1 / metre; the image is 2 / scale metres wide.
        shift_x: metres.
        shift_y: metres.
        head_pose: axis-angle, radians, about the origin. Vertices are rows and are multiplied by the rotation from the
            right, so a positive angle turns the head opposite to a joint with the same axis-angle.
    """

    scale: float
    shift_x: float
    shift_y: float
    head_pose: tuple[float, float, float] = FIXED_HEAD_POSE

    @classmethod
    def framing(
        cls, face_model: FaceModel, margin: float = 0.45, head_pose: tuple[float, float, float] = FIXED_HEAD_POSE
    ) -> Camera:
        """The camera that shows the face of a head at rest, upright and centred.

        Args:
            face_model: the head. The camera frames its landmarks; if it has none, its skin or the whole head.
            margin: extra width of the image, as a fraction of the face's size (the larger of width and height). With
                the default a head of FLAME's proportions has about the same size as under `FIXED_CAMERA`.
            head_pose: axis-angle, radians, as in the class.
        """
        corners = _framed_points(face_model) @ axis_angle_to_matrix(np.asarray(head_pose, np.float64))
        low, high = corners[:, :2].min(0), corners[:, :2].max(0)
        middle = (low + high) / 2
        return cls(2 / float((high - low).max() * (1 + margin)), -float(middle[0]), -float(middle[1]), head_pose)

    def facing(self) -> Camera:
        """The same camera with a head pose of zero."""
        return replace(self, head_pose=(0.0, 0.0, 0.0))

    def rotation(self, like: Tensor) -> Tensor:
        """(3, 3) rotation R of the head pose, for `vertices @ R`; dtype and device of `like`."""
        matrix = axis_angle_to_matrix(np.asarray(self.head_pose, np.float64))
        return torch.as_tensor(matrix, dtype=like.dtype, device=like.device)

    def pixels(self, turned: Tensor, image_size: int) -> Tensor:
        """(..., 3) pixel coordinates: x, y downwards, and depth away from the camera.

        The centre of the top left pixel is (0, 0).

        Args:
            turned: (..., 3) points in metres, already rotated by `rotation`.
            image_size: width and height of the image, pixels.
        """
        half = image_size / 2
        x = (turned[..., 0] + self.shift_x) * self.scale
        y = (turned[..., 1] + self.shift_y) * self.scale
        return torch.stack([(1 + x) * half - 0.5, (1 - y) * half - 0.5, -self.scale * half * turned[..., 2]], -1)


FIXED_CAMERA = Camera(10.002211, 0.0018661, 0.0300133)
"""EMOTE's camera, for FLAME in metres (spec/EMOTE.md 6)."""


def _framed_points(face_model: FaceModel) -> np.ndarray:
    """(P, 3) points that must lie inside the image, metres."""
    vertices = np.asarray(face_model.v_template, np.float64)
    if face_model.landmark_faces is not None and face_model.landmark_barycentrics is not None:
        corners = vertices[face_model.faces[face_model.landmark_faces]]
        return np.einsum("lcd,lc->ld", corners, face_model.landmark_barycentrics)
    skin = face_model.regions.get("skin")
    return vertices if skin is None else vertices[skin > 0.5]
