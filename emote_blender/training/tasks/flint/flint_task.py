"""The training of FLINT, the motion prior: `train flint --config flint_v2` (spec/EMOTE.md 5).

The published training (`mesh = "flame"`) compares all vertices of the subject's own head, on windows of MEAD. The open
model's (`mesh = "regions"`) compares the open head with weighted regions, on motions of the generated corpus.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....emote.flint import FLINT
from ....emote.motion_prior import PRIOR_FILE, save_prior_config
from ....errors import InputError
from ....files.paths import find_head
from ....files.safetensors_file import write_tensors
from ....flame.model import FaceModel
from ....speech_model.config import FLINTConfig
from ...losses.mesh import MILLIMETRES, MeshLoss
from ...rendering.posed_face import PosedFace, full_precision
from ...run.config import build_settings
from ...run.folder import load_weights
from ...run.task import RunInputs, Task
from .flint_data import CorpusData, FLINTData, MEADData, MotionBatch, MotionsData, open_flint_data

logger = logging.getLogger(__name__)

CLIP_SIZE = 160  # pixels of a rendered clip for the log


@dataclass(frozen=True)
class FLINTModelSettings:
    """`[model]`: the architecture.

    Attributes:
        face: basis of the head that the coefficients belong to.
        licence: of the trained motion prior.
        flint: the architecture of FLINT.
        zero_post_linear: initialise the decoder's last linear layer with zeros, as published.
    """

    face: str
    licence: str
    flint: FLINTConfig
    zero_post_linear: bool = False


@dataclass(frozen=True)
class FLINTLossSettings:
    """`[loss]`: the weight of each term.

    Attributes:
        mesh: "flame" is the published mean squared error of all vertices, m²; "regions" is `MeshLoss`, mm², which
            weights the mouth more and has the lip gap.
        vertices: of the vertex error.
        kl: of the KL divergence per latent.
        gap: of the lip gap's error, "regions" only.
    """

    mesh: Literal["flame", "regions"]
    vertices: float
    kl: float
    gap: float = 0.0

    def __post_init__(self) -> None:
        if self.mesh == "flame" and self.gap:
            raise ValueError('gap: needs mesh = "regions"')


@dataclass(frozen=True)
class FLINTSettings:
    """A config file of `train flint`; see the class of each table."""

    model: FLINTModelSettings
    data: CorpusData | MEADData | MotionsData
    loss: FLINTLossSettings

    def __post_init__(self) -> None:
        step = self.model.flint.frames_per_latent
        if self.data.num_frames % step or self.data.num_frames < 1:
            raise ValueError(f"data.num_frames: must be a multiple of {step}, found {self.data.num_frames}")


class FLINTParts(nn.Module):
    """FLINT and the posed head on which its motions are compared."""

    def __init__(self, config: FLINTConfig, face_model: FaceModel, loss: FLINTLossSettings) -> None:
        super().__init__()
        self.flint = FLINT(config)
        self.loss = loss
        self.num_missing = face_model.num_expression - config.num_expression  # v1 has 50 of FLAME's 100
        self.surface = PosedFace(face_model) if loss.mesh == "flame" else MeshLoss(face_model)

    def terms(self, batch: MotionBatch) -> dict[str, Tensor]:
        """The unweighted terms `vertices`, `kl` and, on regions, `gap`; latents use torch's global generator."""
        motion, shape = batch
        rebuilt, distribution, _ = self.flint(motion)
        with full_precision(motion):
            found = self._mesh_terms(rebuilt.float(), motion, shape)
        return {**found, "kl": distribution.kl_divergence()}

    def _mesh_terms(self, rebuilt: Tensor, motion: Tensor, shape: Tensor | None) -> dict[str, Tensor]:
        """Errors of a rebuilt motion (B, T, E + 3) on the mesh."""
        if isinstance(self.surface, MeshLoss):
            errors = self.surface(rebuilt, motion)
            return {"vertices": errors.vertices, "gap": errors.gap}
        with torch.no_grad():
            wanted = self.surface(self.all_coefficients(motion), shape)
        return {"vertices": F.mse_loss(self.surface(self.all_coefficients(rebuilt), shape), wanted)}

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of the terms."""
        loss = self.loss.vertices * terms["vertices"]
        if "gap" in terms:
            loss = loss + self.loss.gap * terms["gap"]
        return loss + self.loss.kl * terms["kl"]

    def all_coefficients(self, motion: Tensor) -> Tensor:
        """(B, T, head's E + 3) motion (B, T, E + 3), with zeros for the head's coefficients that FLINT lacks."""
        return torch.cat([F.pad(motion[..., :-3], (0, self.num_missing)), motion[..., -3:]], -1)


class FLINTTask(Task):
    """Trains FLINT on motions.

    Args:
        settings: the tables of a config file.
        data: training batches by number and batches for validation.
        head: name or folder of the head that motions are compared on.
        initial: a run or checkpoint of FLINT to continue from.
    """

    name = "flint"

    def __init__(self, settings: FLINTSettings, data: FLINTData, head: str | Path, initial: Path | None = None) -> None:
        self.settings, self.data, self.head, self.initial = settings, data, str(head), initial

    @classmethod
    def from_config(cls, tables: Mapping[str, Any], inputs: RunInputs) -> FLINTTask:
        """The task of a config file; see `Task.from_config`."""
        settings = build_settings(FLINTSettings, tables, inputs.config)
        num_expression = settings.model.flint.num_expression
        data = open_flint_data(settings.data, inputs.data_folder(), num_expression, inputs.seed)
        return cls(settings, data, inputs.head or settings.model.face, inputs.init)

    @property
    def num_batches(self) -> int | None:
        """Batches in an epoch; None for the corpus, which has no end."""
        return self.data.num_batches

    def modules(self) -> FLINTParts:
        """A new FLINT with the posed head."""
        model, face_model = self.settings.model, self._face_model()
        known, wanted = face_model.num_expression, model.flint.num_expression
        if face_model.basis != model.face:
            logger.warning("the head is '%s', the config's motions are for '%s'", face_model.basis, model.face)
        if known < wanted or (known != wanted and self.settings.loss.mesh == "regions"):
            raise InputError(
                f"the head '{face_model.basis}' has {known} expression components, but [model.flint] num_expression is "
                f"{wanted}; choose a head that fits with --head"
            )
        parts = FLINTParts(model.flint, face_model, self.settings.loss)
        if model.zero_post_linear:
            nn.init.zeros_(parts.flint.motion_decoder.post_transformer_linear.weight)
            nn.init.zeros_(parts.flint.motion_decoder.post_transformer_linear.bias)
        if self.initial is not None:
            load_weights(parts, self.initial)
        return parts

    def batch(self, number: int) -> MotionBatch:
        """Training batch `number`."""
        return self.data.batch(number)

    def loss(self, module: nn.Module, batch: MotionBatch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum of the terms, and the terms by name."""
        assert isinstance(module, FLINTParts)
        terms = module.terms(batch)
        return module.total(terms), terms

    def validate(self, module: nn.Module) -> dict[str, float]:
        """Means over the validation batches of the loss and its terms, and the RMS vertex error in millimetres."""
        assert isinstance(module, FLINTParts)
        device = next(module.parameters()).device
        sums: dict[str, float] = {}
        for motion, shape in self.data.validation():
            terms = module.terms((motion.to(device), None if shape is None else shape.to(device)))
            for name, value in {"loss": module.total(terms), **terms}.items():
                sums[name] = sums.get(name, 0.0) + value.item() / self.data.num_validation_batches
        factor = MILLIMETRES if self.settings.loss.mesh == "flame" else 1.0
        return {**sums, "vertices_rmse_mm": sums["vertices"] ** 0.5 * factor}

    def clips(self, module: nn.Module) -> dict[str, Tensor]:
        """The first held-out motion, rendered: the original on the left, FLINT's reconstruction on the right."""
        from ...rendering.camera import Camera
        from ...rendering.renderer import FaceRenderer

        assert isinstance(module, FLINTParts)
        device = next(module.parameters()).device
        face_model = self._face_model()
        motion, shape = next(iter(self.data.validation()))
        motion, shape = motion[:1].to(device), None if shape is None else shape[:1].to(device)
        rebuilt = module.flint.decode(module.flint.encode(motion).mean)
        renderer = FaceRenderer(face_model.faces, CLIP_SIZE, camera=Camera.framing(face_model).facing()).to(device)
        face = PosedFace(face_model).to(device)
        both = [renderer(face(module.all_coefficients(m), shape)[0]) for m in (motion, rebuilt.float())]
        return {"motion": torch.cat(both, -1)}

    def export(self, module: nn.Module, folder: Path) -> None:
        """Write a motion prior folder, as `[start] motion_prior` of EMOTE's configs reads it."""
        assert isinstance(module, FLINTParts)
        model = self.settings.model
        state = {name: tensor.detach().cpu().numpy() for name, tensor in module.flint.state_dict().items()}
        write_tensors(folder / PRIOR_FILE, state)
        save_prior_config(model.flint, model.face, model.licence, folder)

    def _face_model(self) -> FaceModel:
        return FaceModel.load(find_head(self.head))
