"""A head filmed by the fixed camera: what the perceptual networks are trained on, and what their losses look at.

Both must see the same picture, so it is made in one place.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from ...flame.model import FaceModel
from .camera import FIXED_CAMERA, Camera
from .mouth_crop import CROP_SIZE, landmarks68, mouth_crops
from .posed_face import PosedFace
from .renderer import Backend, FaceRenderer, region_albedo

PUBLISHED_SIZE = 224  # pixels; the mouth crop is 96 of these
_TURNED_AWAY = -0.3  # cosine of a triangle's normal with the way to the camera at rest, beyond which it is left out


class FaceFilm(nn.Module):
    """Motion to pictures of the face and of the mouth.

    Args:
        face_model: the head, in its own colours or those of its regions.
        image_size: pixels, square. In pictures that are not 224 the mouth crop is of the same part of the face.
        camera: "published" is EMOTE's, for FLAME; "framing" is as near to it as another head allows.
        backend: see `FaceRenderer`.

    Of the head only the front is drawn: triangles that at rest are turned away by more than 107 degrees never come
    round, and a third of the head is there.
    """

    def __init__(
        self,
        face_model: FaceModel,
        image_size: int = PUBLISHED_SIZE,
        camera: Literal["published", "framing"] = "published",
        backend: Backend = "auto",
    ) -> None:
        super().__init__()
        self.face = PosedFace(face_model)
        self.image_size = image_size
        view = FIXED_CAMERA if camera == "published" else Camera.framing(face_model)
        faces = face_model.faces[_is_in_front(face_model, view)]
        vertices, faces = np.unique(faces, return_inverse=True)  # the others need no normals
        albedo = region_albedo(face_model)[vertices]
        self.renderer = FaceRenderer(faces.reshape(-1, 3), image_size, backend, view, albedo)
        triangles, weights = landmarks68(face_model)
        self._constant("drawn", vertices.astype(np.int64))
        self._constant("landmark_corners", face_model.faces[triangles].astype(np.int64))
        self._constant("landmark_weights", np.asarray(weights, np.float32))

    def forward(self, motion: Tensor, shape: Tensor | None = None) -> Tensor:
        """(B, T, 3, H, W) pictures in [0, 1] of motion (B, T, E + 3) of heads with identity (B, S)."""
        return self.pictures(self.face(motion, shape))

    def pictures(self, vertices: Tensor) -> Tensor:
        """(B, T, 3, H, W) pictures of the head's vertices (B, T, V, 3), metres."""
        drawn = vertices.flatten(0, 1).index_select(1, self.drawn)
        return self.renderer(drawn).unflatten(0, vertices.shape[:2])

    def crops(self, pictures: Tensor, vertices: Tensor) -> Tensor:
        """(B, T, 96, 96) grey mouths in pictures (B, T, 3, H, W) of vertices (B, T, V, 3)."""
        window = CROP_SIZE * self.image_size / PUBLISHED_SIZE
        return mouth_crops(pictures, self.landmarks(vertices), window=window)

    def mouths(self, motion: Tensor, shape: Tensor | None = None) -> Tensor:
        """(B, T, 96, 96) grey mouths of motion (B, T, E + 3)."""
        vertices = self.face(motion, shape)
        return self.crops(self.pictures(vertices), vertices)

    def landmarks(self, vertices: Tensor) -> Tensor:
        """(B, T, 68, 2) pixels, without gradient: the crop follows the mouth, it is nothing to be optimised."""
        with torch.no_grad():
            corners = vertices[:, :, self.landmark_corners]  # (B, T, 68, 3, 3)
            points = (corners * self.landmark_weights[..., None]).sum(-2)
            return self.renderer.project(points.flatten(0, 1)).unflatten(0, vertices.shape[:2])

    def _constant(self, name: str, array: np.ndarray) -> None:
        self.register_buffer(name, torch.from_numpy(array), persistent=False)


def _is_in_front(face_model: FaceModel, camera: Camera) -> np.ndarray:
    """(F,) bool: triangles that look towards the camera or aside, and touch the picture."""
    template = torch.from_numpy(np.asarray(face_model.v_template, np.float64))
    turned = template @ camera.rotation(template)
    places = camera.pixels(turned, PUBLISHED_SIZE)[..., :2].numpy()
    a, b, c = (turned.numpy()[face_model.faces[:, corner]] for corner in range(3))
    normal = np.cross(b - a, c - a)
    towards = normal[:, 2] >= _TURNED_AWAY * np.linalg.norm(normal, axis=1)
    corners = places[face_model.faces]  # (F, 3, 2)
    margin = PUBLISHED_SIZE / 10  # by how much something from outside may move into the picture
    inside = (corners.max(1) > -margin).all(1) & (corners.min(1) < PUBLISHED_SIZE + margin).all(1)
    return towards & inside
