"""What is prepared before a video is captured: the preview of its faces, the face to follow, the neutral frame."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ...capture.video.landmarker import Landmarker
from ...capture.video.preview import points_of_faces, with_number, with_points
from ...errors import InputError
from ...motion_tools.timing import frames_per_second
from ..jobs.ready import is_free
from ..narrow import expect, present, window_scene
from ..refusal import Result, refusing
from ..requirements import missing_sentence
from ..scene.movie_pictures import MoviePictures
from ..scene.movie_strips import ShownMovie, find_movie
from ..settings.landmarker_info import landmarker_folder, landmarker_problem
from ..settings.properties import scene_settings
from .capture import OnVideo

PREVIEW = "EMOTE Video Preview"
"""Name of the image with the points."""
_SIZE = "emote_video_size"  # on the image: width and height of the video, in whose pixels places are


class EMOTE_OT_capture_preview(OnVideo, bpy.types.Operator):
    """Show the current frame of the video with the points on its faces, and a number for each, in an Image Editor"""

    bl_idname = "emote.capture_preview"
    bl_label = "Preview Faces"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        missing = missing_sentence() or landmarker_problem()
        if missing:
            cls.poll_message_set(missing)
        return not missing and is_free(cls)

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        strip = self.movie_strip(context)
        movie = self.movie(context, strip)
        scene = window_scene(context) if strip is None else expect(strip.id_data, bpy.types.Scene)
        number = _frame_of_video(scene, movie)
        pictures = MoviePictures(movie.part)
        try:
            picture, size = pictures.picture(number), pictures.size
        finally:
            pictures.close()
        if picture is None:
            raise InputError(f"frame {scene.frame_current} of {movie.name!r} cannot be decoded; go to another frame")
        faces = points_of_faces(picture, Landmarker(landmarker_folder()))
        shown_size = (picture.shape[1], picture.shape[0])
        for place, points in enumerate(faces, 1):
            picture = with_number(with_points(picture, points, shown_size), points, place)
        _show(context, _image_of(picture, size))
        found = f"{len(faces)} faces" if len(faces) != 1 else "1 face"
        self.report({"INFO"} if faces else {"WARNING"}, f"{movie.name}, frame {scene.frame_current}: {found}")
        return {"FINISHED"}


class EMOTE_OT_capture_pick(bpy.types.Operator):
    """Click on the face to follow. It is searched for there in the frame in which a face is first seen near it"""

    bl_idname = "emote.capture_pick"
    bl_label = "Pick Face"
    bl_options = {"REGISTER", "UNDO"}

    place: bpy.props.FloatVectorProperty(
        name="Place",
        description="A place in the preview, from its left and lower edges, as shares of its width and height",
        size=2,
        min=0.0,
        max=1.0,
        options={"SKIP_SAVE"},
    )

    clear: bpy.props.BoolProperty(
        name="Clear", description="Follow no picked face, but the person with the number", options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        if self.clear:
            return self.execute(context)
        present(context.window).cursor_modal_set("EYEDROPPER")
        present(context.window_manager).modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        if event.type in ("ESC", "RIGHTMOUSE"):
            present(context.window).cursor_modal_restore()
            return {"CANCELLED"}
        if event.type != "LEFTMOUSE" or event.value != "PRESS":
            return (
                {"PASS_THROUGH"}
                if event.type in ("MIDDLEMOUSE", "WHEELUPMOUSE", "WHEELDOWNMOUSE")
                else {"RUNNING_MODAL"}
            )
        present(context.window).cursor_modal_restore()
        place = _clicked(context, event)
        if place is None:
            self.report({"WARNING"}, "Click on a face in the preview")
            return {"CANCELLED"}
        self.place = place
        return self.execute(context)

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        settings = scene_settings(window_scene(context)).video
        if self.clear:
            settings.place = (0.0, 0.0)
            return {"FINISHED"}
        image = bpy.data.images.get(PREVIEW)
        if image is None or _SIZE not in image:
            raise InputError("there is no preview to pick a face in; press Preview Faces first")
        width, height = image[_SIZE]
        settings.place = (self.place[0] * width, (1.0 - self.place[1]) * height)
        self.report({"INFO"}, f"The face at {settings.place[0]:.0f}, {settings.place[1]:.0f} is followed")
        return {"FINISHED"}


class EMOTE_OT_capture_neutral(OnVideo, bpy.types.Operator):
    """Mark the current frame as one on which the face in the video rests, from which its expression is measured"""

    bl_idname = "emote.capture_neutral"
    bl_label = "Mark Neutral Frame"
    bl_options = {"REGISTER", "UNDO"}

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        strip = self.movie_strip(context)
        scene = window_scene(context) if strip is None else expect(strip.id_data, bpy.types.Scene)
        _frame_of_video(scene, self.movie(context, strip))  # raises
        settings = scene_settings(window_scene(context)).video
        settings.has_neutral, settings.neutral_frame = True, scene.frame_current
        return {"FINISHED"}


class EMOTE_OT_choose_movie(bpy.types.Operator):
    """Choose the video whose face is captured"""

    bl_idname = "emote.choose_movie"
    bl_label = "Choose Video"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    strip: bpy.props.StringProperty(
        name="Strip", description="Name of a movie strip; empty for the active or only one", options={"SKIP_SAVE"}
    )
    source: bpy.props.EnumProperty(
        name="Video",
        description="A strip, or a video file",
        items=[("STRIP", "Strip", "A movie strip"), ("FILE", "File", "A video file")],
        options={"SKIP_SAVE"},
    )

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        settings = scene_settings(window_scene(context)).video
        if self.strip:
            find_movie(context, self.strip)  # raises
        settings.source = self.source
        if self.source == "STRIP":
            settings.strip = self.strip
        return {"FINISHED"}


def _frame_of_video(scene: bpy.types.Scene, movie: ShownMovie) -> int:
    """The frame of a video that its scene shows now; raises InputError if it shows none."""
    fps = frames_per_second(scene.render.fps, scene.render.fps_base)
    number = int((scene.frame_current - movie.frame_start) / fps * movie.part.fps + 1e-3)
    if scene.frame_current < movie.frame_start or number >= movie.part.num_frames:
        last = movie.frame_start + int((movie.part.num_frames - 1) / movie.part.fps * fps)
        raise InputError(
            f"frame {scene.frame_current} does not show {movie.name!r}, which is on frames {movie.frame_start} to "
            f"{last}; go to one of them"
        )
    return number


def _image_of(picture: np.ndarray, size: tuple[int, int]) -> bpy.types.Image:
    """The preview's image with a picture (h, w, 3) uint8 of a video of this size."""
    height, width = picture.shape[:2]
    image = bpy.data.images.get(PREVIEW)
    if image is None:
        image = bpy.data.images.new(PREVIEW, width, height)
    if tuple(image.size) != (width, height):
        image.scale(width, height)
    values = np.ones((height, width, 4), np.float32)
    values[..., :3] = picture[::-1] / np.float32(255)
    pixels: Any = image.pixels  # declared as a number
    pixels.foreach_set(values.ravel())
    image.update()
    image[_SIZE] = list(size)
    return image


def _show(context: bpy.types.Context, image: bpy.types.Image) -> None:
    """Show an image in an Image Editor, of a new window if there is none."""
    manager = present(context.window_manager)
    editors = [area for window in manager.windows for area in window.screen.areas if area.type == "IMAGE_EDITOR"]
    if not editors:
        if bpy.app.background or context.area is None:
            return
        bpy.ops.screen.area_dupli("INVOKE_DEFAULT")
        editors = [manager.windows[-1].screen.areas[0]]
        editors[0].type = "IMAGE_EDITOR"
    expect(editors[0].spaces.active, bpy.types.SpaceImageEditor).image = image
    editors[0].tag_redraw()


def _clicked(context: bpy.types.Context, event: bpy.types.Event) -> tuple[float, float] | None:
    """Where the preview was clicked on, in shares of its width and height from the left and below; None elsewhere."""
    for area in present(context.window).screen.areas:
        space = area.spaces.active
        if not isinstance(space, bpy.types.SpaceImageEditor) or space.image is None or space.image.name != PREVIEW:
            continue
        for region in area.regions:
            x, y = event.mouse_x - region.x, event.mouse_y - region.y
            if region.type == "WINDOW" and 0 <= x < region.width and 0 <= y < region.height:
                across, up = region.view2d.region_to_view(x, y)
                return (across, up) if 0 <= across <= 1 and 0 <= up <= 1 else None
    return None


CLASSES = (EMOTE_OT_capture_preview, EMOTE_OT_capture_pick, EMOTE_OT_capture_neutral, EMOTE_OT_choose_movie)
