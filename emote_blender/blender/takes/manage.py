"""What can be done with the takes of a head: use, solo, mute, rename, duplicate, remove, copy to a head, retime."""

from __future__ import annotations

import bpy
import numpy as np

from ...errors import InputError
from ...motion_tools.timing import frames_per_second
from ..head.head_rig import HeadRig
from ..head.rig import rig_of
from ..narrow import present
from ..scene.placed_strip import audible_part
from ..scene.strips import find_strip
from ..settings.head_settings import head_settings
from ..settings.live import together
from ..settings.take_settings import EMOTE_PG_take
from . import layout
from .curves import edited_curves
from .make import Line, new_take
from .names import free_take_name
from .place import put_in_use, set_in_use
from .rewrite import own_action, rewrite, settle
from .slider_keys import copy_slider_curves, renumber_takes
from .store import apply_settings, keep_settings, kept_raw, origin_of, plain_settings, remove_if_unused


def use_take(head: bpy.types.Object, take: EMOTE_PG_take, used: bool = True) -> None:
    """Put a take in use in place of the other takes of its line, or make it an alternate, which is not played."""
    rig = _writable(head)
    _require_action(take)
    if not used:
        set_in_use(rig, take, False)
        settle(rig)
        return
    put_in_use(rig, take)
    _set_mute(rig, take, False)
    rewrite(head, take)
    settle(rig)


def mute_take(head: bpy.types.Object, take: EMOTE_PG_take, mute: bool) -> None:
    """Mute or unmute the strips of a take in use; raises InputError for an alternate, which is muted with its track."""
    rig = _writable(head)
    _require_action(take)
    if not take.in_use:
        raise InputError(f"take {take.name!r} is an alternate, which is not played; use it first")
    _set_mute(rig, take, mute)


def is_muted(head: bpy.types.Object, take: EMOTE_PG_take) -> bool:
    """Whether the strips of a take are muted; False without strips."""
    strip = layout.StripIndex(rig_of(head)).strip(take.action)
    return strip is not None and strip.mute


def solo_take(head: bpy.types.Object, take: EMOTE_PG_take) -> bool:
    """Mute all other takes in use and return True; if they are muted already, unmute all and return False.

    The user's own animation plays on: the solo switch of the NLA would silence it.
    """
    rig = _writable(head)
    _require_action(take)
    if not take.in_use:
        use_take(head, take)
    index = layout.StripIndex(rig)
    others = [other for other in head_settings(head).takes if other.in_use and other != take]
    solo = not all(strip.mute for other in others for strip in index.strips(other.action))
    for other in others:
        _set_mute(rig, other, solo)
    _set_mute(rig, take, False)
    return solo


def rename_take(head: bpy.types.Object, take: EMOTE_PG_take, name: str) -> None:
    """Rename a take, its action and its strips; a name that is taken is numbered."""
    if not name.strip():
        raise InputError("a take needs a name; type one")
    action = take.action
    others = [other for other in head_settings(head).takes if other != take]
    take.name = free_take_name(name.strip(), others, own=action)
    if action is None or action.library is not None:
        return
    action.name = take.name
    for strip in layout.StripIndex(rig_of(head)).strips(action):
        strip.name = take.name
    keep_settings(take, action)


def duplicate_take(head: bpy.types.Object, take: EMOTE_PG_take) -> EMOTE_PG_take:
    """A copy of a take with its settings, their keyframes and the artist's edits, as an alternate of its line."""
    rig = _writable(head)
    action = _require_action(take)
    settings = head_settings(head)
    number, source, name = settings.takes.find(take.name), plain_settings(take), take.name
    copied = action.copy()
    copied.use_fake_user = True
    new = settings.takes.add()
    take = settings.takes[number]  # adding to a collection may move its items
    new.name = copied.name = free_take_name(name, settings.takes, own=copied)
    new.scene = take.scene
    apply_settings(new, source)
    new.in_use = False
    new.action = copied
    new.alive.look_at = take.alive.look_at
    copy_slider_curves(head, number, len(settings.takes) - 1)
    span = layout.span_of(rig, action)
    if span is not None:
        layout.lay(rig, copied, span, False)
    rewrite(head, new)
    settings.active_take = len(settings.takes) - 1
    return new


def remove_take(head: bpy.types.Object, take: EMOTE_PG_take) -> None:
    """Remove a take from a head with its strips, and its action if nothing else uses it."""
    settings = head_settings(head)
    action = take.action
    number = settings.takes.find(take.name)
    rig = _rig_or_none(head)
    if rig is not None:
        layout.require_no_tweak_mode(rig)
        if action is not None:
            layout.take_away(rig, action)
    take.action = None
    settings.takes.remove(number)
    renumber_takes(head, [None if i == number else i - (i > number) for i in range(len(settings.takes) + 1)])
    settings.active_take = min(settings.active_take - (settings.active_take > number), len(settings.takes) - 1)
    if action is not None:
        remove_if_unused(action)
    if rig is not None:
        if not len(settings.takes):
            _come_to_rest(rig)
        settle(rig)


def apply_to(head: bpy.types.Object, take: EMOTE_PG_take, other: bpy.types.Object) -> EMOTE_PG_take:
    """A take of another head with the same raw motion, settings and place; raises ModelError if its face is another."""
    action = _require_action(take)
    if other == head:
        raise InputError(f"take {take.name!r} is on head {head.name!r} already; choose another head")
    source = plain_settings(take)
    index = layout.StripIndex(rig_of(head))
    strip = index.strip(action)
    start = (
        take.frame_start if strip is None else strip.frame_start + origin_of(action, take) - strip.action_frame_start
    )
    scene = take.scene or present(bpy.context.scene)
    new = new_take(other, kept_raw(action), scene, Line(take.line, start, take.source_start_seconds))
    with together("refine", other, new):
        for group in ("refine", "alive"):
            apply_settings(getattr(new, group), source[group])
        new.alive.look_at = take.alive.look_at
    return new


def retime_take(head: bpy.types.Object, take: EMOTE_PG_take) -> None:
    """Move a take to where its sound is now, and write it at the present frame rate of its scene.

    Its line is where its sound strip shows the part of the file that it speaks. Without that strip only the frame rate
    is followed: the take begins at the same time as before.

    Raises:
        InputError: if the take or its head cannot be changed.
    """
    rig = _writable(head)
    action = own_action(rig, take)
    layout.require_no_tweak_mode(rig)
    scene = take.scene or present(bpy.context.scene)
    fps = frames_per_second(scene.render.fps, scene.render.fps_base)
    start = place_of_sound(take, scene)
    if start is None:
        start = take.frame_start * fps / take.fps if take.fps else take.frame_start
        start = float(round(start))
    origin = origin_of(action, take)
    if take.fps and fps != take.fps:
        _stretch_edits(action, origin, fps / take.fps)
    take.fps, take.frame_start, take.scene = fps, start, scene
    muted = is_muted(head, take)
    layout.take_away(rig, action)
    rewrite(head, take)  # lays new strips
    _set_mute(rig, take, muted)
    settle(rig)


def place_of_sound(take: EMOTE_PG_take, scene: bpy.types.Scene) -> float | None:
    """The scene frame at which a take's sound begins now; None if its strip is gone or shows another part."""
    try:
        sound = audible_part(find_strip(scene, take.line)) if take.line else None
    except InputError:
        return None
    if sound is None:
        return None
    fps = frames_per_second(scene.render.fps, scene.render.fps_base)
    # A strip that was trimmed at its start shows a later part of the file.
    return sound.frame_start + float(round((take.source_start_seconds - sound.source_start_seconds) * fps))


def rebuild_take(head: bpy.types.Object, take: EMOTE_PG_take) -> None:
    """Write a take's curves and strips anew from its raw motion; what the artist edited stays."""
    rig = _writable(head)
    _require_action(take)
    layout.require_no_tweak_mode(rig)
    rewrite(head, take)
    settle(rig)


def _writable(head: bpy.types.Object) -> HeadRig:
    rig = rig_of(head)
    layout.require_no_tweak_mode(rig)
    return rig


def _rig_or_none(head: bpy.types.Object) -> HeadRig | None:
    """The parts of a head, or None if it has lost some: its takes can still be removed."""
    try:
        return rig_of(head)
    except InputError:
        return None


def _require_action(take: EMOTE_PG_take) -> bpy.types.Action:
    if take.action is None:
        raise InputError(f"the action of take {take.name!r} was deleted; remove the take and generate it again")
    return take.action


def _set_mute(rig: HeadRig, take: EMOTE_PG_take, mute: bool) -> None:
    for strip in layout.StripIndex(rig).strips(take.action):
        strip.mute = mute


def _come_to_rest(rig: HeadRig) -> None:
    """Remove what takes added to the data-blocks of a head that has none any more."""
    layout.release_rest(rig)
    for owner in layout.owners_of(rig):
        data = owner.animation_data
        if data is not None and data.action is None and not len(data.nla_tracks) and not len(data.drivers):
            owner.animation_data_clear()


def _stretch_edits(action: bpy.types.Action, origin: float, factor: float) -> None:
    """Move the keys of channels that the artist edited to another frame rate; others are written anew."""
    for curve in edited_curves(action):
        keys = curve.keyframe_points
        for name in ("co", "handle_left", "handle_right"):
            points = np.empty(2 * len(keys), np.float32)
            keys.foreach_get(name, points)
            points[::2] = origin + (points[::2] - origin) * factor
            keys.foreach_set(name, points)
        curve.update()
