"""The open model's loss on the head's mesh, weighted by region, in millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ...flame.measure import midline_vertices
from ...flame.model import FaceModel
from ..rendering.flame_layer import axis_angle_to_matrix

MILLIMETRES = 1000.0
INCISORS_HALF_WIDTH = 0.004  # metres from the midline
LIP_STRIDE = 16  # of the lip vertices whose spectra are compared: neighbours move alike
SPECTRUM_FRAMES = 16  # 0.64 s: two to four syllables

# Weight of each region in the vertex loss, independent of its number of vertices. The mouth has the largest, because
# speech moves it and half a millimetre decides whether the lips touch. The brows move a tenth as far; with a weight
# like that of the neighbouring regions they would hardly be learnt.
REGION_SHARES = {
    "lips": 0.50,
    "mouth_area": 0.12,
    "chin": 0.02,
    "cheek_left": 0.03,
    "cheek_right": 0.03,
    "nose": 0.02,
    "lids_left": 0.03,
    "lids_right": 0.03,
    "brow_left": 0.08,
    "brow_right": 0.08,
    "forehead": 0.02,
    "tongue": 0.02,
    "eye_left": 0.01,
    "eye_right": 0.01,
}


class FaceMesh(nn.Module):
    """Selected vertices of a head under expression and jaw rotation, in millimetres.

    Linear blend skinning with neck and eyes at rest and without pose correctives (the open head has none). Only the
    selected vertices are computed, so a training step does not pay for ears and hair.
    """

    template: Tensor
    directions: Tensor
    jaw_weights: Tensor
    joint: Tensor
    joint_directions: Tensor

    def __init__(self, face_model: FaceModel, vertices: np.ndarray) -> None:
        super().__init__()
        jaw = face_model.joint_names.index("jaw")
        template = face_model.v_template[vertices].T * MILLIMETRES  # (3, V), each coordinate contiguous
        directions = face_model.expression_dirs[vertices].transpose(2, 1, 0) * MILLIMETRES  # (E, 3, V)
        joint_directions = np.einsum("v,vce->ec", face_model.J_regressor[jaw], face_model.expression_dirs) * MILLIMETRES

        def constant(name: str, array: np.ndarray) -> None:
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array, np.float32)), persistent=False)

        constant("template", template)
        constant("directions", directions.reshape(len(directions), -1))  # (E, 3 * V)
        constant("jaw_weights", face_model.lbs_weights[vertices, jaw])
        constant("joint", face_model.J_regressor[jaw] @ face_model.v_template * MILLIMETRES)
        constant("joint_directions", joint_directions)

    def forward(self, motion: Tensor) -> Tensor:
        """(..., 3, V) vertices in millimetres of motion (..., E + 3): expression, then jaw axis-angle in radians."""
        expression, jaw = motion[..., :-3], motion[..., -3:]
        shaped = self.template + (expression @ self.directions).unflatten(-1, (3, -1))
        joint = (self.joint + expression @ self.joint_directions).unsqueeze(-1)
        turn = axis_angle_to_matrix(jaw) - torch.eye(3, dtype=jaw.dtype, device=jaw.device)
        return shaped + self.jaw_weights * (turn @ (shaped - joint))


@dataclass(frozen=True, eq=False)
class MeshErrors:
    """Errors of a motion, means over its frames, each (), mm².

    Attributes:
        vertices: squared error per coordinate, weighted by `REGION_SHARES`.
        velocity: the same for the differences between consecutive frames.
        gap: squared error of the lip gap, with more weight on frames whose lips should be closed.
        tuck: squared error of the lower lip's distance from the upper teeth, with more weight where they should touch.
        dynamics: squared error of the lips' short-time spectral magnitudes (`spectral_error`).
    """

    vertices: Tensor
    velocity: Tensor
    gap: Tensor
    tuck: Tensor
    dynamics: Tensor


class MeshLoss(nn.Module):
    """Compares two motions by the vertices, the lip gap and the lip-to-teeth distance of the posed head.

    Args:
        face_model: the head, with the regions of `REGION_SHARES`, lips and upper teeth.
        largest_error: mm; the errors of `gap` and `tuck` are clamped to it, so that open vowels do not outweigh
            contacts.
    """

    DEEPEST_OVERLAP = -1.0  # mm; lips that press harder than this look no more closed

    weights: Tensor
    lips: Tensor
    upper: Tensor
    lower: Tensor
    teeth: Tensor

    def __init__(self, face_model: FaceModel, largest_error: float = 4.0) -> None:
        super().__init__()
        self.largest_error = largest_error
        weights = np.zeros(face_model.num_vertices)
        for name, share in REGION_SHARES.items():  # neighbours move alike, so a subset is enough
            chosen = np.flatnonzero(face_model.regions[name] > 0.5)[:: 2 if name == "lips" else 5]
            weights[chosen] += share / len(chosen)
        middle = [midline_vertices(face_model, name) for name in ("lips_upper", "lips_lower")]
        middle.append(_upper_incisors(face_model))
        vertices = np.union1d(np.flatnonzero(weights), np.concatenate(middle))
        self.mesh = FaceMesh(face_model, vertices)
        self.register_buffer("weights", torch.from_numpy(weights[vertices]).float(), persistent=False)
        lips = np.flatnonzero(face_model.regions["lips"] > 0.5)[::LIP_STRIDE]
        self.register_buffer("lips", torch.from_numpy(np.searchsorted(vertices, lips)), persistent=False)
        for name, chosen in zip(("upper", "lower", "teeth"), middle, strict=True):
            self.register_buffer(name, torch.from_numpy(np.searchsorted(vertices, chosen)), persistent=False)

    def forward(self, motion: Tensor, wanted: Tensor, contact_weight: float = 6.0) -> MeshErrors:
        """The errors of a motion.

        Args:
            motion: (B, T, E + 3) expression, then jaw axis-angle in radians.
            wanted: (B, T, E + 3) reference motion.
            contact_weight: weight of a frame with a contact in `gap` and `tuck`, relative to one without. If the sound
                leaves open whether a phone is a p, the motion of least error is a compromise; this weight decides how
                closed it is.
        """
        found = self.mesh(motion)
        with torch.no_grad():
            reference = self.mesh(wanted)
            wanted_gap, wanted_tuck = self._gap(reference), self._tuck(reference)
            closed = 1 + (contact_weight - 1) * torch.sigmoid(4 * (0.5 - wanted_gap))
            tucked = 1 + (contact_weight - 1) * torch.sigmoid(-4 * wanted_tuck)
        error = found - reference
        velocity = error[:, 1:] - error[:, :-1]
        gap_error = (self._gap(found) - wanted_gap).clamp(-self.largest_error, self.largest_error)
        tuck_error = (self._tuck(found) - wanted_tuck).clamp(-self.largest_error, self.largest_error)
        return MeshErrors(
            (error**2 * self.weights).sum((-1, -2)).mean() / 3,
            (velocity**2 * self.weights).sum((-1, -2)).mean() / 3,
            (closed * gap_error**2).mean(),
            (tucked * tuck_error**2).mean(),
            spectral_error(self._lip_tracks(found), self._lip_tracks(reference)),
        )

    def gap(self, motion: Tensor) -> Tensor:
        """(...) lip gap in mm of motion (..., E + 3), measured as by `flame.measure.lip_gap`."""
        return self._gap(self.mesh(motion), limited=False)

    def _lip_tracks(self, vertices: Tensor) -> Tensor:
        """(..., K, T) tracks in mm of vertices (..., T, 3, V): the lip gap, and heights and depths of the lips."""
        gap = self._gap(vertices, limited=False)
        lips = vertices[..., 1:, :][..., self.lips].flatten(-2)
        return torch.cat([gap[..., None], lips], -1).transpose(-1, -2)

    def _gap(self, vertices: Tensor, limited: bool = True) -> Tensor:
        heights = vertices[..., 1, :]
        gap = heights[..., self.upper].amin(-1) - heights[..., self.lower].amax(-1)
        return gap.clamp(min=self.DEEPEST_OVERLAP) if limited else gap

    def _tuck(self, vertices: Tensor) -> Tensor:
        heights = vertices[..., 1, :]
        return heights[..., self.teeth].amin(-1) - heights[..., self.lower].amax(-1)


def spectral_error(found: Tensor, wanted: Tensor) -> Tensor:
    """The squared error of short-time spectral magnitudes, (), in the square of the tracks' unit.

    The least squared error of a track whose timing is uncertain is a smoothed track. Magnitudes do not depend on the
    timing within a window, so this error is lowest where the movement is as fast and as large as the reference's.

    Args:
        found: (..., K, T) tracks.
        wanted: (..., K, T) reference tracks.
    """
    length = min(SPECTRUM_FRAMES, found.shape[-1])
    window = torch.hann_window(length, dtype=found.dtype, device=found.device)

    def magnitudes(tracks: Tensor) -> Tensor:
        pieces = tracks.unfold(-1, length, max(length // 4, 1))
        spectra = torch.fft.rfft((pieces - pieces.mean(-1, keepdim=True)) * window)
        return (spectra.real**2 + spectra.imag**2 + 1e-4).sqrt()

    difference = magnitudes(found) - magnitudes(wanted)
    scale = 2 / (length * (window**2).sum())  # Parseval: the mean square of a track in the window
    return scale * (difference**2).sum(-1).mean()


def _upper_incisors(face_model: FaceModel) -> np.ndarray:
    """(N,) indices of the upper incisors' vertices, those within 4 mm of the midline."""
    near = np.abs(face_model.v_template[:, 0]) < INCISORS_HALF_WIDTH
    return np.flatnonzero(near & (face_model.regions["teeth_upper"] > 0.5))
