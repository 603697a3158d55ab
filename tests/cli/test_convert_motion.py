"""The command `convert motion`, and motions as CSV and JSON from `generate` and `batch`."""

import numpy as np
import pytest

from emote_blender.capture.motion_files import load_motion
from emote_blender.cli import main as cli
from emote_blender.motion import FaceMotion
from tests.live_link import COLUMNS, live_link_csv, recorded, table_of


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "take.csv"
    path.write_text(live_link_csv(recorded(90)))
    return path


def test_a_capture_becomes_a_motion_file_and_the_same_capture(capture, tmp_path, capsys):
    motion, back = tmp_path / "take.npz", tmp_path / "back.csv"
    assert cli.main(["convert", "motion", str(capture), "-o", str(motion)]) == 0
    assert "90 frames at 60 fps" in capsys.readouterr().out
    assert cli.main(["convert", "motion", str(motion), "-o", str(back)]) == 0
    np.testing.assert_allclose(table_of(back.read_text())[2], table_of(capture.read_text())[2], atol=5e-7)


def test_frame_rate_and_start_can_be_chosen(capture, tmp_path):
    output = tmp_path / "take.json"
    arguments = ["convert", "motion", str(capture), "-o", str(output), "--fps", "30", "--start", "0.5"]
    assert cli.main(arguments) == 0
    motion = load_motion(output)
    assert (motion.fps, motion.num_frames) == (30, 30)


def test_a_generated_motion_becomes_csv_at_60_fps(tmp_path):
    jaw = np.linspace(0, 0.4, 25)[:, None] * (1, 0, 0)
    FaceMotion(np.zeros((25, 1)), jaw, 25, meta={"expression_names": ["cheekPuff"]}).save(tmp_path / "line.npz")
    assert cli.main(["convert", "motion", str(tmp_path / "line.npz"), "-o", str(tmp_path / "line.csv")]) == 0
    values = table_of((tmp_path / "line.csv").read_text())[2]
    assert len(values) == 60
    assert values[48, COLUMNS.index("JawOpen")] == pytest.approx(20 / 24, abs=1e-6)


def test_info_describes_a_capture(capture, capsys):
    assert cli.main(["info", str(capture)]) == 0
    output = capsys.readouterr().out
    assert "1.50 s, 90 frames at 60 fps" in output
    assert "13:04:31:00.000" in output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{take}", "-o", "{folder}/out.fbx"], "must end in .npz (motion), .csv (ARKit, Live Link Face) or .json"),
        (["{take}", "-o", "{take}"], "which is the file to read"),
        (["{folder}/none.csv", "-o", "{folder}/out.npz"], "not found"),
        (["{take}", "-o", "{folder}/none/out.npz"], "does not exist"),
        (["{take}", "-o", "{folder}/out.npz", "--start", "soon"], "a start is seconds or a timecode"),
        (["{take}", "-o", "{folder}/out.npz", "--fps", "0"], "frames per second must be from 1 to 1000, found 0"),
        (["{take}", "-o", "{folder}/out.npz", "--fps", "nan"], "frames per second must be from 1 to 1000, found nan"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_what_cannot_be_converted_is_one_sentence(capture, tmp_path, capsys, arguments, sentence):
    arguments = [argument.format(take=capture, folder=tmp_path) for argument in arguments]
    assert cli.main(["convert", "motion", *arguments]) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("out*"))


def test_generate_writes_csv_and_json_of_the_same_motion(speech_wav, open_head_model_folder, tmp_path):
    for name in ("line.npz", "line.csv", "line.json"):
        arguments = ["generate", str(speech_wav), "-o", str(tmp_path / name), "--model", str(open_head_model_folder)]
        assert cli.main(arguments) == 0
    motion = load_motion(tmp_path / "line.npz").resampled(60)
    captured = load_motion(tmp_path / "line.csv")
    assert captured.fps == 60
    np.testing.assert_allclose(captured.jaw[:, :2], motion.jaw[:, :2], atol=1e-6)  # ARKit has no roll of the jaw
    assert load_motion(tmp_path / "line.json").fps == 25


def test_a_batch_writes_the_format_that_a_row_names(speech_wav, open_head_model_folder, tmp_path):
    jobs = tmp_path / "jobs.csv"
    jobs.write_text(f"audio,output\n{speech_wav},one.csv\n{speech_wav},two.json\n")
    folder = tmp_path / "out"
    assert cli.main(["batch", str(jobs), "-o", str(folder), "--model", str(open_head_model_folder)]) == 0
    assert load_motion(folder / "one.csv").fps == 60
    assert load_motion(folder / "two.json").fps == 25
