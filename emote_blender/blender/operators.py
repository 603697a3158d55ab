"""Add Head, Apply Motion File, Cancel: the operators that take no time. Generate has a file of its own."""

from __future__ import annotations

import bpy

from . import jobs
from .animate import apply_motion, rig_warnings
from .blend_paths import absolute
from .generation import describe_take
from .head import add_head, load_face_model
from .head_rig import any_head, choose_head, rig_of
from .joints import update_joints
from .refusal import refusing


class EMOTE_OT_add_head(bpy.types.Operator):
    """Add a head that can speak: a mesh with expression shape keys and an armature for jaw, neck and eyes"""

    bl_idname = "emote.add_head"
    bl_label = "Add Head"
    bl_options = {"REGISTER", "UNDO"}

    head: bpy.props.StringProperty(
        name="Head",
        description="An installed head, or a head folder; empty for the scene's choice",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.mode != "OBJECT":
            cls.poll_message_set("A head is added in Object Mode")
            return False
        return True

    @refusing
    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.emote
        model = load_face_model(self.head or settings.new_head)
        head = add_head(context, model, location=tuple(context.scene.cursor.location))
        settings.head = head
        self.report({"INFO"}, f"Added {head.name} ({model.basis}, {model.num_expression} expression components)")
        return {"FINISHED"}


class EMOTE_OT_apply_motion(bpy.types.Operator):
    """Put a motion file (.npz) on a head as a new action"""

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

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.properties.is_property_set("frame_start"):
            self.frame_start = context.scene.emote.frame_start
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @refusing
    def execute(self, context: bpy.types.Context) -> set[str]:
        from ..motion import FaceMotion

        scene, settings = context.scene, context.scene.emote
        frame_start = self.frame_start if self.properties.is_property_set("frame_start") else settings.frame_start
        head = choose_head(context, self.head, settings.head)
        motion = FaceMotion.load(absolute(self.filepath))
        action = apply_motion(head, motion, scene, frame_start, _motion_name(self.filepath, motion))
        rig = rig_of(head)
        scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
        settings.last_result = describe_take(action, motion, frame_start)
        for warning in rig_warnings("the motion", motion.meta.get("face") or rig.basis, rig):
            self.report({"WARNING"}, warning)
        self.report({"INFO"}, settings.last_result)
        return {"FINISHED"}


class EMOTE_OT_update_joints(bpy.types.Operator):
    """Move the head's bones to where its identity sliders, as they are now, put the joints"""

    bl_idname = "emote.update_joints"
    bl_label = "Update Joints"
    bl_options = {"REGISTER", "UNDO"}

    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the scene's choice", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.mode != "OBJECT":
            cls.poll_message_set("Joints are moved in Object Mode")
            return False
        return may_animate(cls)

    @refusing
    def execute(self, context: bpy.types.Context) -> set[str]:
        rig = rig_of(choose_head(context, self.head, context.scene.emote.head))
        update_joints(context, rig)
        self.report({"INFO"}, f"Moved the joints of {rig.mesh.name} to its identity")
        return {"FINISHED"}


class EMOTE_OT_cancel(bpy.types.Operator):
    """Stop what is being made; nothing is changed"""

    bl_idname = "emote.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if jobs.running() is None:
            cls.poll_message_set("Nothing is being made")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        jobs.running().cancel()
        return {"FINISHED"}


def may_animate(operator: type[bpy.types.Operator]) -> bool:
    """Whether a head could be animated now; tells the operator's button why not. Arguments may still be wrong."""
    if busy := jobs.busy_sentence():
        operator.poll_message_set(busy)
        return False
    if not any_head():
        operator.poll_message_set("There is no head yet: press Add Head first")
        return False
    return True


def _motion_name(filepath: str, motion) -> str:
    """Name of an action from a motion file: the sound's name, or the file's, and the emotion."""
    from pathlib import Path

    source = motion.meta.get("audio") or filepath
    return f"{Path(str(source)).stem} {motion.meta.get('emotion') or ''}".strip()
