"""What the command line does with input that cannot be used: one sentence, an exit code, and nothing written."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emote_blender.cli.main import main
from emote_blender.motion import FaceMotion


@pytest.fixture
def refuse(tmp_path: Path, capsys):
    """A function of the program's arguments: asserts that it exits with `code`, that its last line on stderr matches
    `sentence`, that it prints no traceback, and that no file is there afterwards that was not there before."""

    def run(arguments: list, sentence: str, code: int = 1) -> None:
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        assert main([str(argument) for argument in arguments]) == code
        captured = capsys.readouterr()
        last = captured.err.strip().splitlines()[-1]
        assert re.search(sentence, last), last
        assert "Traceback" not in captured.err
        assert captured.out == ""
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before

    return run


@pytest.fixture
def model(tmp_path: Path, open_head_model_folder: Path) -> Path:
    """A copy of the tiny model that a test may damage."""
    return shutil.copytree(open_head_model_folder, tmp_path / "model")


def wav(path: Path, samples: np.ndarray, sample_rate: int = 16000) -> Path:
    """A float wav file, which can also hold what is no number."""
    soundfile.write(path, np.asarray(samples, np.float32), sample_rate, subtype="FLOAT")
    return path


class TestAudio:
    """Sound that is missing, damaged or too short."""

    def test_a_missing_file(self, refuse, model, tmp_path):
        refuse(
            ["generate", tmp_path / "gone.wav", "-o", tmp_path / "x.npz", "--model", model],
            r"^error: .*gone\.wav not found; check the path",
        )

    def test_a_folder(self, refuse, model, tmp_path):
        refuse(["generate", tmp_path, "-o", tmp_path / "x.npz", "--model", model], "is a folder; choose an audio file")

    @pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ""])
    def test_an_empty_file(self, refuse, model, tmp_path, suffix):
        audio = tmp_path / f"empty{suffix}"
        audio.touch()
        refuse(["generate", audio, "-o", tmp_path / "x.npz", "--model", model], r"empty.* is empty \(0 bytes\)")

    def test_a_file_with_a_header_and_no_samples(self, refuse, model, tmp_path):
        audio = tmp_path / "zero.wav"
        soundfile.write(audio, np.zeros(0, np.float32), 16000)
        refuse(["generate", audio, "-o", tmp_path / "x.npz", "--model", model], r"zero\.wav has no samples")

    @pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
    @pytest.mark.parametrize(
        "content", [b"\x00" * 5000, b"Dear diary, " * 500, bytes(range(256)) * 8, b"\x89PNG\r\n\x1a\n" + bytes(999)]
    )
    def test_a_file_that_is_not_audio(self, refuse, model, tmp_path, suffix, content):
        audio = tmp_path / f"other{suffix}"
        audio.write_bytes(content)
        refuse(
            ["generate", audio, "-o", tmp_path / "x.npz", "--model", model],
            r"other\.\w+ (cannot be read as audio \(.*\)|is a text file, not sound|is a picture, not sound)",
        )

    @pytest.mark.parametrize("suffix", [".wav", ".ogg"])
    def test_a_file_with_a_destroyed_header(self, refuse, model, tmp_path, suffix, speech_samples):
        audio = tmp_path / f"broken{suffix}"
        soundfile.write(audio, speech_samples, 16000)
        audio.write_bytes(bytes(60) + audio.read_bytes()[60:])
        refuse(["generate", audio, "-o", tmp_path / "x.npz", "--model", model], r"broken\.\w+ cannot be read as audio")

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_samples_that_are_not_numbers(self, refuse, model, tmp_path, speech_samples, value):
        samples = speech_samples.copy()
        samples[8000] = value
        audio = wav(tmp_path / "nan.wav", samples)
        refuse(
            ["generate", audio, "-o", tmp_path / "x.npz", "--model", model],
            r"nan\.wav has a sample that is no sound .* at 0\.500 s",
        )

    def test_a_clip_of_20_ms(self, refuse, model, tmp_path, speech_samples):
        audio = wav(tmp_path / "short.wav", speech_samples[:320])
        refuse(
            ["generate", audio, "-o", tmp_path / "x.npz", "--model", model],
            "lasts 20 ms, less than one frame; use one of at least 40 ms",
        )


class TestSoundThatIsUnusualButFine:
    """Sound for which a face must come out."""

    def generate(self, audio: Path, model: Path) -> FaceMotion:
        output = audio.with_suffix(".npz")
        assert main(["generate", str(audio), "-o", str(output), "--model", str(model)]) == 0
        return FaceMotion.load(output)  # refuses NaN

    def test_one_frame(self, model, tmp_path, speech_samples):
        assert self.generate(wav(tmp_path / "frame.wav", speech_samples[:640]), model).num_frames == 1

    def test_silence(self, model, tmp_path):
        assert self.generate(wav(tmp_path / "silence.wav", np.zeros(32000)), model).num_frames == 50

    def test_a_constant_offset_is_silence(self, model, tmp_path):
        silence = self.generate(wav(tmp_path / "silence.wav", np.zeros(32000)), model)
        offset = self.generate(wav(tmp_path / "offset.wav", np.full(32000, 0.5)), model)
        assert np.array_equal(offset.expression, silence.expression)

    @pytest.mark.parametrize("peak", [1e-3, 1e9])
    def test_whispers_and_wrongly_scaled_samples(self, model, tmp_path, speech_samples, peak):
        samples = speech_samples / np.abs(speech_samples).max() * peak
        assert self.generate(wav(tmp_path / "level.wav", samples), model).num_frames == 25

    @pytest.mark.parametrize("sample_rate", [8000, 96000])
    @pytest.mark.parametrize("num_channels", [1, 2, 6])
    def test_rates_and_channels(self, model, tmp_path, sample_rate, num_channels):
        time = np.arange(sample_rate) / sample_rate
        samples = np.stack([0.3 * np.sin(2 * np.pi * 200 * time)] * num_channels, axis=1)
        assert self.generate(wav(tmp_path / "rate.wav", samples, sample_rate), model).num_frames == 25

    @pytest.mark.once
    def test_more_than_what_stays_in_memory(self, model, tmp_path, speech_samples, monkeypatch):
        monkeypatch.setattr("emote_blender.sample_store._IN_MEMORY", 60 * 16000)
        soundfile.write(tmp_path / "long.wav", np.tile(speech_samples[::2], 120), 8000, subtype="PCM_U8")
        motion = self.generate(tmp_path / "long.wav", model)
        assert motion.num_frames == 3000
        assert np.isfinite(motion.jaw).all()
        assert (motion.jaw[-500:].std(axis=0) > 0).all()  # it moves to the end


class TestChoices:
    """Names and numbers that do not exist."""

    @pytest.fixture
    def generate(self, refuse, model, speech_wav, tmp_path):
        """A function of further arguments and the sentence."""

        def run(arguments: list, sentence: str, code: int = 1) -> None:
            refuse(["generate", speech_wav, "-o", tmp_path / "x.npz", "--model", model, *arguments], sentence, code)

        return run

    def test_an_unknown_emotion(self, generate):
        generate(["--emotion", "hungry"], "unknown emotion 'hungry'; choose one of neutral, happy, sad, surprise")

    def test_an_unknown_speaker(self, generate):
        generate(["--speaker", "M003"], "unknown speaker 'M003'; model tiny has clear, soft")

    def test_an_unknown_model(self, generate):
        generate(["--model", "emote_v9"], r"model 'emote_v9' not found \(available: .*\); .* pass --model")

    def test_an_unknown_head(self, generate):
        generate(["--head", "nobody"], r"head 'nobody' not found \(available: .*open_head.*\); .* pass --head")

    @pytest.mark.parametrize("intensity", ["-1", "2.5", "nan", "inf"])
    def test_an_intensity_outside_its_range(self, generate, intensity):
        generate(["--intensity", intensity], "intensity .* is outside 0 to 2")

    def test_an_intensity_that_is_no_number(self, generate):
        generate(["--intensity", "loud"], "argument --intensity: invalid float value: 'loud'", code=2)

    @pytest.mark.parametrize("other", [["--emotion", "sad"], ["--intensity", "0"]])
    def test_a_track_beside_an_emotion(self, generate, tmp_path, other):
        (tmp_path / "track.csv").write_text("time_seconds,emotion\n0,sad\n")
        generate(["--track", tmp_path / "track.csv", *other], "leave out --emotion and --intensity", code=2)

    def test_a_missing_track(self, generate, tmp_path):
        generate(["--track", tmp_path / "gone.csv"], r"gone\.csv not found")

    def test_a_wrong_track(self, generate, tmp_path):
        (tmp_path / "track.csv").write_text("time_seconds,emotion\n0,sad\n1,hungry\n")
        generate(["--track", tmp_path / "track.csv"], r"track\.csv line 3: unknown emotion 'hungry'")


class TestModel:
    """Model folders that are not whole, and models and heads that do not belong together."""

    @pytest.fixture
    def generate(self, refuse, model, speech_wav, tmp_path):
        """A function of the sentence; the model is the one in `model`."""

        def run(sentence: str, *arguments: object) -> None:
            refuse(["generate", speech_wav, "-o", tmp_path / "x.npz", "--model", model, *arguments], sentence)

        return run

    def change_config(self, model: Path, change) -> None:
        config = json.loads((model / "config.json").read_text())
        change(config)
        (model / "config.json").write_text(json.dumps(config))

    def change_weights(self, model: Path, change) -> None:
        from safetensors.numpy import load_file, save_file

        weights = load_file(model / "model.safetensors")
        change(weights)
        save_file(weights, model / "model.safetensors")

    def test_a_folder_without_config(self, generate, model):
        (model / "config.json").unlink()
        generate(r"config\.json not found; choose a model")

    def test_a_folder_without_weights(self, generate, model):
        (model / "model.safetensors").unlink()
        generate(r"model\.safetensors .*(not found|cannot be read)")

    def test_a_config_that_is_not_json(self, generate, model):
        (model / "config.json").write_text("{")
        generate(r"config\.json is not valid JSON")

    def test_a_config_without_a_key(self, generate, model):
        self.change_config(model, lambda config: config.pop("speakers"))
        generate(r"config\.json .*missing field speakers")

    def test_a_config_with_an_unknown_key(self, generate, model):
        self.change_config(model, lambda config: config.update(temperature=1))
        generate(r"config\.json .*unknown field temperature")

    def test_a_config_with_a_wrong_value(self, generate, model):
        self.change_config(model, lambda config: config.update(fps="fast"))
        generate(r"config\.json .*fps must be int, found 'fast'")

    def test_weights_without_a_key(self, generate, model):
        self.change_weights(model, lambda weights: weights.pop("sequence_decoder.obj_vector.map.bias"))
        generate(r"does not fit its config\.json: missing sequence_decoder\.obj_vector\.map\.bias")

    def test_weights_with_an_unexpected_key(self, generate, model):
        self.change_weights(model, lambda weights: weights.update(renderer=np.zeros(3, np.float32)))
        generate(r"does not fit its config\.json: unexpected renderer")

    def test_weights_of_another_shape(self, generate, model):
        key = "sequence_decoder.obj_vector.map.bias"
        self.change_weights(model, lambda weights: weights.update({key: np.zeros(3, np.float32)}))
        generate(r"does not fit its config\.json: wrong shape .*obj_vector\.map\.bias \(3,\) instead of \(128,\)")

    @pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.99])
    def test_truncated_weights(self, generate, model, part):
        path = model / "model.safetensors"
        path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
        generate(r"model\.safetensors is (truncated|damaged|empty)")

    def test_weights_of_another_kind_of_file(self, generate, model):
        (model / "model.safetensors").write_bytes(b"PK\x03\x04" + bytes(5000))
        generate(r"model\.safetensors is (truncated|damaged)")

    def test_a_model_for_components_that_the_head_lacks(self, generate, model):
        self.change_config(model, lambda config: config["expression_names"].__setitem__(0, "earWiggle"))
        generate(r"model tiny moves 50 expression components, but the head .* has no earWiggle", "--head", "open_head")

    def test_a_model_for_another_face(self, generate, model):
        self.change_config(model, lambda config: config.update(face="flame2020", expression_names=None))
        generate(
            r"model tiny speaks for the face flame2020 .* but the head is open_head.*choose the head",
            "--head",
            "open_head",
        )

    def test_a_face_without_a_head_for_a_scene(self, refuse, model, speech_wav, tmp_path):
        self.change_config(model, lambda config: config.update(face="flame2020", expression_names=None))
        refuse(
            ["generate", speech_wav, "-o", tmp_path / "x.blend", "--model", model],
            r"head 'flame2020' not found .* pass --head",
        )

    def test_a_damaged_head(self, generate, tmp_path):
        from emote_blender.files.paths import find_head

        head = shutil.copytree(find_head("open_head"), tmp_path / "head", ignore=shutil.ignore_patterns("source"))
        (head / "head.safetensors").write_bytes((head / "head.safetensors").read_bytes()[:-1000])
        generate(r"head\.safetensors is truncated", "--head", head)


class TestOutput:
    """Outputs that cannot be written are found before the model is loaded: its weights are gone."""

    @pytest.fixture
    def generate(self, refuse, model, speech_wav):
        """A function of the output, the sentence and further arguments."""
        (model / "model.safetensors").unlink()

        def run(output: Path, sentence: str, *arguments: object) -> None:
            refuse(["generate", speech_wav, "-o", output, "--model", model, *arguments], sentence)

        return run

    def test_a_folder_that_does_not_exist(self, generate, tmp_path):
        generate(tmp_path / "no" / "x.npz", r"x\.npz cannot be written: the folder .*no does not exist; create it")

    def test_a_scene_in_a_folder_that_does_not_exist(self, generate, tmp_path):
        generate(tmp_path / "no" / "x.blend", r"x\.blend cannot be written: the folder .*no does not exist")

    def test_a_folder_in_the_place_of_the_file(self, generate, tmp_path):
        (tmp_path / "x.npz").mkdir()
        generate(tmp_path / "x.npz", "is a folder; give the name of a file")

    def test_a_name_that_is_too_long(self, generate, tmp_path):
        generate(tmp_path / ("x" * 300 + ".npz"), r"the name xxx.* has 304 bytes, and names have at most 255")

    @pytest.mark.parametrize("name", ["x.mp4", "x", ".npz"])
    def test_another_kind_of_file(self, generate, tmp_path, name):
        generate(tmp_path / name, r"must end in \.npz \(motion\), \.csv \(ARKit\), \.json or \.blend \(scene\)")

    def test_a_report_that_cannot_be_written(self, generate, tmp_path):
        generate(tmp_path / "x.npz", r"r\.json cannot be written", "--report", tmp_path / "no" / "r.json")

    def test_a_report_in_the_place_of_the_output(self, generate, tmp_path):
        generate(tmp_path / "x.npz", "--report and --output both name", "--report", tmp_path / "x.npz")

    def test_a_report_in_the_place_of_an_input(self, generate, speech_wav, tmp_path):
        generate(tmp_path / "x.npz", "--report names .*speech.wav, which is a file to read", "--report", speech_wav)
        (tmp_path / "track.csv").write_text("time_seconds,emotion\n0,sad\n")
        more = ("--track", tmp_path / "track.csv", "--report", tmp_path / "track.csv")
        generate(tmp_path / "x.npz", "--report names .*track.csv, which is a file to read", *more)

    def test_an_old_output_survives_a_failed_run(self, generate, tmp_path):
        (tmp_path / "x.npz").write_text("precious")
        generate(tmp_path / "x.npz", r"model\.safetensors")
        assert (tmp_path / "x.npz").read_text() == "precious"


class TestBatch:
    """Batch files that cannot be used as a whole; single rows are in test_cli.py."""

    @pytest.fixture
    def batch(self, refuse, model, tmp_path):
        """A function of the CSV's content (None: no file) and the sentence."""

        def run(content: bytes | None, sentence: str, *arguments: object) -> None:
            if content is not None:
                (tmp_path / "jobs.csv").write_bytes(content)
            refuse(["batch", tmp_path / "jobs.csv", "-o", tmp_path / "out", "--model", model, *arguments], sentence)

        return run

    @pytest.mark.parametrize(
        "content, sentence",
        [
            (None, r"jobs\.csv not found"),
            (b"", r"jobs\.csv is empty"),
            (b"audio,output\n", r"jobs\.csv has no rows"),
            (b"emotion\nhappy\n", r"line 1: column 'audio' is missing"),
            (b"audio,mood\n", r"line 1: unknown column 'mood'"),
            (b"audio\n\x00\x01", "not a text file"),
            (b"PK\x03\x04 xl/workbook.xml", r"jobs\.csv is a workbook of Excel; save it as CSV"),
        ],
    )
    def test_a_file_that_is_no_list_of_jobs(self, batch, content, sentence):
        batch(content, sentence)

    def test_an_unknown_model(self, batch):
        batch(b"audio\na.wav\n", "model 'nobody' not found", "--model", "nobody")

    def test_a_file_in_the_place_of_the_folder(self, batch, tmp_path):
        (tmp_path / "out").touch()
        batch(b"audio\na.wav\n", r"out cannot be created")

    def test_a_report_that_cannot_be_written(self, batch, tmp_path):
        batch(b"audio\na.wav\n", r"r\.json cannot be written", "--report", tmp_path / "no" / "r.json")

    def test_a_report_in_the_place_of_the_table(self, batch, tmp_path):
        sentence = r"--report names .*jobs\.csv, which is a file to read"
        batch(b"audio\na.wav\n", sentence, "--report", tmp_path / "jobs.csv")

    def test_a_report_in_the_place_of_a_sound(self, batch, tmp_path):
        batch(b"audio\na.wav\n", r"--report names .*a\.wav, which is a file", "--report", tmp_path / "a.wav")

    def test_a_report_in_the_place_of_an_output(self, batch, tmp_path):
        report = tmp_path / "out" / "a.npz"
        batch(b"audio\na.wav\n", "--report and a row of .* both name", "--report", report)


class TestInfo:
    """What `info` is asked about and cannot describe."""

    def test_something_that_is_not_there(self, refuse):
        refuse(["info", "nobody"], "nobody not found; give a motion file, a model or a head")

    def test_a_file_that_is_no_motion(self, refuse, speech_wav):
        refuse(["info", speech_wav], "is a sound or video file; choose a capture file")
