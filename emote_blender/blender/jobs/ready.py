"""The common parts of the `poll` of operators: that no work runs, and that there is a head."""

from __future__ import annotations

import bpy

from ..characters.choose import any_face
from ..head.linked import missing_files
from ..scene.find_head import any_head, no_head_sentence
from . import worker

NO_HEAD = "There is no head yet: select your character and press Use Selected Character, or press Add Head"


def is_free(operator: type[bpy.types.Operator]) -> bool:
    """Whether no work runs; if one does, the operator's button shows which."""
    busy = worker.busy_sentence()
    if busy:
        operator.poll_message_set(busy)
    return not busy


def may_animate(operator: type[bpy.types.Operator], *, sets_up: bool = False) -> bool:
    """Whether a head can be animated now; if not, the operator's button shows why. Arguments are not checked.

    Args:
        operator: the operator.
        sets_up: whether it sets up a character by itself, so that a face is enough.
    """
    if not is_free(operator):
        return False
    if not any_head() and not (sets_up and any_face()):
        operator.poll_message_set(no_head_sentence() if missing_files() else NO_HEAD)
        return False
    return True
