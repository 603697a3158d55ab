"""The processes of a training: their devices and precision (through Accelerate) and their random seeds."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import torch

from ...errors import InputError
from .settings import TrainerSettings

logger = logging.getLogger(__name__)


def seed_everything(seed: int) -> None:
    """Seed torch on all devices, Python's random, and numpy's legacy generator, which transformers' masking uses."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)


def make_accelerator(settings: TrainerSettings) -> Any:
    """The Accelerator of this process.

    Raises:
        InputError: the processes cannot share the batches of a step evenly.
    """
    from accelerate import Accelerator, DistributedDataParallelKwargs, InitProcessGroupKwargs
    from accelerate.state import AcceleratorState, PartialState
    from accelerate.utils import parse_flag_from_env

    on_cpu = settings.device == "cpu" or parse_flag_from_env("ACCELERATE_USE_CPU")  # accelerate launch --cpu
    # The other processes wait while the main one validates, hence the long timeout. Buffers are constants and running
    # averages, which need not be sent at every step.
    wait = InitProcessGroupKwargs(timeout=timedelta(hours=2))
    parallel = DistributedDataParallelKwargs(find_unused_parameters=True, broadcast_buffers=False)
    if on_cpu and PartialState._shared_state and PartialState().num_processes == 1:
        AcceleratorState._reset_state(reset_partial_state=True)  # an earlier run in this process used a GPU
    if not PartialState._shared_state:
        PartialState(cpu=on_cpu, **wait.to_kwargs())
    state = PartialState()
    if settings.accumulate % state.num_processes:
        raise InputError(
            f"{state.num_processes} processes cannot share {settings.accumulate} batches per step; set [trainer] "
            f"accumulate to a multiple of {state.num_processes} (with smaller batches, if a step shall stay as it is)"
        )
    precision = settings.cpu_precision if on_cpu or state.device.type == "cpu" else settings.precision
    if precision != settings.precision:
        logger.info("on a CPU: precision %s instead of %s", precision, settings.precision)
    if AcceleratorState._shared_state.get("_mixed_precision", precision) != precision:
        AcceleratorState._reset_state()  # an earlier run in this process used another precision
    return Accelerator(
        mixed_precision=precision,
        cpu=on_cpu,
        gradient_accumulation_steps=settings.accumulate // state.num_processes,
        kwargs_handlers=[parallel, wait],
    )


@contextmanager
def deterministic_kernels(wanted: bool) -> Iterator[None]:
    """A context in which torch, if `wanted`, uses kernels that give the same bits each time, where it has them."""
    before = torch.are_deterministic_algorithms_enabled()
    if wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it at its first call
    torch.use_deterministic_algorithms(wanted or before, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=True)
