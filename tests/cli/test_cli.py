"""The commands on a tiny model; what they do with bad input is in test_bad_input.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emote_blender.audio import Waveform
from emote_blender.cli.main import main
from emote_blender.motion import FaceMotion

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def generate(speech_wav, open_head_model_folder):
    """A function of further arguments that runs `generate` and gives its exit code."""

    def run(output: Path, *arguments: str, **options) -> int:
        command = ["generate", str(speech_wav), "-o", str(output), "--model", str(open_head_model_folder)]
        return main([*command, *arguments], **options)

    return run


def test_generate_writes_a_motion_of_the_sounds_length(generate, tmp_path):
    assert generate(tmp_path / "line.npz", "--emotion", "ANGER", "--intensity", "1.5", "--speaker", "soft") == 0
    motion = FaceMotion.load(tmp_path / "line.npz")
    assert (motion.num_frames, motion.num_expression, motion.fps) == (25, 50, 25.0)
    expected = {"emotion": "anger", "intensity": 1.5, "speaker": "soft", "audio": "speech.wav", "model": "tiny"}
    assert expected.items() <= motion.meta.items()


def test_the_same_input_gives_the_same_file(generate, tmp_path):
    for name in ("a.npz", "b.npz"):
        assert generate(tmp_path / name, "--emotion", "happy") == 0
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.once
def test_emotion_intensity_and_speaker_each_change_the_motion(generate, tmp_path):
    choices = [
        [],
        ["--emotion", "sad"],
        ["--emotion", "sad", "--intensity", "2"],
        ["--emotion", "sad", "--intensity", "2", "--speaker", "soft"],
    ]
    motions = []
    for arguments in choices:
        assert generate(tmp_path / "line.npz", *arguments) == 0
        motions.append(FaceMotion.load(tmp_path / "line.npz").expression)
    for first in range(len(motions)):
        for second in range(first):
            assert np.abs(motions[first] - motions[second]).max() > 1e-4


@pytest.mark.once
def test_a_track_of_one_key_is_the_constant_emotion(generate, tmp_path):
    (tmp_path / "track.csv").write_text("time_seconds,emotion,intensity\n0,fear,2\n")
    assert generate(tmp_path / "a.npz", "--track", str(tmp_path / "track.csv")) == 0
    assert generate(tmp_path / "b.npz", "--emotion", "fear", "--intensity", "2") == 0
    first, second = FaceMotion.load(tmp_path / "a.npz"), FaceMotion.load(tmp_path / "b.npz")
    assert np.array_equal(first.expression, second.expression)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_every_format_is_read(suffix, tmp_path, speech_samples, open_head_model_folder):
    audio = tmp_path / f"Größe und Länge – 日本{suffix}"
    soundfile.write(audio, np.repeat(np.stack([speech_samples] * 2, 1), 3, axis=0), 48000)
    output = tmp_path / "été fini.npz"
    assert main(["generate", str(audio), "-o", str(output), "--model", str(open_head_model_folder)]) == 0
    assert FaceMotion.load(output).num_frames == pytest.approx(25, abs=2)


def test_the_report_says_what_was_done(generate, tmp_path):
    report_path = tmp_path / "Bericht ä.json"
    assert generate(tmp_path / "line.npz", "--report", str(report_path), "--emotion", "sad") == 0
    report = json.loads(report_path.read_text(encoding="utf-8"))
    assert report["input"].endswith("speech.wav")
    assert report["duration_seconds"] == 1.0
    assert (report["model"], report["face"], report["licence"]) == ("tiny", "open_head", "CC0-1.0")
    assert (report["emotion"], report["intensity"], report["speaker"]) == ("sad", 1.0, "clear")
    assert (report["frames"], report["fps"]) == (25, 25.0)
    assert report["output"] == str(tmp_path / "line.npz")
    stages = {"decode", "load_model", "encode", "generate", "write", "total"}
    assert report["seconds"].keys() == stages
    assert sum(report["seconds"][stage] for stage in stages - {"total"}) <= report["seconds"]["total"] + 0.01


def test_sound_goes_through_the_given_decoder(generate, tmp_path, speech_samples):
    paths = []

    def decode(path: Path) -> Waveform:
        paths.append(path.name)
        return Waveform.from_channels(np.concatenate([speech_samples] * 2), 16000)

    assert generate(tmp_path / "line.npz", decode=decode) == 0
    assert paths == ["speech.wav"]
    assert FaceMotion.load(tmp_path / "line.npz").num_frames == 50


def test_a_decoder_may_give_another_sample_rate(generate, tmp_path, speech_samples):
    def decode(path: Path) -> Waveform:
        return Waveform.from_channels(np.repeat(speech_samples, 3), 48000)

    assert generate(tmp_path / "line.npz", decode=decode) == 0
    assert FaceMotion.load(tmp_path / "line.npz").num_frames == 25


def test_progress_is_on_stderr_and_the_result_on_stdout(generate, tmp_path, capsys):
    assert generate(tmp_path / "line.npz") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"wrote {tmp_path / 'line.npz'}: 25 frames at 25 fps in ")
    assert captured.out.count("\n") == 1
    assert "speech.wav: " in captured.err
    assert "100 %" in captured.err


def test_an_existing_output_is_replaced(generate, tmp_path):
    (tmp_path / "line.npz").write_text("old")
    assert generate(tmp_path / "line.npz") == 0
    assert FaceMotion.load(tmp_path / "line.npz").num_frames == 25


def test_python_m_is_the_same_program(speech_wav, open_head_model_folder, tmp_path):
    command = [sys.executable, "-m", "emote_blender", "generate", str(speech_wav), "-o", "line.npz"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "EMOTE_MODELS": str(open_head_model_folder.parent)}
    result = subprocess.run(
        [*command, "--model", "tiny"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    assert FaceMotion.load(tmp_path / "line.npz").num_frames == 25


def test_interrupting_writes_nothing_and_exits_with_130(generate, tmp_path, capsys):
    def decode(path: Path) -> Waveform:
        raise KeyboardInterrupt

    before = set(tmp_path.iterdir())
    assert generate(tmp_path / "line.npz", "--report", str(tmp_path / "r.json"), decode=decode) == 130
    assert "cancelled" in capsys.readouterr().err
    assert set(tmp_path.iterdir()) == before


def test_paths_of_the_command_line_may_be_pasted(speech_wav, open_head_model_folder, tmp_path):
    (tmp_path / "my track.jsonl").write_text('{"time_seconds": 0, "emotion": "fear", "intensity": 1.5}\n')
    arguments = ["generate", f'"{speech_wav}" ', "-o", (tmp_path / "a b.npz").as_uri()]
    arguments += ["--model", f"'{open_head_model_folder}'", "--track", f"“{tmp_path}/my track.jsonl”"]
    assert main([*arguments, "--report", f"`{tmp_path}/r.json`"]) == 0
    assert FaceMotion.load(tmp_path / "a b.npz").num_frames == 25
    assert json.loads((tmp_path / "r.json").read_text())["track"] == str(tmp_path / "my track.jsonl")


def test_a_table_of_a_spreadsheet_is_animated(speech_wav, open_head_model_folder, tmp_path, capsys):
    (tmp_path / "jobs.csv").write_bytes(
        "sep=;\r\nAudio;Emotion;Intensity;Blinks;Output\r\n'speech.wav';anger;1,5;FALSCH;Tür.npz\r\n;;;;\r\n".encode(
            "cp1252"
        )
    )
    out = f"'{tmp_path}/out'"
    assert main(["batch", f'"{tmp_path}/jobs.csv"', "-o", out, "--model", str(open_head_model_folder)]) == 0
    assert FaceMotion.load(tmp_path / "out" / "Tür.npz").meta["intensity"] == 1.5
    assert "warning: " in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such file names")
def test_a_file_name_that_is_not_utf8_is_reported(speech_wav, open_head_model_folder, tmp_path, capsys):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xf6se.wav"))
    path.write_bytes(speech_wav.read_bytes())
    command = ["generate", str(path), "--model", str(open_head_model_folder), "--report", str(tmp_path / "r.json")]
    assert main([*command, "-o", str(path.with_suffix(".npz"))]) == 0
    assert json.loads((tmp_path / "r.json").read_text())["input"] == str(path)
    assert main([*command, "-o", str(tmp_path / "a.blend")]) == 1
    assert "has a name that is not in UTF-8, which Blender cannot take; rename" in capsys.readouterr().err


def run_batch(tmp_path: Path, model: Path, text: str, **options) -> tuple[int, dict]:
    """Exit code and report of a batch whose CSV lies beside the audio; the outputs go to out/."""
    (tmp_path / "jobs.csv").write_text(text, encoding="utf-8")
    report = tmp_path / "report.json"
    command = ["batch", str(tmp_path / "jobs.csv"), "-o", str(tmp_path / "out"), "--model", str(model)]
    code = main([*command, "--report", str(report)], **options)
    return code, json.loads(report.read_text(encoding="utf-8"))


def test_a_batch_writes_every_row(speech_wav, open_head_model_folder, tmp_path):
    text = "audio,emotion,intensity,speaker,output\nspeech.wav,happy,2,soft,été/a.npz\nspeech.wav,,,,\n"
    code, report = run_batch(tmp_path, open_head_model_folder, text)
    assert code == 0
    assert FaceMotion.load(tmp_path / "out" / "été" / "a.npz").meta["speaker"] == "soft"
    assert FaceMotion.load(tmp_path / "out" / "speech.npz").meta["emotion"] == "neutral"
    assert (report["rows"], report["done"], report["failed"], report["not_run"]) == (2, 2, 0, 0)
    assert [result["line"] for result in report["results"]] == [2, 3]


@pytest.mark.once
def test_a_batch_row_equals_generate(speech_wav, open_head_model_folder, generate, tmp_path):
    run_batch(tmp_path, open_head_model_folder, "audio,emotion\nspeech.wav,sad\nspeech.wav,anger\n")
    assert generate(tmp_path / "single.npz", "--emotion", "anger") == 0
    assert (tmp_path / "out" / "speech_anger.npz").read_bytes() == (tmp_path / "single.npz").read_bytes()


def test_a_bad_row_is_reported_and_the_others_still_run(speech_wav, open_head_model_folder, tmp_path, capsys):
    (tmp_path / "noise.wav").write_bytes(b"not audio at all")
    rows = [
        "gone.wav,happy,,,1.npz",
        "speech.wav,furious,,,2.npz",
        "speech.wav,happy,9,,3.npz",
        "noise.wav,happy,,,4.npz",
        "speech.wav,happy,,nobody,5.npz",
        "speech.wav,happy,,,../6.npz",
        "speech.wav,happy,,,7.npz",
        "speech.wav,happy,,,7.npz",
    ]
    text = "\n".join(["audio,emotion,intensity,speaker,output", *rows]) + "\n"
    code, report = run_batch(tmp_path, open_head_model_folder, text)
    assert code == 1
    assert [result["status"] for result in report["results"]] == ["failed"] * 6 + ["done", "failed"]
    words = ["not found", "furious", "outside 0 to 2", "text file", "nobody", "outside", None, "already written"]
    errors = capsys.readouterr().err
    for result, word in zip(report["results"], words):
        if word:
            assert word in result["error"]
            assert result["error"] in errors
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["7.npz"]
    assert not (tmp_path / "6.npz").exists()


def test_an_output_below_a_file_costs_one_row_only(speech_wav, open_head_model_folder, tmp_path):
    text = "audio,output\nspeech.wav,a.npz\nspeech.wav,a.npz/b.npz\nspeech.wav,c.npz\n"
    code, report = run_batch(tmp_path, open_head_model_folder, text)
    assert [result["status"] for result in report["results"]] == ["done", "failed", "done"]
    assert "a.npz cannot be made (File exists); write another output" in report["results"][1]["error"]


def test_a_fault_of_the_program_costs_one_row_only(
    speech_wav, open_head_model_folder, tmp_path, speech_samples, caplog
):
    calls = []

    def decode(path: Path) -> Waveform:
        calls.append(path)
        if len(calls) == 1:
            raise ZeroDivisionError("a bug")
        return Waveform.from_channels(speech_samples, 16000)

    text = "audio,output\nspeech.wav,a.npz\nspeech.wav,b.npz\n"
    code, report = run_batch(tmp_path, open_head_model_folder, text, decode=decode)
    assert code == 1
    assert report["results"][0]["error"] == "unexpected ZeroDivisionError: a bug"
    assert "Traceback" in caplog.text
    assert (tmp_path / "out" / "b.npz").is_file()


def test_a_batch_can_report_into_its_own_folder(speech_wav, open_head_model_folder, tmp_path):
    (tmp_path / "jobs.csv").write_text("audio\nspeech.wav\n")
    command = ["batch", str(tmp_path / "jobs.csv"), "-o", str(tmp_path / "new" / "out"), "--report"]
    report = tmp_path / "new" / "out" / "report.json"
    assert main([*command, str(report), "--model", str(open_head_model_folder)]) == 0
    assert json.loads(report.read_text())["done"] == 1


def test_an_interrupted_batch_reports_what_it_did(speech_wav, open_head_model_folder, tmp_path, speech_samples):
    calls = []

    def decode(path: Path) -> Waveform:
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return Waveform.from_channels(speech_samples, 16000)

    text = "audio,output\nspeech.wav,a.npz\nspeech.wav,b.npz\nspeech.wav,c.npz\n"
    code, report = run_batch(tmp_path, open_head_model_folder, text, decode=decode)
    assert code == 130
    assert (report["done"], report["failed"], report["not_run"]) == (1, 0, 2)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.npz"]


def test_info_prints_what_is_installed(capsys):
    assert main(["info"]) == 0
    assert "open_head" in capsys.readouterr().out


def test_info_describes_a_model(open_head_model_folder, capsys):
    assert main(["info", str(open_head_model_folder)]) == 0
    assert "speakers:" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["generate", "--help"], ["batch", "--help"]])
def test_help_and_version_exit_with_0(arguments, capsys):
    assert main(arguments) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["sing"], ["generate"], ["generate", "a.wav"], ["batch", "jobs.csv"]])
def test_wrong_usage_exits_with_2(arguments, capsys):
    assert main(arguments) == 2
    assert "usage:" in capsys.readouterr().err


def test_output_that_nobody_reads_to_its_end_is_no_error():
    program = subprocess.Popen(
        [sys.executable, "-m", "emote_blender", "info"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    program.stdout.close()
    assert program.stderr.read() == ""
    assert program.wait(60) == 1


def test_nothing_is_alive_unless_asked_for(generate, tmp_path):
    assert generate(tmp_path / "line.npz", "--seed", "5") == 0
    motion = FaceMotion.load(tmp_path / "line.npz")
    assert motion.eyes is None
    assert motion.neck is None
    assert "life" not in motion.meta


@pytest.mark.once
def test_alive_adds_blinks_gaze_and_head_motion_by_seed(generate, tmp_path):
    def made(*arguments: str) -> FaceMotion:
        assert generate(tmp_path / "line.npz", *arguments) == 0
        return FaceMotion.load(tmp_path / "line.npz")

    plain, alive, again, other = made(), made("--alive"), made("--alive", "--seed", "0"), made("--alive", "--seed", "1")
    assert alive.meta["life"] == {"blinks": True, "gaze": True, "head_motion": True, "seed": 0}
    for name in ("expression", "eyes", "neck"):
        assert np.array_equal(getattr(alive, name), getattr(again, name))
    assert np.abs(alive.neck - other.neck).max() > 1e-3
    assert np.array_equal(plain.jaw, alive.jaw)
    changed = np.flatnonzero(np.abs(plain.expression - alive.expression).max(axis=0) > 1e-6)
    assert {alive.meta["expression_names"][number][:7] for number in changed} <= {"eyeBlin", "eyeWide"}


@pytest.mark.once
def test_one_switch_adds_one_part(generate, tmp_path):
    for arguments, has_eyes, has_neck in (
        (["--gaze"], True, False),
        (["--head-motion"], False, True),
        (["--alive", "--no-gaze", "--no-blinks"], False, True),
    ):
        assert generate(tmp_path / "line.npz", *arguments) == 0
        motion = FaceMotion.load(tmp_path / "line.npz")
        assert (motion.eyes is not None, motion.neck is not None) == (has_eyes, has_neck)


def test_a_negative_seed_is_a_sentence(generate, tmp_path, capsys):
    assert generate(tmp_path / "line.npz", "--alive", "--seed", "-1") == 1
    assert "the seed is -1" in capsys.readouterr().err


@pytest.mark.once
def test_refine_changes_the_motion_and_is_named_in_it(generate, tmp_path):
    report = tmp_path / "report.json"
    assert generate(tmp_path / "plain.npz", "--emotion", "anger") == 0
    assert generate(tmp_path / "line.npz", "--emotion", "anger", "--refine", "", "--report", str(report)) == 0
    plain = FaceMotion.load(tmp_path / "plain.npz")
    np.testing.assert_array_equal(FaceMotion.load(tmp_path / "line.npz").expression, plain.expression)
    assert "refinement" not in json.loads(report.read_text())

    text = "upper_strength=0, jaw_strength=1.2"
    assert generate(tmp_path / "line.npz", "--emotion", "anger", "--refine", text, "--report", str(report)) == 0
    refined = FaceMotion.load(tmp_path / "line.npz")
    assert refined.meta["refinement"] == {"upper_strength": 0.0, "jaw_strength": 1.2}
    assert json.loads(report.read_text())["refinement"] == refined.meta["refinement"]
    brow = refined.meta["expression_names"].index("browInnerUp")
    assert np.abs(plain.expression[:, brow]).max() > 1e-3
    np.testing.assert_allclose(refined.expression[:, brow], 0, atol=1e-3 * np.abs(plain.expression[:, brow]).max())
    np.testing.assert_allclose(refined.jaw, 1.2 * plain.jaw, rtol=1e-5)


@pytest.mark.once
def test_emotion_strength_of_zero_is_the_neutral_rendering(generate, tmp_path):
    assert generate(tmp_path / "line.npz", "--emotion", "anger", "--refine", "emotion_strength=0") == 0
    assert generate(tmp_path / "neutral.npz", "--emotion", "neutral") == 0
    line, neutral = FaceMotion.load(tmp_path / "line.npz"), FaceMotion.load(tmp_path / "neutral.npz")
    np.testing.assert_allclose(line.expression, neutral.expression, atol=1e-6)
    np.testing.assert_allclose(line.jaw, neutral.jaw, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("jaw=1", "no parameter 'jaw'; choose one of emotion_strength"),
        ("jaw_strength", "jaw_strength must be a number from 0 to 2, found ''"),
        ("jaw_strength=much", "jaw_strength must be a number from 0 to 2, found 'much'"),
        ("jaw_strength=nan", "jaw_strength must be a number from 0 to 2, found 'nan'"),
        ("jaw_strength=2.5", "jaw_strength must be a number from 0 to 2, found '2.5'"),
        ("jaw_strength=1,jaw_strength=1", "jaw_strength is given twice"),
    ],
)
def test_a_wrong_refinement_is_a_sentence(generate, tmp_path, capsys, text, sentence):
    assert generate(tmp_path / "line.npz", "--refine", text) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "line.npz").exists()


def test_an_interrupt_while_the_program_loads_is_no_traceback():
    interrupt = (
        "import runpy, sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'emote_blender.cli.generate':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "runpy.run_module('emote_blender', run_name='__main__')\n"
    )
    ended = subprocess.run([sys.executable, "-c", interrupt], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (130, "cancelled; nothing was begun\n")
