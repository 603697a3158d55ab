"""What panel and preferences show where the face landmarker is missing or damaged."""

from __future__ import annotations

import bpy

from .paragraph import paragraph


def draw_landmarker_problem(layout: bpy.types.UILayout, problem: str) -> None:
    """Draw why videos cannot be captured, and the buttons that mend it: the extension's zip, or a folder."""
    paragraph(layout, problem, "ERROR")
    layout.operator("emote.install_landmarker", text="Install Face Landmarker…", icon="IMPORT")
    layout.operator("emote.choose_folder", text="Face Landmarker's Folder…", icon="FILE_FOLDER").kind = "LANDMARKER"
