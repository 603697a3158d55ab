"""Captures, motion files and videos dropped into the 3D viewport."""

from __future__ import annotations

import bpy

from ...capture.motion_files import READ_SUFFIXES
from ..scene.find_head import any_head
from ..settings.landmarker_info import landmarker_problem


class EMOTE_FH_capture(bpy.types.FileHandler):
    """Face captures and motion files, which a head takes"""

    bl_idname = "EMOTE_FH_capture"
    bl_label = "Face Capture"
    bl_import_operator = "emote.import_capture"
    bl_file_extensions = ";".join(READ_SUFFIXES)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Whether a file may be dropped here: in a 3D viewport, if there is a head."""
        return context.area is not None and context.area.type == "VIEW_3D" and any_head()


class EMOTE_FH_video(bpy.types.FileHandler):
    """Videos with a face, which a head takes"""

    bl_idname = "EMOTE_FH_video"
    bl_label = "Face from Video"
    bl_import_operator = "emote.capture"
    bl_file_extensions = ".mp4;.mov;.m4v;.mkv;.webm;.avi"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Whether a video may be dropped here: in a 3D viewport, if there is a head and the landmarker."""
        is_viewport = context.area is not None and context.area.type == "VIEW_3D"
        return is_viewport and any_head() and not landmarker_problem()
