"""Motion to vertices: a head posed by expression and jaw, with gradients."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...flame.model import FaceModel
from .flame_layer import FLAMELayer


def full_precision(tensor: Tensor) -> torch.autocast:
    """A context without autocast on the tensor's device: half precision is too coarse for vertex positions."""
    return torch.autocast(tensor.device.type, enabled=False)


class PosedFace(nn.Module):
    """A head under expression and jaw rotation; root, neck and eyes stay at rest."""

    def __init__(self, face_model: FaceModel) -> None:
        super().__init__()
        self.layer = FLAMELayer(face_model)
        self.jaw = face_model.joint_names.index("jaw")

    def forward(self, motion: Tensor, shape: Tensor | None = None) -> Tensor:
        """(B, T, V, 3) vertices, metres.

        `motion` and `shape` may have fewer coefficients than the head; the others are zero (EMOTE v1 uses 50 of FLAME's
        100 expression coefficients).

        Args:
            motion: (B, T, E + 3) expression coefficients, then the jaw's axis-angle in radians.
            shape: (B, S) identity coefficients; None for the mean head.

        Raises:
            ValueError: there are more coefficients than the head has.
        """
        clips, frames = motion.shape[:2]
        flat = motion.flatten(0, 1)  # (B * T, E + 3)
        pose = flat.new_zeros(len(flat), len(self.layer.parents), 3)
        pose[:, self.jaw] = flat[:, -3:]
        if shape is not None:
            shape = _widened(shape, self.layer.num_shape).repeat_interleave(frames, 0)
        vertices, _ = self.layer(shape, _widened(flat[:, :-3], self.layer.num_expression), pose)
        return vertices.unflatten(0, (clips, frames))


def _widened(coefficients: Tensor, width: int) -> Tensor:
    """(B, width) coefficients (B, up to width), padded with zeros."""
    if coefficients.shape[1] > width:
        raise ValueError(f"the head has {width} components, found {coefficients.shape[1]} coefficients")
    return F.pad(coefficients, (0, width - coefficients.shape[1]))
