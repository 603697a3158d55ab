"""Pictures of a moving head under the fixed camera, for training the perceptual networks and for their losses.

Both need exactly the same pictures, so one module renders them.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from ...flame.model import FaceModel
from .camera import FIXED_CAMERA, Camera
from .mouth_crop import CROP_SIZE, MOUTH, grey_images, landmarks68, mouth_centres, mouth_crops
from .posed_face import PosedFace
from .renderer import Backend, FaceRenderer
from .shading import region_albedo

PUBLISHED_SIZE = 224  # pixels; the mouth crop is 96 of these
_TURNED_AWAY = -0.3  # cosine between a triangle's normal and the camera's direction, below which it is not drawn
_CLOSE_UP_MARGIN = 24.0  # published pixels by which motion may carry a triangle into the mouth crop


class FaceFilm(nn.Module):
    """Renders motion as pictures of the face and of the mouth.

    Mouth crops are cut out of pictures of the published size, as published. For other sizes they are rendered by
    themselves, at the same scale: in a smaller picture enlarged, the teeth shine through lips that are closed, and the
    lip reader cannot tell a p from a narrow opening.

    Only the front of the head is drawn. Triangles that face away by more than 107 degrees at rest never become visible,
    and they are a third of the head.

    Args:
        face_model: the head, in its own colours or in those of its regions.
        image_size: pixels, square. The mouth crop shows the same part of the face at the same scale at every size.
        camera: "published" is EMOTE's camera, for FLAME; "framing" is the nearest equivalent for another head.
        backend: see `FaceRenderer`.
    """

    drawn: Tensor
    drawn_near: Tensor
    landmark_corners: Tensor
    landmark_weights: Tensor

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
        vertices, faces = np.unique(faces, return_inverse=True)  # no normals for vertices that are not drawn
        albedo = region_albedo(face_model)[vertices]
        self.renderer = FaceRenderer(faces.reshape(-1, 3), image_size, backend, view, albedo)
        triangles, weights = landmarks68(face_model)
        self.close_up: FaceRenderer | None = None
        if image_size != PUBLISHED_SIZE:
            faces = face_model.faces[_is_near_mouth(face_model, view, triangles, weights)]
            near, faces = np.unique(faces, return_inverse=True)
            albedo = region_albedo(face_model)[near]
            self.close_up = FaceRenderer(faces.reshape(-1, 3), PUBLISHED_SIZE, backend, view, albedo)
            self._constant("drawn_near", near.astype(np.int64))
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

    def crops(self, vertices: Tensor, pictures: Tensor | None = None) -> Tensor:
        """(B, T, 96, 96) grey mouth crops of vertices (B, T, V, 3).

        Args:
            vertices: (B, T, V, 3) metres.
            pictures: (B, T, 3, H, W) their pictures, if they have been rendered already.
        """
        landmarks = self.landmarks(vertices)
        if self.close_up is None:
            return mouth_crops(self.pictures(vertices) if pictures is None else pictures, landmarks)
        corner = mouth_centres(landmarks).flatten(0, 1) - (CROP_SIZE - 1) / 2
        near = vertices.flatten(0, 1).index_select(1, self.drawn_near)
        return grey_images(self.close_up(near, corner, CROP_SIZE)).unflatten(0, vertices.shape[:2])

    def mouths(self, motion: Tensor, shape: Tensor | None = None) -> Tensor:
        """(B, T, 96, 96) grey mouth crops of motion (B, T, E + 3)."""
        return self.crops(self.face(motion, shape))

    def landmarks(self, vertices: Tensor) -> Tensor:
        """(B, T, 68, 2) pixels of the published size, without gradient.

        A loss must not be reduced by moving the crop.
        """
        with torch.no_grad():
            corners = vertices[:, :, self.landmark_corners]  # (B, T, 68, 3, 3)
            points = (corners * self.landmark_weights[..., None]).sum(-2)
            renderer = self.close_up or self.renderer
            return renderer.project(points.flatten(0, 1)).unflatten(0, vertices.shape[:2])

    def _constant(self, name: str, array: np.ndarray) -> None:
        self.register_buffer(name, torch.from_numpy(array), persistent=False)


def _is_in_front(face_model: FaceModel, camera: Camera) -> np.ndarray:
    """(F,) bool: triangles that face the camera or sideways, and touch the image."""
    turned, corners = _seen_at_rest(face_model, camera)
    a, b, c = (turned[face_model.faces[:, corner]] for corner in range(3))
    normal = np.cross(b - a, c - a)
    towards = normal[:, 2] >= _TURNED_AWAY * np.linalg.norm(normal, axis=1)
    margin = PUBLISHED_SIZE / 10  # pixels by which motion may carry a triangle into the image
    return towards & _touches(corners, np.zeros(2) - margin, np.full(2, PUBLISHED_SIZE + margin))


def _is_near_mouth(face_model: FaceModel, camera: Camera, triangles: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(F,) bool: triangles in front that are, or come by motion, into the mouth crop."""
    _, corners = _seen_at_rest(face_model, camera)
    centre = np.einsum("lcd,lc->ld", corners[triangles[MOUTH]], np.asarray(weights)[MOUTH]).mean(0)
    reach = CROP_SIZE / 2 + _CLOSE_UP_MARGIN
    return _is_in_front(face_model, camera) & _touches(corners, centre - reach, centre + reach)


def _seen_at_rest(face_model: FaceModel, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """(V, 3) vertices at rest in the camera's frame, and (F, 3, 2) the triangles' corners, published pixels."""
    template = torch.from_numpy(np.asarray(face_model.v_template, np.float64))
    turned = template @ camera.rotation(template)
    return turned.numpy(), camera.pixels(turned, PUBLISHED_SIZE)[..., :2].numpy()[face_model.faces]


def _touches(corners: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(F,) bool: triangles with corners (F, 3, 2) whose bounding box meets the box from `low` to `high`."""
    return (corners.max(1) > low).all(1) & (corners.min(1) < high).all(1)
