"""EMOTE: shapes, batches, training behaviour and names."""

import dataclasses

import pytest
import torch

from emote_blender.emote.flint import FLINT
from emote_blender.emote.model import EMOTE
from emote_blender.speech_model.config import DecoderConfig, FLINTConfig, Wav2Vec2EncoderConfig

pytestmark = pytest.mark.torch

AUDIO_ENCODERS = ("log_mel", "wav2vec2")


@pytest.fixture(scope="module", params=AUDIO_ENCODERS)
def model(request, make_tiny_model):
    return make_tiny_model(audio=request.param)


def condition(batch, num_frames):
    """Random emotion, intensity and speaker weights that sum to 1."""
    generator = torch.Generator().manual_seed(1)
    return [torch.rand(batch, num_frames, width, generator=generator).softmax(-1) for width in (8, 3, 3)]


def waveform(batch, num_frames, seed=2):
    return torch.randn(batch, num_frames * 640, generator=torch.Generator().manual_seed(seed)) * 0.1


@pytest.mark.parametrize("num_frames", [1, 2, 7, 8, 9, 25, 63])
def test_any_number_of_frames_gives_as_many_frames_of_motion(num_frames, model):
    with torch.inference_mode():
        features = model.encode_audio(waveform(1, num_frames), num_frames)
        latents = model.latents(features, torch.cat(condition(1, num_frames), -1))
        expression, jaw = model.decode_latents(latents, num_frames)
    assert features.shape == (1, num_frames, 16)
    assert latents.shape == (1, -(-num_frames // 8), 16)
    assert expression.shape == (1, num_frames, 5)
    assert jaw.shape == (1, num_frames, 3)
    assert torch.cat([expression, jaw], -1).isfinite().all()


def test_a_batch_gives_what_its_items_give_alone(model):
    # Items of different loudness and offset: a normalisation over the batch would show.
    samples = waveform(3, 21) * torch.tensor([[1.0], [0.2], [3.0]]) + torch.tensor([[0.0], [0.3], [-0.2]])
    style = condition(3, 21)
    with torch.inference_mode():
        together = torch.cat(model(samples, 21, *style), -1)
        for item in range(3):
            part = slice(item, item + 1)
            alone = torch.cat(model(samples[part], 21, *(values[part] for values in style)), -1)
            assert torch.allclose(together[part], alone, atol=1e-5)


def test_features_do_not_depend_on_the_level_of_the_sound(model):
    samples = waveform(1, 30)
    with torch.inference_mode():
        quiet, loud = model.encode_audio(samples * 0.3, 30), model.encode_audio(samples, 30)
    assert torch.allclose(quiet, loud, atol=1e-3)


def test_a_changing_condition_changes_the_latents_where_it_changes(model):
    features = model.encode_audio(waveform(1, 32), 32)
    first = torch.cat(condition(1, 32), -1)
    second = first.clone()
    second[:, 24:, :8] = second[:, 24:, :8].flip(-1)
    change = (model.latents(features, first) - model.latents(features, second)).abs().amax(-1)[0]
    assert change[3] > 3 * change[0]


def test_the_motion_prior_stays_frozen_and_in_eval_mode_in_training(make_tiny_model):
    model = make_tiny_model().train()
    prior = model.sequence_decoder.motion_prior
    before = {name: tensor.clone() for name, tensor in prior.state_dict().items()}
    optimizer = torch.optim.Adam((weight for weight in model.parameters() if weight.requires_grad), lr=0.01)
    expression, jaw = model(waveform(2, 16), 16, *condition(2, 16))
    (expression.square().mean() + jaw.square().mean()).backward()
    optimizer.step()
    assert model.training
    assert not any(module.training for module in prior.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in prior.state_dict().items())


def test_gradients_reach_everything_but_the_motion_prior(make_tiny_model):
    model = make_tiny_model().train()
    expression, jaw = model(waveform(2, 16), 16, *condition(2, 16))
    (expression.square().sum() + jaw.square().sum()).backward()
    for name, weight in model.named_parameters():
        has_gradient = weight.grad is not None and bool((weight.grad != 0).any())
        if name.startswith("sequence_"):
            assert has_gradient == ("motion_prior" not in name), name
    assert any(weight.grad is not None and (weight.grad != 0).any() for weight in model.audio_model.parameters())


def test_dropout_acts_in_training_mode_only(make_tiny_model):
    model, features, style = make_tiny_model(), torch.randn(1, 16, 16), torch.cat(condition(1, 16), -1)
    assert torch.equal(model.latents(features, style), model.latents(features, style))
    model.train()
    assert not torch.equal(model.latents(features, style), model.latents(features, style))


def test_without_the_bug_fix_the_projection_reads_the_transformers_input(make_tiny_config, make_tiny_model):
    decoder = dataclasses.replace(make_tiny_config().decoder, post_bug_fix=False)
    model, features, style = make_tiny_model(decoder=decoder), torch.randn(1, 8, 16), torch.cat(condition(1, 8), -1)
    part = model.sequence_decoder
    hidden = torch.cat([model.sequence_encoder(features), part.obj_vector.map(style)], -1)
    expected = part.squasher_2.linear(part.decoder(hidden).reshape(1, 1, -1))
    assert torch.allclose(model.latents(features, style), expected, atol=1e-6)


def test_a_trained_prior_takes_the_place_of_the_random_one(make_tiny_model):
    model = make_tiny_model()
    flint = FLINT(model.config.flint)
    model.load_motion_prior(flint)
    latents = torch.randn(1, 3, 16)
    expression, jaw = model.decode_latents(latents, 24)
    assert torch.equal(torch.cat([expression, jaw], -1), flint.eval().decode(latents))


def test_the_full_size_model_has_the_official_keys_and_shapes(reference, reference_config):
    config = dataclasses.replace(
        reference_config, audio_encoder=Wav2Vec2EncoderConfig(), decoder=DecoderConfig(), flint=FLINTConfig()
    )
    with torch.device("meta"):  # shapes without 400 MB of memory
        model = EMOTE(config)
    expected = (line.split("\t") for line in (reference / "emote/state_dict_keys.txt").read_text().splitlines())
    found = {name: str(tuple(tensor.shape)) for name, tensor in model.state_dict().items()}
    assert found == {name: shape for name, shape, _ in expected}
