"""A new take on a head: its action, its place in the list, its strips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import bpy
import numpy as np

from ...errors import EmoteError, InputError
from ...motion import FaceMotion
from ...motion_tools.life import STILL, Life
from ...motion_tools.raw_take import RawTake
from ...motion_tools.timing import frames_per_second
from ...retarget.compatibility import version_warning
from ..head.head_rig import HeadRig
from ..head.rig import rig_of
from ..settings.head_settings import head_settings
from ..settings.live import together
from ..settings.take_settings import EMOTE_PG_take
from . import layout
from .alive import set_alive, take_after
from .bake import release_baked
from .idle import mark_idle
from .names import emotion_label, free_take_name, take_name
from .old_takes import adopt_active
from .place import put_in_use
from .rewrite import require_fitting, rewrite
from .store import ORIGIN_PROPERTY, keep_raw, raw_size
from .transfer import for_head


@dataclass(frozen=True)
class Line:
    """What a take speaks, and where.

    Attributes:
        name: name of the strip or the file; takes of one line that overlap are alternates.
        frame_start: scene frame of the motion's first frame.
        source_start_seconds: time in the sound file at the take's start.
    """

    name: str
    frame_start: float
    source_start_seconds: float = 0.0


def apply_motion(
    head: bpy.types.Object, motion: FaceMotion, scene: bpy.types.Scene, frame_start: int = 1, name: str = ""
) -> bpy.types.Action:
    """The action of a new take that moves the head as a motion says; see `new_take`.

    Args:
        head: mesh object of a head.
        motion: the motion.
        scene: the scene whose frame rate is used.
        frame_start: scene frame of the motion's first frame.
        name: name of the line; the head's name if empty.
    """
    take = new_take(head, RawTake(motion, exact=True), scene, Line(name or f"{head.name} speech", frame_start))
    return take.action


def new_take(
    head: bpy.types.Object,
    raw: RawTake,
    scene: bpy.types.Scene,
    line: Line,
    life: Life | None = STILL,
    mix: Mapping[str, float] | None = None,
) -> EMOTE_PG_take:
    """A new take of a head, in use at its line; earlier takes of this line become alternates.

    A motion of the open basis on a FLAME head, and FLAME's on an open head, are converted first; `meta["transfer"]` of
    the take's motion says how well that fitted.

    The motion is resampled to whole frames of the scene, so that the artist gets one key per frame: frame n shows the
    motion at (n - frame_start) / fps seconds. Before and after it, the face eases from and to rest. It plays beside
    the user's own animation: the active actions of the head's data-blocks stay (see `layout`).

    Args:
        head: mesh object of a head.
        raw: the motion.
        scene: the scene whose frame rate is used.
        line: what the take speaks, and where.
        life: blinks, gaze and head motion that are added at first; a motion file plays as it is. None for those of the
            head's active take (see `alive.take_after`).
        mix: values of `take.capture`, if the motion keeps the face of a video; others have their defaults.

    Raises:
        InputError: if the head cannot be animated.
        ModelError: if the motion's components are not the head's.
    """
    rig = rig_of(head)
    raw = for_head(rig, raw)
    require_fitting(rig, raw.emotional)
    if not np.isfinite(line.frame_start):
        raise InputError(f"a take begins on a frame, found {line.frame_start}")
    layout.require_no_tweak_mode(rig)
    release_baked(rig)
    adopt_active(head, scene)
    settings = head_settings(head)
    name = free_take_name(take_name(line.name, raw.emotional.meta), settings.takes)
    action = bpy.data.actions.new(name)
    action.use_fake_user = True
    raw = keep_raw(action, raw)
    action[ORIGIN_PROPERTY] = float(line.frame_start)
    if raw.emotional.meta.get("idle"):
        mark_idle(action)
    take = settings.takes.add()
    with together("refine", head, take):  # it has no action yet, so nothing is written
        if life is None:
            take_after(head, take, line.name)
        else:
            set_alive(take, life)
        for setting, value in (mix or {}).items():
            setattr(take.capture, setting, value)
    take.name, take.action, take.scene = name, action, scene
    take.line, take.emotion = line.name, emotion_label(raw.emotional.meta)
    take.frame_start, take.source_start_seconds = line.frame_start, line.source_start_seconds
    take.fps = frames_per_second(scene.render.fps, scene.render.fps_base)
    take.duration_seconds = raw.emotional.sound_seconds
    take.num_bytes = raw_size(action)
    take.has_neutral = raw.neutral is not None
    take.has_capture = raw.captured is not None
    try:
        put_in_use(rig, take)
        rewrite(head, take)
    except EmoteError:
        layout.take_away(rig, action)
        settings.takes.remove(len(settings.takes) - 1)
        bpy.data.actions.remove(action)
        raise
    settings.active_take = len(settings.takes) - 1
    return take


def rig_warnings(source: str, face: str, rig: HeadRig) -> tuple[str, ...]:
    """Warnings, one sentence each, about coefficients of the basis `face` on this head.

    Args:
        source: the model or the motion, as sentences name it.
        face: basis of the coefficients.
        rig: the head.
    """
    mixing = version_warning(source, face, rig)
    return (*([mixing] if mixing else []), *(f"head {rig.mesh.name!r}: {sentence}" for sentence in rig.missing))
