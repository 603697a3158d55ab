"""Work on a thread beside Blender's own: progress, cancelling, and its result or its error at the end.

The work must not touch bpy. One job runs at a time; the panel reads it through `running`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..errors import Cancelled

Work = Callable[[Callable[[float, str], None], Callable[[], bool]], Any]

_running: Job | None = None
_JOIN_SECONDS = 5.0


class Job:
    """A function that runs on its own thread.

    Attributes:
        title: what the user sees it is about.
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

    def start(self) -> None:
        """Returns nothing; starts the thread. This job is `running` until `release`."""
        global _running
        _running = self
        self._thread.start()

    def cancel(self) -> None:
        """Returns nothing; asks the work to stop at its next step."""
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
        """What the work gave back; raises what the work raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        if self.cancelled:
            raise Cancelled("cancelled; nothing was changed")
        return self._result

    def release(self) -> None:
        """Returns nothing; another job may start from now on."""
        global _running
        if _running is self:
            _running = None

    def _run(self) -> None:
        try:
            self._result = self._work(self._set_progress, self._cancel.is_set)
        except BaseException as error:  # raised again on the main thread, by result()
            self._error = error

    def _set_progress(self, fraction: float, text: str) -> None:
        self.fraction = min(max(float(fraction), 0.0), 1.0)
        if not self.cancelled:
            self.text = text


def running() -> Job | None:
    """The job that runs now."""
    return _running


def stop_running() -> None:
    """Returns nothing; cancels the job that runs and waits a little for its thread (the add-on is being disabled)."""
    job = _running
    if job is not None:
        job.cancel()
        job._thread.join(_JOIN_SECONDS)
        job.release()
