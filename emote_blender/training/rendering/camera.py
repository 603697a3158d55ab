"""Where a face is in the image: an orthographic camera and the head's fixed pose before it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ...flame.model import FaceModel
from ...motion_tools.rotation import axis_angle_to_matrix

FIXED_HEAD_POSE = (0.04197937, 0.0580671, 0.02439648)
"""Axis-angle in radians, for `vertices @ rotation` (EMOTE.md, section 6)."""


@dataclass(frozen=True)
class Camera:
    """An orthographic camera that looks along -z: image = scale * (x + shift_x, y + shift_y), from -1 to 1 and y up.

    scale: 1 / metre; half the image is 1 / scale metres wide.
    shift_x, shift_y: metres.
    head_pose: axis-angle, radians, of the rotation that vertices as rows are multiplied with from the right, about the
        origin. So a positive angle turns the head the other way than a joint with the same axis-angle would.
    """

    scale: float
    shift_x: float
    shift_y: float
    head_pose: tuple[float, float, float] = FIXED_HEAD_POSE

    @classmethod
    def framing(
        cls, face_model: FaceModel, margin: float = 0.45, head_pose: tuple[float, float, float] = FIXED_HEAD_POSE
    ) -> Camera:
        """The camera that shows the face of a head in its rest pose, upright in the middle of the image.

        Args:
            face_model: its landmarks, or where it has none its skin, or all of it, are what is framed.
            margin: how much wider the image is than the face, as a part of the face's size (the larger of width and
                height). The default gives a head of FLAME's proportions about the size it has with `FIXED_CAMERA`.
            head_pose: as above.
        """
        corners = _framed_points(face_model) @ axis_angle_to_matrix(np.asarray(head_pose, np.float64))
        low, high = corners[:, :2].min(0), corners[:, :2].max(0)
        middle = (low + high) / 2
        return cls(2 / float((high - low).max() * (1 + margin)), -float(middle[0]), -float(middle[1]), head_pose)

    def facing(self) -> Camera:
        """The same camera with the head straight before it."""
        return replace(self, head_pose=(0.0, 0.0, 0.0))

    def rotation(self, like: Tensor) -> Tensor:
        """(3, 3) rotation that vertices as rows are multiplied with from the right, of `like`'s type and device."""
        matrix = axis_angle_to_matrix(np.asarray(self.head_pose, np.float64))
        return torch.as_tensor(matrix, dtype=like.dtype, device=like.device)

    def pixels(self, turned: Tensor, image_size: int) -> Tensor:
        """(..., 3) x, y and depth in pixels, y down and depth away from the camera, the top left pixel's centre at
        (0, 0), of points (..., 3) in metres that `rotation` has turned."""
        half = image_size / 2
        x = (turned[..., 0] + self.shift_x) * self.scale
        y = (turned[..., 1] + self.shift_y) * self.scale
        return torch.stack([(1 + x) * half - 0.5, (1 - y) * half - 0.5, -self.scale * half * turned[..., 2]], -1)


FIXED_CAMERA = Camera(10.002211, 0.0018661, 0.0300133)
"""EMOTE's camera, for FLAME in metres (EMOTE.md, section 6)."""


def _framed_points(face_model: FaceModel) -> np.ndarray:
    """(P, 3) points that a picture of the face should hold."""
    vertices = np.asarray(face_model.v_template, np.float64)
    if face_model.landmark_faces is not None and face_model.landmark_barycentrics is not None:
        corners = vertices[face_model.faces[face_model.landmark_faces]]
        return np.einsum("lcd,lc->ld", corners, face_model.landmark_barycentrics)
    skin = face_model.regions.get("skin")
    return vertices if skin is None else vertices[skin > 0.5]
