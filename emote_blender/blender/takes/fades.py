"""When a take fades in and out: its transitions, and the lines before and after it."""

from __future__ import annotations

from ...motion_tools.raw_take import RawTake
from ...motion_tools.transition import Fade
from ..settings.take_settings import EMOTE_PG_take


def fades_of(take: EMOTE_PG_take, raw: RawTake) -> tuple[Fade, Fade]:
    """The fade into and out of a take, seconds from its first frame."""
    last = _last_seconds(take, raw)
    return Fade(-take.refine.transition_in, 0.0), Fade(last, last + take.refine.transition_out)


def _last_seconds(take: EMOTE_PG_take, raw: RawTake) -> float:
    """Time of the line's last frame at the scene's rate."""
    return (max(1, round(raw.emotional.sound_seconds * take.fps)) - 1) / take.fps
