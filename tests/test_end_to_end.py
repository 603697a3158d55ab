"""The shipped model and head, from a sound file to a motion and a scene, through the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emote_blender.cli.main import main
from emote_blender.emotion import EMOTIONS
from emote_blender.files.paths import find_head
from emote_blender.flame.model import FaceModel
from emote_blender.motion import FaceMotion

ROOT = Path(__file__).resolve().parent.parent
CLIP = ROOT / "tests" / "data" / "anger_line.wav"


@pytest.fixture(scope="module")
def motions(tmp_path_factory) -> dict[str, FaceMotion]:
    """The clip with every emotion at intensity 2, from one batch."""
    folder = tmp_path_factory.mktemp("batch")
    rows = "\n".join(f"{CLIP},{emotion},2,{emotion}.npz" for emotion in EMOTIONS)
    (folder / "jobs.csv").write_text(f"audio,emotion,intensity,output\n{rows}\n")
    assert main(["batch", str(folder / "jobs.csv"), "-o", str(folder / "out")]) == 0
    return {emotion: FaceMotion.load(folder / "out" / f"{emotion}.npz") for emotion in EMOTIONS}


@pytest.fixture(scope="module")
def open_head() -> FaceModel:
    return FaceModel.load(find_head("open_head"))


def test_the_motion_lasts_as_long_as_the_sound(motions):
    frames = int(soundfile.info(CLIP).duration * 25)
    assert {motion.num_frames for motion in motions.values()} == {frames}


def test_the_mouth_opens_and_closes_while_it_speaks(motions):
    opening = motions["neutral"].jaw[:, 0]
    # A jaw in speech swings by several degrees, several times a second.
    assert np.ptp(opening) > np.radians(3)
    above = opening > opening.mean()
    assert np.count_nonzero(above[1:] != above[:-1]) >= 6


def test_the_mouth_is_shut_in_silence(motions, tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(32000), 16000)
    output = tmp_path / "silence.npz"
    assert main(["generate", str(tmp_path / "silence.wav"), "-o", str(output)]) == 0
    silence = FaceMotion.load(output)
    assert silence.jaw[:, 0].max() < 0.25 * motions["neutral"].jaw[:, 0].max()
    assert np.ptp(silence.jaw[:, 0]) < np.radians(1.5)


def test_every_emotion_is_another_face(motions, open_head):
    faces = {
        name: open_head.vertices(motion.expression.mean(0), motion.jaw.mean(0)) for name, motion in motions.items()
    }
    for first in EMOTIONS:
        for second in EMOTIONS[: EMOTIONS.index(first)]:
            distance = np.linalg.norm(faces[first] - faces[second], axis=1)
            # Somewhere on the face at least a millimetre apart, on the average over the clip.
            assert distance.max() > 1e-3, (first, second)


def test_the_words_stay_the_same_in_every_emotion(motions):
    neutral = motions["neutral"].jaw[:, 0]
    for emotion, motion in motions.items():
        assert np.corrcoef(neutral, motion.jaw[:, 0])[0, 1] > 0.6, emotion


def test_a_stronger_intensity_goes_further_from_neutral(motions, tmp_path):
    distances = []
    for intensity in ("0", "1"):
        output = tmp_path / f"{intensity}.npz"
        assert main(["generate", str(CLIP), "-o", str(output), "--emotion", "anger", "--intensity", intensity]) == 0
        distances.append(np.abs(FaceMotion.load(output).expression - motions["neutral"].expression).mean())
    distances.append(np.abs(motions["anger"].expression - motions["neutral"].expression).mean())
    assert distances[0] < distances[1] < distances[2]


def test_a_scene_is_written_with_head_sound_and_animation(tmp_path):
    pytest.importorskip("bpy", reason="a .blend is written by Blender's Python module")
    # Blender keeps one scene per process, so it gets its own; so does the reading back.
    audio = tmp_path / "Überraschung – été 日本.wav"
    audio.write_bytes(CLIP.read_bytes())
    output, report = tmp_path / "Kopf spricht.blend", tmp_path / "r.json"
    command = [sys.executable, "-m", "emote_blender", "generate", str(audio), "-o", str(output)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    arguments = ["--emotion", "anger", "--intensity", "2", "--report", str(report)]
    made = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, timeout=600)
    assert made.returncode == 0, made.stdout + made.stderr
    assert json.loads(report.read_text(encoding="utf-8"))["output"] == str(output)
    assert {path.name for path in tmp_path.iterdir()} == {audio.name, output.name, report.name}
    code = f"""
import bpy, json
bpy.ops.wm.open_mainfile(filepath={str(output)!r})
heads = [o for o in bpy.data.objects if o.type == "MESH" and o.data.shape_keys]
keys = heads[0].data.shape_keys
values = []
for frame in range(bpy.context.scene.frame_start, bpy.context.scene.frame_end + 1):
    bpy.context.scene.frame_set(frame)
    values.append([key.value for key in keys.key_blocks[1:]])
strips = [s for s in bpy.context.scene.sequence_editor.strips_all if s.type == "SOUND"]
packed = [s.sound.packed_file is not None for s in strips]
print("RESULT" + json.dumps([len(heads), len(keys.key_blocks), values, packed]))
"""
    read = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert read.returncode == 0, read.stderr
    line = next(line for line in read.stdout.splitlines() if line.startswith("RESULT"))
    num_heads, num_keys, values, packed = json.loads(line.removeprefix("RESULT"))
    assert num_heads == 1
    assert num_keys >= 51
    assert np.ptp(np.array(values), axis=0).max() > 0.1
    assert packed == [True]
