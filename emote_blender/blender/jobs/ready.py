"""The common parts of the `poll` of operators: that no work runs, and that there is a head."""

from __future__ import annotations

import bpy

from ..scene.find_head import any_head
from . import worker


def is_free(operator: type[bpy.types.Operator]) -> bool:
    """Whether no work runs; if one does, the operator's button shows which."""
    busy = worker.busy_sentence()
    if busy:
        operator.poll_message_set(busy)
    return not busy


def may_animate(operator: type[bpy.types.Operator]) -> bool:
    """Whether a head can be animated now; if not, the operator's button shows why. Arguments are not checked."""
    if not is_free(operator):
        return False
    if not any_head():
        operator.poll_message_set("There is no head yet: press Add Head first")
        return False
    return True
