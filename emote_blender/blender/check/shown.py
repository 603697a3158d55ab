"""The problems of a head as panels show them: worked out once per change, never per redraw."""

from __future__ import annotations

import time
from collections.abc import Iterator

import bpy

from ..head.rig import armature_of_head, bones_of_head
from ..narrow import armature_of, window_scene
from ..scene import changes
from .find import problems_by_topic
from .problem import Problem
from .shape_keys import forget_extents

_MOST_HEADS = 16
_MOST_SECONDS = 3.0  # after which problems are found again even if nothing seems to have changed
_shown: dict[tuple, dict[str, list[Problem]]] = {}


def shown_problems(context: bpy.types.Context, head: bpy.types.Object) -> dict[str, list[Problem]]:
    """The problems of a head by topic; found again only if something has changed since the last call."""
    # A change that Blender evaluates together with a new frame is counted by nothing: hence the time.
    moment = int(time.monotonic() / _MOST_SECONDS)
    key = (changes.count(), moment, window_scene(context).session_uid, head.session_uid, *_uncounted(context, head))
    found = _shown.get(key)
    if found is None:
        if len(_shown) >= _MOST_HEADS:
            _shown.clear()
        found = _shown[key] = problems_by_topic(context, head)
    return found


def forget_checks() -> None:
    """Clear what is cached, so that the next call reads everything again."""
    _shown.clear()
    forget_extents()


def _uncounted(context: bpy.types.Context, head: bpy.types.Object) -> Iterator[object]:
    """What checks depend on and `changes` does not count, as Blender reports it like a bone that was moved."""
    screen = context.screen
    yield screen is not None and screen.use_play_3d_editors
    yield head.mode
    armature = armature_of_head(head)
    if armature is None or armature.pose is None:
        return
    yield armature.mode
    yield armature_of(armature).pose_position
    jaw = armature.pose.bones.get(bones_of_head(head).get("jaw", ""))
    if jaw is not None:
        yield jaw.rotation_mode
        yield jaw.bone.use_deform
        for constraint in jaw.constraints:
            yield constraint.mute
            yield constraint.influence
    data = armature.animation_data
    if data is not None:
        yield data.use_nla
        yield data.use_tweak_mode
        yield data.action_influence
        yield data.action_blend_type
        for track in data.nla_tracks:
            yield track.mute
            yield track.is_solo
            for strip in track.strips:
                yield from (strip.mute, strip.influence, strip.blend_type, strip.frame_start, strip.scale)
                yield from (strip.repeat, strip.use_reverse, strip.use_animated_time)
