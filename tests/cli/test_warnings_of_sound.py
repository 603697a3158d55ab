"""What is wrong with a sound is one line on stderr, and stands in the report."""

import json

import numpy as np
import pytest
import soundfile

from emote_blender.cli.main import main


@pytest.fixture
def half_a_line(tmp_path, speech_samples):
    """A wav file whose header announces two seconds, of which one is there."""
    path = tmp_path / "half.wav"
    soundfile.write(path, np.tile(speech_samples, 2), 16000)
    path.write_bytes(path.read_bytes()[: 44 + 32000])
    return path


def warnings_of(captured) -> list[str]:
    """The warnings on stderr."""
    return [line for line in captured.err.splitlines() if line.startswith("warning: ")]


def test_generate_warns_of_a_missing_part_and_writes_the_rest(half_a_line, tmp_path, open_head_model_folder, capsys):
    model, report = ["--model", str(open_head_model_folder)], tmp_path / "r.json"
    assert main(["generate", str(half_a_line), "-o", str(tmp_path / "o.npz"), *model, "--report", str(report)]) == 0
    sentence = f"{half_a_line} ends at 1.00 of 2.00 s; the rest is missing"
    assert warnings_of(capsys.readouterr()) == [f"warning: {sentence}"]
    assert json.loads(report.read_text())["warnings"] == [sentence]


def test_batch_warns_of_the_row_alone(half_a_line, speech_wav, tmp_path, open_head_model_folder, capsys):
    (tmp_path / "jobs.csv").write_text(f"audio\n{half_a_line.name}\n{speech_wav.name}\n")
    report = tmp_path / "r.json"
    arguments = ["-o", str(tmp_path / "out"), "--model", str(open_head_model_folder), "--report", str(report)]
    assert main(["batch", str(tmp_path / "jobs.csv"), *arguments]) == 0
    assert len(warnings_of(capsys.readouterr())) == 1
    first, second = json.loads(report.read_text())["results"]
    assert first["warnings"][0].endswith("ends at 1.00 of 2.00 s; the rest is missing")
    assert "warnings" not in second


@pytest.mark.parametrize(
    ("name", "sentence"), [("hum", "no speech was found"), ("silence", "is silent from beginning")]
)
def test_a_sound_without_speech_has_one_warning(tmp_path, capsys, name, sentence):
    time = np.arange(32000) / 16000
    sound = 0.1 * np.sin(2 * np.pi * 100 * time) if name == "hum" else np.zeros(32000)
    soundfile.write(tmp_path / f"{name}.wav", sound, 16000)
    assert main(["generate", str(tmp_path / f"{name}.wav"), "-o", str(tmp_path / "o.npz")]) == 0
    warnings = warnings_of(capsys.readouterr())
    assert len(warnings) == 1
    assert sentence in warnings[0]


@pytest.mark.parametrize("level", [1.0, 0.003])
def test_speech_has_none_however_quiet(tmp_path, capsys, level):
    from pathlib import Path

    line = Path(__file__).parents[1] / "data" / "anger_line.wav"
    samples, rate = soundfile.read(line)
    soundfile.write(tmp_path / "a.wav", level * samples, rate, subtype="PCM_24")
    assert main(["generate", str(tmp_path / "a.wav"), "-o", str(tmp_path / "o.npz")]) == 0
    assert warnings_of(capsys.readouterr()) == []
