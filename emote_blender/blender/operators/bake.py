"""Bake to Action, and back to the takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ...errors import InputError
from ..head.rig import rig_of
from ..jobs.ready import may_animate
from ..narrow import present, window_scene
from ..refusal import Result, refusing
from ..settings.chosen_head import chosen_head
from ..settings.take_settings import EMOTE_PG_take
from ..takes.bake import action_motion, assign_baked, bake, played_motion, plays_baked, release_baked
from ..takes.error_bounds import ErrorBound
from .refine import choose_take

if TYPE_CHECKING:
    _Operator = bpy.types.Operator
else:
    _Operator = object  # a plain mixin at run time: only the registered class derives from Blender's

UNIT_ITEMS = [
    ("MILLIMETRE", "Millimeters", "Largest distance of a point of the face from where the take puts it, about"),
    ("PERCENT", "Percent", "Share of each channel's range"),
]


def error_millimetres() -> Any:
    """The property of an error bound in millimetres."""
    return bpy.props.FloatProperty(
        name="Error",
        description="Millimeters by which a point of the face may be off, about",
        default=0.25,
        min=0.001,
        soft_min=0.05,
        soft_max=2.0,
        max=100.0,
        precision=2,
        step=5,
    )


def error_percent() -> Any:
    """The property of an error bound in per cent."""
    return bpy.props.FloatProperty(
        name="Error",
        description="Share of each channel's range by which it may be off, per cent",
        default=1.0,
        min=0.01,
        soft_max=20.0,
        max=100.0,
        precision=1,
        step=50,
        subtype="PERCENTAGE",
    )


class _OfHead(_Operator):
    """Argument and poll of operators on what a head plays."""

    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the chosen one", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_animate(cls)


class EMOTE_OT_bake_action(_OfHead, bpy.types.Operator):
    """Write takes into one ordinary action, for export or for work without this add-on. The takes stay"""

    bl_idname = "emote.bake_action"
    bl_label = "Bake to Action"
    bl_options = {"REGISTER", "UNDO"}

    what: bpy.props.EnumProperty(
        name="Bake",
        description="What is baked",
        items=[
            ("ALL", "All Takes in Use", "The whole timeline, as the head plays it"),
            ("TAKE", "One Take", "The keys of one take, whether it is in use or not"),
        ],
        default="ALL",
    )
    take: bpy.props.StringProperty(
        name="Take", description="Name of the take; empty for the one chosen in the list", options={"SKIP_SAVE"}
    )
    own_animation: bpy.props.BoolProperty(
        name="My Own Animation Too",
        description="Bake what your own action does to the head and its armature, too; without, the takes alone",
        default=True,
    )
    keys: bpy.props.EnumProperty(
        name="Keys",
        description="How many keys are written",
        items=[
            ("DENSE", "Every Frame", "A key on every frame, exactly as played"),
            ("SPARSE", "Sparse", "Few Bézier keys within an error bound, for editing by hand"),
        ],
        default="DENSE",
    )
    error_unit: bpy.props.EnumProperty(
        name="Error In", description="Unit of the error bound", items=UNIT_ITEMS, default="MILLIMETRE"
    )
    error_mm: error_millimetres()
    error_percent: error_percent()
    assign: bpy.props.BoolProperty(
        name="Play It",
        description="Let the head play the baked action alone; Back to Takes undoes this",
        default=True,
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        return present(context.window_manager).invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        """Show what applies to the choices made."""
        layout = present(self.layout)
        layout.use_property_split = True
        layout.prop(self, "what")
        if self.what == "ALL":
            layout.prop(self, "own_animation")
        layout.prop(self, "keys")
        if self.keys == "SPARSE":
            layout.prop(self, "error_unit")
            layout.prop(self, "error_mm" if self.error_unit == "MILLIMETRE" else "error_percent")
        layout.prop(self, "assign")

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        rig, scene = rig_of(chosen_head(context, self.head)), window_scene(context)
        if plays_baked(rig):
            raise InputError(f"head {rig.mesh.name!r} plays a baked action now; press Back to Takes first")
        if self.what == "TAKE":
            take = choose_take(rig.mesh, self.take)
            motion, name = action_motion(action_of(take)), take.name
        else:
            motion, name = played_motion(rig, self.own_animation, scene.frame_start), rig.mesh.name
        bound = error_bound(self.error_unit, self.error_mm, self.error_percent) if self.keys == "SPARSE" else None
        action = bake(rig, motion, f"{name} baked", bound, scene.unit_settings.scale_length)
        if self.assign:
            assign_baked(rig, action)
            scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
        first, last = (round(frame) for frame in action.frame_range[:])
        self.report({"INFO"}, f"Baked frames {first} to {last} into action {action.name!r}")
        return {"FINISHED"}


class EMOTE_OT_bake_restore(_OfHead, bpy.types.Operator):
    """Stop playing the baked action: the takes and your own action play again. The baked action stays in the file"""

    bl_idname = "emote.bake_restore"
    bl_label = "Back to Takes"
    bl_options = {"REGISTER", "UNDO"}

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        rig, scene = rig_of(chosen_head(context, self.head)), window_scene(context)
        if not release_baked(rig):
            raise InputError(f"head {rig.mesh.name!r} plays no baked action")
        scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
        self.report({"INFO"}, f"{rig.mesh.name} plays its takes again")
        return {"FINISHED"}


def error_bound(unit: str, millimetres: float, percent: float) -> ErrorBound:
    """The bound of an operator's properties."""
    return ErrorBound("PERCENT", percent) if unit == "PERCENT" else ErrorBound("MILLIMETRE", millimetres)


def action_of(take: EMOTE_PG_take) -> bpy.types.Action:
    """The action of a take; raises InputError if it was deleted."""
    if take.action is None:
        raise InputError(f"the action of take {take.name!r} was deleted; remove the take and generate it again")
    return take.action
