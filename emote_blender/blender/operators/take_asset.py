"""Mark a take as an asset, and apply a take from the asset library to a head."""

from __future__ import annotations

from typing import Any

import bpy

from ...errors import InputError
from ..blend_paths import absolute
from ..head.asset_catalog import define_catalog
from ..jobs.ready import may_animate
from ..narrow import present, window_scene
from ..refusal import Result, refusing
from ..scene.strips import line_scene
from ..settings.chosen_head import chosen_head
from ..settings.take_settings import EMOTE_PG_take
from ..takes.asset import action_in_file, apply_take, mark_take
from ..takes.store import is_take
from .takes import OnTake, refresh


class EMOTE_OT_take_mark_asset(OnTake, bpy.types.Operator):
    """Mark the take as an asset in the catalog EMOTE, so that it can be applied to any head in any file"""

    bl_idname = "emote.take_mark_asset"
    bl_label = "Mark Take as Asset"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        action = mark_take(take)
        catalog = define_catalog(context)
        where = "in the catalog EMOTE" if catalog else "unassigned: save the file and press again for the catalog EMOTE"
        self.report({"INFO"}, f"{action.name!r} is an asset, {where}")


class EMOTE_OT_take_apply_asset(bpy.types.Operator):
    """Make a take of the chosen head from a take of the Asset Browser, of another file or of another head"""

    bl_idname = "emote.take_apply_asset"
    bl_label = "Apply Take"
    bl_options = {"REGISTER", "UNDO"}
    bl_property = "action"

    action: bpy.props.StringProperty(
        name="Action",
        description="Name of the action with the take; empty for the asset that is active in the Asset Browser",
        search=lambda self, context, text: [
            action.name for action in bpy.data.actions if is_take(action) and text.lower() in action.name.lower()
        ],
        options={"SKIP_SAVE"},
    )
    filepath: bpy.props.StringProperty(
        name="File",
        description="The .blend with the action; empty for this file",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the scene's choice", options={"SKIP_SAVE"}
    )
    frame_start: bpy.props.IntProperty(
        name="Start Frame",
        description="Frame of the take's first frame; the current frame by default",
        default=1,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_animate(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if self.action or self.filepath or _active_asset(context) is not None:
            return self.execute(context)
        self.frame_start = window_scene(context).frame_current
        return present(context.window_manager).invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        layout.use_property_split = True
        layout.prop(self, "action")
        layout.prop(self, "frame_start")

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head = chosen_head(context, self.head)
        scene = line_scene(context, head)
        start = self.frame_start if self.properties.is_property_set("frame_start") else scene.frame_current
        path, name = absolute(self.filepath), self.action
        asset = _active_asset(context)
        if not path and not name and asset is not None:
            path, name = ("", asset.name) if asset.local_id is not None else (asset.full_library_path, asset.name)
        if path:
            with action_in_file(path, name) as action:
                take = apply_take(head, action, scene, start)
        else:
            if not name:
                raise InputError("no take is named; choose one in the Asset Browser, or name its action")
            if name not in bpy.data.actions:
                raise InputError(f"action {name!r} not found; choose one that holds a take")
            take = apply_take(head, bpy.data.actions[name], scene, start)
        refresh(context)
        self.report({"INFO"}, f"{head.name!r} has the take {take.name!r} from frame {start}")
        return {"FINISHED"}


def _active_asset(context: bpy.types.Context) -> Any:
    """The asset that is active in the Asset Browser, if it is an action; else None."""
    asset = getattr(context, "asset", None)
    return asset if asset is not None and asset.id_type == "ACTION" else None


CLASSES = (EMOTE_OT_take_mark_asset, EMOTE_OT_take_apply_asset)
