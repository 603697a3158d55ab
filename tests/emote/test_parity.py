"""The speech model against outputs that were recorded from the authors' code with random weights.

Tolerance: float32 sums in another order; a plain re-implementation of the same network differs by 3.2e-6.
"""

import pytest
import torch
from safetensors.torch import load_file

from emote_blender.audio import load_audio
from emote_blender.engine.torch import TorchEngine
from emote_blender.pipeline import EMOTEPipeline

pytestmark = pytest.mark.torch

TOLERANCE = 1e-5
CLIPS = {
    "clean_1p0_anger_i2_id5": "1p0.wav",
    "clean_3p37_happy_i1_id31": "3p37.wav",
    "clean_3p37_interp": "3p37.wav",
}


@pytest.fixture(params=CLIPS)
def clip(request, reference):
    """Samples (1, N) in [-1, 1] and the recorded tensors of a clip."""
    recorded = load_file(reference / f"emote/{request.param}.safetensors")
    samples = torch.from_numpy(load_audio(reference / "emote" / CLIPS[request.param]).samples)
    return samples[None, : recorded["condition"].shape[1] * 640], recorded


def difference(found, expected):
    assert found.shape == expected.shape
    return (found - expected).abs().max().item()


def test_audio_features_match_the_recorded_ones(clip, reference_model):
    samples, recorded = clip
    with torch.inference_mode():
        features = reference_model.encode_audio(samples, recorded["condition"].shape[1])
        projected = reference_model.sequence_encoder(features)
    assert difference(features, recorded["audio_feature"]) < TOLERANCE
    assert difference(projected, recorded["seq_encoder_output"]) < TOLERANCE


def test_latents_match_the_recorded_ones(clip, reference_model):
    _, recorded = clip
    with torch.inference_mode():
        latents = reference_model.latents(recorded["audio_feature"], recorded["condition"])
    assert difference(latents, recorded["prior_input_sequence"]) < TOLERANCE


def test_expression_and_jaw_match_the_recorded_ones_from_waveform_to_motion(clip, reference_model):
    samples, recorded = clip
    emotion, intensity, speaker = recorded["condition"].split([8, 3, 32], dim=-1)
    with torch.inference_mode():
        expression, jaw = reference_model(samples, emotion.shape[1], emotion, intensity, speaker)
    assert difference(expression, recorded["predicted_exp"]) < TOLERANCE
    assert difference(jaw, recorded["predicted_jaw"]) < TOLERANCE


def test_vertices_of_the_motion_match_the_recorded_ones(reference, reference_model, face_vertices):
    recorded = load_file(reference / "emote/clean_1p0_anger_i2_id5.safetensors")
    expected = load_file(reference / "emote/vertices_clean_1p0_anger_i2_id5.safetensors")["predicted_vertices"][0]
    with torch.inference_mode():
        latents = reference_model.latents(recorded["audio_feature"], recorded["condition"])
        motion = torch.cat(reference_model.decode_latents(latents, 25), -1)[0]
        found = face_vertices(motion, torch.zeros(25, 300))
    assert difference(found, expected) < 1e-6  # metres


def test_the_recorded_condition_really_changes_from_frame_to_frame(reference):
    condition = load_file(reference / "emote/clean_3p37_interp.safetensors")["condition"]
    assert condition.diff(dim=1).abs().amax() > 0.001


def test_output_is_not_what_the_fast_path_makes_of_the_model(reference, reference_model):
    recorded = load_file(reference / "emote/clean_1p0_anger_i2_id5.safetensors")
    broken = load_file(reference / "emote/fastpath_broken.safetensors")
    with torch.inference_mode():
        latents = reference_model.latents(recorded["audio_feature"], recorded["condition"])
        expression, jaw = reference_model.decode_latents(latents, 25)
    assert difference(expression, broken["predicted_exp"]) > 0.05
    assert difference(jaw, broken["predicted_jaw"]) > 0.05


def test_inference_mode_and_gradient_mode_agree(reference, reference_model):
    recorded = load_file(reference / "emote/clean_1p0_anger_i2_id5.safetensors")
    inputs = recorded["audio_feature"], recorded["condition"]
    with torch.inference_mode():
        fast = reference_model.latents(*inputs)
    assert difference(reference_model.latents(*inputs).detach(), fast) < 1e-6


def test_the_pipeline_drops_the_last_partial_frame_of_a_wav_file(reference, reference_model):
    recorded = load_file(reference / "emote/clean_3p37_interp.safetensors")
    waveform = load_audio(reference / "emote/3p37.wav")
    assert len(waveform.samples) % 640 == 160
    features = EMOTEPipeline(TorchEngine(reference_model)).encode(waveform)
    assert features.num_frames == len(waveform.samples) // 640 == 84
    assert difference(torch.from_numpy(features.values)[None], recorded["audio_feature"]) < TOLERANCE
