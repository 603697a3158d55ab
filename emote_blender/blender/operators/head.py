"""Add Head, Update Joints and Add Blink Keys."""

from __future__ import annotations

import bpy
from mathutils import Vector

from ...errors import InputError
from ...flame.model import FaceModel
from ..head.axes import to_blender
from ..head.blink_keys import axes_in_mesh, names_blinks, write_blink_keys
from ..head.build import add_head, load_face_model
from ..head.joints import update_joints
from ..head.placement import Box, box_of, place_beside
from ..head.rig import BLINK_KEYS, rig_of
from ..jobs.ready import may_animate
from ..narrow import window_scene
from ..refusal import Result, refusing
from ..scene.views import show_selected
from ..settings.chosen_head import chosen_head
from ..settings.head_copy import take_over
from ..settings.properties import scene_settings


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
    place: bpy.props.EnumProperty(
        name="Place",
        description="Where the head stands",
        items=[
            ("FREE", "Free Place", "At the 3D cursor, or to the right of the objects that are there"),
            ("CURSOR", "3D Cursor", "At the 3D cursor, whatever is there"),
            ("SELECTED", "Selected", "In the middle of the selected objects, such as a body without a head"),
        ],
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.mode != "OBJECT":
            cls.poll_message_set("A head is added in Object Mode")
            return False
        return True

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        scene = window_scene(context)
        settings = scene_settings(scene)
        model = load_face_model(self.head or settings.new_head)
        head = add_head(context, model, location=self._location(context, model))
        take_over(settings, head)
        if settings.head is not None:
            settings.head = head  # a pinned head would hide the new one
        show_selected(context, head)
        self.report({"INFO"}, f"Added {head.name} ({model.basis}, {model.num_expression} expression components)")
        return {"FINISHED"}

    def _location(self, context: bpy.types.Context, model: FaceModel) -> Vector:
        """Where the head's origin goes."""
        if self.place == "SELECTED":
            selected = box_of(context.selected_objects)
            if selected is None:
                raise InputError("no object with a surface is selected; select one or choose another place")
            return Vector(((selected.low + selected.high) / 2).tolist())
        cursor = window_scene(context).cursor.location
        if self.place == "CURSOR":
            return cursor.copy()
        return place_beside(context, Box.around(to_blender(model.v_template)), cursor)


class EMOTE_OT_update_joints(bpy.types.Operator):
    """Fit the head's bones and blink keys to the identity that its sliders are set to now"""

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
    def execute(self, context: bpy.types.Context) -> Result:
        rig = rig_of(chosen_head(context, self.head))
        update_joints(context, rig)
        if rig.blink_keys:
            try:
                write_blink_keys(rig.mesh, axes_in_mesh(rig), rig.shape_keys)
            except InputError as error:
                self.report({"WARNING"}, str(error))
        self.report({"INFO"}, f"Moved the joints of {rig.mesh.name} to its identity")
        return {"FINISHED"}


class EMOTE_OT_add_blink_keys(bpy.types.Operator):
    """Give a FLAME head shape keys that close its lids, or fit them to its identity; other keys stay as they are"""

    bl_idname = "emote.add_blink_keys"
    bl_label = "Add Blink Keys"
    bl_options = {"REGISTER", "UNDO"}

    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the scene's choice", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.mode != "OBJECT":
            cls.poll_message_set("Shape keys are added in Object Mode")
            return False
        return may_animate(cls)

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        rig = rig_of(chosen_head(context, self.head))
        if rig.target is not None:
            raise InputError(
                f"character {rig.mesh.name!r} closes its lids by the shape keys that its table names for eyeBlinkLeft "
                "and eyeBlinkRight; choose them there"
            )
        if names_blinks(rig.expression_names):
            raise InputError(f"head {rig.mesh.name!r} has a blink of its own")
        write_blink_keys(rig.mesh, axes_in_mesh(rig), rig.shape_keys)
        self.report({"INFO"}, f"{rig.mesh.name} closes its lids by {' and '.join(BLINK_KEYS)}")
        return {"FINISHED"}
