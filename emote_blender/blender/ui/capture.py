"""Face from Video: the video whose face is captured, and in a take of one, what is the video's and what the sound's."""

from __future__ import annotations

from typing import Any

import bpy

from ..jobs.job_operator import draw_progress
from ..narrow import present, window_scene
from ..operators.capture_preview import PREVIEW
from ..scene.movie_strips import movie_scenes, movie_strips
from ..settings.landmarker_info import landmarker_problem
from ..settings.properties import result_about, scene_settings
from ..settings.video_settings import EMOTE_PG_video
from ..takes.video_mix import REGIONS
from .landmarker import draw_landmarker_problem
from .panel_state import PanelState, panel_state
from .paragraph import paragraph
from .refine import shown_take
from .sidebar import SidebarPanel, shown_head, two_columns


class CapturePanel(SidebarPanel):
    """A filmed face on the head: brows, lids, gaze and head from the video, the mouth from the sound"""

    bl_label = "Face from Video"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 27

    def draw(self, context: bpy.types.Context) -> None:
        layout, state = present(self.layout), panel_state(context)
        problem = landmarker_problem()
        if problem:
            draw_landmarker_problem(layout, problem)
            return
        scene = window_scene(context)
        settings = scene_settings(scene).video
        self._draw_source(layout, settings, state)
        self._draw_person(layout, settings)
        row = layout.row(align=True)
        row.prop(settings, "has_neutral")
        frame = row.row(align=True)
        frame.active = settings.has_neutral
        frame.prop(settings, "neutral_frame", text="")
        row.operator("emote.capture_neutral", text="", icon="KEYFRAME")
        column = layout.column()
        if settings.source == "STRIP":
            column.prop(settings, "use_sound")
        column.prop(settings, "mirrored")
        if draw_progress(layout):
            return
        row = layout.row()
        row.scale_y = 1.5
        row.enabled = not state.why_no_capture
        row.operator("emote.capture", icon="FILE_MOVIE")
        if state.why_no_capture:
            paragraph(layout, state.why_no_capture, "ERROR")
        elif result := result_about(scene, shown_head(state)):
            paragraph(layout, result, "NONE")

    def _draw_source(self, layout: bpy.types.UILayout, settings: EMOTE_PG_video, state: PanelState) -> None:
        is_file = settings.source == "FILE"
        text = "Video File" if is_file else state.movie or "No Video"
        layout.menu("EMOTE_MT_movies", text=text, icon="FILE_MOVIE", translate=is_file or not state.movie)
        if is_file:
            layout.prop(settings, "filepath", text="")
            layout.prop(settings, "frame_start")

    def _draw_person(self, layout: bpy.types.UILayout, settings: EMOTE_PG_video) -> None:
        row = layout.row(align=True)
        if any(settings.place):
            row.prop(settings, "place", text="")
            row.operator("emote.capture_pick", text="", icon="X").clear = True
        else:
            row.prop(settings, "person", text="Largest Face" if settings.person == 0 else "Person")
        row.operator("emote.capture_preview", text="", icon="HIDE_OFF")


class MixPanel(SidebarPanel):
    """What of the take's face is the video's and what the sound's"""

    bl_label = "Video and Sound"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        take = shown_take(context)
        return take is not None and take.has_capture

    def draw(self, context: bpy.types.Context) -> None:
        take = shown_take(context)
        if take is None:
            return
        layout = present(self.layout)
        row = layout.row(align=True)
        row.operator("emote.capture_mix", text="Mouth from Sound").shares = "MOUTH_FROM_SOUND"
        row.operator("emote.capture_mix", text="All from Video").shares = "ALL_FROM_VIDEO"
        column = two_columns(layout)
        for name in REGIONS:
            column.prop(take.capture, name, slider=True)
        column.prop(take.capture, "offset_seconds")


class EMOTE_MT_movies(bpy.types.Menu):
    """Choose the video whose face is captured"""

    bl_label = "Video"

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        layout.operator("emote.choose_movie", text="Active or Only Movie Strip", icon="RESTRICT_SELECT_OFF").strip = ""
        for scene in movie_scenes(context):
            for strip in movie_strips(scene):
                button = layout.operator("emote.choose_movie", text=strip.name, icon="FILE_MOVIE", translate=False)
                button.strip = strip.name
        layout.separator()
        layout.operator("emote.choose_movie", text="Video File", icon="FILE_FOLDER").source = "FILE"


def draw_pick(header: Any, context: bpy.types.Context) -> None:
    """Draw Pick Face in the header of an Image Editor that shows the preview."""
    space = context.space_data
    if isinstance(space, bpy.types.SpaceImageEditor) and space.image is not None and space.image.name == PREVIEW:
        present(header.layout).operator("emote.capture_pick", icon="EYEDROPPER")
