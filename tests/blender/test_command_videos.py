"""`blender --command emote` reads videos with Blender's own decoder: PyAV does not come with the add-on."""

import json
import sys

import numpy as np
import pytest
from face_videos import require_landmarker

pytest.importorskip("av", reason="the videos of these tests are written with PyAV")
from face_videos import scene as faces_in
from face_videos import write_video

from emote_blender.blender import register
from emote_blender.motion import FaceMotion

NUM_FRAMES = 10


@pytest.fixture
def videos(tmp_path, scene, speech_samples, monkeypatch):
    """A folder with a video that has a sound and one that has none; PyAV is then out of reach."""
    require_landmarker()
    pictures = [faces_in(240, 220, [(110 + number, 110, 1)]) for number in range(NUM_FRAMES)]
    h264 = {"codec": "libx264", "pixel_format": "yuv420p", "options": {"crf": "14"}}
    write_video(tmp_path / "spoken.mkv", pictures, sound=speech_samples[: NUM_FRAMES * 640], **h264)
    write_video(tmp_path / "mute.mp4", pictures, **h264)
    monkeypatch.setitem(sys.modules, "av", None)
    return tmp_path


def test_a_video_becomes_a_motion(videos):
    output = videos / "a.npz"
    assert register.run_command(["capture", str(videos / "mute.mp4"), "-o", str(output)]) == 0
    motion = FaceMotion.load(output)
    assert motion.num_frames == pytest.approx(NUM_FRAMES, abs=1)
    assert np.abs(motion.neck).max() < 0.6


def test_a_batch_captures_and_mixes(videos, open_head_model_folder, capsys):
    (videos / "jobs.csv").write_text("video,from_video\nspoken.mkv,\nmute.mp4,\n")
    command = ["batch", str(videos / "jobs.csv"), "-o", str(videos / "out"), "--model", str(open_head_model_folder)]
    assert register.run_command([*command, "--report", str(videos / "r.json")]) == 0
    spoken, mute = json.loads((videos / "r.json").read_text())["results"]
    assert spoken["capture"]["shares"]["lips"] == 0
    assert spoken["capture"]["seen"] == 1
    assert "mute.mp4 has no sound" in mute["warnings"][0]


def test_what_is_no_video_is_one_sentence(videos, capsys):
    (videos / "zeros.mp4").write_bytes(bytes(4000))
    assert register.run_command(["capture", str(videos / "zeros.mp4"), "-o", str(videos / "a.npz")]) == 1
    assert "Blender cannot read" in capsys.readouterr().err
    assert not (videos / "a.npz").exists()
