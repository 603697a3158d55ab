"""Work on a thread beside Blender's own: progress, cancelling, and its result or its error at the end.

The work must not touch bpy. Only one piece of work runs at a time, whatever its thread: new work waits until a
cancelled job has ended its present step. The panel reads the job that the user waits for through `running`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from ...errors import Cancelled

Progress = Callable[[float, str], None]
IsCancelled = Callable[[], bool]
Work = Callable[[Progress, IsCancelled], Any]

logger = logging.getLogger(__name__)

_running: Job | None = None
_started: list[Job] = []  # those whose threads may still be alive, the released ones too
_working = threading.Lock()
_WAIT_SECONDS = 0.05
_JOIN_SECONDS = 60.0  # far above the longest step: a model that is loaded, a sound of hours that is decoded


class Job:
    """A function that runs on its own thread.

    Attributes:
        title: what is being made, as a sentence's subject.
        fraction: progress from 0 to 1.
        text: what is being done.
    """

    def __init__(self, title: str, work: Work) -> None:
        self.title = title
        self.fraction = 0.0
        self.text = "Starting"
        self._work = work
        self._result: Any = None
        self._error: BaseException | None = None
        self._cancel = threading.Event()
        self._thread = threading.Thread(target=self._run, name="EMOTE", daemon=True)

    def start(self, *, awaited: bool = True) -> None:
        """Start the thread. If the user waits for this job, it is `running` until `release`."""
        _started[:] = [job for job in _started if not job.done]
        _started.append(self)
        if awaited:
            self.follow()
        self._thread.start()

    def follow(self) -> None:
        """Make this job the one that the user waits for."""
        global _running
        _running = self

    def cancel(self) -> None:
        """Ask the work to stop at its next step."""
        self._cancel.set()
        self.text = "Cancelling"

    @property
    def cancelled(self) -> bool:
        """Whether the work was asked to stop."""
        return self._cancel.is_set()

    @property
    def done(self) -> bool:
        """Whether the thread has ended."""
        return not self._thread.is_alive()

    def result(self) -> Any:
        """The result of the work; raises what the work raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        if self.cancelled:
            raise Cancelled("cancelled; nothing was changed")
        return self._result

    def release(self) -> None:
        """Allow another job to start; the thread of a cancelled job may still be ending its step."""
        global _running
        if _running is self:
            _running = None

    def join(self, seconds: float) -> bool:
        """Wait for the thread to end, and return whether it did within this time."""
        self._thread.join(seconds)
        return self.done

    def _run(self) -> None:
        try:
            self._result = run_alone(self._work, self._set_progress, self._cancel.is_set)
        except BaseException as error:  # raised again on the main thread, by result()
            self._error = error

    def _set_progress(self, fraction: float, text: str) -> None:
        self.fraction = min(max(float(fraction), 0.0), 1.0)
        if not self.cancelled:
            self.text = text


def run_alone(
    work: Work, progress: Progress = lambda fraction, text: None, cancelled: IsCancelled = lambda: False
) -> Any:
    """The result of the work, which starts once no other work runs on any thread.

    Raises:
        Cancelled: if `cancelled` returns True before the work starts; also what the work raises.
    """
    while not _working.acquire(timeout=_WAIT_SECONDS):
        if cancelled():
            raise Cancelled("cancelled; nothing was changed")
        progress(0.0, "Waiting for the cancelled work to stop")
    try:
        return work(progress, cancelled)
    finally:
        _working.release()


def running() -> Job | None:
    """The job that the user waits for."""
    return _running


def busy_sentence() -> str:
    """Why no other job can be started now; empty if one can."""
    return f"{_running.title} is being made; wait or cancel it" if _running is not None else ""


def stop_all() -> None:
    """Cancel every job and wait for all threads, those of released jobs too (the add-on is being disabled)."""
    for job in _started:
        job.cancel()
        job.release()
    deadline = time.monotonic() + _JOIN_SECONDS
    for job in _started:
        if not job.join(max(0.0, deadline - time.monotonic())):
            logger.warning("%s was cancelled but still works after %.0f s", job.title, _JOIN_SECONDS)
    _started[:] = [job for job in _started if not job.done]
