"""Reading and writing `config.json`."""

import json

import pytest

from emote_blender.errors import ModelError
from emote_blender.speech_model.config import FLINTConfig, load_config, save_config


@pytest.fixture(params=["log_mel", "wav2vec2"])
def folder(request, tmp_path, make_tiny_config):
    """A folder with the `config.json` of a tiny model."""
    save_config(make_tiny_config(request.param), tmp_path)
    return tmp_path


def change(folder, edit):
    """Write `config.json` again after `edit` has changed its content."""
    path = folder / "config.json"
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def refusal(folder, edit):
    """The sentence with which the changed `config.json` is refused."""
    change(folder, edit)
    with pytest.raises(ModelError) as caught:
        load_config(folder)
    assert str(folder / "config.json") in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("audio", ["log_mel", "wav2vec2"])
def test_what_is_written_is_read_again(audio, tmp_path, make_tiny_config):
    config = make_tiny_config(audio, speakers=("Zoë", "李"), expression_names=None)
    save_config(config, tmp_path)
    assert load_config(tmp_path) == config


def test_a_missing_field_is_named(folder):
    assert "missing field fps" in refusal(folder, lambda content: content.pop("fps"))


def test_a_missing_field_of_a_part_is_named_though_the_dataclass_has_a_default(folder):
    sentence = refusal(folder, lambda content: content["flint"].pop("quant_factor"))
    assert "missing field flint.quant_factor" in sentence


def test_a_model_older_than_tract_lengths_hears_with_one(tmp_path, make_tiny_config):
    config = make_tiny_config("log_mel")
    save_config(config, tmp_path)
    change(tmp_path, lambda content: content["audio_encoder"].pop("tract_lengths"))
    assert load_config(tmp_path) == config
    assert config.audio_encoder.tract_lengths == (1.0,)


@pytest.mark.parametrize("lengths", [[], [1.0, 0.4], [3.0], [1.0] * 17])
def test_tract_lengths_that_no_one_has_are_refused(lengths, tmp_path, make_tiny_config):
    save_config(make_tiny_config("log_mel"), tmp_path)
    sentence = refusal(tmp_path, lambda content: content["audio_encoder"].update(tract_lengths=lengths))
    assert "tract_lengths must be 1 to 16 numbers from 0.5 to 2" in sentence


def test_an_unknown_field_is_named(folder):
    assert "unknown field decoder.depth" in refusal(folder, lambda content: content["decoder"].update(depth=2))


@pytest.mark.parametrize(
    "field, value, complaint",
    [
        ("fps", "25", "fps must be int, found '25'"),
        ("fps", True, "fps must be int, found True"),
        ("fps", 24, "sample_rate 16000 is not a whole multiple of fps 24"),
        ("emotions", "neutral", "emotions must be a list"),
        ("emotions", ["neutral", 3], r"emotions[1] must be str, found 3"),
        ("expression_names", ["one"], "expression_names has 1 names, but num_expression is 5"),
        ("num_expression", 6, "flint.num_expression is 5, but num_expression is 6"),
        ("decoder", None, "decoder must hold an object, found NoneType"),
        ("audio_encoder", {"type": "mfcc"}, "audio_encoder.type must be one of wav2vec2, log_mel, found 'mfcc'"),
        ("audio_encoder", 3, "audio_encoder.type must be one of wav2vec2, log_mel, found None"),
        ("speakers", [], "must each have at least one entry"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_found(field, value, complaint, folder):
    assert complaint in refusal(folder, lambda content: content.update({field: value}))


def test_attention_heads_that_do_not_fit_are_named(folder):
    assert "decoder.num_heads" in refusal(folder, lambda content: content["decoder"].update(num_heads=3))


@pytest.mark.parametrize("text", ["", "{", "[1]", '"text"', "\x00"])
def test_a_file_that_is_no_object_of_json_is_refused(text, folder):
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelError, match=r"config\.json"):
        load_config(folder)


def test_bytes_that_are_no_text_are_refused(folder):
    (folder / "config.json").write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(ModelError, match="not valid JSON"):
        load_config(folder)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        load_config(tmp_path)


@pytest.mark.parametrize("changes", [{"sample_rate": 8000}, {"sample_rate": 48000}, {"fps": 50}, {"fps": 20}])
def test_a_log_mel_model_of_another_sample_rate_or_fps_is_refused(changes, tmp_path, make_tiny_config):
    """Its spectrogram has 16 kHz and 25 fps built in; a wav2vec2 model takes what its config says."""
    save_config(make_tiny_config("log_mel"), tmp_path)
    found = {"sample_rate": 16000, "fps": 25} | changes
    sentence = refusal(tmp_path, lambda content: content.update(changes))
    wanted = "log_mel runs at sample_rate 16000 and fps 25 only, found {sample_rate} and {fps}"
    assert wanted.format(**found) in sentence
    assert make_tiny_config("wav2vec2", **changes).samples_per_frame == found["sample_rate"] // found["fps"]


@pytest.mark.parametrize(
    "changes, complaint",
    [
        ({"num_heads": 3}, "audio_encoder.num_heads must divide dim 16, found 3"),
        ({"num_heads": 0}, "audio_encoder.num_heads must divide dim 16, found 0"),
        ({"kernel_size": 4}, "audio_encoder.kernel_size must be odd, found 4"),
        ({"num_mels": 1}, "audio_encoder.num_mels must be at least 2, found 1"),
        ({"padding_frames": -1}, "audio_encoder.padding_frames must be at least 0, found -1"),
        ({"num_phones": 0}, "audio_encoder.num_phones must be at least 1, found 0"),
    ],
)
def test_a_log_mel_encoder_that_cannot_be_built_is_refused_by_its_field(changes, complaint, tmp_path, make_tiny_config):
    save_config(make_tiny_config("log_mel"), tmp_path)
    assert complaint in refusal(tmp_path, lambda content: content["audio_encoder"].update(changes))


@pytest.mark.parametrize("quant_factor", [0, 9])
def test_a_latent_of_no_frames_or_of_more_than_a_window_holds_is_refused(quant_factor):
    with pytest.raises(ValueError, match=f"quant_factor must be from 1 to 8, found {quant_factor}"):
        FLINTConfig(quant_factor=quant_factor)
    assert FLINTConfig(quant_factor=8).frames_per_latent == 256
