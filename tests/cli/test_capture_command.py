"""`capture`: a video to a motion, and what it says about videos that cannot be used."""

import numpy as np
import pytest
from face_videos import require_landmarker, scene, write_video

from emote_blender.capture.motion_files import load_motion
from emote_blender.capture.video.face_track import FaceTrack
from emote_blender.cli.main import main

av = pytest.importorskip("av", reason="outside Blender, videos are read with PyAV")


@pytest.fixture
def networks():
    require_landmarker()


@pytest.fixture
def video(tmp_path):
    """A face that is away for a second."""
    here, away = scene(320, 300, [(160, 150, 1)]), scene(320, 300, [])
    return write_video(tmp_path / "a.mkv", [here] * 10 + [away] * 25 + [here] * 10)


@pytest.mark.usefixtures("networks")
@pytest.mark.parametrize(
    "name", ["a.npz", *(pytest.param(name, marks=pytest.mark.once) for name in ("a.csv", "a.json"))]
)
def test_a_video_becomes_a_motion_and_says_where_the_face_was_away(video, tmp_path, capsys, name):
    output, landmarks = tmp_path / name, tmp_path / "landmarks.npz"
    assert main(["capture", str(video), "-o", str(output), "--track", str(landmarks), "--fps", "30"]) == 0
    said = capsys.readouterr()
    assert "wrote" in said.out
    assert "0.40 to 1.40 s: no face" in said.err
    motion = load_motion(output)
    assert motion.fps == pytest.approx(30)
    assert motion.num_frames == pytest.approx(1.8 * 30, abs=2)
    assert np.isfinite(motion.expression).all()
    assert FaceTrack.load(landmarks).num_frames == 45


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing.mp4", "-o", "a.npz"], "nothing.mp4 not found"),
        (["a.mkv", "-o", "a.txt"], "a.txt"),
        (["a.mkv", "-o", "a.npz", "--fps", "0"], "--fps 0"),
        (["a.mkv", "-o", "a.npz", "--fps", "nan"], "--fps nan"),
        (["a.mkv", "-o", "a.npz", "--view", "180"], "--view 180"),
        (["a.mkv", "-o", "a.npz", "--track", "a.npz"], "both name"),
        (["a.mkv", "-o", "a.npz", "--track", "a.txt"], "a.txt"),
        (["a.mkv", "-o", "a.npz", "--head", "nobody"], "nobody"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(video, tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    assert main(["capture", *arguments]) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_place_that_is_none_is_wrong_usage(video, tmp_path, capsys):
    assert main(["capture", str(video), "-o", str(tmp_path / "a.npz"), "--near", "left"]) == 2
    assert "320,180" in capsys.readouterr().err
