"""Folders of videos as training data: what is written, runs that go on, several processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from face_videos import require_landmarker, scene, write_video

from emote_blender.cli.main import main
from emote_blender.training.data.motion_folder import MotionFolder
from emote_blender.training.networks.emotion_network import EmotionNetwork, EmotionNetworkConfig
from emote_blender.training.networks.folder import save_network

pytestmark = [pytest.mark.torch, pytest.mark.once]
pytest.importorskip("av", reason="outside Blender, videos are read with PyAV")

ROOT = Path(__file__).resolve().parents[3]
NUM_FRAMES = 25


@pytest.fixture(autouse=True)
def networks():
    require_landmarker()


@pytest.fixture(scope="module")
def pictures():
    return [scene(240, 220, [(110 + index, 110, 1)]) for index in range(NUM_FRAMES)]


@pytest.fixture(scope="module")
def sound():
    return (0.3 * np.sin(np.arange(NUM_FRAMES * 640) / 9)).astype(np.float32)


@pytest.fixture
def capture(tmp_path):
    """A function of the table's text and further arguments that runs `capture --folder`: exit code and report."""

    def run(text: str, *arguments: str) -> tuple[int, dict]:
        (tmp_path / "table.csv").write_text(text, encoding="utf-8")
        films, data = str(tmp_path / "films"), tmp_path / "data"
        code = main(["capture", "--folder", films, "--table", str(tmp_path / "table.csv"), "-o", str(data), *arguments])
        return code, json.loads((data / "report.json").read_text(encoding="utf-8"))

    (tmp_path / "films").mkdir()
    return run


def outputs(folder: Path) -> dict[str, int]:
    """Time of each motion file and sound, by name."""
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*") if path.suffix in (".npz", ".wav")}


def test_videos_with_a_table_become_motions_that_training_reads(capture, tmp_path, pictures, sound, capsys):
    films = tmp_path / "films"
    write_video(films / "late.mkv", pictures, sound=sound, sound_start=0.2)
    write_video(films / "long.mkv", pictures)
    soundfile.write(films / "long.wav", np.tile(sound, 3), 16000)
    write_video(films / "mute.mkv", pictures[:2])
    write_video(films / "still.mkv", pictures, sound=0 * sound)
    torch.manual_seed(2)
    save_network(EmotionNetwork(EmotionNetworkConfig("tiny", image_size=64)), tmp_path / "net")
    rows = ["late.mkv,anger,2,Ann,", "long.mkv,sad,0.5,Ben,long.wav", "mute.mkv,sad,,,", "still.mkv,sad,,,"]
    table = "\n".join(["video,emotion,intensity,speaker,audio", *rows])
    code, report = capture(table, "--emotion-network", str(tmp_path / "net"))
    assert code == 1
    said = capsys.readouterr().err
    assert "left out: mute: " in said
    assert [left["name"] for left in report["left_out"]] == ["mute", "still"]
    assert "holds no sound" in report["left_out"][0]["why"]
    assert "is silent" in report["left_out"][1]["why"]
    assert "the rest of the sound was left out" in report["remarks"]["long"][-1]
    assert (report["captured"], report["frames"]) == (2, 2 * NUM_FRAMES)
    clips = MotionFolder(tmp_path / "data")
    assert clips.speakers == ("Ann", "Ben")
    late, long = clips[0], clips[1]
    assert (late.num_frames, long.num_frames) == (NUM_FRAMES, NUM_FRAMES)
    assert (late.emotion, late.intensity, long.intensity) == (6, 2.0, 0.5)
    assert late.valid.all()
    assert np.abs(late.samples[: int(0.2 * 16000)]).max() < 1e-3
    np.testing.assert_allclose(late.samples[3200:], sound[:-3200], atol=1e-3)
    assert late.shape is not None
    assert late.emotion_features.shape == (NUM_FRAMES, 128)
    assert np.ptp(late.emotion_features, axis=0).max() > 1e-4  # the face moves in its crop


def test_a_second_run_captures_what_is_missing_or_changed_only(capture, tmp_path, pictures, sound):
    for name in "abc":
        write_video(tmp_path / "films" / f"{name}.mkv", pictures, sound=sound)
    (tmp_path / "films" / "d.mp4").write_text("text")
    table = "video,emotion\na.mkv,sad\nb.mkv,sad\nc.mkv,sad\nd.mp4,sad\n"
    capture(table)
    before = outputs(tmp_path / "data")
    assert len(before) == 6
    (tmp_path / "data" / "b.npz").unlink()
    leftover = tmp_path / "data" / ".emote-0123456789ab.npz"
    leftover.touch()
    assert len(MotionFolder(tmp_path / "data")) == 2  # hidden files are none of them
    code, report = capture(table.replace("c.mkv,sad", "c.mkv,fear"))
    after = outputs(tmp_path / "data")
    assert sorted(after) == sorted(before)
    assert [name for name in sorted(after) if after[name] == before[name]] == ["a.npz", "a.wav"]
    assert report["captured"] == 3
    assert not leftover.exists()
    assert {MotionFolder(tmp_path / "data")[number].emotion for number in range(3)} == {2, 4}
    (tmp_path / "films" / "c.mkv").write_text("no video any more")
    capture(table)
    assert sorted(outputs(tmp_path / "data")) == ["a.npz", "a.wav", "b.npz", "b.wav"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.slow
def test_a_killed_run_leaves_no_half_clip_and_no_process_and_goes_on(capture, tmp_path, pictures, sound):
    for number in range(4):
        write_video(tmp_path / "films" / f"{number}.mkv", pictures, sound=sound)
    table = "video,emotion\n" + "".join(f"{number}.mkv,sad\n" for number in range(4))
    (tmp_path / "table.csv").write_text(table)
    data = tmp_path / "data"
    command = [sys.executable, "-m", "emote_blender", "capture", "--folder", str(tmp_path / "films"), "-o", str(data)]
    command += ["--table", str(tmp_path / "table.csv"), "--processes", "2"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
    journal = data / "capture.jsonl"
    for _ in range(1200):
        if process.poll() is not None or (journal.exists() and journal.read_text().count("\n") >= 1):
            break
        time.sleep(0.1)
    assert process.poll() is None, "it ended before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    for _ in range(300):
        if not processes_of_session(process.pid):
            break
        time.sleep(0.1)
    assert processes_of_session(process.pid) == []
    done = len(list(data.glob("[0-9].npz")))
    assert 1 <= done < 4
    assert len(MotionFolder(data)) == done
    before = outputs(data)
    code, report = capture(table)
    assert (code, report["captured"]) == (0, 4)
    journaled = [json.loads(line)["name"] for line in journal.read_text().splitlines() if line]
    assert len(set(journaled)) == 4
    kept = [name for name, changed in outputs(data).items() if before.get(name) == changed]
    assert len(kept) >= 2  # of the first clip


def processes_of_session(session: int) -> list[int]:
    """Processes of a session that have not ended (Linux)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(folder.name))
    return found


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--folder", "films"], 2, "--folder and --table go together"),
        (["a.mp4", "--mead", "films"], 2, "give one of VIDEO"),
        ([], 2, "give one of VIDEO"),
        (["a.mp4", "--processes", "2"], 2, "--processes is for --mead or --folder"),
        (["--mead", "films", "--near", "1,2"], 2, "--near is for one VIDEO"),
        (["--folder", "films", "--table", "t.csv", "--camera", "top"], 2, "--camera is for --mead"),
        (["--mead", "films", "--processes", "0"], 1, "--processes 0"),
        (["--mead", "films", "--emotion-network", "gone"], 1, "gone not found"),
        (["--mead", "films"], 1, "0 of MEAD's people"),
        (["--mead", "data"], 1, "is the folder of the videos"),
        (["--mead", "films", "--view", "200"], 1, "--view 200"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(tmp_path, monkeypatch, capsys, arguments, code, sentence):
    (tmp_path / "films").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["capture", *arguments, "-o", "data"]) == code
    assert sentence in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["films"]
