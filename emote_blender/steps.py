"""Steps of long work: each reports progress, and the work can be cancelled between two of them."""

from __future__ import annotations

from collections.abc import Callable

from .errors import Cancelled

Step = Callable[[float, str], None]  # called with the fraction done (0 to 1) and what comes next


def no_step(fraction: float, text: str) -> None:
    """Do nothing: a step for work without progress."""


def reported_step(progress: Step, cancelled: Callable[[], bool]) -> Step:
    """A step that reports to `progress`, and raises Cancelled if `cancelled` returns True."""

    def step(fraction: float, text: str) -> None:
        if cancelled():
            raise Cancelled("cancelled; nothing was changed")
        progress(fraction, text)

    return step
