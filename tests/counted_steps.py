"""The work of a call as a count, which does not depend on how busy the machine is."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def counted_steps(call: Callable[..., object], *arguments: object) -> int:
    """The lines of Python that run during a call; a line that repeats itself, as in a loop, counts each time."""
    steps = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal steps
        steps += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call(*arguments)
    finally:
        sys.settrace(before)
    return steps
