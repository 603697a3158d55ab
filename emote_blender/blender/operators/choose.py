"""What the panel's menus do: choose and pin a head, choose a strip, choose the folder of a model or a head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from ...errors import InputError
from ..blend_paths import find_head_folder, find_model_folder
from ..characters.choose import set_up_character
from ..head.rig import head_of
from ..narrow import present, window_scene
from ..refusal import Result, refusing
from ..scene.find_head import choose_head
from ..scene.strips import chosen_strips, strip_scene
from ..settings.chosen_head import chosen_head, speech_settings
from ..settings.landmarker_info import choose_landmarker
from ..settings.properties import note_result, scene_settings


class EMOTE_OT_choose_head(bpy.types.Operator):
    """Select this head, so that it speaks; a pinned head gives way to it"""

    bl_idname = "emote.choose_head"
    bl_label = "Choose Head"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    head: bpy.props.StringProperty(name="Head", description="Name of the head", options={"SKIP_SAVE"})

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head = choose_head(context, self.head)
        settings, objects = scene_settings(window_scene(context)), present(context.view_layer).objects
        is_reachable = context.mode == "OBJECT" and head.name in objects and head.visible_get()
        if settings.head is not None or not is_reachable:
            settings.head = head
            return {"FINISHED"}
        for item in list(objects.selected):
            item.select_set(False)
        head.select_set(True)
        objects.active = head
        return {"FINISHED"}


class EMOTE_OT_pin_head(bpy.types.Operator):
    """Keep the shown head, whatever is selected; press again to follow the selection"""

    bl_idname = "emote.pin_head"
    bl_label = "Pin Head"
    bl_options = {"REGISTER", "UNDO"}

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        settings = scene_settings(window_scene(context))
        settings.head = chosen_head(context) if settings.head is None else None
        return {"FINISHED"}


class EMOTE_OT_use_selected(bpy.types.Operator):
    """Let the selected character speak, and set it up if it was not yet. Heads of this add-on and of FLAME need none"""

    bl_idname = "emote.use_selected"
    bl_label = "Use Selected Character"
    bl_options = {"REGISTER", "UNDO"}

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        item = present(context.view_layer).objects.active
        if item is None:
            raise InputError("nothing is selected; select the mesh or the armature of your character")
        head = head_of(item)
        if head is None:
            set_up = set_up_character(context, item)
            head, sentence = set_up.face, f"set up {set_up.sentence()}"
            self.report({"INFO"}, sentence)
            note_result(window_scene(context), sentence, head.session_uid)
        scene_settings(window_scene(context)).head = head
        self.report({"INFO"}, f"{head.name} speaks, until it is unpinned")
        return {"FINISHED"}


class EMOTE_OT_choose_strip(bpy.types.Operator):
    """Choose the sound that the head speaks"""

    bl_idname = "emote.choose_strip"
    bl_label = "Choose Strip"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    strip: bpy.props.StringProperty(
        name="Strip", description="Name of a sound strip; empty for the active or only one", options={"SKIP_SAVE"}
    )
    source: bpy.props.EnumProperty(
        name="Sound",
        description="A strip, or a sound file",
        items=[("STRIP", "Strip", "A sound strip"), ("FILE", "File", "A sound file")],
        options={"SKIP_SAVE"},
    )

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        settings = speech_settings(context)
        if self.strip:
            chosen_strips(strip_scene(context, self.strip), self.strip)  # raises
        settings.source = self.source
        if self.source == "STRIP":
            settings.strip = self.strip
        return {"FINISHED"}


class EMOTE_OT_choose_folder(bpy.types.Operator):
    """Choose a folder with a speech model or a head of your own, or with the face landmarker"""

    bl_idname = "emote.choose_folder"
    bl_label = "Choose Folder"
    bl_options = {"REGISTER", "UNDO"}

    directory: bpy.props.StringProperty(
        name="Folder", description="Folder of the model or the head", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )
    kind: bpy.props.EnumProperty(
        name="Kind",
        description="What the folder holds",
        items=[
            ("MODEL", "Speech Model", "A speech model"),
            ("HEAD", "Head", "A head, which is added to the scene"),
            ("LANDMARKER", "Face Landmarker", "The networks that find faces in videos"),
        ],
        options={"SKIP_SAVE", "HIDDEN"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        present(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        folder = str(Path(bpy.path.abspath(self.directory)))
        if self.kind == "HEAD":
            add_head: Any = bpy.ops.emote.add_head  # type: ignore[attr-defined] # the stubs know Blender's own ones
            add_head(head=str(find_head_folder(folder)))
        elif self.kind == "LANDMARKER":
            self.report({"INFO"}, f"Faces in videos are found with {choose_landmarker(Path(folder))}")
        else:
            speech_settings(context).model = str(find_model_folder(folder))
        return {"FINISHED"}
