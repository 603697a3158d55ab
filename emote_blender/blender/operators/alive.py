"""Where the eyes look, and life between the lines."""

from __future__ import annotations

import bpy
import numpy as np

from ...errors import InputError
from ..head.rig import rig_of
from ..jobs.ready import NO_HEAD
from ..narrow import present, window_scene
from ..refusal import Result, refusing
from ..scene.find_head import any_head
from ..settings.chosen_head import chosen_head
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from ..takes import layout
from ..takes.fades import line_span
from ..takes.gaze_target import sample_target
from ..takes.idle import IDLE_LINE, idle_raw, is_idle, scene_seconds
from ..takes.make import Line, new_take
from ..takes.manage import remove_take
from ..takes.rewrite import own_action, rewrite
from .takes import OnTake, refresh


class EMOTE_OT_update_gaze(OnTake, bpy.types.Operator):
    """Read in every frame of the take where the object is that the eyes look at, whatever moves it or the head"""

    bl_idname = "emote.update_gaze"
    bl_label = "Update Gaze"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        target = take.alive.look_at
        if target is None:
            raise InputError(f"take {take.name!r} looks at no object; choose one under Look At first")
        rig = rig_of(head)
        start, end = line_span(take, layout.StripIndex(rig))
        sample_target(context, rig, target, own_action(rig, take), np.arange(np.floor(start), np.ceil(end) + 1))
        rewrite(head, take)


class EMOTE_OT_alive_idle(bpy.types.Operator):
    """Let the head blink, look around and breathe over the scene's frames, wherever it does not speak"""

    bl_idname = "emote.alive_idle"
    bl_label = "Add Idle Motion"
    bl_options = {"REGISTER", "UNDO"}

    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the chosen one", options={"SKIP_SAVE"}
    )
    use_range: bpy.props.BoolProperty(
        name="Own Range", description="Use the frames below instead of the scene's", options={"SKIP_SAVE"}
    )
    frame_start: bpy.props.IntProperty(name="Start", description="First frame", default=1, options={"SKIP_SAVE"})
    frame_end: bpy.props.IntProperty(name="End", description="Last frame", default=250, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not any_head():
            cls.poll_message_set(NO_HEAD)
            return False
        return True

    def draw(self, context: bpy.types.Context) -> None:
        column = present(self.layout).column()
        column.prop(self, "use_range")
        frames = column.column(align=True)
        frames.enabled = self.use_range
        frames.prop(self, "frame_start")
        frames.prop(self, "frame_end")

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        scene = window_scene(context)
        head = chosen_head(context, self.head)
        start, end = scene.frame_start, scene.frame_end
        if self.use_range:
            start, end = self.frame_start, self.frame_end
        if end < start:
            raise InputError(f"the last frame, {end}, comes before the first, {start}; choose a later one")
        rig = rig_of(head)
        raw = idle_raw(rig, scene_seconds(scene, start, end))
        for name in _idle_takes_between(head, start, end):
            remove_take(head, head_settings(head).takes[name])
        take = new_take(head, raw, scene, Line(IDLE_LINE, start), life=None)
        refresh(context)
        self.report({"INFO"}, f"{take.name}: frames {start} to {end}")
        return {"FINISHED"}


def _idle_takes_between(head: bpy.types.Object, start: int, end: int) -> list[str]:
    """Names of the idle takes with frames from `start` to `end`, which a new one replaces."""
    index = layout.StripIndex(rig_of(head))
    found = []
    for take in head_settings(head).takes:
        if is_idle(take):
            first, last = line_span(take, index)
            if first <= end and last > start:
                found.append(take.name)
    return found
