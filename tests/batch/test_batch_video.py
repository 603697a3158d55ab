"""Rows with a video: the captured face by itself, or mixed with the spoken one; and batches that go on."""

import json
from pathlib import Path

import numpy as np
import pytest
from face_videos import require_landmarker, scene, write_video

from emote_blender.batch.table import read_jobs
from emote_blender.capture.video.mix import ALL_FROM_VIDEO, Shares
from emote_blender.cli.main import main
from emote_blender.motion import FaceMotion

pytest.importorskip("av", reason="outside Blender, videos are read with PyAV")

NUM_FRAMES = 15


@pytest.fixture
def networks():
    require_landmarker()


@pytest.fixture(scope="module")
def pictures():
    """A face that moves to the right."""
    return [scene(300, 260, [(140 + index, 130, 1)]) for index in range(NUM_FRAMES)]


@pytest.fixture
def run(tmp_path, open_head_model_folder):
    """A function of a table's text and further arguments that runs a batch: exit code and report."""

    def run_batch(text: str, *arguments: str) -> tuple[int, dict]:
        (tmp_path / "jobs.csv").write_text(text, encoding="utf-8")
        report = tmp_path / "report.json"
        command = ["batch", str(tmp_path / "jobs.csv"), "-o", str(tmp_path / "out"), "--report", str(report)]
        code = main([*command, "--model", str(open_head_model_folder), *arguments])
        return code, json.loads(report.read_text(encoding="utf-8"))

    return run_batch


def columns(motion: FaceMotion, begin: str) -> np.ndarray:
    return motion.expression[:, [name.startswith(begin) for name in motion.meta["expression_names"]]]


# ---------------------------------------------------------------- the table


@pytest.fixture
def read(tmp_path):
    def read_text(text: str):
        (tmp_path / "jobs.csv").write_text(text, encoding="utf-8")
        return read_jobs(tmp_path / "jobs.csv", tmp_path / "out")

    return read_text


def test_a_table_may_have_videos_alone(read, tmp_path):
    (row,) = read("video,emotion\ntake.mp4,sad\n")
    assert row.audio == "take.mp4"
    assert (row.job.video, row.job.audio) == (tmp_path / "take.mp4",) * 2
    assert row.job.output.name == "take_sad.npz"
    assert row.job.shares == Shares()


def test_a_title_above_a_table_of_videos_is_left_out(read):
    assert [row.audio for row in read("My takes\n\nvideo;output\na.mp4;a.npz\n")] == ["a.mp4"]


def test_a_sound_of_its_own_names_the_output(read, tmp_path):
    (row,) = read("audio,video,from_video\nline.wav,take.mp4,All\n")
    assert (row.job.audio.name, row.job.video.name, row.job.output.name) == ("line.wav", "take.mp4", "line.npz")
    assert row.job.shares == ALL_FROM_VIDEO
    assert not row.job.speaks


def test_shares_are_given_by_region(read):
    (row,) = read('video,from_video\na.mp4,"brows=0,5; lips=1"\n')
    assert row.job.shares == Shares(brows=0.5, lips=1.0)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (",,,sad", "audio is empty"),
        ("a.wav,,all,", "from_video without a video"),
        (",a.mp4,chin=1,", "no region 'chin'"),
        (",a.mp4,lips=2,", "lips must be a number from 0 to 1"),
        (",..,,", "is a folder; write the path of a video"),
    ],
)
def test_a_wrong_row_says_what_is_wrong(read, row, sentence):
    rows = read(f"audio,video,from_video,emotion\n{row}\nb.wav,,,\n")
    assert sentence in rows[0].error
    assert "line 2" in rows[0].error
    assert rows[1].job


# ---------------------------------------------------------------- the run


@pytest.mark.usefixtures("networks")
def test_the_face_is_the_videos_and_the_mouth_the_sounds(run, tmp_path, pictures, speech_samples):
    write_video(tmp_path / "a.mkv", pictures, sound=speech_samples[: NUM_FRAMES * 640])
    text = "video,from_video,output\na.mkv,,mixed.npz\na.mkv,all,captured.npz\n"
    code, report = run(f"{text.replace('video,', 'audio,video,', 1).replace('a.mkv', ',a.mkv')}a.mkv,,,spoken.npz\n")
    assert code == 0
    mixed, captured, spoken = (FaceMotion.load(tmp_path / "out" / f"{n}.npz") for n in ("mixed", "captured", "spoken"))
    assert mixed.num_frames == captured.num_frames == NUM_FRAMES
    np.testing.assert_allclose(mixed.jaw, spoken.jaw, atol=1e-6)
    np.testing.assert_allclose(columns(mixed, "brow"), columns(captured, "brow"), atol=1e-5)
    assert np.abs(mixed.jaw - captured.jaw).max() > 1e-3
    assert mixed.meta["from_video"]["jaw"] == 0
    assert report["results"][0]["capture"]["seen"] == 1
    assert "model" not in report["results"][1]


@pytest.mark.usefixtures("networks")
def test_a_sound_that_begins_late_has_its_place_on_the_video(run, tmp_path, pictures, speech_samples):
    write_video(tmp_path / "a.mkv", pictures, sound=speech_samples[:5000], sound_start=0.2)
    code, report = run("video,from_video,output\na.mkv,,a.npz\na.mkv,all,b.npz\n")
    assert code == 0
    assert report["results"][0]["capture"]["offset_seconds"] == pytest.approx(0.2, abs=0.01)
    mixed, captured = (FaceMotion.load(tmp_path / "out" / name) for name in ("a.npz", "b.npz"))
    assert captured.num_frames == NUM_FRAMES - 5
    count = mixed.num_frames
    np.testing.assert_allclose(mixed.neck, captured.neck[:count], atol=2e-3)


@pytest.mark.usefixtures("networks")
def test_a_video_without_sound_gives_the_whole_face_and_says_so(run, tmp_path, pictures, capsys):
    write_video(tmp_path / "a.mkv", pictures[:5])
    code, report = run("video,emotion\na.mkv,happy\n")
    assert code == 0
    assert "a.mkv has no sound; the whole face was taken" in capsys.readouterr().err
    motion = FaceMotion.load(tmp_path / "out" / "a_happy.npz")
    assert (motion.meta["video"], motion.meta["emotion"]) == ("a.mkv", "happy")
    assert "audio" not in motion.meta


@pytest.mark.usefixtures("networks")
def test_a_video_that_cannot_be_used_leaves_the_other_rows(run, tmp_path, pictures, speech_samples):
    write_video(tmp_path / "none.mkv", [scene(64, 64, [])] * 3, sound=speech_samples)
    (tmp_path / "text.mp4").write_text("not a video")
    (tmp_path / "zeros.mp4").write_bytes(bytes(5000))
    write_video(tmp_path / "good.mkv", pictures[:5])
    code, report = run("video\nnone.mkv\ntext.mp4\nzeros.mp4\ngone.mp4\ngood.mkv\n")
    assert code == 1
    sentences = [result.get("error", "") for result in report["results"]]
    for sentence, words in zip(sentences, ["no face was found", "a text file", "cannot be read", "not found", ""]):
        assert words in sentence
    assert [result["status"] for result in report["results"]] == ["failed"] * 4 + ["done"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.npz"]


def test_without_the_networks_the_row_says_how_to_get_them(run, tmp_path, pictures, monkeypatch):
    write_video(tmp_path / "a.mkv", pictures[:2])
    monkeypatch.setattr("emote_blender.capture.video.landmarker.search_folders", lambda: [tmp_path])
    code, report = run("video\na.mkv\n")
    assert code == 1
    assert "run python build.py landmarker" in report["results"][0]["error"]


# ---------------------------------------------------------------- going on


def test_a_resumed_batch_does_what_is_missing_or_changed(run, tmp_path, speech_wav):
    text = "audio,emotion,output\nspeech.wav,sad,a.npz\nspeech.wav,sad,b.npz\nspeech.wav,sad,c.npz\nx.wav,,d.npz\n"
    assert run(text)[0] == 1
    out = tmp_path / "out"
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    (out / "b.npz").unlink()
    leftover = out / ".emote-0123456789ab.npz"
    leftover.write_bytes(b"half")
    code, report = run(text.replace("sad,c", "happy,c"), "--resume")
    assert code == 1  # x.wav is still missing
    after = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    assert sorted(after) == ["a.npz", "b.npz", "c.npz"]
    assert [name for name in sorted(after) if after[name] == before[name]] == ["a.npz"]
    assert [result["status"] for result in report["results"]] == ["done"] * 3 + ["failed"]
    assert FaceMotion.load(out / "c.npz").meta["emotion"] == "happy"


def test_a_killed_batch_has_a_report_to_go_on_from(run, tmp_path, speech_wav, monkeypatch):
    """The report is written while the batch runs: here at every row, and nothing after the second."""
    monkeypatch.setattr("emote_blender.batch.report._WRITE_SECONDS", -1.0)
    text = "audio,output\nspeech.wav,a.npz\nspeech.wav,b.npz\nspeech.wav,c.npz\n"
    done: list[object] = []

    def killed(row, session, progress):
        if len(done) == 2:
            raise SystemError("killed")
        done.append(row)
        return run_row(row, session, progress)

    from emote_blender.cli.batch import run_row

    with monkeypatch.context() as patch:
        patch.setattr("emote_blender.cli.batch.run_row", killed)
        with pytest.raises(SystemError):
            run(text)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    code, report = run(text, "--resume")
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert code == 0
    assert before.items() < after.items()
    assert report["done"] == 3


def test_resume_needs_a_report_and_one_of_a_batch(run, tmp_path, speech_wav, capsys):
    (tmp_path / "jobs.csv").write_text("audio\nspeech.wav\n")
    command = ["batch", str(tmp_path / "jobs.csv"), "-o", str(tmp_path / "out"), "--resume"]
    assert main(command) == 2
    (tmp_path / "r.json").write_text("[]")
    assert main([*command, "--report", str(tmp_path / "r.json")]) == 1
    assert "is no report of a batch" in capsys.readouterr().err


@pytest.mark.ends
def test_a_scene_of_a_video_has_its_sound_and_its_face(run, tmp_path, pictures, speech_samples, networks):
    bpy = pytest.importorskip("bpy", reason="a .blend is written by Blender")
    write_video(tmp_path / "a.mkv", pictures[:5], sound=speech_samples[:3200])
    write_video(tmp_path / "mute.mkv", pictures[:5])
    code, _ = run("video,from_video,output\na.mkv,lips=0.5,a.blend\nmute.mkv,,mute.blend\n")
    assert code == 0
    counts, captures = [], []
    for name in ("a", "mute"):
        bpy.ops.wm.open_mainfile(filepath=str(Path(tmp_path, "out", f"{name}.blend")))
        (take,) = [take for item in bpy.data.objects for take in item.emote.takes]
        captures.append((take.has_capture, round(take.capture.lips, 3)))
        editor = bpy.context.scene.sequence_editor
        counts.append(len(getattr(editor, "strips", None) or getattr(editor, "sequences", None) or ()))
    assert counts == [1, 0]
    assert captures[0] == (True, 0.5)
