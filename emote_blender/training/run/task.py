"""What the trainer asks of a task, and what a task is made of: `train flint|emotion|lips|emote` differ in this only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from ...errors import InputError


@dataclass(frozen=True)
class RunInputs:
    """What a run is given beside the tables of its config file.

    config: the file's name, which `config.build_settings` names in its errors. seed: of `[trainer]`; the batches
    depend on it. data, head, init: `--data`, `--head`, `--init` as the user gave them, unchecked; None where left out.
    """

    config: str
    seed: int
    data: Path | None = None
    head: str | None = None
    init: Path | None = None

    def data_folder(self, what: str = "its folder") -> Path:
        """`--data`; raises InputError that asks for `what` where it was left out."""
        if self.data is None:
            raise InputError(f"{self.config} needs data; give {what} with --data")
        return self.data


class Task(Protocol):
    """Something to be trained. A class that inherits from this one needs no `num_batches` and no `clips` of its own.

    Batches may be made in other processes, so a task can be pickled, and opens its files where it first needs them.
    Errors that a person can mend (a missing file, too few clips) are children of EmoteError, wherever they are raised.
    """

    name: str

    @classmethod
    def from_config(cls, tables: Mapping[str, Any], inputs: RunInputs) -> Task:
        """The task of a config file.

        Args:
            tables: the file without `task`, `extends` and `[trainer]`; `config.build_settings(Settings, tables,
                inputs.config)` makes the task's own frozen dataclass of it and names what is unknown, missing or wrong.
            inputs: the rest.
        """
        ...

    @property
    def num_batches(self) -> int | None:
        """Batches in an epoch, for configs that give `num_epochs`; None: the data has no end."""
        return None

    def modules(self) -> nn.Module:
        """A new module with everything that is trained and everything frozen (`requires_grad` False), on the CPU.

        Called once per run with torch's generator seeded, so that initial weights depend on the seed. Parts that stay
        in eval mode while the rest is trained do so in the module's own `train`. Its state dict is the checkpoint's;
        arrays that come from elsewhere are buffers with `persistent=False`, and so on the right device.
        """
        ...

    def batch(self, number: int) -> Any:
        """Training batch `number` (0, 1, ...) on the CPU: the same for the same seed and number.

        A tensor, something with `to(device)` (ClipBatch), or a tuple, list or dict of these.
        """
        ...

    def loss(self, module: nn.Module, batch: Any, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a batch, a scalar, and its terms by name, scalars too, unweighted, for the log.

        Args:
            module: what `modules` gave, in train mode and on the batch's device; any of its methods may be called.
            batch: what `batch` gave, on the device. Random numbers come from the global generators (torch, numpy,
                random): they are seeded anew for every batch, hence the same after a resume and in any process.
            step: of the optimiser, from 0; several batches belong to one where gradients are accumulated.
        """
        ...

    def validate(self, module: nn.Module) -> dict[str, float]:
        """Figures on held-out data, module in eval mode with averaged weights; the first one counts, lower is better.

        Called under `torch.no_grad`, by the main process only, with the generators seeded alike each time.
        """
        ...

    def clips(self, module: nn.Module) -> dict[str, Tensor]:
        """Rendered clips (T, 3, H, W) in [0, 1] at 25 fps by name, to be looked at; called as `validate`."""
        return {}

    def export(self, module: nn.Module, folder: Path) -> None:
        """Writes what users load into `folder`, which exists; the module holds the best weights, in eval mode."""
        ...
