"""Takes of versions 0.1 and 0.2: the active action of shape keys and armature, which replaced the user's own."""

from __future__ import annotations

import bpy
import numpy as np

from ...motion_tools.life import STILL
from ...motion_tools.raw_take import RawTake
from ...motion_tools.timing import frames_per_second
from ..head.head_rig import HeadRig
from ..head.rig import rig_of
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from . import layout
from .alive import set_alive
from .channels import channels_of
from .curves import mark_as_written
from .names import emotion_label, free_take_name
from .place import put_in_use
from .rewrite import require_fitting, rewrite
from .store import ORIGIN_PROPERTY, apply_settings, is_take, kept_raw, kept_settings, raw_size

_FRAME_RATES = 0.1, 1000.0  # that a take can have been written at


def adopt_active(head: bpy.types.Object, scene: bpy.types.Scene) -> list[EMOTE_PG_take]:
    """Push takes that are an active action of the head down to the NLA, and return those that are new in the list."""
    rig = rig_of(head)
    adopted: list[EMOTE_PG_take] = []
    for owner in layout.owners_of(rig):
        data = owner.animation_data
        action = data.action if data is not None and not data.use_tweak_mode else None
        if data is None or action is None or not is_take(action):
            continue
        data.action = None
        if all(take.action != action for take in head_settings(head).takes):
            adopted.append(adopt(head, action, scene))
    return adopted


def adopt(head: bpy.types.Object, action: bpy.types.Action, scene: bpy.types.Scene) -> EMOTE_PG_take:
    """A take of the list for an action that keeps a raw motion; what the artist changed in its curves stays.

    Args:
        head: mesh object of the head.
        action: of this file; from an older version, or appended alone.
        scene: the scene whose frame rate counts if the action names none.

    Raises:
        InputError: if the stored motion is damaged, or the head cannot be animated.
        ModelError: if the motion is made for another face.
    """
    rig = rig_of(head)
    raw = kept_raw(action)
    require_fitting(rig, raw.emotional)
    stored = kept_settings(action)
    settings = head_settings(head)
    take = settings.takes.add()
    meta = raw.emotional.meta
    take.name = free_take_name(action.name, [other for other in settings.takes if other != take], own=action)
    take.scene = scene
    take.line = str(meta.get("audio") or action.name)
    take.emotion = emotion_label(meta)
    take.fps = frames_per_second(scene.render.fps, scene.render.fps_base)
    scene_fps = take.fps
    apply_settings(take, stored)
    if not _FRAME_RATES[0] <= take.fps <= _FRAME_RATES[1]:
        take.fps = scene_fps
    take.duration_seconds = raw.emotional.sound_seconds
    if "alive" not in stored:
        set_alive(take, STILL)  # older versions had no life
    take.action = action  # not before: every slider that is set would rewrite the curves
    take.num_bytes = raw_size(action)
    take.has_neutral = raw.neutral is not None
    action.use_fake_user = True
    if action.get(ORIGIN_PROPERTY) is None:
        action[ORIGIN_PROPERTY] = float(take.frame_start)
        _recognise(rig, take, raw, action)
    if take.in_use:
        put_in_use(rig, take)
    rewrite(head, take)
    return take


def _recognise(rig: HeadRig, take: EMOTE_PG_take, raw: RawTake, action: bpy.types.Action) -> None:
    """Mark the curves that are as 0.1 or 0.2 wrote them, so that they are rewritten with transitions."""
    motion = raw.emotional.resampled(take.fps)
    frames = take.frame_start + np.arange(motion.num_frames)
    mark_as_written(action, channels_of(rig, motion), frames)
