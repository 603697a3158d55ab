"""Training of EMOTE on the corpus: audio encoder, style, transformer and latents, through FLINT's frozen decoder.

The loss is taken on the mesh, as in the method (spec/EMOTE.md 6, stage 1). Two helpers make a few CPU minutes enough
(spec/DEFAULT_MODEL.md): the encoder's phone head is trained beside it, and so is a small head that reads the
articulation channels from the same features; the latter is thrown away afterwards.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..emote.config import EMOTEConfig
from ..emote.flint import MotionPrior
from ..emote.model import EMOTE
from ..flame.model import FaceModel
from .batch import ClipBatch
from .corpus import articulation
from .dataset import BatchSource, batches
from .losses import MeshErrors, MeshLoss
from .optimisation import AveragedWeights, cosine_rate, load_checkpoint, save_checkpoint, set_rate

logger = logging.getLogger(__name__)

# How much each articulation channel counts, in the order of `articulation.CHANNELS`: contacts are rare and matter most.
CHANNEL_WEIGHTS = (2.0, 1.5, 1.5, 3.0, 3.0, 1.0, 1.0)


@dataclass(frozen=True)
class EMOTETraining:
    """Settings; the weights multiply the terms of `Terms`.

    From step `refine_from` on, lips at the teeth count (`tuck_weight`), and contacts weigh `refined_contact_weight`
    instead of `contact_weight`: first the model learns to make closures at all, then to make no others.
    `largest_error`: see `MeshLoss`.
    """

    num_steps: int = 2200
    rate: float = 1.2e-3
    warm_up: int = 200
    weight_decay: float = 0.02
    average_decay: float = 0.998
    gap_weight: float = 0.2
    tuck_weight: float = 0.1
    contact_weight: float = 6.0
    refined_contact_weight: float = 3.5
    refine_from: int = 800
    largest_error: float = 4.0
    velocity_weight: float = 0.5
    phone_weight: float = 0.5
    articulation_weight: float = 1.0
    seed: int = 2
    checkpoint_every: int = 100
    workers: int = 1


@dataclass(frozen=True)
class Terms:
    """The parts of one step's loss: on the mesh (mm²), cross-entropy of phones, articulation channels."""

    mesh: MeshErrors
    phones: Tensor
    articulation: Tensor

    def total(self, settings: EMOTETraining, step: int) -> Tensor:
        """The weighted sum, as it is at a step."""
        return (
            self.mesh.vertices
            + settings.gap_weight * self.mesh.gap
            + (settings.tuck_weight if step >= settings.refine_from else 0.0) * self.mesh.tuck
            + settings.velocity_weight * self.mesh.velocity
            + settings.phone_weight * self.phones
            + settings.articulation_weight * self.articulation
        )


class TrainedParts(nn.Module):
    """EMOTE and the articulation head that helps to train it."""

    def __init__(self, config: EMOTEConfig) -> None:
        super().__init__()
        self.emote = EMOTE(config)
        self.articulation_head = nn.Linear(config.audio_encoder.dim, len(articulation.CHANNELS))

    def terms(self, batch: ClipBatch, loss_of: MeshLoss, contact_weight: float) -> Terms:
        """The loss terms of a batch."""
        features, logits = self.emote.audio_model.encode_log_mel(batch.mel, batch.phones)
        frames = features.shape[1]
        latents = self.emote.latents(features, batch.condition)
        motion = torch.cat(self.emote.decode_latents(latents, frames), -1)
        phones = F.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), label_smoothing=0.05)
        mesh = loss_of(motion, batch.motion, contact_weight)
        return Terms(mesh, phones, self._articulation_error(features, batch.articulation))

    def _articulation_error(self, features: Tensor, wanted: Tensor) -> Tensor:
        weights = torch.tensor(CHANNEL_WEIGHTS)
        found = self.articulation_head(features)
        position = F.smooth_l1_loss(found, wanted, beta=0.1, reduction="none")
        change = ((found - wanted)[:, 1:] - (found - wanted)[:, :-1]).abs()
        return 4 * (position * weights).mean() + 0.5 * (change * weights).mean()


def train_emote(
    config: EMOTEConfig,
    prior: MotionPrior | None,
    face_model: FaceModel,
    source: BatchSource,
    settings: EMOTETraining,
    checkpoint: Path,
    initial: Path | None = None,
) -> EMOTE:
    """A trained EMOTE with averaged weights, in eval mode. Goes on from `checkpoint` where there is one.

    Args:
        prior: the trained motion prior whose decoder is used; None where `initial` brings it.
        initial: another run's checkpoint to start from: its weights, not its optimiser.
    """
    torch.manual_seed(settings.seed)
    parts = TrainedParts(config)
    if prior is not None:
        parts.emote.load_motion_prior(prior)
    if initial is not None:
        start = load_checkpoint(initial)
        if start is None:
            raise FileNotFoundError(f"{initial}: no checkpoint to start from")
        parts.load_state_dict(start["model"])
    parts.train()
    loss_of = MeshLoss(face_model, settings.largest_error)
    trained = [parameter for parameter in parts.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        trained, settings.rate, betas=(0.9, 0.98), weight_decay=settings.weight_decay, foreach=True
    )
    average = AveragedWeights(parts, settings.average_decay)
    first = 0
    if state := load_checkpoint(checkpoint):
        parts.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        average.values = state["average"]
        first = state["step"]
    started, shown = time.monotonic(), []
    for step, batch in enumerate(batches(source, first, settings.num_steps, settings.workers), start=first):
        set_rate(optimizer, cosine_rate(step, settings.num_steps, settings.rate, settings.warm_up))
        torch.manual_seed(settings.seed * 1_000_003 + step)  # dropout
        refining = step >= settings.refine_from
        terms = parts.terms(batch, loss_of, settings.refined_contact_weight if refining else settings.contact_weight)
        loss = terms.total(settings, step)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"EMOTE's loss is {loss.item()} at step {step}; the last checkpoint is intact")
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        average.update(parts, step)
        shown.append(_values(terms))
        done = step + 1
        if done % 50 == 0 or done == settings.num_steps:
            vertices, velocity, gap, tuck, phones, channels = torch.tensor(shown).mean(0).tolist()
            logger.info(
                "EMOTE %d/%d: vertices %.3f, velocity %.3f, gap %.2f, tuck %.2f, phones %.2f, channels %.3f, %.2f s",
                done, settings.num_steps, vertices, velocity, gap, tuck, phones, channels,
                (time.monotonic() - started) / (done - first),
            )  # fmt: skip
            shown = []
        if done % settings.checkpoint_every == 0 or done == settings.num_steps:
            save_checkpoint(
                checkpoint,
                model=parts.state_dict(),
                optimizer=optimizer.state_dict(),
                average=average.values,
                step=done,
            )
    parts.load_state_dict(average.state_of(parts))
    return parts.emote.eval()


def averaged_model(config: EMOTEConfig, checkpoint: Path) -> EMOTE:
    """The averaged weights of a run that may still be going on, in eval mode."""
    state = load_checkpoint(checkpoint)
    if state is None:
        raise FileNotFoundError(f"{checkpoint} does not exist")
    parts = TrainedParts(config)
    parts.load_state_dict({**state["model"], **state["average"]})
    return parts.emote.eval()


def _values(terms: Terms) -> list[float]:
    mesh = terms.mesh
    return [t.item() for t in (mesh.vertices, mesh.velocity, mesh.gap, mesh.tuck, terms.phones, terms.articulation)]
