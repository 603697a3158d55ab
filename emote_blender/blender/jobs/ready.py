"""Whether a head could be animated now, as a button asks."""

from __future__ import annotations

import bpy

from ..scene.find_head import any_head
from . import worker


def may_animate(operator: type[bpy.types.Operator]) -> bool:
    """Whether a head could be animated now; tells the operator's button why not. Arguments may still be wrong."""
    if busy := worker.busy_sentence():
        operator.poll_message_set(busy)
        return False
    if not any_head():
        operator.poll_message_set("There is no head yet: press Add Head first")
        return False
    return True
