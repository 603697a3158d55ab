"""The common part of the `poll` of operators that animate a head."""

from __future__ import annotations

import bpy

from ..scene.find_head import any_head
from . import worker


def may_animate(operator: type[bpy.types.Operator]) -> bool:
    """Whether a head can be animated now; if not, the operator's button shows why. Arguments are not checked."""
    if busy := worker.busy_sentence():
        operator.poll_message_set(busy)
        return False
    if not any_head():
        operator.poll_message_set("There is no head yet: press Add Head first")
        return False
    return True
