"""Motions in files: onto a head as a new take, and from a take to a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ...capture.motion_files import MOTION_SUFFIX, READ_SUFFIXES, WRITTEN_SUFFIXES, load_motion, save_motion
from ...errors import InputError
from ...motion import FaceMotion
from ...retarget.conversion import face_of
from ..blend_paths import absolute
from ..characters.choose import head_or_character
from ..check.find import worst_after
from ..head.rig import rig_of
from ..jobs.generation import describe_action
from ..jobs.ready import may_animate
from ..narrow import present, window_scene
from ..refusal import Result, refuse, refusing
from ..scene.strips import line_scene
from ..settings.chosen_head import chosen_head, own_settings, speech_settings
from ..settings.properties import note_result
from ..takes.exported_motion import exported_motion
from ..takes.make import apply_motion, rig_warnings
from ..takes.transfer import for_capture
from .refine import choose_take
from .takes import OnTake

_READ_GLOB = ";".join(f"*{suffix}" for suffix in READ_SUFFIXES)


def _filepath(description: str) -> Any:
    return bpy.props.StringProperty(
        name="File",
        description=description,
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )


class _OntoHead(bpy.types.Operator):
    """Base of operators that put a motion from a file on a head."""

    bl_options = {"REGISTER", "UNDO"}

    filepath: _filepath("Capture (.csv, .txt) or motion file (.npz, .json)")
    filter_glob: bpy.props.StringProperty(default=_READ_GLOB, options={"HIDDEN"})
    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the scene's choice", options={"SKIP_SAVE"}
    )
    frame_start: bpy.props.IntProperty(
        name="Start Frame", description="Frame of the motion's first frame", default=1, options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_animate(cls, sets_up=True)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        if not self.properties.is_property_set("frame_start"):
            self.frame_start = speech_settings(context).frame_start
        if self.properties.is_property_set("filepath") and self.filepath:  # a file that was dropped
            return self.execute(context)
        present(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head, set_up = head_or_character(context, self.head)
        scene = line_scene(context, head)
        frame_start = self.frame_start
        if not self.properties.is_property_set("frame_start"):
            frame_start = own_settings(context, head).frame_start
        notes: list[str] = list(set_up)
        path = absolute(self.filepath)
        motion = self.read(path, notes)
        action = apply_motion(head, motion, scene, frame_start, _motion_name(path, motion))
        rig = rig_of(head)
        scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
        result = describe_action(action, frame_start)
        trouble = worst_after(context, head.session_uid)
        misfits = rig_warnings("the motion", face_of(motion, rig), rig)
        for warning in dict.fromkeys((*notes, *misfits, *trouble)):
            self.report({"WARNING"}, warning)
        note_result(window_scene(context), "; but ".join((result, *trouble)), head.session_uid)
        self.report({"INFO"}, result)
        return {"FINISHED"}

    def read(self, path: str, notes: list[str]) -> FaceMotion:
        """The motion in a file; what was assumed of it is added to the notes."""
        return load_motion(path, warn=notes.append)


class EMOTE_OT_apply_motion(_OntoHead):
    """Put a motion file on a head as a new take"""

    bl_idname = "emote.apply_motion"
    bl_label = "Apply Motion File"


class EMOTE_OT_import_capture(_OntoHead):
    """Put a captured face on a head as a new take: CSV of Live Link Face, Face Cap, iFacialMocap, JSON, motion files"""

    bl_idname = "emote.import_capture"
    bl_label = "Import Face Capture"

    start: bpy.props.StringProperty(
        name="Capture Start",
        description="Where in the capture the take begins: seconds from its first frame, or a timecode such as "
        "13:04:31:22; empty for its first frame",
        options={"SKIP_SAVE"},
    )
    recorded_fps: bpy.props.FloatProperty(
        name="Recorded Rate",
        description="Frames per second of the capture, in place of its times; 0 for its times",
        default=0.0,
        min=0.0,
        max=1000.0,
        options={"SKIP_SAVE"},
    )
    head_rotation: bpy.props.BoolProperty(
        name="Head Rotation", description="Turn the neck as the captured head turned", default=True
    )

    def read(self, path: str, notes: list[str]) -> FaceMotion:
        motion = load_motion(path, None, self.start, self.recorded_fps or None, notes.append)
        return motion if self.head_rotation else replace(motion, neck=None)


class EMOTE_OT_export_motion(OnTake, bpy.types.Operator):
    """Write the take, refined, with blinks, gaze and head motion, to a file for Unreal, Unity or other programs"""

    bl_idname = "emote.export_motion"
    bl_label = "Export Take"
    bl_options = {"REGISTER"}

    filepath: _filepath("File to write: .csv, .json or .npz")
    filter_glob: bpy.props.StringProperty(
        default=";".join(f"*{suffix}" for suffix in WRITTEN_SUFFIXES), options={"HIDDEN"}
    )
    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    format: bpy.props.EnumProperty(
        name="Format",
        description="Format of a file whose name does not say it",
        items=[
            ("CSV", "CSV (ARKit)", "ARKit's blend shapes as the app Live Link Face records them, for Unreal and Unity"),
            ("JSON", "JSON", "ARKit's blend shapes with a list of their names, for scripts"),
            ("NPZ", "Motion File", "Every component of the head, for EMOTE"),
        ],
        default="CSV",
    )
    fps: bpy.props.FloatProperty(
        name="Frame Rate",
        description="Frames per second to write; 0 for 60 in CSV, for the rate of a capture, else for the take's own",
        default=0.0,
        min=0.0,
        max=1000.0,
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        if not self.filepath:
            try:
                take = choose_take(chosen_head(context, self.head), self.take)
            except InputError as error:
                return refuse(self, error)
            self.filepath = bpy.path.clean_name(take.name) + self._suffix()
        present(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, context: bpy.types.Context) -> bool:
        """Let the file's name follow the format in the file browser."""
        path = Path(self.filepath)
        if path.suffix.casefold() in WRITTEN_SUFFIXES and path.suffix.casefold() != self._suffix():
            self.filepath = str(path.with_suffix(self._suffix()))
            return True
        return False

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head = chosen_head(context, self.head)
        take = choose_take(head, self.take)
        path = Path(absolute(self.filepath or bpy.path.clean_name(take.name)))
        if path.suffix.casefold() not in WRITTEN_SUFFIXES:
            path = path.with_name(path.name + self._suffix())
        motion = exported_motion(head, take)
        if path.suffix.casefold() != MOTION_SUFFIX:
            motion = for_capture(rig_of(head), motion)
        written = save_motion(motion, path, self.fps or None)
        self.report({"INFO"}, f"Wrote {path.name}: {written.num_frames} frames at {written.fps:g} fps")
        return {"FINISHED"}

    def _suffix(self) -> str:
        return f".{self.format.lower()}"


def _motion_name(filepath: str, motion: FaceMotion) -> str:
    """Name of the line in a motion file: the sound's name, or the file's."""
    return Path(str(motion.meta.get("audio") or filepath)).stem


CLASSES = (EMOTE_OT_apply_motion, EMOTE_OT_import_capture, EMOTE_OT_export_motion)
