"""The demonstration that `build.py demo` runs: a scene, a video with sound, and a sheet of the eight emotions.

Not in the zip. Everything goes through the same functions as a creator's work: the command line writes the scene, the
pipeline and `apply_motion` make the other emotions.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np

from ..audio import load_audio
from ..cli import main as command_line
from ..emotion import EMOTIONS, EmotionTrack
from ..motion import FaceMotion
from ..paths import DEFAULT_MODEL
from ..pipeline import EMOTEPipeline
from .animate import apply_motion
from .compat import node_tree
from .head_rig import HEAD_PROPERTY

CLIP = Path(__file__).parents[2] / "tests" / "data" / "anger_line.wav"
VIDEO_SIZE = (360, 432)
TILE_SIZE = (220, 260)
VIDEO_SAMPLES = 6
STILL_SAMPLES = 12


def main(argv: list[str] | None = None) -> int:
    """Exit code of the demonstration; prints what it wrote and how to open it."""
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
    command = ["generate", str(options.audio), "-o", str(blend), "--model", options.model]
    code = command_line([*command, "--emotion", options.emotion, "--intensity", str(options.intensity)])
    if code:
        return code
    bpy.ops.wm.open_mainfile(filepath=str(blend.resolve()))
    scene = bpy.context.scene
    head = next(item for item in scene.objects if HEAD_PROPERTY in item)
    set_render(scene, VIDEO_SIZE, VIDEO_SAMPLES)
    move_closer(scene)

    num_frames = scene.frame_end - scene.frame_start + 1
    say(f"[2/3] {video}: {num_frames} frames with sound")
    render_video(scene, video)

    say(f"[3/3] {sheet}: the same words with {len(EMOTIONS)} emotions")
    render_emotions(scene, head, options.audio, options.model, options.intensity, sheet)

    say(f"\nDone in {time.monotonic() - started:.0f} s.")
    say(f"  {video}   watch it with any video player")
    say(f"  {sheet}   the eight emotions at two moments of the sentence")
    say(f"  {blend}   open it in Blender 4.5 or later and press the space bar to play it with its sound")
    return 0


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


# ---- rendering -------------------------------------------------------------------------------------------------------


def set_render(scene: bpy.types.Scene, size: tuple[int, int], samples: int) -> None:
    """Returns nothing; Cycles on the processor, few samples and a denoiser."""
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y = size
    render.resolution_percentage = 100
    render.use_persistent_data = True
    scene.cycles.device = "CPU"
    scene.cycles.samples = samples
    scene.cycles.use_denoising = True
    scene.cycles.denoising_quality = "FAST"  # a third of the time of the default, no difference seen at this size
    scene.cycles.denoising_prefilter = "FAST"
    scene.cycles.max_bounces = 3
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"


def move_closer(scene: bpy.types.Scene) -> None:
    """Returns nothing; a close-up before a dark backdrop instead of the bust that a creator's scene begins with."""
    scene.camera.data.lens *= 1.3
    scene.camera.data.shift_y = 0.05
    background = next(node for node in node_tree(scene.world).nodes if node.type == "BACKGROUND")
    background.inputs["Color"].default_value = (0.12, 0.15, 0.20, 1.0)
    background.inputs["Strength"].default_value = 0.25
    for item in scene.objects:
        if item.type == "LIGHT":
            item.data.energy *= 1.3


def render_video(scene: bpy.types.Scene, path: Path) -> None:
    """Returns nothing; renders the scene's frames with its sound to an H.264 file."""
    image = scene.render.image_settings
    if hasattr(image, "media_type"):  # 5.0
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    ffmpeg = scene.render.ffmpeg
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


def render_emotions(
    scene: bpy.types.Scene, head: bpy.types.Object, audio: Path, model: str, intensity: float, path: Path
) -> None:
    """Returns nothing; one column per emotion, one row per moment of the sentence, as a labelled picture."""
    from PIL import Image, ImageDraw, ImageFont

    pipeline = EMOTEPipeline.from_pretrained(model)
    features = pipeline.encode(load_audio(audio))
    motions = {name: pipeline.generate(features, EmotionTrack.constant(name, intensity)) for name in EMOTIONS}
    moments = telling_moments(motions["neutral"])
    set_render(scene, TILE_SIZE, STILL_SAMPLES)
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "IMAGE"
    image.file_format = "PNG"
    width, height = TILE_SIZE
    sheet = Image.new("RGB", (width * len(EMOTIONS), height * len(moments)))
    draw = ImageDraw.Draw(sheet)
    tile_path = path.with_name("tile.png")
    scene.render.filepath = str(tile_path.resolve())
    for column, (name, motion) in enumerate(motions.items()):
        apply_motion(head, motion, scene, scene.frame_start, name)
        for row, seconds in enumerate(moments):
            frame = scene.frame_start + seconds * scene.render.fps / scene.render.fps_base
            scene.frame_set(int(frame), subframe=frame % 1.0)
            with quiet():
                bpy.ops.render.render(write_still=True)
            with Image.open(tile_path) as tile:
                sheet.paste(tile.convert("RGB"), (column * width, row * height))
        draw.text((column * width + 10, 8), name, fill=(240, 240, 240), font=ImageFont.load_default(size=20))
        say(f"      {column + 1}/{len(EMOTIONS)} {name}")
    tile_path.unlink()
    sheet.save(path)


def telling_moments(motion: FaceMotion) -> list[float]:
    """Two times in seconds: the widest-open vowel of the sentence, and the most closed moment between its vowels."""
    opening = motion.jaw[:, 0]
    spoken = np.flatnonzero(opening > opening.max() / 3)
    closed = spoken[0] + int(np.argmin(opening[spoken[0] : spoken[-1] + 1]))
    return [int(np.argmax(opening)) / motion.fps, closed / motion.fps]


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps Blender's own lines, which it writes past Python, off the terminal."""
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
    """Print a line from inside `quiet`."""
    os.write(_terminal[-1] if _terminal else 1, (text + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
