"""Mouth crops of pictures of a face, the input of the lip-reading network (spec/EMOTE.md 6, Mouth crop)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...errors import ModelError
from ...files.paths import DEFAULT_HEAD, find_head
from ...flame.model import FaceModel

CROP_SIZE = 96
SMOOTHED_FRAMES = 12
MOUTH = slice(48, 68)  # iBUG numbers
NUM_LANDMARKS, NUM_JAW_LINE = 68, 17
LUMA = (0.2989, 0.587, 0.114)  # ITU-R 601-2 as torchvision's rgb_to_grayscale rounds it


def smooth_landmarks(landmarks: Tensor, num_frames: int = SMOOTHED_FRAMES) -> Tensor:
    """(B, T, L, 2) landmarks, smoothed in time; the mean of the landmarks in each frame is unchanged.

    Args:
        landmarks: (B, T, L, 2) pixels.
        num_frames: length of the box filter. Frame t becomes the mean of frames t - num_frames / 2 to
            t + num_frames / 2 - 1 (12 frames: t - 6 to t + 5). Beyond the ends the first or last frame is repeated.
    """
    batch, frames = landmarks.shape[:2]
    values = landmarks.reshape(batch, frames, -1).transpose(1, 2)  # (B, L * 2, T)
    before = num_frames // 2
    padded = functional.pad(values, (before, before), mode="replicate")
    smoothed = functional.avg_pool1d(padded, num_frames, stride=1)[..., :frames]
    smoothed = smoothed.transpose(1, 2).reshape(landmarks.shape)
    return smoothed + (landmarks.mean(-2, keepdim=True) - smoothed.mean(-2, keepdim=True))


def mouth_centres(landmarks: Tensor) -> Tensor:
    """(B, T, 2) centres of the mouth in pixels, from landmarks (B, T, 68, 2), which are smoothed first."""
    return smooth_landmarks(landmarks)[..., MOUTH, :].mean(-2)


def mouth_crops(images: Tensor, landmarks: Tensor, size: int = CROP_SIZE, window: float | None = None) -> Tensor:
    """(B, T, size, size) grey pictures of the mouth, differentiable in images and landmarks.

    Bicubic sampling overshoots [0, 1] by a few hundredths beside sharp edges; the values are not clamped. Outside the
    image pixels are black.

    Args:
        images: (B, T, 3, H, W) RGB in [0, 1].
        landmarks: (B, T, 68, 2) pixels, x before y; the centre of the top left pixel is (0, 0).
        size: width and height of a crop, pixels.
        window: side of the square that is cut out, in pixels of the images. None means `size`: no scaling, as for
            images of 224 pixels. For smaller images give `96 * H / 224`. Pixels are sampled, not averaged, so a window
            much larger than the crop would flicker.

    Raises:
        ValueError: the shapes do not match.
    """
    batch, frames, channels, height, width = images.shape
    if channels != 3 or landmarks.shape != (batch, frames, NUM_LANDMARKS, 2):
        raise ValueError(
            f"expected images (B, T, 3, H, W) and landmarks (B, T, {NUM_LANDMARKS}, 2), found {tuple(images.shape)} "
            f"and {tuple(landmarks.shape)}"
        )
    step = (size if window is None else window) / size
    offsets = (torch.arange(size, dtype=images.dtype, device=images.device) - (size - 1) / 2) * step
    centres = mouth_centres(landmarks).flatten(0, 1).to(images.dtype)  # (B * T, 2)
    x = (centres[:, :1] + offsets) * (2 / (width - 1)) - 1  # align_corners: -1 and 1 are the outermost pixels' centres
    y = (centres[:, 1:] + offsets) * (2 / (height - 1)) - 1
    across, down = x.unsqueeze(1).expand(-1, size, -1), y.unsqueeze(2).expand(-1, -1, size)
    grid = torch.stack([across, down], -1)  # (B * T, size, size, 2)
    grey = grey_images(images).view(batch * frames, 1, height, width)
    crops = functional.grid_sample(grey, grid, mode="bicubic", align_corners=True)
    return crops.view(batch, frames, size, size)


def grey_images(images: Tensor) -> Tensor:
    """(..., H, W) grey of RGB images (..., 3, H, W)."""
    red, green, blue = images.unbind(-3)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def landmarks68(face_model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """The 68 iBUG landmarks of a head: (68,) triangles and (68, 3) barycentric coordinates.

    FLAME's file of 51 static landmarks has no jaw line. The 17 missing points are then vertices of this head: those
    nearest to the open head's jaw line, mapped by the affine transform that fits the other 51 landmarks.

    Raises:
        ModelError: the head has no landmarks.
    """
    triangles, places = face_model.landmark_faces, face_model.landmark_barycentrics
    if triangles is None or places is None or len(triangles) not in (NUM_LANDMARKS, NUM_LANDMARKS - NUM_JAW_LINE):
        found = "none" if triangles is None else len(triangles)
        raise ModelError(
            f"the head '{face_model.basis}' needs 68 or 51 landmarks for the mouth to be found, it has {found}; "
            "convert it with its landmark file (--landmarks)"
        )
    if len(triangles) == NUM_LANDMARKS:
        return triangles, places
    jaw_line = _jaw_line(face_model, triangles, places)
    distance = ((face_model.v_template[None] - jaw_line[:, None]) ** 2).sum(-1)
    drawn = np.unique(face_model.faces)
    vertices = drawn[distance[:, drawn].argmin(1)]
    corner = [np.argwhere(face_model.faces == vertex)[0] for vertex in vertices]  # any triangle that has it
    jaw_triangles = np.array([row for row, _ in corner], triangles.dtype)
    jaw_places = np.eye(3, dtype=places.dtype)[[column for _, column in corner]]
    return np.concatenate([jaw_triangles, triangles]), np.concatenate([jaw_places, places])


def _jaw_line(face_model: FaceModel, triangles: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(17, 3) estimated jaw line of a head with 51 landmarks, metres."""
    known = FaceModel.load(find_head(DEFAULT_HEAD))
    source = _points(known, *landmarks68(known))
    target = _points(face_model, triangles, places)
    affine = np.linalg.lstsq(_with_one(source[NUM_JAW_LINE:]), target, rcond=None)[0]  # (4, 3)
    return _with_one(source[:NUM_JAW_LINE]) @ affine


def _points(face_model: FaceModel, triangles: np.ndarray, places: np.ndarray) -> np.ndarray:
    corners = face_model.v_template[face_model.faces[triangles]].astype(np.float64)
    return np.einsum("lcd,lc->ld", corners, places)


def _with_one(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points, np.ones((len(points), 1))], 1)
