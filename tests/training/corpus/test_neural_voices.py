"""The neural voices: their phones and pauses, who speaks, and where their files come from."""

import dataclasses
import importlib.util
import random
import shutil
import tarfile

import numpy as np
import pytest
from tiny_corpus import make_shard

from emote_blender.errors import InputError
from emote_blender.training.corpus import forced_alignment, label_check, phones
from emote_blender.training.corpus.engines import (
    catalogue,
    hibari,
    kokoro,
    kokoro_styles,
    misaki_phones,
    onnx_voice,
)
from emote_blender.training.corpus.engines.neural_sound import NeuralSound, labelled_utterance
from emote_blender.training.corpus.engines.pause_cutting import cut_pauses, symbol_times

RATE = 24000
needs_hibari = pytest.mark.skipif(not catalogue.is_available("hibari"), reason=f"run {onnx_voice.VOICES_COMMAND}")
needs_kokoro = pytest.mark.skipif(not catalogue.is_available("kokoro"), reason=f"run {onnx_voice.VOICES_COMMAND}")


def sound(*parts: tuple[float, float]) -> np.ndarray:
    """Noise of (seconds, level) each."""
    generator = np.random.default_rng(1)
    pieces = [level * generator.standard_normal(round(seconds * RATE)) for seconds, level in parts]
    return np.concatenate(pieces).astype(np.float32)


def test_symbols_follow_each_other():
    assert symbol_times("$aː", np.array([600, 1200, 240]), RATE) == [
        ("$", 0, 0.025),
        ("a", 0.025, 0.075),
        ("ː", 0.075, 0.085),
    ]


def test_a_pause_is_where_it_is_quiet_and_not_where_the_model_says():
    samples = sound((0.2, 0), (0.3, 0.3), (0.3, 0), (0.4, 0.3), (0.2, 0))
    symbols = [("$", 0.0, 0.25), ("a", 0.25, 0.7), (",", 0.7, 0.75), (" ", 0.75, 0.8), ("i", 0.8, 1.2), ("$", 1.2, 1.4)]
    found = cut_pauses(samples, RATE, symbols)
    assert [symbol for symbol, _, _ in found] == [" ", "a", " ", "i", " "]
    expected = [(0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.2), (1.2, 1.4)]
    assert np.allclose([times for _, *times in found], expected, atol=0.011)  # steps of 10 ms


def test_words_without_a_pause_share_its_time():
    samples = sound((1.0, 0.3))
    found = cut_pauses(
        samples, RATE, [("$", 0, 0.1), ("a", 0.1, 0.4), (" ", 0.4, 0.5), ("i", 0.5, 0.9), ("$", 0.9, 1.0)]
    )
    assert found == [("a", 0.05, pytest.approx(0.45)), ("i", pytest.approx(0.45), 0.95)]


def test_the_silence_before_a_stop_is_part_of_it():
    samples = sound((0.4, 0.3), (0.4, 0), (0.4, 0.3))
    start = {}
    for symbol in "ps":
        symbols = [("$", 0, 0.0), ("a", 0, 0.4), (".", 0.4, 0.8), (symbol, 0.8, 1.2), ("$", 1.2, 1.2)]
        start[symbol] = cut_pauses(samples, RATE, symbols)[-1][1]
    assert start["s"] == pytest.approx(0.8, abs=0.011)
    assert start["s"] - start["p"] == pytest.approx(0.06)


def test_stress_belongs_to_the_next_phone_and_length_to_the_one_before():
    symbols = [("n", 0.0, 0.2), ("ˈ", 0.2, 0.25), ("i", 0.25, 0.5), ("ː", 0.5, 0.6), ("t", 0.6, 0.9)]
    assert cut_pauses(sound((0.9, 0.3)), RATE, symbols) == [("n", 0, 0.2), ("i", 0.2, 0.6), ("t", 0.6, 0.9)]


def test_labels_are_earlier_by_the_lag_of_the_voices():
    symbols = [("a", 0.0, 0.46), ("i", 0.46, 1.0)]
    utterance = labelled_utterance((sound((1.0, 0.1)) * 32767).astype(np.int16), RATE, symbols, "hibari:1,1", "a e")
    assert [phones.CLASSES[number] for number in utterance.phone_classes] == ["AA", "IY"]
    assert utterance.phone_times == pytest.approx(np.array([[0, 0.4], [0.4, 0.94]]))
    assert len(utterance.samples) == 16000


@pytest.mark.parametrize("seconds, usable", [(0.4, False), (1.0, True), (16.5, False)])
def test_sounds_that_are_too_short_or_too_long_are_left_out(seconds, usable):
    assert NeuralSound(np.zeros(round(seconds * RATE), np.float32), RATE, [], "").is_usable == usable


def test_diphthongs_and_affricates_have_two_classes_and_marks_none():
    assert misaki_phones.classes_of("A") == ("EH", "IH")
    assert misaki_phones.classes_of("ʤ") == ("D", "ZH")
    assert misaki_phones.classes_of("T") == ("RT",)
    assert misaki_phones.classes_of(",") == ("sil",)
    assert misaki_phones.classes_of("ː") == misaki_phones.classes_of("ˈ") == ()


def test_hibari_speaks_as_women_men_and_a_few_children():
    drawn = np.array([hibari.draw_speaker(random.Random(seed)) for seed in range(3000)])
    assert ((drawn[:, 0] < 0.75).mean(), (drawn[:, 0] > 1.15).mean()) == pytest.approx((0.51, 0.07), abs=0.02)
    assert np.corrcoef(drawn.T)[0, 1] < -0.8  # lower voices have longer tracts


def test_no_mixture_contains_a_style_that_judges():
    rng = random.Random(1)
    drawn = [kokoro.draw_mixture(rng, kokoro.TRAINING_STYLES) for _ in range(20000)]
    names = {name for mixture in drawn for name, _ in mixture}
    assert names == set(kokoro.TRAINING_STYLES)
    assert len(kokoro.JUDGE_STYLES) == 8
    assert not names & set(kokoro.JUDGE_STYLES)
    for mixture in drawn:
        assert sum(weight for _, weight in mixture) == pytest.approx(1)
        assert len({name[1] for name, _ in mixture}) == 1  # one sex


@pytest.mark.parametrize("style", kokoro.JUDGE_STYLES)
def test_the_training_engine_refuses_styles_that_judge(style):
    with pytest.raises(ValueError, match=style):
        catalogue.utterances("kokoro", 1, ("af_heart", style))


@needs_hibari
def test_hibari_repeats_bit_for_bit_and_its_phones_stand_where_they_sound():
    first, second = (catalogue.utterances("hibari", 7) for _ in range(2))
    spoken = [next(first) for _ in range(12)]
    again = next(second)
    assert np.array_equal(again.samples, spoken[0].samples)
    assert np.array_equal(again.phone_times, spoken[0].phone_times)
    found = label_check.check(spoken)
    assert found.passes
    assert found.vowels_over_silence_db > 20


@needs_kokoro
@pytest.mark.slow
def test_kokoros_phones_stand_where_they_sound():
    source = catalogue.utterances("kokoro", 7)
    assert label_check.check(next(source) for _ in range(2)).stop_dip_db > label_check.LEAST_DIP_DB


@pytest.mark.skipif(importlib.util.find_spec("onnx") is None, reason="needs onnx: python build.py graphs")
def test_float_convolutions_give_the_same_numbers_as_integer_ones():
    from onnx import TensorProto, helper, numpy_helper

    generator = np.random.default_rng(1)
    weights = generator.integers(0, 256, (4, 3, 5), dtype=np.uint8)
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("ConvInteger", ["x", "w", "zero", "offset"], ["y"], pads=[2, 2], name="conv")],
            "g",
            [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 3, 40])],
            [helper.make_tensor_value_info("y", TensorProto.INT32, None)],
            [
                numpy_helper.from_array(weights, "w"),
                numpy_helper.from_array(np.uint8(7), "zero"),
                numpy_helper.from_array(np.uint8(120), "offset"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    x = generator.integers(0, 256, (1, 3, 40), dtype=np.uint8)
    (expected,) = onnx_voice.session(model).run(None, {"x": x})
    (found,) = onnx_voice.session(onnx_voice.with_float_convolutions(model)).run(None, {"x": x})
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)


def make_package(path, content: bytes) -> None:
    """A package like kokoro-js with two styles and other files."""
    source = path.parent / "content"
    (source / "package" / "voices").mkdir(parents=True)
    (source / "package" / "voices" / "af_heart.bin").write_bytes(content)
    (source / "package" / "LICENSE").write_text("terms")
    (source / "package" / "kokoro.js").write_text("code")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(source / "package", "package")


def test_the_style_files_and_their_licence_are_taken_from_the_package(tmp_path, monkeypatch):
    style = np.random.default_rng(1).standard_normal(kokoro_styles.SHAPE).astype(np.float32)
    make_package(tmp_path / "p.tgz", style.tobytes())
    monkeypatch.setattr("sys.prefix", str(tmp_path / "environment"))
    kokoro_styles.unpack(tmp_path / "p.tgz", kokoro_styles.folder())
    assert sorted(path.name for path in kokoro_styles.folder().iterdir()) == ["LICENSE", "af_heart.bin"]
    assert np.array_equal(kokoro_styles.load()["af_heart"], style)


def test_missing_style_files_are_an_error_that_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    with pytest.raises(InputError, match="style files are not in .*; run: python build.py voices"):
        kokoro_styles.load()


def test_a_missing_npm_is_an_error_that_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert kokoro_styles.main() == 1
    assert "npm is not on PATH" in capsys.readouterr().err


def test_a_file_with_another_digest_is_refused():
    with pytest.raises(InputError, match="hibari.onnx has the digest 2cf24dba5fb0… instead of 00000"):
        onnx_voice.check_digest(b"hello", "0" * 64, "hibari.onnx")


def test_a_missing_voice_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(onnx_voice, "installed", lambda *packages: False)
    with pytest.raises(InputError, match="not installed: hibari, kokoro; run: python build.py voices"):
        catalogue.require_engines(("hibari", "kokoro"))


@needs_hibari
@pytest.mark.skipif(not forced_alignment.is_available(), reason=f"run {onnx_voice.VOICES_COMMAND}")
def test_hibaris_labels_agree_with_a_forced_alignment_and_late_ones_less():
    source = catalogue.utterances("hibari", 7)
    spoken = [next(source) for _ in range(12)]
    late = [dataclasses.replace(utterance, phone_times=utterance.phone_times + 0.06) for utterance in spoken]
    agreement, of_late = (
        label_check.forced_agreement(utterances, forced_alignment.ForcedAligner()) for utterances in (spoken, late)
    )
    assert agreement > 0.93
    assert of_late < agreement - 0.05


def test_shards_are_checked_from_the_command_line(tmp_path, capsys):
    make_shard(tmp_path / "000.npz")
    label_check.main(["--shards", str(tmp_path), "--utterances", "3"])
    assert f"{tmp_path}: lag" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        label_check.main(["--shards", str(tmp_path / "none")])
    assert "has no shards; make them with `python build.py model`" in capsys.readouterr().err
