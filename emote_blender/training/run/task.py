"""The interface between the trainer and a task; `train flint|emotion|lips|encoder|emote` differ only in their task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from ...errors import InputError


@dataclass(frozen=True)
class RunInputs:
    """What a run is given besides the tables of its config file; options are as the user typed them, unchecked.

    Attributes:
        config: the config file's name, for the errors of `config.build_settings`.
        seed: of `[trainer]`; the batches depend on it.
        data: `--data`, or None.
        head: `--head`, or None.
        init: `--init`, or None.
    """

    config: str
    seed: int
    data: Path | None = None
    head: str | None = None
    init: Path | None = None

    def data_folder(self, what: str = "its folder") -> Path:
        """The folder given with `--data`.

        Args:
            what: what to give, for the error.

        Raises:
            InputError: the option was left out.
        """
        if self.data is None:
            raise InputError(f"{self.config} needs data; give {what} with --data")
        return self.data


class Task(Protocol):
    """Something that can be trained. Subclasses need not define `num_batches` and `clips`.

    Batches may be made in other processes, so a task must be picklable and open its files lazily. An error that the
    user can fix (a missing file, too few clips) is a child of EmoteError.
    """

    name: str

    @classmethod
    def from_config(cls, tables: Mapping[str, Any], inputs: RunInputs) -> Task:
        """The task that a config file describes.

        Args:
            tables: the file without `task`, `extends` and `[trainer]`. `config.build_settings(Settings, tables,
                inputs.config)` turns it into the task's own frozen dataclass and reports what is unknown, missing or
                wrong.
            inputs: everything else.
        """
        ...

    @property
    def num_batches(self) -> int | None:
        """Batches in an epoch, for configs with `num_epochs`; None: the data is endless."""
        return None

    def modules(self) -> nn.Module:
        """A new module with all trained and all frozen parts (`requires_grad` False), on the CPU.

        Called once per run, with torch's generator seeded: the initial weights depend on the seed. If a part must stay
        in eval mode during training, the module's `train` method takes care of it. The module's state dict is saved in
        checkpoints. Arrays that come from other files are buffers with `persistent=False`: they move to the device
        with the module and are not saved.
        """
        ...

    def batch(self, number: int) -> Any:
        """Training batch `number` (0, 1, ...) on the CPU; it depends only on the seed and the number.

        A tensor, an object with `to(device)` such as ClipBatch, or a tuple, list or dict of these.
        """
        ...

    def loss(self, module: nn.Module, batch: Any, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a batch and, for the log, its unweighted terms by name; all are scalars.

        Random numbers are drawn from the global generators (torch, numpy, random). These are seeded for every batch, so
        the numbers are the same after a resume and in any process.

        Args:
            module: the result of `modules`, in train mode and on the batch's device; any of its methods may be called.
            batch: a result of `batch`, on the device.
            step: step of the optimiser, from 0; with accumulated gradients, several batches share a step.
        """
        ...

    def validate(self, module: nn.Module) -> dict[str, float]:
        """Metrics on held-out data by name; the first decides which weights are best, and lower is better.

        Called in the main process only, under `torch.no_grad`, with the same random seed each time. The module is in
        eval mode and holds the averaged weights, if the run averages.
        """
        ...

    def clips(self, module: nn.Module) -> dict[str, Tensor]:
        """Rendered clips (T, 3, H, W) in [0, 1] at 25 fps by name, for people to look at; called like `validate`."""
        return {}

    def export(self, module: nn.Module, folder: Path) -> None:
        """Write the files that users load into `folder`, which exists; the module has the best weights."""
        ...
