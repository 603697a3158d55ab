"""Takes edited by hand: edit keys, show them, unlock channels, sparse keys, and comparing two takes."""

from __future__ import annotations

import bpy

from ...errors import InputError
from ..head.rig import rig_of
from ..jobs.ready import may_animate
from ..narrow import present
from ..refusal import Result, refusing
from ..scene import changes
from ..settings.chosen_head import chosen_head
from ..settings.take_settings import EMOTE_PG_take
from ..takes.compare import flip
from ..takes.curves import edited_channels, forget_edits, num_keys
from ..takes.editing import begin_editing, edited_action, end_editing, select_head, select_strips, show_in_editors
from ..takes.manage import use_take
from ..takes.rewrite import own_action, rewrite
from .bake import UNIT_ITEMS, action_of, error_millimetres, error_percent
from .takes import OnTake


class EMOTE_OT_take_edit(OnTake, bpy.types.Operator):
    """Edit the take's keys by hand (NLA tweak mode). Afterwards sliders leave the channels that you changed alone"""

    bl_idname = "emote.take_edit"
    bl_label = "Edit Keys"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        rig = rig_of(head)
        end_editing(rig)
        action = own_action(rig, take)
        select_head(rig, present(context.view_layer), action)
        if not take.in_use:
            use_take(head, take)
        begin_editing(rig, action)
        changes.note()
        seen = show_in_editors(context.screen) or bpy.app.background
        then = "press Done when finished" if seen else "open a Dope Sheet or a Graph Editor to see them"
        self.report({"INFO"}, f"Editing the keys of {take.name}: {then}")


class EMOTE_OT_take_edit_done(bpy.types.Operator):
    """Finish editing keys by hand (leave NLA tweak mode)"""

    bl_idname = "emote.take_edit_done"
    bl_label = "Done Editing"
    bl_options = {"REGISTER", "UNDO"}

    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the chosen one", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_animate(cls)

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        rig = rig_of(chosen_head(context, self.head))
        action = edited_action(rig)
        if action is None:
            raise InputError(f"no take of head {rig.mesh.name!r} is being edited; press Edit Keys first")
        end_editing(rig)
        changes.note()
        count = len(edited_channels(action))
        locked = f"{count} channel{'s' if count != 1 else ''} changed by hand" if count else "nothing changed by hand"
        self.report({"INFO"}, f"{action.name}: {locked}")
        return {"FINISHED"}


class EMOTE_OT_take_show(OnTake, bpy.types.Operator):
    """Select the take's strips in the NLA, on the head's shape keys and on its armature"""

    bl_idname = "emote.take_show"
    bl_label = "Show in NLA"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        rig, action = rig_of(head), action_of(take)
        select_head(rig, present(context.view_layer), action)
        select_strips(rig, action)
        areas = context.screen.areas if context.screen is not None else ()
        seen = bpy.app.background or any(area.type == "NLA_EDITOR" for area in areas)
        then = "" if seen else ": open a Nonlinear Animation editor to see them"
        self.report({"INFO"}, f"Selected the strips of {take.name}{then}")


class EMOTE_OT_take_unlock(OnTake, bpy.types.Operator):
    """Give channels that were edited by hand back to the take: their keys are written again from its sliders"""

    bl_idname = "emote.take_unlock"
    bl_label = "Reset Edited Channels"
    bl_options = {"REGISTER", "UNDO"}

    channel: bpy.props.StringProperty(
        name="Channel", description="Name of one channel, as listed; empty for all", options={"SKIP_SAVE"}
    )

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        action = own_action(rig_of(head), take)
        edited = edited_channels(action)
        if self.channel and self.channel not in edited:
            raise InputError(f"channel {self.channel!r} of take {take.name!r} was not edited by hand")
        if not edited:
            raise InputError(f"no channel of take {take.name!r} was edited by hand")
        names = [self.channel] if self.channel else edited
        forget_edits(action, names)
        rewrite(head, take)
        self.report({"INFO"}, f"Reset {len(names)} channel{'s' if len(names) != 1 else ''} of {take.name}")


class EMOTE_OT_take_compare(OnTake, bpy.types.Operator):
    """Play the chosen take instead of the one in use; pressed again, the other way round. Nothing else changes"""

    bl_idname = "emote.take_compare"
    bl_label = "Compare"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        self.report({"INFO"}, f"{head.name} plays {flip(head, take).name}")


class EMOTE_OT_bake_sparse(OnTake, bpy.types.Operator):
    """Write the take with few Bézier keys within an error bound, now and when a slider is moved"""

    bl_idname = "emote.bake_sparse"
    bl_label = "Sparse Keys"
    bl_options = {"REGISTER", "UNDO"}

    keys: bpy.props.EnumProperty(
        name="Keys",
        description="How many keys the take has",
        items=[("SPARSE", "Sparse", "Few Bézier keys"), ("DENSE", "Every Frame", "A key on every frame")],
        default="SPARSE",
    )
    error_unit: bpy.props.EnumProperty(
        name="Error In", description="Unit of the error bound", items=UNIT_ITEMS, default="MILLIMETRE"
    )
    error_mm: error_millimetres()
    error_percent: error_percent()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        return present(context.window_manager).invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        """Show what applies to the choices made."""
        layout = present(self.layout)
        layout.use_property_split = True
        layout.prop(self, "keys")
        if self.keys == "SPARSE":
            layout.prop(self, "error_unit")
            layout.prop(self, "error_mm" if self.error_unit == "MILLIMETRE" else "error_percent")

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        before = num_keys(own_action(rig_of(head), take))
        take.key_spacing = self.error_unit if self.keys == "SPARSE" else "EVERY_FRAME"
        take.key_error = self.error_percent if self.error_unit == "PERCENT" else self.error_mm
        rewrite(head, take)
        self.report({"INFO"}, f"{take.name}: {num_keys(action_of(take)):,} keys (before: {before:,})")


CLASSES = (
    EMOTE_OT_take_edit,
    EMOTE_OT_take_edit_done,
    EMOTE_OT_take_show,
    EMOTE_OT_take_unlock,
    EMOTE_OT_take_compare,
    EMOTE_OT_bake_sparse,
)
