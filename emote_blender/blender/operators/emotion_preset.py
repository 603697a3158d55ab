"""Emotion presets: apply one of the add-on's, keep one of your own among Blender's presets."""

from __future__ import annotations

import bpy
from bl_operators.presets import AddPresetBase

from ...emotion import EMOTIONS
from ...errors import InputError
from ..refusal import Result, refusing
from ..settings.chosen_head import chosen_head
from ..settings.emotion_presets import FOLDER, PRESETS, apply_preset
from ..settings.head_settings import head_settings


class EMOTE_OT_apply_emotion_preset(bpy.types.Operator):
    """Give the head this emotion"""

    bl_idname = "emote.apply_emotion_preset"
    bl_label = "Apply Emotion Preset"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    name: bpy.props.StringProperty(name="Preset", description="Name of the preset", options={"SKIP_SAVE"})

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        preset = next((preset for preset in PRESETS if preset.name == self.name), None)
        if preset is None:
            raise InputError(
                f"unknown preset {self.name!r}; choose one of {', '.join(preset.name for preset in PRESETS)}"
            )
        apply_preset(head_settings(chosen_head(context)), preset)
        # As Blender does for presets of the user's.
        menu = bpy.types.Menu.bl_rna_get_subclass_py("EMOTE_MT_emotion_presets")
        menu.bl_label = preset.name
        return {"FINISHED"}


class EMOTE_OT_add_emotion_preset(AddPresetBase, bpy.types.Operator):  # type: ignore[misc] # as Blender's own presets do
    """Keep the head's emotion as a preset, or remove the preset that was chosen last"""

    bl_idname = "emote.add_emotion_preset"
    bl_label = "Add Emotion Preset"
    preset_menu = "EMOTE_MT_emotion_presets"
    preset_subdir = FOLDER
    # A preset is a script that Blender runs; it reaches the chosen head through the scene's settings.
    preset_defines = ["settings = bpy.context.scene.emote.chosen"]
    preset_values = ["settings.emotion", "settings.amount", *(f"settings.weights.{name}" for name in EMOTIONS)]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        try:
            chosen_head(context)
        except InputError as error:
            cls.poll_message_set(str(error))
            return False
        return True
