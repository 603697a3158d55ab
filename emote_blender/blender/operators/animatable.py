"""Make Animatable: library overrides for a linked head."""

from __future__ import annotations

import bpy

from ..jobs.ready import may_animate
from ..narrow import present
from ..refusal import Result, refusing
from ..settings.chosen_head import chosen_head
from ..takes.make_animatable import make_animatable


class EMOTE_OT_make_animatable(bpy.types.Operator):
    """Make the library overrides that a linked character needs to speak here: of its objects and of the meshes with its shape keys. It goes on following its file"""  # noqa: E501 # a tooltip is one line

    bl_idname = "emote.make_animatable"
    bl_label = "Make Animatable"
    bl_options = {"REGISTER", "UNDO"}

    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the pinned or selected one", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.mode != "OBJECT":
            cls.poll_message_set("Library overrides are made in Object Mode")
            return False
        return may_animate(cls)

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        linked = chosen_head(context, self.head)
        head, layer = make_animatable(context, linked), present(context.view_layer)
        if head in layer.objects.values() and head != linked:
            for item in context.selected_objects:
                item.select_set(False)
            layer.objects.active = head
            if head.visible_get():
                head.select_set(True)
        self.report({"INFO"}, f"{head.name} can speak: its takes are kept in this file")
        return {"FINISHED"}
