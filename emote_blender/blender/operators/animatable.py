"""Make Animatable: library overrides for a linked head."""

from __future__ import annotations

import bpy

from ..characters.choose import head_or_face
from ..head.rig import is_head
from ..jobs.ready import may_animate
from ..narrow import present
from ..refusal import Result, refusing
from ..takes.make_animatable import make_animatable


class EMOTE_OT_make_animatable(bpy.types.Operator):
    """Make the library overrides that a linked character needs to speak here: of its objects and of the meshes with its shape keys. It goes on following its file"""  # noqa: E501 # a tooltip is one line

    bl_idname = "emote.make_animatable"
    bl_label = "Make Animatable"
    bl_options = {"REGISTER", "UNDO"}

    head: bpy.props.StringProperty(
        name="Character",
        description="Name of the head, or of an object of a character; empty for the selected one",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.mode != "OBJECT":
            cls.poll_message_set("Library overrides are made in Object Mode")
            return False
        return may_animate(cls, sets_up=True)

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        linked = head_or_face(context, self.head)
        head, layer = make_animatable(context, linked), present(context.view_layer)
        if head in layer.objects.values() and head != linked:
            for item in context.selected_objects:
                item.select_set(False)
            layer.objects.active = head
            if head.visible_get():
                head.select_set(True)
        if is_head(head):
            self.report({"INFO"}, f"{head.name} can speak: its takes are kept in this file")
        else:
            self.report({"INFO"}, f"{head.name} can be set up: press Use Selected Character")
        return {"FINISHED"}
