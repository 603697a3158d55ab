"""What the trainer is made of: learning rate, averaged weights, checkpoints that resume exactly."""

from __future__ import annotations

import math
import os
from pathlib import Path

import torch
from torch import Tensor, nn

from ...files.atomic_write import atomic_file


def cosine_rate(step: int, num_steps: int, highest: float, warm_up: int, lowest: float = 0.02) -> float:
    """Learning rate of a step: a straight rise over `warm_up` steps, half a cosine down to `lowest` of `highest`."""
    rise = min(1.0, (step + 1) / max(1, warm_up))
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, step / num_steps)))
    return highest * rise * (lowest + (1 - lowest) * fall)


class AveragedWeights:
    """Exponential moving average of a model's parameters; buffers are taken as they are."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Moves the average towards the model; in the first steps faster, so that the start is forgotten."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, parameter in model.named_parameters():
            if name in self.values:
                self.values[name].lerp_(parameter.detach(), 1 - decay)

    def state_of(self, model: nn.Module) -> dict[str, Tensor]:
        """The model's state dict with averaged parameters."""
        return {name: self.values.get(name, tensor).detach().clone() for name, tensor in model.state_dict().items()}


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Sets the learning rate of every group."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def save_checkpoint(path: Path, **state) -> None:
    """Write a checkpoint whole or not at all: a run that is killed leaves the last one intact."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # torch's own writer, to a path, hides a full disk behind a RuntimeError
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())


def load_checkpoint(path: Path) -> dict | None:
    """A checkpoint's state, with its tensors on the CPU whatever device saved them; None where there is none.

    Only tensors and plain values are read. Without `map_location` a GPU's checkpoint could not be read without one, and
    each of several processes would put a copy on the first GPU.
    """
    return torch.load(path, map_location="cpu", weights_only=True) if path.is_file() else None
