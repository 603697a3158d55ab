"""Live: the take in use follows the emotion of its head while a slider moves, and is rendered exactly when it rests.

A preview scales what the emotion adds to the neutral face, which needs no model. Measured with the open model over its
seven emotions, it is off by 3 to 16 % of what the emotion adds between intensities 0 and 2, and by 0.2 mm below. Exact
motion is made on a thread, and applied by a timer on the main thread. Without a window, where Blender runs no timers,
it is made at once.
"""

from __future__ import annotations

import time
from dataclasses import replace

import bpy
import numpy as np

from ...emotion import EmotionTrack
from ...errors import EmoteError
from ...motion_tools.emotion_timeline import amount_of_track, visible_strength
from ...motion_tools.refine import with_emotion_strength
from ..head.rig import rig_of
from ..scene.emotion_track import head_track, span_in
from ..settings import live
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from ..takes.fades import first_frame
from ..takes.layout import StripIndex
from ..takes.rewrite import rewrite
from ..takes.store import kept_raw
from . import rerender, worker

REST_SECONDS = 0.25  # after which a slider is at rest
_POLL_SECONDS = 0.05
_SAME_MIX = 0.02  # weights that differ by less are the same mix
_LEAST_STRENGTH = 0.05


def shown_take(head: bpy.types.Object) -> EMOTE_PG_take | None:
    """The take that the panel shows."""
    settings = head_settings(head)
    return settings.takes[settings.active_take] if 0 <= settings.active_take < len(settings.takes) else None


def take_in_use(head: bpy.types.Object) -> EMOTE_PG_take | None:
    """The take that follows the head's emotion: the one that the panel shows, if it plays."""
    take = shown_take(head)
    return take if take is not None and take.in_use and take.action is not None and take.scene is not None else None


def track_for(head: bpy.types.Object, take: EMOTE_PG_take) -> EmotionTrack:
    """The head's emotion as it is set now, over a take's line; raises InputError if the head is damaged."""
    frame_start = first_frame(take, StripIndex(rig_of(head)))
    return head_track(head, span_in(take.scene, frame_start, take.duration_seconds))


def preview(head: bpy.types.Object, take: EMOTE_PG_take, track: EmotionTrack) -> bool:
    """Show an approximation of a take with another amount of its emotion; return whether it could be made.

    Raises:
        InputError: if the take is damaged.
        ModelError: if the motion's components are not the head's.
    """
    raw = kept_raw(take.action)
    was_track = EmotionTrack.from_meta(raw.emotional.meta)
    was = amount_of_track(was_track) if was_track is not None else None
    wanted = amount_of_track(track)
    if raw.neutral is None or was is None or wanted is None:
        return False
    if wanted[1] > 0 and np.abs(was[0] - wanted[0]).max() > _SAME_MIX:
        return False
    strength = visible_strength(was[1])
    if strength < _LEAST_STRENGTH:
        return False
    shown = with_emotion_strength(raw, visible_strength(wanted[1]) / strength)
    take.action[rerender.PREVIEW_PROPERTY] = True
    rewrite(head, take, replace(raw, emotional=shown))
    return True


def follow(head: bpy.types.Object, settings: bpy.types.PropertyGroup) -> None:
    """Let the take in use follow a change of its head's emotion, if Live is on; for `live.listen`."""
    take = take_in_use(head)
    if not head_settings(head).live or take is None or head.library is not None:
        return
    _problems.pop(head.session_uid, None)
    try:
        track = track_for(head, take)
        if bpy.app.background:
            rerender.apply(head, take, rerender.compute(rerender.prepare(head, take, track)))
            return
        preview(head, take, track)
    except EmoteError as error:
        _problems[head.session_uid] = str(error)
        return
    _wait_for_rest(head.session_uid)


def problem_of(head: bpy.types.Object) -> str:
    """Why the take in use does not follow its head's emotion; empty if it does."""
    return _problems.get(head.session_uid, "") if head_settings(head).live else ""


_problems: dict[int, str] = {}
_due: dict[int, float] = {}  # when the emotion of a head, by session identifier, counts as at rest
_job: tuple[worker.Job, rerender.Request] | None = None


def _wait_for_rest(head_uid: int) -> None:
    _due[head_uid] = time.monotonic() + REST_SECONDS
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_POLL_SECONDS)


def _tick() -> float | None:
    """Start and end the exact rendering of takes whose emotion is at rest; for a timer."""
    global _job
    if _job is not None:
        job, request = _job
        if not job.done:
            return _POLL_SECONDS
        _job = None
        _finish(job, request)
    for uid, due in list(_due.items()):
        if time.monotonic() >= due and worker.running() is None:
            del _due[uid]
            _start(uid)
            break
    return _POLL_SECONDS if _job is not None or _due else None


def _start(head_uid: int) -> None:
    """Start the exact rendering of a head's take."""
    global _job
    head = _head_of(head_uid)
    take = take_in_use(head) if head is not None else None
    if head is None or take is None:
        return
    _problems.pop(head_uid, None)
    try:
        request = rerender.prepare(head, take, track_for(head, take))
    except EmoteError as error:
        _problems[head_uid] = str(error)
        return
    job = worker.Job(f"The emotion of {take.name!r}", lambda *how: rerender.compute(request, *how))
    job.start(awaited=False)
    _job = job, request


def _finish(job: worker.Job, request: rerender.Request) -> None:
    """Apply an exact rendering, unless its take is gone or the slider moves again."""
    head = _head_of(request.head_uid)
    if head is None or request.head_uid in _due:
        return
    take = head_settings(head).takes.get(request.take_name)
    try:
        motion = job.result()
        if take is not None and take.action is not None:
            rerender.apply(head, take, motion)
    except EmoteError as error:
        _problems[request.head_uid] = str(error)


def _head_of(uid: int) -> bpy.types.Object | None:
    return next((item for item in bpy.data.objects if item.session_uid == uid), None)


@bpy.app.handlers.persistent
def _resume(*_: object) -> None:
    """Drop what is being rendered for a state that is gone; render exactly what is a preview in the present one."""
    _drop()
    if bpy.app.background:
        return
    for head in bpy.data.objects:
        if head.type == "MESH" and head_settings(head).live:
            take = take_in_use(head)
            if take is not None and take.action.get(rerender.PREVIEW_PROPERTY):
                _wait_for_rest(head.session_uid)


_HANDLERS = "undo_post", "redo_post", "load_post"


def start() -> None:
    """Follow every change of a head's emotion."""
    live.listen("emotion", follow)
    for event in _HANDLERS:
        getattr(bpy.app.handlers, event).append(_resume)


def stop() -> None:
    """Undo `start`."""
    for event in _HANDLERS:
        getattr(bpy.app.handlers, event).remove(_resume)
    live.stop_listening("emotion", follow)
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    _drop()


def _drop() -> None:
    """Drop what is being rendered or waits for it."""
    global _job
    if _job is not None:
        _job[0].cancel()
        _job = None
    _due.clear()
    _problems.clear()
