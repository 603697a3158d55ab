"""Apply Motion File: a motion from disk as a new action."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...motion import FaceMotion
from ..blend_paths import absolute
from ..check.find import worst_after
from ..head.rig import rig_of
from ..jobs.generation import describe_take
from ..jobs.ready import may_animate
from ..narrow import present, window_scene
from ..refusal import Result, refusing
from ..scene.strips import line_scene
from ..settings.chosen_head import chosen_head, own_settings, speech_settings
from ..settings.properties import note_result
from ..takes.make import apply_motion, rig_warnings


class EMOTE_OT_apply_motion(bpy.types.Operator):
    """Put a motion file (.npz) on a head as a new take"""

    bl_idname = "emote.apply_motion"
    bl_label = "Apply Motion File"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(
        name="File",
        description="Motion file (.npz)",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    filter_glob: bpy.props.StringProperty(default="*.npz", options={"HIDDEN"})
    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the scene's choice", options={"SKIP_SAVE"}
    )
    frame_start: bpy.props.IntProperty(
        name="Start Frame", description="Frame of the motion's first frame", default=1, options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_animate(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        if not self.properties.is_property_set("frame_start"):
            self.frame_start = speech_settings(context).frame_start
        present(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head = chosen_head(context, self.head)
        scene = line_scene(context, head)
        frame_start = self.frame_start
        if not self.properties.is_property_set("frame_start"):
            frame_start = own_settings(context, head).frame_start
        motion = FaceMotion.load(absolute(self.filepath))
        action = apply_motion(head, motion, scene, frame_start, _motion_name(self.filepath, motion))
        rig = rig_of(head)
        scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
        result = describe_take(action.name, motion, frame_start)
        trouble = worst_after(context, head.session_uid)
        for warning in (*rig_warnings("the motion", motion.meta.get("face") or rig.basis, rig), *trouble):
            self.report({"WARNING"}, warning)
        note_result(window_scene(context), "; but ".join((result, *trouble)), head.session_uid)
        self.report({"INFO"}, result)
        return {"FINISHED"}


def _motion_name(filepath: str, motion: FaceMotion) -> str:
    """Name of the line in a motion file: the sound's name, or the file's."""
    return Path(str(motion.meta.get("audio") or filepath)).stem
