"""What keeps the NLA from playing the takes, or lets something else play over them."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import bpy
import numpy as np

from ..narrow import present
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from ..takes import layout
from ..takes.bake import release_baked
from ..takes.editing import end_editing
from ..takes.rewrite import rewrite
from ..takes.store import is_take, origin_of
from . import rivals
from .problem import Check, Fix, Problem, Severity, counted, is_or_are, listed
from .subject import Owner, Subject, animated, has_no_influence, noun, one_of_each_kind, slot_for

_SPEED_TOLERANCE = 1e-4


def left_in_tweak_mode(subject: Subject) -> Problem | None:
    """A strip whose keys are being edited: the tracks above it are silent, and a new take cannot be added."""
    names = list(dict.fromkeys(noun(owner) for owner, data in animated(subject) if data.use_tweak_mode))
    if not names:
        return None
    return Problem(
        "WARNING",
        f"an NLA strip of {' and of '.join(names)} is being edited (tweak mode), in which the strips above it do not "
        "play: leave tweak mode when the keys are done",
        "TWEAK_MODE",
    )


def nla_off(subject: Subject) -> Problem | None:
    """An NLA stack that is not evaluated."""
    off = [owner for owner, data in animated(subject) if not data.use_nla and subject.strips(owner)]
    names = list(dict.fromkeys(map(noun, off)))
    if not names:
        return None
    return Problem("ERROR", f"the NLA of {' and of '.join(names)} is switched off: switch it on", "NLA_OFF")


def soloed_track(subject: Subject) -> Problem | None:
    """A solo track, which silences takes on other tracks."""
    tracks = list(_soloed(subject))
    if not tracks:
        return None
    names = listed(sorted({repr(track.name) for track in tracks}))
    playing = {track.as_pointer() for owner in subject.owners for track, _ in subject.strips(owner)}
    if any(track.as_pointer() in playing for track in tracks):
        return Problem(
            "WARNING",
            f"the NLA track {names} of {subject.head.name!r} is solo (star), so takes on other tracks do not play: "
            "turn its star off",
            "TRACK_SOLO",
        )
    return Problem(
        "ERROR",
        f"the NLA track {names} is solo (star), so the takes of {subject.head.name!r} do not play: turn its star off",
        "TRACK_SOLO",
    )


def muted_strips(subject: Subject) -> Problem | None:
    """Muted tracks and strips of takes in use."""
    muted: dict[str, None] = {}
    nothing_plays = False
    for owner in subject.owners:
        silent = [(track, strip) for track, strip in subject.strips(owner) if track.mute or strip.mute]
        nothing_plays = nothing_plays or (bool(silent) and len(silent) == len(subject.strips(owner)))
        muted |= {f"strip {strip.name!r}" if strip.mute else f"track {track.name!r}": None for track, strip in silent}
    if not muted:
        return None
    return Problem(
        "ERROR" if nothing_plays else "INFO",
        f"the NLA {listed(muted)} of {subject.head.name!r} {is_or_are(len(muted))} muted, so the take does not play: "
        "unmute it",
        "STRIP_MUTED",
    )


def weak_strips(subject: Subject) -> Problem | None:
    """Strips without influence."""
    names = {strip.name: None for owner in subject.owners for strip in _weak(subject, owner)}
    if not names:
        return None
    return Problem(
        "ERROR",
        f"the NLA strip {listed(map(repr, names))} of {subject.head.name!r} has an animated influence of 0: turn "
        "Animated Influence off",
        "STRIP_INFLUENCE",
    )


def slotless_strips(subject: Subject) -> Problem | None:
    """Strips, or an active action, whose slot is none, or another data-block's."""
    names = dict.fromkeys(_slotless(subject))
    if not names:
        return None
    return Problem(
        "ERROR",
        f"the take {listed(map(repr, names))} of {subject.head.name!r} has no action slot, or another one's, on "
        "shape keys or rig, so it moves nothing: choose its slot",
        "ACTION_SLOT",
    )


def lost_takes(subject: Subject) -> Problem | None:
    """Takes in use whose action is gone."""
    names = [take.name for take in head_settings(subject.head).takes if take.in_use and take.action is None]
    if not names:
        return None
    return Problem(
        "WARNING",
        f"the action of the take {listed(map(repr, names))} of {subject.head.name!r} was deleted: remove the take from "
        "the list, or generate it again",
    )


def baked_takes(subject: Subject) -> Problem | None:
    """A baked action that is played instead of the takes."""
    if not subject.plays_baked:
        return None
    return Problem(
        "WARNING",
        f"{subject.head.name!r} plays its baked action, so changes to its takes do not show: go back to the takes, and "
        "bake again when they are done",
        "BAKED",
    )


def takes_without_motion(subject: Subject) -> Problem | None:
    """Takes in use whose raw motion is gone."""
    names = [take.name for take in subject.takes if not is_take(take.action)]
    if not names:
        return None
    return Problem(
        "INFO",
        f"the take {listed(map(repr, names))} of {subject.head.name!r} has lost its raw motion: it plays, but sliders "
        "do not change it; generate it again to refine it",
    )


def unplaced_takes(subject: Subject) -> Problem | None:
    """Takes in use without a strip on shape keys or rig."""
    names = {take.name: None for take, _ in _unplaced(subject)}
    if not names:
        return None
    return Problem(
        "ERROR",
        f"the take {listed(map(repr, names))} of {subject.head.name!r} is in use but has no NLA strip on shape keys or "
        "rig: put it back",
        "STRIP_LOST",
    )


def changed_speed(subject: Subject) -> Problem | None:
    """Strips that play faster, slower, backwards or more than once."""
    names = {strip.name: None for strip in _of_another_speed(subject)}
    if not names:
        return None
    return Problem(
        "WARNING",
        f"the NLA strip {listed(map(repr, names))} of {subject.head.name!r} does not play at the speed of its sound "
        "(playback scale, repeat, reversed or strip time): set it back",
        "STRIP_SPEED",
    )


def lost_rest(subject: Subject) -> Problem | None:
    """A rest track that is missing, muted, or above the takes."""
    if all(_rest_is_well(subject, owner) for owner in subject.owners):
        return None
    return Problem(
        "ERROR",
        f"the NLA track {layout.REST!r} of {subject.head.name!r} is missing, muted or above the takes, and without it "
        "below them the face does not go back to rest between lines: put it back",
        "REST_TRACK",
    )


def muted_curves(subject: Subject) -> Problem | None:
    """Muted f-curves of takes in use."""
    muted, all_curves = 0, 0
    for action in subject.played:
        for owner in one_of_each_kind(subject.owners):
            flags = _muted_flags(subject, owner, action)
            muted, all_curves = muted + int(flags.sum()), all_curves + len(flags)
    if not muted:
        return None
    severity: Severity = "ERROR" if muted == all_curves else "WARNING"
    return Problem(
        severity,
        f"{counted(muted, 'channel')} of the takes of {subject.head.name!r} {is_or_are(muted)} muted: unmute "
        f"{'it' if muted == 1 else 'them'}",
        "CURVES_MUTED",
    )


def _soloed(subject: Subject) -> Iterator[bpy.types.NlaTrack]:
    """The solo tracks that silence something of the takes, be it their rest track."""
    for _, data in animated(subject):
        if len(data.nla_tracks) > 1:
            yield from (track for track in data.nla_tracks if track.is_solo)


def _weak(subject: Subject, owner: Owner) -> list[bpy.types.NlaStrip]:
    return [strip for _, strip in subject.strips(owner) if has_no_influence(strip)]


def _slotless(subject: Subject) -> Iterator[str]:
    """Names of the takes that have lost their slot."""
    for owner in subject.owners:
        for _, strip in subject.strips(owner):
            if _lost_slot(strip.action_slot, owner) and slot_for(owner, present(strip.action)) is not None:
                yield strip.name
        action = _active_take(subject, owner)
        if action is not None and _lost_slot(present(owner.animation_data).action_slot, owner):
            yield action.name


def _unplaced(subject: Subject) -> Iterator[tuple[EMOTE_PG_take, Owner]]:
    """The takes in use that move a data-block and have no strip there, and the data-block."""
    for owner in subject.owners:
        there = {present(strip.action).session_uid for _, strip in subject.strips(owner)}
        for take in subject.takes:
            action = present(take.action)
            if action.session_uid not in there and subject.channels(owner, action):
                if _active_take(subject, owner) != action:
                    yield take, owner


def _of_another_speed(subject: Subject) -> Iterator[bpy.types.NlaStrip]:
    for owner in subject.owners:
        for _, strip in subject.strips(owner):
            if abs(strip.scale - 1.0) > _SPEED_TOLERANCE or strip.repeat != 1.0:
                yield strip
            elif strip.use_reverse or strip.use_animated_time:
                yield strip


def _rest_is_well(subject: Subject, owner: Owner) -> bool:
    """Whether the rest track of a data-block plays below its takes, or is not needed."""
    ours = subject.strips(owner)
    if not ours or owner.animation_data is None:
        return True
    tracks = list(owner.animation_data.nla_tracks)
    lowest = min(tracks.index(track) for track, _ in ours)
    found = layout.rest_strip(owner)
    if found is None:
        return lowest > 0  # what the artist animates below the takes may take its place
    track, strip = found
    return tracks.index(track) < lowest and not track.mute and not strip.mute and strip.action_slot is not None


def _muted_flags(subject: Subject, owner: Owner, action: bpy.types.Action) -> np.ndarray:
    """(curves,) whether each f-curve of a take is muted, by itself or with its group."""
    bag = subject.bag(owner, action)
    if bag is None:
        return np.zeros(0, bool)
    if any(group.mute for group in bag.groups):
        return np.array([curve.mute or (curve.group is not None and curve.group.mute) for curve in bag.fcurves])
    flags = np.empty(len(bag.fcurves), bool)
    bag.fcurves.foreach_get("mute", flags)
    return flags


def _curves(subject: Subject, owner: Owner, action: bpy.types.Action) -> list[bpy.types.FCurve]:
    bag = subject.bag(owner, action)
    return list(bag.fcurves) if bag is not None else []


def _lost_slot(slot: bpy.types.ActionSlot | None, owner: Owner) -> bool:
    return slot is None or slot.target_id_type != owner.id_type


def _active_take(subject: Subject, owner: Owner) -> bpy.types.Action | None:
    """The active action of a data-block if it is a take of this head that no NLA strip plays."""
    action = owner.animation_data.action if owner.animation_data is not None else None
    return action if action is not None and action in subject.played else None


def _rebuild_dependencies(subject: Subject) -> None:
    """Let Blender find out again what depends on the time.

    While nothing plays, as below a solo track, it leaves the NLA out, and solo, mute and the like set by Python do not
    bring it back (4.5 to 5.2): the face would then stand still until the file is opened again.
    """
    for _, data in animated(subject):
        active, added = data.nla_tracks.active, data.nla_tracks.new()
        data.nla_tracks.remove(added)
        if active is not None:
            data.nla_tracks.active = active


def _back_to_takes(subject: Subject) -> None:
    release_baked(subject.rig)
    _rebuild_dependencies(subject)


def _leave_tweak_mode(subject: Subject) -> None:
    end_editing(subject.rig)


def _nla_on(subject: Subject) -> None:
    for owner, data in animated(subject):
        if subject.strips(owner):
            data.use_nla = True
    _rebuild_dependencies(subject)


def _solo_off(subject: Subject) -> None:
    for track in list(_soloed(subject)):
        track.is_solo = False
    _rebuild_dependencies(subject)


def _unmute_strips(subject: Subject) -> None:
    for owner in subject.owners:
        for track, strip in subject.strips(owner):
            track.mute = strip.mute = False
    _rebuild_dependencies(subject)


def _full_influence(subject: Subject) -> None:
    for owner in subject.owners:
        for strip in _weak(subject, owner):
            strip.use_animated_influence = False


def _set_slots(subject: Subject) -> None:
    for owner in subject.owners:
        for _, strip in subject.strips(owner):
            slot = slot_for(owner, present(strip.action))
            if slot is not None and _lost_slot(strip.action_slot, owner):
                strip.action_slot = slot
        action = _active_take(subject, owner)
        if action is not None and _lost_slot(present(owner.animation_data).action_slot, owner):
            present(owner.animation_data).action_slot = slot_for(owner, action)


def _put_back(subject: Subject) -> None:
    for take, _ in list(_unplaced(subject)):
        action = present(take.action)
        start, end = action.frame_range
        span = layout.Span(start, end, take.frame_start + start - origin_of(action, take))
        layout.lay(subject.rig, action, layout.span_of(subject.rig, action) or span, True)
    _rebuild_dependencies(subject)


def _restore_speed(subject: Subject) -> None:
    for strip in list(_of_another_speed(subject)):
        start = strip.frame_start
        strip.use_reverse = strip.use_animated_time = False
        strip.repeat = strip.scale = 1.0
        strip.frame_end = start + strip.action_frame_end - strip.action_frame_start
        strip.scale = 1.0


def _restore_rest(subject: Subject) -> None:
    poor = [owner for owner in subject.owners if not _rest_is_well(subject, owner)]
    for owner in poor:
        found = layout.rest_strip(owner)
        if found is not None:
            found[0].mute = found[1].mute = False
    if not all(_rest_is_well(subject, owner) for owner in poor):
        _lay_again(subject)
    _rebuild_dependencies(subject)


def _lay_again(subject: Subject) -> None:
    """Take every take off the NLA and put it back: Blender adds no track below others."""
    rig = subject.rig
    spans = [(take, layout.span_of(rig, take.action)) for take in head_settings(rig.mesh).takes if take.action]
    layout.release_rest(rig)
    for take, _ in spans:
        layout.take_away(rig, take.action)
    for take, span in spans:
        rewrite(rig.mesh, take)
        layout.lay(rig, take.action, span or present(layout.span_of(rig, take.action)), take.in_use)


def _unmute_curves(subject: Subject) -> None:
    for action in subject.played:
        for owner in subject.owners:
            for curve in _curves(subject, owner, action):
                curve.mute = False
                if curve.group is not None:
                    curve.group.mute = False


_OF_THE_NLA = (
    left_in_tweak_mode,
    nla_off,
    soloed_track,
    muted_strips,
    unplaced_takes,
    weak_strips,
    slotless_strips,
    changed_speed,
    lost_rest,
    muted_curves,
    rivals.played_over,
)


def _unless_baked(check: Check) -> Check:
    """A check of the NLA, which is switched off on purpose while a baked action is played."""

    @functools.wraps(check)
    def run(subject: Subject) -> Problem | None:
        return None if subject.plays_baked else check(subject)

    return run


CHECKS = (baked_takes, *map(_unless_baked, _OF_THE_NLA), lost_takes, takes_without_motion)
FIXES = {
    "BAKED": Fix("Back to Takes", "Play the takes again; the baked action stays in the file", _back_to_takes),
    "TWEAK_MODE": Fix("Leave Tweak Mode", "Stop editing the NLA strip; its keys are kept", _leave_tweak_mode),
    "NLA_OFF": Fix("Switch On", "Let the NLA play", _nla_on),
    "TRACK_SOLO": Fix("Solo Off", "Turn off the star of the tracks that silence the takes", _solo_off),
    "STRIP_MUTED": Fix("Unmute", "Unmute the takes' tracks and strips", _unmute_strips),
    "STRIP_INFLUENCE": Fix("Full Influence", "Turn off the animated influence of the takes' strips", _full_influence),
    "STRIP_LOST": Fix("Put Back", "Give the take its NLA strips again", _put_back),
    "STRIP_SPEED": Fix("Play at 1", "Let the strips play once, forwards and at the speed of the sound", _restore_speed),
    "REST_TRACK": Fix("Put Back", "Give the head its rest track again, below the takes", _restore_rest),
    "ACTION_SLOT": Fix("Set Slot", "Give shape keys and rig the slots of the take", _set_slots),
    "CURVES_MUTED": Fix("Unmute", "Unmute the takes' channels", _unmute_curves),
    **rivals.FIXES,
}
