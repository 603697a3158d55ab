"""Model folders: what is saved is loaded, and everything that does not fit is refused by name."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from emote_blender.emote.checkpoint import load_model, save_model
from emote_blender.errors import ModelError

pytestmark = pytest.mark.torch


def rewrite(folder, edit):
    """Write `model.safetensors` again after `edit` has changed its tensors."""
    path = folder / "model.safetensors"
    state = load_file(path)
    edit(state)
    save_file(state, path)


def refusal(folder):
    """The sentence with which the folder is refused."""
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    assert str(folder / "model.safetensors") in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("audio", ["log_mel", "wav2vec2"])
def test_a_saved_model_is_loaded_with_every_weight_in_eval_mode(audio, tmp_path, make_tiny_model):
    model = make_tiny_model(audio=audio)
    loaded = load_model(save_model(model, tmp_path / "my model é"))
    assert loaded.config == model.config
    assert not loaded.training
    state = model.state_dict()
    assert loaded.state_dict().keys() == state.keys()
    assert all(torch.equal(tensor, state[name]) for name, tensor in loaded.state_dict().items())


def test_saving_leaves_no_unfinished_file(tmp_path, make_tiny_model):
    folder = save_model(make_tiny_model(), tmp_path / "model")
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]


def test_a_missing_key_is_named(tiny_model_folder):
    rewrite(tiny_model_folder, lambda state: state.pop("sequence_encoder.linear.bias"))
    assert "missing sequence_encoder.linear.bias" in refusal(tiny_model_folder)


def test_an_unexpected_key_is_named(tiny_model_folder):
    rewrite(tiny_model_folder, lambda state: state.update({"renderer.light": torch.zeros(1)}))
    assert "unexpected renderer.light" in refusal(tiny_model_folder)


def test_a_wrong_shape_is_named_with_both_shapes(tiny_model_folder):
    rewrite(tiny_model_folder, lambda state: state.update({"sequence_decoder.decoder.bias": torch.zeros(7)}))
    assert "sequence_decoder.decoder.bias (7,) instead of (16,)" in refusal(tiny_model_folder)


def test_of_many_missing_keys_a_few_are_named_and_the_rest_counted(tiny_model_folder):
    def remove_prior(state):
        for name in [name for name in state if "motion_prior" in name]:
            del state[name]

    rewrite(tiny_model_folder, remove_prior)
    assert "and 34 more" in refusal(tiny_model_folder)


@pytest.mark.parametrize("size", [0, 5, 300, -1])
def test_a_truncated_file_is_refused(size, tiny_model_folder):
    path = tiny_model_folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    assert "truncated or damaged" in refusal(tiny_model_folder)


def test_a_file_of_another_kind_is_refused(tiny_model_folder):
    torch.save({"weight": torch.zeros(3)}, tiny_model_folder / "model.safetensors")
    assert "truncated or damaged" in refusal(tiny_model_folder)


def test_a_missing_weights_file_is_named(tiny_model_folder):
    (tiny_model_folder / "model.safetensors").unlink()
    assert "cannot be read" in refusal(tiny_model_folder)


def test_weights_that_are_not_numbers_are_refused(tiny_model_folder):
    rewrite(tiny_model_folder, lambda state: state["sequence_encoder.linear.bias"].fill_(float("nan")))
    assert "sequence_encoder.linear.bias" in refusal(tiny_model_folder)


def test_old_names_of_a_weight_normed_convolution_are_understood(tmp_path, make_tiny_model):
    model = make_tiny_model(audio="wav2vec2")
    folder = save_model(model, tmp_path / "old")

    def use_old_names(state):
        prefix = "audio_model.model.encoder.pos_conv_embed.conv."
        for old, new in (("weight_g", "original0"), ("weight_v", "original1")):
            state[prefix + old] = state.pop(f"{prefix}parametrizations.weight.{new}")

    rewrite(folder, use_old_names)
    state = model.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in load_model(folder).state_dict().items())
