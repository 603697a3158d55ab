"""The published vertex loss: all vertices of FLAME, in the subject's own shape (spec/EMOTE.md 6)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...flame.model import FaceModel
from ..rendering.posed_face import PosedFace
from .masked_errors import masked_squared_error, masked_velocity_error


class VertexLoss(nn.Module):
    """Compares two motions by all vertices of the head, in square metres."""

    def __init__(self, face_model: FaceModel) -> None:
        super().__init__()
        self.face = PosedFace(face_model)

    def forward(self, motion: Tensor, wanted: Tensor, shape: Tensor | None, valid: Tensor) -> dict[str, Tensor]:
        """`vertices` and `velocity`: mean squared errors, m².

        A term that cannot be measured on this batch is left out (see `masked_errors.masked_mean`).

        Args:
            motion: (B, T, E + 3) expression, then jaw axis-angle in radians.
            wanted: (B, T, E + 3) reference motion.
            shape: (B, S) identity coefficients; None for the mean head.
            valid: (B, T) bool frames that count.
        """
        found = self.face(motion, shape)
        with torch.no_grad():
            reference = self.face(wanted, shape)
        terms = {
            "vertices": masked_squared_error(found, reference, valid),
            "velocity": masked_velocity_error(found, reference, valid),
        }
        return {name: term for name, term in terms.items() if term is not None}
