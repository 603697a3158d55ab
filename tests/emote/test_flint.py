"""FLINT against recorded outputs, and at other sizes."""

import math

import pytest
import torch
from safetensors.torch import load_file

from emote_blender.emote.flint import FLINT, LatentDistribution
from emote_blender.speech_model.config import FLINTConfig

pytestmark = pytest.mark.torch

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def recorded(reference):
    return load_file(reference / "flint/T32.safetensors")


def largest(difference):
    return difference.abs().max().item()


def test_encoder_matches_the_recorded_distribution(recorded, reference_flint):
    with torch.inference_mode():
        distribution = reference_flint.encode(recorded["input_sequence"])
    assert largest(distribution.mean - recorded["mean"]) < TOLERANCE
    assert largest(distribution.logvar - recorded["logvar"]) < TOLERANCE


def test_decoder_matches_the_recorded_motion(recorded, reference, reference_flint):
    two_latents = load_file(reference / "flint/decode_latent2.safetensors")
    with torch.inference_mode():
        assert largest(reference_flint.decode(recorded["z"]) - recorded["decoded_from_z"]) < TOLERANCE
        assert largest(reference_flint.decode(recorded["mean"]) - recorded["decoded_from_mean"]) < TOLERANCE
        assert largest(reference_flint.decode(two_latents["z"]) - two_latents["decoded"]) < TOLERANCE


def test_kl_divergence_matches_the_recorded_one(recorded):
    found = LatentDistribution(recorded["mean"], recorded["logvar"]).kl_divergence()
    assert abs(found / recorded["kl"] - 1) < 1e-6


def test_the_published_training_loss_matches_the_recorded_one(recorded, reference_flint, face_vertices):
    shape = recorded["gt_shape"][:, None].expand(-1, 32, -1).flatten(0, 1)
    with torch.inference_mode():
        distribution = reference_flint.encode(recorded["input_sequence"])
        reconstruction = reference_flint.decode(recorded["z"])
        found, expected = (
            face_vertices(motion.flatten(0, 1), shape) for motion in (reconstruction, recorded["input_sequence"])
        )
        geometry = (found - expected).square().mean()
        total = 1e6 * geometry + 1e-3 * distribution.kl_divergence()  # spec 5
    assert abs(geometry / recorded["loss_geometry"] - 1) < 1e-5
    assert abs(total / recorded["loss_total"] - 1) < 1e-5


def test_state_dict_keys_are_the_official_ones(reference):
    expected = (line.split("\t") for line in (reference / "flint/state_dict_keys.txt").read_text().splitlines())
    found = {name: str(tuple(tensor.shape)) for name, tensor in FLINT(FLINTConfig()).state_dict().items()}
    assert found == {name: shape for name, shape, _ in expected}


@pytest.mark.parametrize("quant_factor", [1, 2, 3, 4])
def test_a_latent_stands_for_two_to_the_quant_factor_frames(quant_factor):
    flint = FLINT(FLINTConfig(num_expression=4, feature_dim=8, intermediate_size=8, quant_factor=quant_factor)).eval()
    motion = torch.randn(2, 5 * 2**quant_factor, 7)
    assert flint.encode(motion).mean.shape == (2, 5, 8)
    reconstruction, _, latents = flint(motion)
    assert latents.shape == (2, 5, 8)
    assert reconstruction.shape == motion.shape


@pytest.mark.parametrize("num_frames", [0, 12, 31])
def test_a_motion_that_is_no_multiple_of_the_latent_is_refused(num_frames, reference_flint):
    with pytest.raises(ValueError, match=f"{num_frames} frames"):
        reference_flint.encode(torch.zeros(1, num_frames, 103))


def test_samples_have_the_mean_and_deviation_of_their_distribution():
    mean, logvar = torch.full((1, 20000, 1), 3.0), torch.full((1, 20000, 1), math.log(0.25))
    drawn = LatentDistribution(mean, logvar).sample(torch.Generator().manual_seed(0))
    # Standard error of the mean 0.5 / sqrt(20000) = 0.0035
    assert abs(drawn.mean() - 3.0) < 0.015
    assert abs(drawn.std() - 0.5) < 0.015


def test_the_same_seed_draws_the_same_latents():
    distribution = LatentDistribution(torch.zeros(1, 4, 8), torch.zeros(1, 4, 8))
    first, second = (distribution.sample(torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, second)


def test_training_lowers_the_reconstruction_error():
    torch.manual_seed(0)
    flint = FLINT(FLINTConfig(num_expression=1, feature_dim=16, intermediate_size=16, num_heads=4, quant_factor=1))
    time = torch.linspace(0, 12, 64)[None, :, None]
    motion = torch.sin(time + torch.arange(4.0))
    optimizer = torch.optim.Adam(flint.parameters(), lr=3e-3)
    errors = []
    for _ in range(60):
        error = (flint(motion, torch.Generator().manual_seed(0))[0] - motion).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert errors[-1] < 0.5 * errors[0]
