"""Apply Emotion Pose and Make Pose Assets."""

from __future__ import annotations

import bpy

from ...emotion import EMOTIONS
from ..head.asset_catalog import define_catalog, put_into_catalog
from ..head.emotion_poses import apply_pose, make_pose_actions, read_poses
from ..head.rig import rig_of
from ..jobs.ready import may_animate
from ..narrow import present, window_scene
from ..refusal import Result, refusing
from ..settings.chosen_head import chosen_head
from ..settings.head_settings import EMOTION_ITEMS


class EMOTE_OT_apply_emotion_pose(bpy.types.Operator):
    """Give the head the face of an emotion, and key it if Auto Keying is on; a take plays over a face without keys"""

    bl_idname = "emote.apply_emotion_pose"
    bl_label = "Apply Emotion Pose"
    bl_options = {"REGISTER", "UNDO"}

    emotion: bpy.props.EnumProperty(
        name="Emotion", description="Emotion whose face the head gets", items=EMOTION_ITEMS, default="HAPPY"
    )
    amount: bpy.props.FloatProperty(
        name="Amount",
        description="How much of the face: 0 the neutral one, 1 the whole",
        default=1.0,
        min=0.0,
        soft_max=1.0,
        max=1.5,
        subtype="FACTOR",
    )
    insert_keys: bpy.props.BoolProperty(
        name="Insert Keys",
        description="Key the face at the current frame, whether or not Auto Keying is on",
        default=False,
        options={"SKIP_SAVE"},
    )
    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the scene's choice", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_animate(cls)

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        scene = window_scene(context)
        rig = rig_of(chosen_head(context, self.head))
        keyed = self.insert_keys or present(scene.tool_settings).use_keyframe_insert_auto
        pose = read_poses()[EMOTIONS[[item[0] for item in EMOTION_ITEMS].index(self.emotion)]]
        number = apply_pose(rig, pose, self.amount, scene.frame_current_final if keyed else None)
        self.report({"INFO"}, f"{'Keyed' if keyed else 'Set'} {number} shape keys and the jaw of {rig.mesh.name}")
        return {"FINISHED"}


class EMOTE_OT_make_pose_assets(bpy.types.Operator):
    """Make an action for each emotion's face, marked as an asset, in the catalog EMOTE beside the saved file"""

    bl_idname = "emote.make_pose_assets"
    bl_label = "Make Pose Assets"
    bl_options = {"REGISTER", "UNDO"}

    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the scene's choice", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_animate(cls)

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        made = make_pose_actions(rig_of(chosen_head(context, self.head)))
        put_into_catalog(made)
        catalog = define_catalog(context)
        where = "in the catalog EMOTE" if catalog else "unassigned: save the file and press again for the catalog EMOTE"
        self.report({"INFO"}, f"Made {len(made)} pose assets of {len(EMOTIONS)}, {where}")
        return {"FINISHED"}
