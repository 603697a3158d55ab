"""Other animation that plays over the takes: the artist's active action, and NLA strips above them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import bpy

from ..narrow import present
from ..takes import layout
from ..takes.error_bounds import item_name
from .problem import Fix, Problem, listed
from .subject import Owner, Subject, animated, channelbag, has_no_influence

_OVERLAYS = ("ADD", "COMBINE")  # blend types that keep what is below them


def played_over(subject: Subject) -> Problem | None:
    """Other animation on the takes' channels, which plays above them."""
    rivals = list(_rivals(subject))
    if not rivals:
        return None
    roles = {name: role for role, name in subject.rig.bones.items()}
    parts = sorted({_part(path, roles) for rival in rivals for path, _ in rival.channels})
    important = [part for part in parts if part in ("the face", "jaw")]
    names = {repr(rival.action.name): None for rival in rivals}
    return Problem(
        "WARNING" if important else "INFO",
        f"the action {listed(names)} has keys for {listed(important or parts)} of {subject.head.name!r} too and plays "
        "over the take: mute these channels of it, or let it be added to the take",
        "RIVAL_MUTE",
        "RIVAL_ADD",
    )


@dataclass(frozen=True)
class _Rival:
    """Animation that plays over the takes.

    Attributes:
        owner: the data-block that it animates.
        action: its action.
        strip: its NLA strip, or None for the active action.
        channels: data path and index of the channels that the takes write too.
        curves: its f-curves of these channels.
    """

    owner: Owner
    action: bpy.types.Action
    strip: bpy.types.NlaStrip | None
    channels: frozenset[tuple[str, int]]
    curves: tuple[bpy.types.FCurve, ...]


def _rivals(subject: Subject) -> Iterator[_Rival]:
    """What plays over the takes: the active action, and NLA strips above them."""
    for owner, data in animated(subject):
        strips = subject.strips(owner)
        if not strips:
            continue
        spans = [(strip.frame_start, strip.frame_end) for _, strip in strips]
        action = data.action
        if action is not None and action not in subject.played and not data.use_tweak_mode:
            holds = data.action_extrapolation != "NOTHING"
            plays = data.action_influence > 0.0 and data.action_blend_type not in _OVERLAYS
            if plays and _meets((action.frame_range[0], action.frame_range[1]), spans, holds, holds):
                yield from _rival(subject, owner, action, data.action_slot, None)
        yield from _rivals_above(owner, data, subject, spans)


def _rivals_above(
    owner: Owner,
    data: bpy.types.AnimData,
    subject: Subject,
    spans: list[tuple[float, float]],
) -> Iterator[_Rival]:
    """The NLA strips of the artist that play over takes, on tracks above them."""
    played = {action.session_uid for action in subject.played}
    below = False  # whether a take has been met on a lower track
    for track in data.nla_tracks:
        if track.mute:
            continue
        actions = {strip.action.session_uid for strip in track.strips if strip.action is not None}
        if actions & played:
            below = True
        elif below:
            for strip in track.strips:
                if strip.mute or strip.action is None or layout.is_rest(strip.action):
                    continue
                if strip.blend_type in _OVERLAYS or has_no_influence(strip):
                    continue
                holds = strip.extrapolation
                span = (strip.frame_start, strip.frame_end)
                if _meets(span, spans, holds == "HOLD", holds != "NOTHING"):
                    yield from _rival(subject, owner, strip.action, strip.action_slot, strip)


def _meets(span: tuple[float, ...], spans: list[tuple[float, float]], before: bool, after: bool) -> bool:
    """Whether frames overlap any of some spans; a held pose reaches before or after its own frames for ever."""
    start, end = (float("-inf") if before else span[0]), (float("inf") if after else span[1])
    return any(start < other_end and other_start < end for other_start, other_end in spans)


def _rival(
    subject: Subject,
    owner: Owner,
    action: bpy.types.Action,
    slot: bpy.types.ActionSlot | None,
    strip: bpy.types.NlaStrip | None,
) -> Iterator[_Rival]:
    bag = channelbag(action, slot)
    if bag is None:
        return
    ours: frozenset[tuple[str, int]] = frozenset().union(*(subject.channels(owner, take) for take in subject.played))
    curves = tuple(
        curve
        for curve in bag.fcurves
        if not curve.mute
        and not (curve.group is not None and curve.group.mute)
        and (curve.data_path, curve.array_index) in ours
    )
    if curves:
        channels = frozenset((curve.data_path, curve.array_index) for curve in curves)
        yield _Rival(owner, action, strip, channels, curves)


def _part(path: str, roles: Mapping[str, str]) -> str:
    """The part of the head that a channel moves; `roles` names that of each bone."""
    if path.startswith("key_blocks"):
        return "the face"
    name = item_name(path)
    return roles.get(name, name).replace("_", " ")


def _mute_rivals(subject: Subject) -> None:
    for rival in list(_rivals(subject)):
        for curve in rival.curves:
            curve.mute = True


def _add_rivals(subject: Subject) -> None:
    for rival in list(_rivals(subject)):
        # Combine counts from a property's default, which for shape keys is 1 in Blender 5.0.
        way: Literal["ADD", "COMBINE"] = "ADD" if isinstance(rival.owner, bpy.types.Key) else "COMBINE"
        if rival.strip is not None:
            rival.strip.blend_type = way
        else:
            present(rival.owner.animation_data).action_blend_type = way


FIXES = {
    "RIVAL_MUTE": Fix(
        "Play Take", "Mute the channels of the other action that the takes write; its other keys play on", _mute_rivals
    ),
    "RIVAL_ADD": Fix("Add to Take", "Let the other action be added to the take (blending Add or Combine)", _add_rivals),
}
