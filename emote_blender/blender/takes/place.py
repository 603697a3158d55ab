"""Which takes of a head are in use, and the tracks that this puts them on."""

from __future__ import annotations

from ..head.head_rig import HeadRig
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from . import layout
from .fades import competes


def put_in_use(rig: HeadRig, take: EMOTE_PG_take) -> None:
    """Put a take in use; takes that it takes the place of become alternates (see `fades.competes`)."""
    index = layout.StripIndex(rig)
    rivals = [
        other
        for other in head_settings(rig.mesh).takes
        if other != take and other.in_use and competes(other, take, index)
    ]
    for other in rivals:
        set_in_use(rig, other, False)
    set_in_use(rig, take, True)


def set_in_use(rig: HeadRig, take: EMOTE_PG_take, in_use: bool) -> None:
    """Move a take's strips to a track of takes in use or of alternates, at the same frames."""
    if take.action is not None and layout.is_in_use(rig, take.action) not in (None, in_use):
        span = layout.span_of(rig, take.action)
        if span is not None:
            layout.lay(rig, take.action, span, in_use)
    take.in_use = in_use
