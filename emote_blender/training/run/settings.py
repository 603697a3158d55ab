"""Settings of the trainer: the table `[trainer]` of a config file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from .optimisation import cosine_rate


@dataclass(frozen=True)
class TrainerSettings:
    """The table `[trainer]`.

    Attributes:
        rate: learning rate.
        num_steps: steps of the optimiser. Exactly one of `num_steps` and `num_epochs` is given.
        num_epochs: passes over the data.
        seed: of the initial weights, the batches and all random numbers, 0 to 2^31 - 1.
        optimizer: Adam or AdamW.
        betas: decay rates of Adam's two moments.
        weight_decay: AdamW only.
        schedule: "constant", or "cosine", which decays the rate to 2 % of `rate`.
        warm_up: steps over which the rate rises linearly.
        clip_norm: largest norm of the gradients; 0: not clipped.
        accumulate: batches per step, over all processes together.
        average_decay: decay of the moving average of the weights, which are then validated and exported; 0: none.
        precision: of autocast on a GPU.
        cpu_precision: of autocast on a CPU.
        device: "auto" uses a GPU if there is one.
        deterministic: use GPU kernels that give the same bits each time; slower.
        workers: processes that make batches ahead; 0: the training process makes them.
        checkpoint_every: steps between checkpoints.
        validate_every: steps between validations; 0: never.
        clips_every: steps between rendered clips; 0: never.
        log_every: steps between rows of the log.
        patience: stop after this many validations without improvement; 0: never.
        tensorboard: also log for TensorBoard if it is installed.
    """

    rate: float
    num_steps: int | None = None
    num_epochs: int | None = None
    seed: int = 1
    optimizer: Literal["adam", "adamw"] = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    warm_up: int = 0
    clip_norm: float = 0.0
    accumulate: int = 1
    average_decay: float = 0.0
    precision: Literal["no", "fp16", "bf16"] = "no"
    cpu_precision: Literal["no", "bf16"] = "no"
    device: Literal["auto", "cpu"] = "auto"
    deterministic: bool = False
    workers: int = 1
    checkpoint_every: int = 500
    validate_every: int = 500
    clips_every: int = 0
    log_every: int = 50
    patience: int = 0
    tensorboard: bool = True

    def __post_init__(self) -> None:
        if (self.num_steps is None) == (self.num_epochs is None):
            raise ValueError("num_steps: give either it or num_epochs")
        for name in ("num_steps", "num_epochs", "accumulate", "checkpoint_every", "log_every"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}: must be at least 1, found {value}")
        for name in ("warm_up", "clip_norm", "weight_decay", "workers", "validate_every", "clips_every", "patience"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: must not be negative, found {getattr(self, name)}")
        if not 0 < self.rate < math.inf:
            raise ValueError(f"rate: must be above 0, found {self.rate}")
        if not 0 <= self.average_decay < 1:
            raise ValueError(f"average_decay: must be at least 0 and below 1, found {self.average_decay}")
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"seed: must be from 0 to 2^31 - 1, found {self.seed}")
        if self.patience and not self.validate_every:
            raise ValueError("patience: needs validate_every")
        if self.weight_decay and self.optimizer == "adam":
            raise ValueError('weight_decay: needs optimizer = "adamw"')

    def rate_at(self, step: int, num_steps: int) -> float:
        """The learning rate of a step."""
        if self.schedule == "cosine":
            return cosine_rate(step, num_steps, self.rate, self.warm_up)
        return self.rate * min(1.0, (step + 1) / max(1, self.warm_up))
