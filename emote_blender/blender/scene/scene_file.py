"""A .blend in which a head speaks: head, sound strip, animation, camera, light; for the command line and the demo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from ...errors import InputError
from ...files.atomic_write import replacing
from ...flame.model import FaceModel
from ...motion_tools.life import STILL, Life
from ...motion_tools.raw_take import RawTake
from ...motion_tools.refine import Refinement
from ...transcript.language import AUTO
from ...transcript.recognisers.interface import Recognition
from ...transcript.timed_transcript import TimedTranscript
from ..compat import eevee_engine, new_sound_strip, node_tree, show_in_sequencers
from ..head.build import add_head, head_folder_name
from ..narrow import expect, present, set_choice, set_input, window_scene
from ..settings.live import together
from ..settings.transcript import strip_settings
from ..settings.transcript_state import keep_cues, keep_recognition, one_line
from ..takes.make import Line, new_take
from .placed_strip import on_own_timeline
from .sound_part import part_of_strip

FRAME_START = 1
_MAX_PACKED_BYTES = 64 << 20
_LENS_MM = 85.0
_SENSOR_MM = 36.0
_BACKGROUND = (0.36, 0.40, 0.46)
# Place (in head heights from the middle of the face), size (head heights), power (watts for a head of 0.3 m), colour.
_LIGHTS = {
    "Key": ((-1.8, -2.6, 1.6), 1.3, 13.0, (1.0, 0.95, 0.89)),
    "Fill": ((2.5, -1.9, 0.2), 1.5, 5.0, (0.86, 0.93, 1.0)),
    "Rim": ((1.5, 2.2, 1.8), 1.3, 12.0, (1.0, 0.97, 0.95)),
}
_REFERENCE_HEIGHT = 0.3


@dataclass(frozen=True)
class SceneWords:
    """The words of a scene's sound.

    Attributes:
        transcript: the spoken words, "auto" for recognised ones, or None for none.
        language: that is spoken, or "auto".
        recognition: the recognised words; None if none were asked for.
    """

    transcript: str | TimedTranscript | None
    language: str = AUTO
    recognition: Recognition | None = None


def write_blend(
    path: str | Path,
    take: RawTake,
    head_folder: str | Path,
    audio_path: str | Path | None,
    fps: float = 25.0,
    life: Life = STILL,
    refinement: Refinement | None = None,
    words: SceneWords | None = None,
    mix: Mapping[str, float] | None = None,
) -> None:
    """Write a .blend in which a head speaks, whole or not at all. The open scene is closed unsaved.

    Args:
        path: the file to write.
        take: the head's motion; it begins on frame 1, together with the sound.
        head_folder: the head.
        audio_path: the sound; packed into the file up to 64 MB, linked if it is larger; None for a scene without sound.
        fps: frames per second of the scene.
        life: blinks, gaze and head motion, as settings of the take.
        refinement: its sliders; None leaves them as they are.
        words: the words of the sound, which its strip keeps; None for none.
        mix: values of `take.capture`, if the motion keeps the face of a video.

    Raises:
        InputError: if the file cannot be written.
        ModelError: if the head is broken or does not fit the motion.
    """
    model = FaceModel.load(head_folder)
    # Not read_factory_settings: that would disable the add-on in which this code runs.
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=False)
    scene = window_scene(bpy.context)
    for leftover in list(bpy.data.objects):
        bpy.data.objects.remove(leftover)
    head = add_head(bpy.context, model, name=head_folder_name(Path(head_folder)))
    add_stage(scene, head)
    set_frame_rate(scene, fps)
    strip = None if audio_path is None else _add_sound(scene, Path(audio_path))
    if words is not None and strip is not None:
        _keep_words(scene, strip, words, take.emotional.meta.get("transcript"))
    made = new_take(head, take, scene, Line(Path(audio_path or path).stem, FRAME_START), life, mix)
    if refinement is not None and refinement.changes():
        with together("refine", head, made.refine):
            for name, value in refinement.summary().items():
                setattr(made.refine, name, value)
    scene.frame_start = FRAME_START
    scene.frame_end = FRAME_START + max(0, int(np.ceil(take.emotional.duration_seconds * fps)) - 1)
    scene.frame_set(FRAME_START)
    head.select_set(False)  # no outline around the face
    _arrange_windows()
    with replacing(path) as temporary:
        try:
            bpy.ops.wm.save_as_mainfile(filepath=str(temporary), copy=True, compress=True, relative_remap=False)
        except RuntimeError as error:
            raise InputError(f"{path} cannot be written ({str(error).strip()}); choose another folder") from error


def set_frame_rate(scene: bpy.types.Scene, fps: float) -> None:
    """Set a scene's frame rate as Blender stores it: whole number over base (29.97 = 30 / 1.001)."""
    whole = max(1, round(fps))
    scene.render.fps = whole
    scene.render.fps_base = whole / fps


def add_stage(scene: bpy.types.Scene, head: bpy.types.Object) -> None:
    """Add a portrait camera, three lights and a background, sized for the head."""
    corners = np.array([present(head.parent).matrix_basis @ Vector(corner) for corner in head.bound_box])
    low, high = corners.min(axis=0), corners.max(axis=0)
    height = float(high[2] - low[2])
    middle = Vector(((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2] + 0.58 * height))
    optics = bpy.data.cameras.new("Camera")
    optics.lens = _LENS_MM
    optics.clip_start = 0.01
    camera = bpy.data.objects.new("Camera", optics)
    distance = 0.98 * height * _LENS_MM / _SENSOR_MM + (high[1] - low[1]) / 2
    camera.location = middle + Vector((0.16 * distance, -distance, 0.02 * distance))
    _look_at(camera, middle)
    scene.collection.objects.link(camera)
    scene.camera = camera
    for name, (place, size, watts, colour) in _LIGHTS.items():
        light = expect(bpy.data.lights.new(name, "AREA"), bpy.types.AreaLight)
        light.size = size * height
        light.energy = watts * (height / _REFERENCE_HEIGHT) ** 2
        light.color = colour
        holder = bpy.data.objects.new(name, light)
        holder.location = middle + height * Vector(place)
        _look_at(holder, middle)
        scene.collection.objects.link(holder)
    _set_background(scene)
    scene.render.resolution_x = scene.render.resolution_y = 720
    set_choice(scene.render, "engine", eevee_engine())
    set_choice(present(scene.view_settings), "look", "AgX - Medium High Contrast")
    present(present(scene.display).shading).color_type = "VERTEX"


def _set_background(scene: bpy.types.Scene) -> None:
    world = bpy.data.worlds.new("Studio")
    world.color = _BACKGROUND
    scene.world = world
    background = next((node for node in node_tree(world).nodes if node.type == "BACKGROUND"), None)
    if background is not None:
        set_input(background, "Color", (*_BACKGROUND, 1.0))
        set_input(background, "Strength", 0.55)


def _look_at(item: bpy.types.Object, target: Vector) -> None:
    item.rotation_euler = (target - item.location).to_track_quat("-Z", "Y").to_euler()


def _add_sound(scene: bpy.types.Scene, audio_path: Path) -> bpy.types.SoundStrip:
    """The new sound strip that begins on the first frame; its sound is packed into the file unless it is large."""
    strip = new_sound_strip(scene, audio_path.stem, str(audio_path.resolve()), channel=1, frame_start=FRAME_START)
    if audio_path.stat().st_size <= _MAX_PACKED_BYTES:
        present(strip.sound).pack()
    show_in_sequencers(scene)
    scene.sync_mode = "AUDIO_SYNC"
    return strip


def _keep_words(
    scene: bpy.types.Scene, strip: bpy.types.SoundStrip, words: SceneWords, fit: dict[str, Any] | None
) -> None:
    """Write the words of the sound into its strip, so that generating again there follows the same ones."""
    kept = strip_settings(strip)
    kept.language = words.language
    if words.recognition is not None and words.recognition.words:
        keep_recognition(kept, words.recognition, part_of_strip(on_own_timeline(strip)))
    elif isinstance(words.transcript, TimedTranscript):
        keep_cues(kept, words.transcript)
    elif words.transcript not in (None, AUTO):
        kept.transcript = one_line(words.transcript)
    if fit:
        kept.num_words, kept.num_fitting = fit["words"] - fit.get("outside", 0), fit["fitting"]


def _arrange_windows() -> None:
    """Make every 3D viewport look through the camera and show vertex colours, without grid and cursor."""
    for screen in bpy.data.screens:
        for area in screen.areas:
            if area.type != "VIEW_3D":
                continue
            space = expect(area.spaces.active, bpy.types.SpaceView3D)
            present(space.region_3d).view_perspective = "CAMERA"
            space.shading.color_type = "VERTEX"
            space.overlay.show_floor = space.overlay.show_axis_x = space.overlay.show_axis_y = False
            space.overlay.show_cursor = False
            if screen.name == "Layout":
                space.show_region_ui = True
