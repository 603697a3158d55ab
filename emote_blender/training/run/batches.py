"""Batches by number, prepared ahead of time in worker processes; each training process takes its own share."""

from __future__ import annotations

import signal
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from ...errors import EmoteError
from .task import Task


@dataclass(frozen=True)
class Failed:
    """A user's mistake found in a worker process; raised there, it would carry that process's traceback.

    Attributes:
        error: what `task.batch` raised.
    """

    error: EmoteError


class _Batches(Dataset):
    def __init__(self, task: Task) -> None:
        self.task = task

    def __getitem__(self, number: int) -> Any:
        try:
            return self.task.batch(number)
        except EmoteError as error:
            return Failed(error)


def _leave_signals_to_the_main_process(worker: int) -> None:
    """Ignore Ctrl-C, which reaches every process of a terminal, and drop the handlers inherited from the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def batch_numbers(step: int, accumulate: int, process: int, num_processes: int) -> range:
    """The numbers of the batches that one process takes in a step (see the module `trainer`)."""
    return range(step * accumulate + process, (step + 1) * accumulate, num_processes)


def to_device(batch: Any, device: torch.device) -> Any:
    """The batch with all its tensors on `device`."""
    from accelerate.utils import send_to_device

    return send_to_device(batch, device)


def batches_ahead(task: Task, numbers: list[int], workers: int) -> Generator[Any, None, None]:
    """The task's batches with the given numbers, in order, on the CPU.

    Args:
        task: its `batch` makes them.
        numbers: of the batches.
        workers: processes that make batches ahead; 0: they are made in this process.

    Raises:
        EmoteError: `task.batch` raised it, here or in a worker.
    """
    loader = DataLoader(
        _Batches(task),
        batch_size=None,
        sampler=numbers,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_leave_signals_to_the_main_process,
    )
    for batch in loader:
        if isinstance(batch, Failed):
            raise batch.error
        yield batch
