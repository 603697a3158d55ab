"""Comparing two takes of a line: one button plays the one or the other."""

from __future__ import annotations

import bpy

from ...errors import InputError
from ..head.rig import rig_of
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from .fades import competes
from .layout import StripIndex
from .manage import use_take


def flip(head: bpy.types.Object, take: EMOTE_PG_take) -> EMOTE_PG_take:
    """Use a take instead of the one of its line that is in use, or the other way round, and return the one in use now.

    Raises:
        InputError: if there is nothing to compare the take with.
    """
    settings, index = head_settings(head), StripIndex(rig_of(head))
    others = [other for other in settings.takes if other != take and other.action is not None]
    rivals = [other for other in others if competes(other, take, index)]
    if not rivals:
        raise InputError(f"take {take.name!r} is the only one of its line; generate another one to compare it with")
    if not take.in_use:
        settings.compared_take = next((other for other in rivals if other.in_use), rivals[-1]).name
        use_take(head, take)
        return take
    other = next((other for other in rivals if other.name == settings.compared_take), rivals[-1])
    use_take(head, other)
    return other
