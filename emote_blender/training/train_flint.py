"""Training of FLINT, the motion prior, on the motions that the corpus and the emotion styles make (spec/EMOTE.md 5)."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..emote.config import FLINTConfig
from ..emote.flint import FLINT
from ..flame.model import FaceModel
from .dataset import SpeechPart, draw_motion, draw_window, load_part
from .losses import MeshLoss
from .optimisation import cosine_rate, load_checkpoint, save_checkpoint, set_rate

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FLINTTraining:
    """Settings. num_frames: of a window. kl_weight: of the divergence per latent, against mm² on the mesh."""

    num_steps: int = 3500
    batch_size: int = 32
    num_frames: int = 32
    rate: float = 1.5e-3
    warm_up: int = 100
    kl_weight: float = 1e-3
    gap_weight: float = 0.2
    seed: int = 1
    checkpoint_every: int = 500
    workers: int = 1


class MotionBatches(Dataset):
    """Batches of motion (B, T, E + 3) by number, without sound; the same for the same seed."""

    def __init__(self, folders: tuple[Path, ...], settings: FLINTTraining) -> None:
        self.folders, self.settings = folders, settings
        self._parts: list[SpeechPart] | None = None

    def __getitem__(self, number: int) -> Tensor:
        if self._parts is None:
            self._parts = [load_part(folder) for folder in self.folders]
        rng = np.random.default_rng([self.settings.seed, number])
        motions = []
        for _ in range(self.settings.batch_size):
            part = self._parts[rng.integers(len(self._parts))]
            motions.append(draw_motion(draw_window(part, self.settings.num_frames, rng), rng).motion)
        return torch.from_numpy(np.stack(motions))


def train_flint(
    config: FLINTConfig, face_model: FaceModel, folders: tuple[Path, ...], settings: FLINTTraining, checkpoint: Path
) -> FLINT:
    """A trained FLINT, in eval mode. Goes on from `checkpoint` where there is one, and leaves the last there."""
    torch.manual_seed(settings.seed)
    model = FLINT(config)
    loss_of = MeshLoss(face_model)
    optimizer = torch.optim.Adam(model.parameters(), settings.rate, betas=(0.9, 0.98))
    first = 0
    if state := load_checkpoint(checkpoint):
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
    batches = DataLoader(
        MotionBatches(folders, settings),
        batch_size=None,
        sampler=range(first, settings.num_steps),
        num_workers=settings.workers,
        prefetch_factor=4 if settings.workers else None,
    )
    model.train()
    started = time.monotonic()
    for step, motion in enumerate(batches, start=first):
        set_rate(optimizer, cosine_rate(step, settings.num_steps, settings.rate, settings.warm_up))
        noise = torch.Generator().manual_seed(settings.seed * 1_000_003 + step)
        rebuilt, distribution, _ = model(motion, noise)
        errors = loss_of(rebuilt, motion)
        divergence = distribution.kl_divergence()
        loss = errors.vertices + settings.gap_weight * errors.gap + settings.kl_weight * divergence
        if not torch.isfinite(loss):
            raise FloatingPointError(f"FLINT's loss is {loss.item()} at step {step}")
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        done = step + 1
        if done % 250 == 0 or done == settings.num_steps:
            logger.info(
                "FLINT %d/%d: vertices %.4f mm², gap %.3f mm², KL %.1f, %.2f s per step",
                done, settings.num_steps, errors.vertices.item(), errors.gap.item(), divergence.item(),
                (time.monotonic() - started) / (done - first),
            )  # fmt: skip
        if done % settings.checkpoint_every == 0 or done == settings.num_steps:
            save_checkpoint(checkpoint, model=model.state_dict(), optimizer=optimizer.state_dict(), step=done)
    return model.eval()
