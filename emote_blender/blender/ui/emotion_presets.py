"""The menu of emotion presets: the add-on's own, then the user's."""

from __future__ import annotations

import bpy

from ..narrow import present
from ..settings.emotion_presets import FOLDER, PRESETS


class EMOTE_MT_emotion_presets(bpy.types.Menu):
    """Emotions with an amount, ready to use"""

    bl_label = "Emotion Presets"
    preset_subdir = FOLDER
    preset_operator = "script.execute_preset"

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        for preset in PRESETS:
            layout.operator("emote.apply_emotion_preset", text=preset.name).name = preset.name
        layout.separator()
        bpy.types.Menu.draw_preset(self, context)  # the user's, as Blender stores them
