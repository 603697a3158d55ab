"""The pictures of the manual: the open head, animated by the add-on's operators and rendered by Blender.

From the repository's root: `PYTHONPATH=. .venv/bin/python docs/pictures/make_pictures.py [NAME...]`. A picture has at
most 60 kB.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import emote_blender
from emote_blender.blender.demo.film import quiet, set_render
from emote_blender.blender.scene.scene_file import add_stage

HERE = Path(__file__).parent
SOUND = HERE.parent.parent / "tests" / "data" / "anger_line.wav"
SIZE = 150, 172
MOST_BYTES = 60_000
NUM_FRAMES = 68  # of the sound, at 25 fps
_INK, _PAPER, _GREY = (40, 44, 52), (255, 255, 255), (196, 201, 209)
_COLOURS = {"neutral": (158, 166, 178), "anger": (200, 78, 66), "surprise": (90, 140, 200)}


def fresh_head(emotion: str = "NEUTRAL", amount: float = 1.0) -> bpy.types.Object:
    """A head with this emotion in a scene with light and a camera."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 25, 1.0
    scene.frame_start, scene.frame_end = 1, NUM_FRAMES
    bpy.ops.emote.add_head(head="open_head")
    head = bpy.context.object
    head.emote.emotion, head.emote.amount = emotion, amount
    add_stage(scene, head)
    scene.camera.data.lens *= 1.2
    scene.camera.location.z -= 0.008
    set_render(scene, SIZE, 8)
    scene.render.image_settings.file_format = "PNG"
    return head


def speak(head: bpy.types.Object, alive: bool = False):
    """The take of the sound with the head's settings."""
    bpy.ops.emote.generate(audio=str(SOUND), head=head.name, frame_start=1)
    take = head.emote.takes[head.emote.active_take]
    if not alive:
        take.alive.blinks = take.alive.gaze = take.alive.head_motion = False
    return take


def rendered(frame: int) -> Image.Image:
    """The scene's picture at a frame."""
    scene = bpy.context.scene
    scene.frame_set(frame)
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = str(Path(folder) / "face.png")
        with quiet():
            bpy.ops.render.render(write_still=True)
        return Image.open(scene.render.filepath).convert("RGB")


def sampled(value, frames: range = range(1, NUM_FRAMES + 1)) -> np.ndarray:
    """What a function of the scene gives at each frame."""
    values = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        values.append(value())
    return np.array(values)


def row(faces: Sequence[Image.Image], labels: Sequence[str]) -> Image.Image:
    """Faces side by side, each with its label below."""
    width, height = faces[0].size
    label_height, gap = 22, 6
    picture = Image.new("RGB", (len(faces) * (width + gap) - gap, height + label_height), _PAPER)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=13)
    for number, (face, label) in enumerate(zip(faces, labels, strict=True)):
        left = number * (width + gap)
        picture.paste(face, (left, 0))
        draw.text((left + width / 2, height + label_height / 2), label, _INK, font, anchor="mm")
    return picture


def write(name: str, picture: Image.Image) -> None:
    """Write a picture with as many colours as fit into 60 kB."""
    path = HERE / f"{name}.png"
    for colours in (256, 128, 96, 64, 48, 32):
        picture.quantize(colours, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
        if path.stat().st_size <= MOST_BYTES:
            break
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB, {picture.size}", flush=True)


def jaw_opening(head: bpy.types.Object):
    """A function that gives how far the jaw is open now, radians."""
    return lambda: head.parent.pose.bones["jaw"].rotation_euler.x


def speech() -> None:
    """A line, frame by frame."""
    head = fresh_head()
    speak(head)
    middle = 1 + int(np.argmax(sampled(jaw_opening(head))))
    frames = [middle + step for step in (-6, -3, 0, 3, 6)]
    write("speech", row([rendered(frame) for frame in frames], [f"frame {frame}" for frame in frames]))


def amount() -> None:
    """One emotion in five amounts."""
    faces, amounts = [], (0.0, 0.5, 1.0, 1.5, 2.0)
    for value in amounts:
        head = fresh_head("ANGER", value)
        speak(head)
        faces.append(rendered(40))
    write("amount", row(faces, [f"{value:g}" for value in amounts]))


def moments() -> None:
    """A change from neutral to anger: the weights over time above, faces below."""
    head = fresh_head()
    head.emote.over_time = True
    for seconds, emotion, strength in ((0.0, "NEUTRAL", 1.0), (1.2, "ANGER", 2.0)):
        moment = head.emote.moments.add()
        moment.time, moment.emotion, moment.amount, moment.transition = seconds, emotion, strength, 0.6
    bpy.ops.emote.replace_emotion_keys()
    speak(head)
    frames = (8, 20, 31, 42, 56)
    faces = row([rendered(frame) for frame in frames], [f"{(frame - 1) / 25:.1f} s" for frame in frames])
    weights = sampled(lambda: [head.emote.weights.neutral, head.emote.weights.anger])
    height, top = 70, 8
    chart = Image.new("RGB", (faces.width, height + 2 * top), _PAPER)
    draw, font = ImageDraw.Draw(chart), ImageFont.load_default(size=13)
    across = np.linspace(0, faces.width - 1, NUM_FRAMES)
    share = weights[:, 1] / weights.sum(axis=1)
    line = [(x, top + height * (1 - y)) for x, y in zip(across, share)]
    draw.rectangle((0, top, faces.width, top + height), fill=_COLOURS["neutral"])
    draw.polygon([*line, (faces.width, top + height), (0, top + height)], fill=_COLOURS["anger"])
    for frame in frames:
        x = across[frame - 1]
        draw.line((x, top, x, top + height), fill=_PAPER)
    draw.text((12, top + height / 2), "neutral", _PAPER, font, anchor="lm")
    draw.text((faces.width - 12, top + height / 2), "anger 2", _PAPER, font, anchor="rm")
    picture = Image.new("RGB", (faces.width, chart.height + faces.height), _PAPER)
    picture.paste(chart, (0, 0))
    picture.paste(faces, (0, chart.height))
    write("moments", picture)


def refine() -> None:
    """One frame of a take under several sliders."""
    head = fresh_head("SURPRISE", 1.0)
    take = speak(head)
    frame = 1 + int(np.argmax(sampled(jaw_opening(head))))
    faces, labels = [], []
    for slider, value, label in (
        ("upper_strength", 1.0, "as generated"),
        ("upper_strength", 0.0, "Upper 0"),
        ("upper_strength", 2.0, "Upper 2"),
        ("lower_strength", 0.4, "Lower 0.4"),
        ("jaw_strength", 1.6, "Jaw 1.6"),
    ):
        setattr(take.refine, slider, value)
        faces.append(rendered(frame))
        labels.append(label)
        take.refine.property_unset(slider)
    write("refine", row(faces, labels))


def alive() -> None:
    """A blink, a glance and a nod of one take."""
    head = fresh_head("HAPPY", 1.0)
    take = speak(head, alive=True)
    take.alive.blink_interval_seconds = 1.0
    blocks, bones = head.data.shape_keys.key_blocks, head.parent.pose.bones
    shut = sampled(lambda: blocks["eyeBlinkLeft"].value)
    aside = sampled(lambda: abs(bones["left_eye"].rotation_euler.y))
    nod = sampled(lambda: bones["neck"].rotation_euler.x)
    tilt = sampled(lambda: abs(bones["neck"].rotation_euler.z) + abs(bones["neck"].rotation_euler.y))
    frames = {
        "eyes open": int(np.argmin(shut + aside)),
        "a blink": int(np.argmax(shut)),
        "a glance": int(np.argmax(aside - shut)),
        "a nod": int(np.argmax(nod - shut)),
        "a tilt": int(np.argmax(tilt - shut)),
    }
    write("alive", row([rendered(1 + frame) for frame in frames.values()], list(frames)))


def dialogue() -> None:
    """Two heads that look at each other, one speaking."""
    head = fresh_head("ANGER", 1.5)
    scene = bpy.context.scene
    first_rig = head.parent
    bpy.ops.emote.add_head(head="open_head", place="FREE")
    other = bpy.context.object
    other.emote.emotion, other.emote.amount = "SURPRISE", 1.0
    for rig, side in ((first_rig, -1), (other.parent, 1)):
        rig.location, rig.rotation_euler.z = (side * 0.15, 0.0, 0.0), side * np.radians(-48)
    for speaking, listening in ((head, other), (other, head)):
        take = speak(speaking, alive=True)
        take.alive.blinks = False
        take.alive.look_at = listening
    scene.render.resolution_x, scene.render.resolution_y = 380, 190
    camera = scene.camera
    camera.data.lens = 85.0
    camera.location = (0.0, -1.7, camera.location.z - 0.01)
    camera.rotation_euler = (np.pi / 2, 0.0, 0.0)
    frames = (24, 46)
    write("dialogue", row([rendered(frame) for frame in frames], [f"frame {frame}" for frame in frames]))


PICTURES = {
    "speech": speech,
    "amount": amount,
    "moments": moments,
    "refine": refine,
    "alive": alive,
    "dialogue": dialogue,
}


if __name__ == "__main__":
    emote_blender.register()
    for name in sys.argv[1:] or PICTURES:
        PICTURES[name]()
    sys.stdout.flush()
    os._exit(0)
