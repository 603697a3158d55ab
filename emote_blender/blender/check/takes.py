"""What is wrong with each take of a head, in a few words for the list of takes."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from ...errors import InputError
from ...motion_tools.timing import frames_per_second
from ..scene.placed_strip import PlacedStrip
from ..scene.strips import strips_by_name
from ..scene.unheard import silencers
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from ..takes.idle import is_idle
from .sound import is_moved, is_trimmed
from .subject import Subject, read_subject, sound_scenes

_FPS_TOLERANCE = 1e-3


@dataclass(frozen=True)
class TakeWarning:
    """What is wrong with a take.

    Attributes:
        text: a few words.
        retime: whether moving the take to its sound, at the scene's frame rate, mends it.
    """

    text: str
    retime: bool = False


def take_warnings(context: bpy.types.Context, head: bpy.types.Object) -> dict[str, TakeWarning]:
    """What is wrong with the takes of a head, by the name of the take."""
    warnings = {
        take.name: TakeWarning("its action is gone") for take in head_settings(head).takes if take.action is None
    }
    try:
        subject = read_subject(context, head)
    except InputError:
        return warnings  # a head without its parts: other sentences say so
    strips = strips_by_name(sound_scenes(subject))
    for take in subject.takes:
        if is_idle(take):
            continue  # it belongs to no sound
        warning = _warning(subject, take, strips.get(take.line))
        if warning is not None:
            warnings[take.name] = warning
    return warnings


def _warning(subject: Subject, take: EMOTE_PG_take, placed: PlacedStrip | None) -> TakeWarning | None:
    if placed is None:
        return TakeWarning("plays without sound: no strip has its name")
    if is_moved(subject, take, placed):
        return TakeWarning("strip moved", retime=True)
    if is_trimmed(take, placed):
        return TakeWarning("strip trimmed: generate it again")
    fps = frames_per_second(placed.scene.render.fps, placed.scene.render.fps_base)
    if take.fps > 0.0 and abs(take.fps - fps) > _FPS_TOLERANCE:
        return TakeWarning(f"made at {take.fps:.4g} fps, the scene has {fps:.4g}", retime=True)
    if any(silencers(placed)):
        return TakeWarning("strip muted")
    return None
