"""Failures that end a training early, each explained in one sentence: memory, disk, a loss that is NaN, a signal."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import torch
from torch import Tensor

from ...errors import TrainingError
from .folder import RunFolder

SAME_SIGNAL_SECONDS = 2.0


@contextmanager
def explained_failures(run: RunFolder) -> Iterator[None]:
    """Turn errors that the user can fix into a TrainingError; all others pass through unchanged."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise TrainingError(_no_memory(run)) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise TrainingError(_no_space(run)) from error
        if error.errno == errno.ENOMEM:
            raise TrainingError(_no_memory(run)) from error
        if isinstance(error, FileNotFoundError) and error.filename:
            raise TrainingError(f"{error.filename} no longer exists; restore it; {what_is_left(run)}") from error
        raise
    except RuntimeError as error:
        text = str(error)
        if "can't allocate memory" in text or "out of memory" in text:  # torch on the CPU, cuBLAS, cuDNN
            raise TrainingError(_no_memory(run)) from error
        if "DataLoader worker" in text and "killed" in text:
            raise TrainingError(
                "a process that makes batches was killed, most likely because memory ran out; set [trainer] workers "
                f"lower; {what_is_left(run)}"
            ) from error
        raise
    except Exception as error:
        if "No space left on device" in str(error):  # safetensors raises a class of its own
            raise TrainingError(_no_space(run)) from error
        raise


def what_is_left(run: RunFolder) -> str:
    """The end of an error sentence: where --resume continues from."""
    if run.last.is_file():
        return f"the last checkpoint, {run.last}, is intact, and --resume continues from it"
    return "there was no checkpoint yet, --resume starts from the beginning"


def _no_memory(run: RunFolder) -> str:
    return (
        "memory ran out; make the batches smaller in the config and accumulate more of them ([trainer] accumulate), "
        f'or use precision = "bf16"; {what_is_left(run)}'
    )


def _no_space(run: RunFolder) -> str:
    return f"the disk of {run.folder} is full; free some space; {what_is_left(run)}"


def check_finite(loss: Tensor, terms: dict[str, Tensor], step: int, batch: int, run: RunFolder) -> None:
    """Raise a TrainingError that names the non-finite terms, if the loss is not finite."""
    if torch.isfinite(loss):
        return
    bad = [f"{name} is {value.item()}" for name, value in terms.items() if not torch.isfinite(value).all()]
    what = ", ".join(bad) or f"its terms are finite, but their sum is {loss.item()}"
    raise TrainingError(
        f"the loss is not a number at step {step} (batch {batch}): {what}; lower [trainer] rate or look at that batch; "
        f"{what_is_left(run)}"
    )


class StopSignals:
    """A context in which SIGINT (Ctrl-C) or SIGTERM only sets `requested`; a second one has its usual effect.

    A second signal within 2 s is ignored: a launcher forwards the Ctrl-C that its processes received already.
    """

    def __init__(self) -> None:
        self.requested = False
        self._since = 0.0
        self._before: dict[int, object] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():  # Python allows handlers there only
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._request)
        return self

    def _request(self, number: int, frame: FrameType | None) -> None:
        if not self.requested:
            self.requested, self._since = True, time.monotonic()
        elif time.monotonic() - self._since >= SAME_SIGNAL_SECONDS:
            self._restore()
            os.kill(os.getpid(), number)

    def _restore(self) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, handler)  # type: ignore[arg-type]

    def __exit__(self, *exception: object) -> None:
        self._restore()
