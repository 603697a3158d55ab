"""`generate` and `convert motion` with a head of another basis than the motion's."""

import json

import pytest
from flame_with_mouth import make_flame_with_mouth
from spoken_motions import flame_motion

from emote_blender.capture.motion_files import load_motion
from emote_blender.cli import main as cli
from emote_blender.files.paths import add_search_folder, remove_search_folder
from emote_blender.motion import FaceMotion


@pytest.fixture
def flame_folder(tmp_path):
    heads = tmp_path / "heads"
    heads.mkdir()
    make_flame_with_mouth().save(heads / "my_flame")
    add_search_folder(heads)
    yield heads / "my_flame"
    remove_search_folder(heads)


def test_the_open_model_speaks_for_a_flame_head(flame_folder, speech_wav, tmp_path, capsys):
    output, report = tmp_path / "line.npz", tmp_path / "report.json"
    arguments = ["generate", str(speech_wav), "-o", str(output), "--head", str(flame_folder), "--report", str(report)]
    assert cli.main([*arguments, "--refine", "lower_strength=1.1", "--alive"]) == 0
    assert "its motion is converted to the head's basis (flame2020)" in capsys.readouterr().err
    motion = FaceMotion.load(output)
    assert motion.num_expression == 100
    assert motion.meta["face"] == "flame2020"
    assert motion.lids is not None, "blinks are added in the basis of the head"
    written = json.loads(report.read_text())
    assert written["face"] == "flame2020"
    assert written["transfer"]["from"] == "open_head"
    assert 0 <= written["transfer"]["lips_mean_mm"] < 0.5


def test_a_flame_motion_becomes_an_arkit_capture(flame_folder, tmp_path, capsys):
    flame_motion(make_flame_with_mouth()).save(tmp_path / "line.npz")
    assert cli.main(["convert", "motion", str(tmp_path / "line.npz"), "-o", str(tmp_path / "line.csv")]) == 0
    assert "converted from flame2020 to open_head: lips off by" in capsys.readouterr().out
    assert load_motion(tmp_path / "line.csv").expression.max() > 0.1


def test_a_motion_is_converted_for_a_head(flame_folder, tmp_path):
    arguments = [
        "convert",
        "motion",
        str(tmp_path / "line.npz"),
        "-o",
        str(tmp_path / "out.npz"),
        "--head",
        "open_head",
    ]
    flame_motion(make_flame_with_mouth()).save(tmp_path / "line.npz")
    assert cli.main([*arguments, "--head", "open_head"]) == 0
    assert FaceMotion.load(tmp_path / "out.npz").meta["face"] == "open_head"


def test_a_flame_motion_without_its_head_is_one_sentence(tmp_path, capsys):
    flame_motion(make_flame_with_mouth()).save(tmp_path / "line.npz")
    assert cli.main(["convert", "motion", str(tmp_path / "line.npz"), "-o", str(tmp_path / "line.csv")]) == 1
    error = capsys.readouterr().err
    assert "make a head of the flame2020 file first" in error
    assert error.count("\n") == 1
