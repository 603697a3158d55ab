"""Building blocks of the trainer: learning-rate schedule, averaged weights, checkpoint files."""

from __future__ import annotations

import math
import os
from pathlib import Path

import torch
from torch import Tensor, nn

from ...files.atomic_write import atomic_file


def cosine_rate(step: int, num_steps: int, highest: float, warm_up: int, lowest: float = 0.02) -> float:
    """Learning rate at a step: linear warm-up, then cosine decay.

    Args:
        step: from 0.
        num_steps: steps of the whole run.
        highest: peak learning rate.
        warm_up: steps of linear warm-up.
        lowest: final rate as a fraction of `highest`.
    """
    rise = min(1.0, (step + 1) / max(1, warm_up))
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, step / num_steps)))
    return highest * rise * (lowest + (1 - lowest) * fall)


class AveragedWeights:
    """Exponential moving average of a model's trained parameters; buffers are not averaged."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move the average towards the model's weights; the decay grows over the first steps, to forget the start."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, parameter in model.named_parameters():
            if name in self.values:
                self.values[name].lerp_(parameter.detach(), 1 - decay)

    def state_of(self, model: nn.Module) -> dict[str, Tensor]:
        """A copy of the model's state dict with averaged parameters."""
        return {name: self.values.get(name, tensor).detach().clone() for name, tensor in model.state_dict().items()}


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every parameter group."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def save_checkpoint(path: Path, **state) -> None:
    """Write a checkpoint atomically: if the run is killed meanwhile, the previous checkpoint stays intact."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Given a path, torch's own writer reports a full disk as a RuntimeError; a Python file raises OSError.
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())


def load_checkpoint(path: Path) -> dict | None:
    """A checkpoint's state, with all tensors on the CPU; None if the file does not exist.

    Only tensors and plain values are loaded, never code.
    """
    # Without map_location, a checkpoint from a GPU needs a GPU, and every process would load onto the first one.
    return torch.load(path, map_location="cpu", weights_only=True) if path.is_file() else None
