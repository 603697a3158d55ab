"""The demonstration's film: eight heads in a grid speak one sentence, each with its emotion. Not in the zip.

Every head has its own mesh, armature, shape keys and action, made by the functions that the panel calls. The camera is
orthographic, so that all heads are seen from the same side and at the same size.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from ...flame.model import FaceModel
from ...motion import FaceMotion
from ..compat import new_sound_strip, node_tree
from ..head.build import add_head
from ..narrow import expect, present, set_choice, set_input, window_scene
from ..scene.scene_file import FRAME_START, set_frame_rate
from ..takes.make import apply_motion

Colour = tuple[float, float, float]

TILE_SIZE = (208, 288)
NUM_COLUMNS = 4
SAMPLES = 3

# In heights of the head, from its lowest point: what a tile shows of it, and how much of the tile its label takes.
_SHOWN = 0.25, 1.06
_LABEL_HEIGHT = 0.10
_ROW_DEPTH = 8.0  # a lower row stands this much nearer: its backdrops hide the shoulders above it, no shadow falls back
_TURN = np.radians(-10.0)  # a face that looks a little past the camera has more of a shape
_BACKDROP = (0.022, 0.029, 0.040)
_LABEL_BAR, _LABEL = (16, 20, 26), (232, 232, 228)  # of 255, sRGB
_WORLD = (0.12, 0.15, 0.20)
# Where the light comes from, its strength (watts per square metre), its angular size (radians), its colour.
_SUNS = {
    "Key": ((-2.2, -2.2, 1.5), 4.0, 0.25, (1.0, 0.95, 0.89)),
    "Fill": ((2.5, -1.9, 0.0), 0.9, 0.50, (0.86, 0.93, 1.0)),
    "Rim": ((1.6, 1.6, 1.5), 3.0, 0.30, (1.0, 0.97, 0.95)),
}


def open_film(
    model: FaceModel, motions: Mapping[str, FaceMotion], audio: Path, tile: tuple[int, int]
) -> bpy.types.Scene:
    """A scene in a fresh file in which one head per motion speaks; the scene that is open is closed unsaved.

    Args:
        model: the face model of the heads.
        motions: motion of each head by the word on its label; row by row, `NUM_COLUMNS` to a row.
        audio: the sound that they speak.
        tile: width and height of each head's part of the picture, pixels.
    """
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = window_scene(bpy.context)
    first = next(iter(motions.values()))
    set_frame_rate(scene, first.fps)
    scene.frame_start, scene.frame_end = FRAME_START, FRAME_START + first.num_frames - 1
    num_rows = -(-len(motions) // NUM_COLUMNS)
    low, height = float(model.v_template[:, 1].min()), float(np.ptp(model.v_template[:, 1]))
    bar_height = _LABEL_HEIGHT * height
    tile_height = (_SHOWN[1] - _SHOWN[0]) * height + bar_height
    tile_width = tile_height * tile[0] / tile[1]
    for number, (name, motion) in enumerate(motions.items()):
        row, column = divmod(number, NUM_COLUMNS)
        # The tile's lower left corner; the picture's lower left corner is the origin.
        corner = Vector((column * tile_width, -row * _ROW_DEPTH * height, (num_rows - 1 - row) * tile_height))
        foot = corner + Vector((tile_width / 2, 0.0, bar_height - _SHOWN[0] * height - low))
        head = add_head(bpy.context, model, name=name.title(), location=foot)
        present(head.parent).rotation_euler.z = _TURN
        apply_motion(head, motion, scene, FRAME_START, name)
        behind, before = Vector((0.0, 2 * height, 0.0)), Vector((0.0, -2 * height, 0.0))
        _add_plane(scene, f"{name} backdrop", corner + behind, (tile_width, tile_height), _BACKDROP)
        label = _label(name, (tile[0], round(tile[1] * bar_height / tile_height)))
        _add_plane(scene, label.name, corner + before, (tile_width, bar_height), label)
    new_sound_strip(scene, audio.stem, str(audio.resolve()), channel=1, frame_start=FRAME_START)
    _add_camera(scene, (NUM_COLUMNS * tile_width, num_rows * tile_height), num_rows * _ROW_DEPTH * height)
    _add_light(scene)
    set_render(scene, (NUM_COLUMNS * tile[0], num_rows * tile[1]), SAMPLES)
    _spare_scattering()
    return scene


def _spare_scattering() -> None:
    """Turn off subsurface scattering: a quarter of the time, and no visible difference at this size."""
    for material in bpy.data.materials:
        for node in node_tree(material).nodes:
            if node.type == "BSDF_PRINCIPLED":
                set_input(node, "Subsurface Weight", 0.0)


def _add_plane(
    scene: bpy.types.Scene, name: str, corner: Vector, size: tuple[float, float], colour: Colour | bpy.types.Image
) -> None:
    """Add a rectangle facing -y that emits its colour or picture and is visible to the camera only."""
    width, height = size
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0.0, 0.0, 0.0), (width, 0.0, 0.0), (width, 0.0, height), (0.0, 0.0, height)], [], [(0, 1, 2, 3)])
    mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0])
    material = bpy.data.materials.new(name)
    tree = node_tree(material)
    tree.nodes.clear()
    emission, output = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    if isinstance(colour, bpy.types.Image):
        picture = expect(tree.nodes.new("ShaderNodeTexImage"), bpy.types.ShaderNodeTexImage)
        picture.image, picture.extension = colour, "EXTEND"
        tree.links.new(present(picture.outputs)["Color"], emission.inputs["Color"])
    else:
        set_input(emission, "Color", (*colour, 1.0))
    tree.links.new(emission.outputs["Emission"], output.inputs["Surface"])
    mesh.materials.append(material)
    plane = bpy.data.objects.new(name, mesh)
    plane.location = corner
    plane.visible_diffuse = plane.visible_glossy = plane.visible_transmission = plane.visible_shadow = False
    scene.collection.objects.link(plane)


def _label(text: str, size: tuple[int, int]) -> bpy.types.Image:
    """The text as a picture of `size` pixels; a text object would have jagged edges at so few samples."""
    from PIL import Image, ImageDraw, ImageFont

    drawn = Image.new("RGBA", size, (*_LABEL_BAR, 255))
    middle = size[0] / 2, size[1] / 2
    ImageDraw.Draw(drawn).text(middle, text, _LABEL, ImageFont.load_default(size=0.68 * size[1]), anchor="mm")
    picture = bpy.data.images.new(f"{text} label", *size)
    rows_from_below = np.asarray(drawn, np.float32)[::-1] / 255
    pixels: Any = picture.pixels  # an array, which the stubs declare as a number
    pixels.foreach_set(np.ascontiguousarray(rows_from_below).ravel())
    picture.pack()
    return picture


def _add_camera(scene: bpy.types.Scene, size: tuple[float, float], depth: float) -> None:
    """Add an orthographic camera that sees from (0, 0) to `size` and everything within `depth`; metres."""
    optics = bpy.data.cameras.new("Camera")
    optics.type = "ORTHO"
    optics.ortho_scale = 0.996 * max(size)  # a pixel at the rim would see past the backdrops
    optics.clip_end = 4 * depth
    camera = bpy.data.objects.new("Camera", optics)
    camera.location = (size[0] / 2, -2 * depth, size[1] / 2)
    camera.rotation_euler = (np.pi / 2, 0.0, 0.0)
    scene.collection.objects.link(camera)
    scene.camera = camera


def _add_light(scene: bpy.types.Scene) -> None:
    """Add suns, which light every head alike, and a little light from all around."""
    for name, (place, strength, angle, colour) in _SUNS.items():
        sun = expect(bpy.data.lights.new(name, "SUN"), bpy.types.SunLight)
        sun.energy, sun.angle, sun.color = strength, angle, colour
        holder = bpy.data.objects.new(name, sun)
        holder.rotation_euler = (-Vector(place)).to_track_quat("-Z", "Y").to_euler()
        scene.collection.objects.link(holder)
    scene.world = world = bpy.data.worlds.new("Studio")
    background = next(node for node in node_tree(world).nodes if node.type == "BACKGROUND")
    set_input(background, "Color", (*_WORLD, 1.0))
    set_input(background, "Strength", 0.25)


# ---- rendering -------------------------------------------------------------------------------------------------------


def set_render(scene: bpy.types.Scene, size: tuple[int, int], samples: int) -> None:
    """Set Cycles on the CPU with few samples and a denoiser."""
    render = scene.render
    set_choice(render, "engine", "CYCLES")
    render.resolution_x, render.resolution_y = size
    render.resolution_percentage = 100
    render.use_persistent_data = True
    cycles = present(scene.cycles)
    cycles.device = "CPU"
    cycles.samples = samples
    cycles.use_denoising = True
    cycles.denoising_quality = "FAST"  # a third of the time of the default, no difference seen at this size
    cycles.denoising_prefilter = "FAST"
    cycles.max_bounces = 3
    cycles.caustics_reflective = cycles.caustics_refractive = False
    view = present(scene.view_settings)
    set_choice(view, "view_transform", "AgX")
    set_choice(view, "look", "AgX - Medium High Contrast")


def render_video(scene: bpy.types.Scene, path: Path) -> None:
    """Render the scene's frames with its sound to an H.264 file."""
    image = scene.render.image_settings
    if hasattr(image, "media_type"):  # 5.0
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    ffmpeg = present(scene.render.ffmpeg)
    ffmpeg.format, ffmpeg.codec, ffmpeg.constant_rate_factor = "MPEG4", "H264", "HIGH"
    ffmpeg.audio_codec, ffmpeg.audio_bitrate = "AAC", 160
    scene.render.filepath = str(path.resolve())
    total = scene.frame_end - scene.frame_start + 1
    started = time.monotonic()

    def report(*_arguments: object) -> None:
        done = scene.frame_current - scene.frame_start + 1
        left = (time.monotonic() - started) / done * (total - done)
        if done % 5 == 0 or done == total:
            say_through(f"      {done}/{total} frames, about {left:.0f} s left")

    bpy.app.handlers.render_write.append(report)
    try:
        with quiet():
            bpy.ops.render.render(animation=True)
    finally:
        bpy.app.handlers.render_write.remove(report)


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress the lines that Blender prints past Python."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    _terminal.append(kept)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(nowhere)
        os.close(_terminal.pop())


_terminal: list[int] = []


def say_through(text: str) -> None:
    """Print a line inside `quiet`."""
    os.write(_terminal[-1] if _terminal else 1, (text + "\n").encode())
