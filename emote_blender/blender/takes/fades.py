"""When takes fade in and out: their transitions, and the lines before and after them."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from ...motion_tools.transition import Fade
from ..head.head_rig import HeadRig
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from . import layout
from .idle import is_idle
from .store import origin_of

SHORTEST_CROSS_FADE = 0.12  # seconds over which lines that touch blend, unless both are set to none at all


@dataclass(frozen=True)
class Part:
    """A line on the timeline.

    Attributes:
        start: time of its first frame, seconds.
        end: time of its last frame, seconds.
        fade_in: length of the transition before it, seconds.
        fade_out: length of the transition after it, seconds.
    """

    start: float
    end: float
    fade_in: float
    fade_out: float

    def fades(self, before: Part | None = None, after: Part | None = None) -> tuple[Fade, Fade]:
        """The fade into and out of the line, seconds from its first frame, with the lines before and after it."""
        fade_in = Fade(-self.fade_in, 0.0)
        fade_out = Fade(self.end - self.start, self.end - self.start + self.fade_out)
        common = before and cross_fade(before, self)
        if common:
            fade_in = Fade(common.start - self.start, common.end - self.start)
        common = after and cross_fade(self, after)
        if common:
            fade_out = Fade(common.start - self.start, common.end - self.start)
        return fade_in, fade_out


def cross_fade(first: Part, second: Part) -> Fade | None:
    """The span over which one line gives way to the next, seconds on the timeline; None where both have room.

    Where the gap between two lines is shorter than their transitions, both fade over the same span, in the middle
    between them, so that their weights add up to 1.
    """
    gap = second.start - first.end
    longest = max(first.fade_out, second.fade_in)
    if gap >= longest:
        return None
    length = max(abs(gap), min(longest, SHORTEST_CROSS_FADE))
    middle = (first.end + second.start) / 2
    return Fade(middle - length / 2, middle + length / 2)


Fades = tuple[Fade, Fade]


def fades_of(rig: HeadRig, take: EMOTE_PG_take, index: layout.StripIndex) -> Fades:
    """The fade into and out of a take, seconds from its first frame.

    Args:
        rig: the head.
        take: one of its takes; one that is not in use has no neighbours.
        index: where the head's strips are.
    """
    part = part_of(take, index)
    if not take.in_use or is_idle(take):
        return part.fades()
    others = [part_of(other, index) for other in spoken(rig) if other != take]
    earlier = [other for other in others if other.start < part.start]
    later = [other for other in others if other.start >= part.start]
    return part.fades(
        max(earlier, key=lambda other: other.end, default=None), min(later, key=lambda other: other.start, default=None)
    )


def fades_in_use(rig: HeadRig, index: layout.StripIndex) -> list[tuple[EMOTE_PG_take, Fades]]:
    """Every take that speaks, in the order of time, with its fades; as `fades_of` gives them one by one."""
    lines = sorted(((part_of(take, index), take) for take in spoken(rig)), key=lambda line: line[0].start)
    result = []
    before: Part | None = None
    for number, (part, take) in enumerate(lines):
        after = lines[number + 1][0] if number + 1 < len(lines) else None
        result.append((take, part.fades(before, after)))
        if before is None or part.end > before.end:
            before = part
    return result


def spoken(rig: HeadRig) -> list[EMOTE_PG_take]:
    """The lines of a head that are in use, without idle takes."""
    return [
        take for take in head_settings(rig.mesh).takes if take.in_use and take.action is not None and not is_idle(take)
    ]


def part_of(take: EMOTE_PG_take, index: layout.StripIndex) -> Part:
    """Where a take's line is, wherever its strips are now."""
    fps = take.fps or 25.0
    start = first_frame(take, index) / fps
    num_frames = max(1, round(take.duration_seconds * fps))
    return Part(start, start + (num_frames - 1) / fps, take.refine.transition_in, take.refine.transition_out)


def first_frame(take: EMOTE_PG_take, index: layout.StripIndex) -> float:
    """The scene frame at which a take's line begins, wherever its strips are now."""
    strip = index.strip(take.action)
    if strip is None or take.action is None:
        return take.frame_start
    return strip.frame_start + (origin_of(take.action, take) - strip.action_frame_start) * strip.scale


def line_span(take: EMOTE_PG_take, index: layout.StripIndex) -> tuple[float, float]:
    """First scene frame of a take's line and the frame after its last."""
    start = first_frame(take, index)
    return start, start + max(1, round(take.duration_seconds * (take.fps or 25.0)))


def competes(first: EMOTE_PG_take, second: EMOTE_PG_take, index: layout.StripIndex) -> bool:
    """Whether only one of two takes can be in use: those of one line that overlap, without their transitions.

    Of different lines, those that have more than half of the shorter one in common, as a face speaks one at a time.
    """
    (start, end), (other_start, other_end) = (line_span(take, index) for take in (first, second))
    if is_idle(first) != is_idle(second):
        return False
    common = min(end, other_end) - max(start, other_start)
    if first.line == second.line:
        return common > 0
    return common > min(end - start, other_end - other_start) / 2


def as_numbers(fades: Fades) -> list[float]:
    """Fades as an action stores them, to tell whether its curves were written with others."""
    return [round(value, 5) for fade in fades for value in (fade.start, fade.end)]


def written_fades(action: bpy.types.Action) -> list[float]:
    """The fades that an action's curves were written with; empty if it does not say."""
    stored = action.get(FADES_PROPERTY)
    return list(stored) if stored is not None and not isinstance(stored, str | bytes | int | float) else []


FADES_PROPERTY = "emote_fades"
