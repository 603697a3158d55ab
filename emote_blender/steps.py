"""How long work says what comes next and is ended between two steps."""

from __future__ import annotations

from collections.abc import Callable

from .errors import Cancelled

Step = Callable[[float, str], None]  # called with the fraction done (0 to 1) and what comes next


def no_step(fraction: float, text: str) -> None:
    """Ignore the progress: a step that nobody waits for."""


def reported_step(progress: Step, cancelled: Callable[[], bool]) -> Step:
    """A step that reports to `progress`, and raises Cancelled when `cancelled` says so."""

    def step(fraction: float, text: str) -> None:
        if cancelled():
            raise Cancelled("cancelled; nothing was changed")
        progress(fraction, text)

    return step
