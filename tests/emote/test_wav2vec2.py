"""Wav2Vec 2.0 over windows of a clip."""

import dataclasses

import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from emote_blender.emote.wav2vec2 import Wav2Vec2Encoder
from emote_blender.speech_model.config import Wav2Vec2EncoderConfig

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def model(make_tiny_model):
    return make_tiny_model(audio="wav2vec2")


def noise(num_samples):
    """Noise that grows louder and has an offset, so that a window's statistics are not the clip's."""
    generator = torch.Generator().manual_seed(3)
    return torch.randn(num_samples, generator=generator) * torch.linspace(0.01, 0.3, num_samples) + 0.05


def test_a_clip_with_its_own_statistics_gives_what_it_gives_without(model):
    clip = noise(40 * 640)
    with torch.inference_mode():
        statistics = model.clip_statistics(clip)
        found = model.encode_audio(clip[None], 40, statistics)
        assert torch.allclose(found, model.encode_audio(clip[None], 40), atol=1e-5)


@pytest.mark.parametrize("chunk", [5, 1000, 6405, 1 << 17])
def test_statistics_do_not_depend_on_the_pieces_they_are_measured_in(chunk, model, monkeypatch):
    clip = noise(4 * 640 + 3)
    encoder = model.audio_model
    normalized = (clip - clip.mean()) / (clip.var(correction=0) + 1e-7).sqrt()
    with torch.inference_mode():
        response = encoder.model.feature_extractor.conv_layers[0].conv(normalized[None, None])[0]
        monkeypatch.setattr(Wav2Vec2Encoder, "CHUNK", chunk)
        statistics = encoder.clip_statistics(clip)
    assert torch.allclose(statistics.conv_mean, response.mean(1), atol=1e-5)
    assert torch.allclose(statistics.conv_variance, response.var(1, correction=0), atol=1e-4)


def test_convolution_features_of_a_window_are_those_of_the_whole_clip(model):
    clip = noise(60 * 640)
    encoder = model.audio_model
    with torch.inference_mode():
        statistics = encoder.clip_statistics(clip)
        means = statistics.conv_mean, statistics.conv_variance
        normalized = (clip - clip.mean()) / (clip.var(correction=0) + 1e-7).sqrt()
        whole = encoder._convolve(normalized[None], *means)  # (1, C, 119): 2 per frame
        window = encoder._convolve(normalized[None, 16 * 640 : 48 * 640], *means)
    assert torch.allclose(window[0], whole[0, :, 32 : 32 + window.shape[2]], atol=1e-5)


def test_a_clip_of_one_frame_can_be_measured(model):
    with torch.inference_mode():
        statistics = model.clip_statistics(noise(640))
        assert model.encode_audio(noise(640)[None], 1, statistics).isfinite().all()


@pytest.fixture(scope="module")
def layer_norm_model(make_tiny_model, make_tiny_config):
    """A model whose first convolution has no norm over time, so that nothing but the waveform's own is at work."""
    encoder = dataclasses.replace(make_tiny_config("wav2vec2").audio_encoder, feat_extract_norm="layer", conv_bias=True)
    return make_tiny_model(audio="wav2vec2", audio_encoder=encoder)


def test_the_variant_with_layer_norm_needs_no_convolution_statistics(layer_norm_model):
    clip = noise(40 * 640)
    with torch.inference_mode():
        statistics = layer_norm_model.clip_statistics(clip)
        assert statistics.conv_mean is None
        found = layer_norm_model.encode_audio(clip[None], 40, statistics)
        assert torch.allclose(found, layer_norm_model.encode_audio(clip[None], 40), atol=1e-5)


def test_each_item_of_a_batch_is_normalised_by_its_own_mean_and_variance(layer_norm_model):
    clip = noise(40 * 640)
    normalized = (clip - clip.mean()) / torch.sqrt(clip.var(correction=0) + 1e-7)
    with torch.inference_mode():
        found = layer_norm_model.encode_audio(torch.stack([clip, normalized, 0.1 * clip - 0.3]), 40)
    assert torch.allclose(found[0], found[1], atol=1e-4)
    assert torch.allclose(found[0], found[2], atol=1e-3)  # the variance's floor of 1e-7 shows at a tenth of the level


def test_hugging_face_fields_go_there_and_back():
    theirs = Wav2Vec2Config(hidden_size=24, num_attention_heads=3, conv_bias=True, mask_time_prob=0.0)
    ours = Wav2Vec2EncoderConfig.from_huggingface(theirs.to_dict())
    again = Wav2Vec2Config(**ours.to_huggingface())
    assert (again.hidden_size, again.num_attention_heads, again.conv_bias, again.mask_time_prob) == (24, 3, True, 0.0)


def test_the_defaults_are_hugging_faces_base_model():
    theirs = Wav2Vec2Config().to_dict()
    different = {name for name, value in Wav2Vec2EncoderConfig().to_huggingface().items() if theirs[name] != value}
    # wav2vec2-base-960h drops out of the feature projection, the library's default does not.
    assert different <= {"conv_dim", "conv_kernel", "conv_stride", "feat_proj_dropout"}
    assert isinstance(Wav2Vec2EncoderConfig().to_huggingface()["conv_dim"], tuple)
    with torch.device("meta"):
        assert sum(weight.numel() for weight in Wav2Vec2Model(Wav2Vec2Config()).parameters()) == 94_371_712
