"""A task that takes milliseconds, with everything that resuming and sharing must get right."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from emote_blender.errors import InputError
from emote_blender.training.run.task import RunInputs, Task


class TinyNet(nn.Module):
    """Dropout, a frozen part, and a parameter that no loss reaches."""

    def __init__(self, dropout: float = 0.5) -> None:
        super().__init__()
        self.frozen = nn.Linear(6, 6).requires_grad_(False)
        self.body = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Dropout(dropout), nn.Linear(12, 2))
        self.unused = nn.Linear(2, 2)

    @property
    def first_weight(self) -> Tensor:
        first = self.body[0]
        assert isinstance(first, nn.Linear)
        return first.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self.frozen(x))


@dataclass
class TinyTask(Task):
    """Learns y = (sum of x, first of x). `events` at an optimiser's step: "sigterm", "nan", "oom", "missing" ..."""

    name = "tiny"
    batch_size: int = 4
    dropout: float = 0.5
    seed: int = 5
    event: str = ""
    at_step: int = -1
    figures: tuple[float, ...] = ()  # what validation finds, one after the other; () computes it
    epoch: int | None = None

    @classmethod
    def from_config(cls, tables: Mapping[str, Any], inputs: RunInputs) -> TinyTask:
        return cls(**tables)

    @property
    def num_batches(self) -> int | None:
        return self.epoch

    def modules(self) -> nn.Module:
        return TinyNet(self.dropout)

    def batch(self, number: int) -> tuple[Tensor, Tensor]:
        if self.event == "missing" and number == self.at_step:
            raise InputError("clip 7 not found; bring it back")
        generator = torch.Generator().manual_seed(self.seed * 1000 + number)
        x = torch.randn(self.batch_size, 6, generator=generator)
        return x, torch.stack([x.sum(1), x[:, 0]], 1)

    def loss(self, module: nn.Module, batch: Any, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        if step == self.at_step:
            if self.event == "sigterm":
                os.kill(os.getpid(), signal.SIGTERM)
            if self.event == "oom":
                raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
            if self.event == "sigkill":
                os.kill(os.getpid(), signal.SIGKILL)
        assert isinstance(module, TinyNet)
        x, wanted = batch
        error = (module(x) - wanted) ** 2
        terms = {"sum": error[:, 0].mean(), "first": error[:, 1].mean()}
        if self.event == "nan" and step == self.at_step:
            terms["first"] = terms["first"] * float("nan")
        if self.event == "nan_gradient" and step == self.at_step:
            terms["first"] = terms["first"] + (module.first_weight * 0).sum().sqrt()  # 0, with a gradient of 0 * inf
        return terms["sum"] + terms["first"], terms

    def validate(self, module: nn.Module) -> dict[str, float]:
        if self.figures:
            first, *rest = self.figures
            self.figures = (*rest, first)
            return {"error": first}
        assert isinstance(module, TinyNet)
        x, wanted = self.batch(10**6)
        return {"error": ((module(x) - wanted) ** 2).mean().item(), "weight": module.first_weight.norm().item()}

    def clips(self, module: nn.Module) -> dict[str, Tensor]:
        ramp = torch.linspace(0, 1, 16).expand(5, 3, 16, 16)
        return {"ramp": ramp * torch.linspace(0, 1, 5)[:, None, None, None]}

    def export(self, module: nn.Module, folder: Path) -> None:
        torch.save(module.state_dict(), folder / "weights.pt")
