"""The demonstration of `build.py demo`: a scene to open, and a film and a sheet of the eight emotions.

Not in the zip. It uses the same functions as a creator's work: the command line writes the scene; the pipeline,
`add_head` and `apply_motion` make the eight emotions.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import bpy
import numpy as np

from ...audio import load_audio
from ...cli.main import main as command_line
from ...emotion import EMOTIONS, EmotionTrack
from ...files.paths import DEFAULT_MODEL, find_head
from ...flame.model import FaceModel
from ...motion import FaceMotion
from ...motion_tools.life import Life, add_life
from ...pipeline import EMOTEPipeline
from ..compat import node_tree
from ..head.rig import carries_head
from ..narrow import expect, present, set_input, window_scene
from ..settings.head_settings import head_settings
from ..takes.make import apply_motion
from .film import TILE_SIZE, open_film, quiet, render_video, say, set_render

CLIP = Path(__file__).parents[3] / "tests" / "data" / "anger_line.wav"
STILL_SIZE = (220, 260)
STILL_SAMPLES = 12


def main(argv: list[str] | None = None) -> int:
    """Run the demonstration, print what it wrote and how to open it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="build.py demo", description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("out"), help="folder to write to")
    parser.add_argument("--audio", type=Path, default=CLIP, help="sound file with speech")
    parser.add_argument("--emotion", choices=EMOTIONS, default="anger")
    parser.add_argument("--intensity", type=float, default=2.0)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    options = parser.parse_args(argv)
    started = time.monotonic()
    options.output.mkdir(parents=True, exist_ok=True)
    blend, video, sheet = (options.output / name for name in ("demo.blend", "demo.mp4", "emotions.png"))

    say(f"[1/3] {blend}: a head that says {options.audio.name} with {options.emotion}")
    command = [
        "generate",
        str(options.audio),
        "-o",
        str(blend),
        "--model",
        options.model,
        "--transcript",
        "auto",
        "--alive",
    ]
    code = command_line([*command, "--emotion", options.emotion, "--intensity", str(options.intensity)])
    if code:
        return code

    pipeline = EMOTEPipeline.from_pretrained(options.model)
    features = pipeline.encode(load_audio(options.audio), transcript="auto")
    motions = {name: pipeline.generate(features, EmotionTrack.constant(name, options.intensity)) for name in EMOTIONS}
    num_frames = motions["neutral"].num_frames
    say(f"[2/3] {video}: {len(EMOTIONS)} heads say it at once, each with its emotion; {num_frames} frames with sound")
    model = FaceModel.load(find_head(motions["neutral"].meta["face"]))
    alive = {
        name: add_life(motion, features.prosody, Life(seed=number, blink_interval_seconds=2.5))
        for number, (name, motion) in enumerate(motions.items())
    }
    render_video(open_film(model, alive, options.audio, TILE_SIZE), video)

    say(f"[3/3] {sheet}: the same words with {len(EMOTIONS)} emotions")
    bpy.ops.wm.open_mainfile(filepath=str(blend.resolve()))
    scene = window_scene(bpy.context)
    move_closer(scene)
    render_emotions(scene, next(item for item in scene.objects if carries_head(item)), motions, sheet)

    say(f"\nDone in {time.monotonic() - started:.0f} s.")
    say(f"  {video}   the eight emotions at once, with sound; any video player shows it")
    say(f"  {sheet}   the eight emotions at two moments of the sentence")
    say(f"  {blend}   open it in Blender 4.5 or later and press the space bar to play it with its sound")
    return 0


def move_closer(scene: bpy.types.Scene) -> None:
    """Change the scene to a close-up in front of a dark backdrop; a creator's scene begins with a bust."""
    camera = expect(present(scene.camera).data, bpy.types.Camera)
    camera.lens *= 1.3
    camera.shift_y = 0.05
    background = next(node for node in node_tree(present(scene.world)).nodes if node.type == "BACKGROUND")
    set_input(background, "Color", (0.12, 0.15, 0.20, 1.0))
    set_input(background, "Strength", 0.25)
    for item in scene.objects:
        if isinstance(item.data, bpy.types.AreaLight):
            item.data.energy *= 1.3


def render_emotions(
    scene: bpy.types.Scene, head: bpy.types.Object, motions: Mapping[str, FaceMotion], path: Path
) -> None:
    """Render a labelled picture with one column per emotion and one row per moment of the sentence."""
    from PIL import Image, ImageDraw, ImageFont

    moments = telling_moments(motions["neutral"])
    set_render(scene, STILL_SIZE, STILL_SAMPLES)
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "IMAGE"
    image.file_format = "PNG"
    width, height = STILL_SIZE
    sheet = Image.new("RGB", (width * len(motions), height * len(moments)))
    draw = ImageDraw.Draw(sheet)
    tile_path = path.with_name("tile.png")
    scene.render.filepath = str(tile_path.resolve())
    for column, (name, motion) in enumerate(motions.items()):
        apply_motion(head, motion, scene, scene.frame_start, head_settings(head).takes[0].line)
        for row, seconds in enumerate(moments):
            frame = scene.frame_start + seconds * scene.render.fps / scene.render.fps_base
            scene.frame_set(int(frame), subframe=frame % 1.0)
            with quiet():
                bpy.ops.render.render(write_still=True)
            with Image.open(tile_path) as tile:
                sheet.paste(tile.convert("RGB"), (column * width, row * height))
        draw.text((column * width + 10, 8), name, fill=(240, 240, 240), font=ImageFont.load_default(size=20))
        say(f"      {column + 1}/{len(motions)} {name}")
    tile_path.unlink()
    sheet.save(path)


def telling_moments(motion: FaceMotion) -> list[float]:
    """Two times in seconds: the widest-open vowel of the sentence, and the most closed moment between its vowels."""
    opening = motion.jaw[:, 0]
    spoken = np.flatnonzero(opening > opening.max() / 3)
    closed = spoken[0] + int(np.argmin(opening[spoken[0] : spoken[-1] + 1]))
    return [int(np.argmax(opening)) / motion.fps, closed / motion.fps]


if __name__ == "__main__":
    sys.exit(main())
