"""EMOTE and FLINT with the recorded weights; `conftest.py` makes these fixtures known to all tests."""

import json
from pathlib import Path

import pytest

from emote_blender.emotion import EMOTIONS
from emote_blender.files.safetensors_file import read_tensors, write_tensors
from emote_blender.speech_model.config import (
    DecoderConfig,
    EMOTEConfig,
    FLINTConfig,
    Wav2Vec2EncoderConfig,
    save_config,
)
from emote_blender.speech_model.weights_file import WEIGHTS_FILE


@pytest.fixture(scope="session")
def reference_config(reference) -> EMOTEConfig:
    """EMOTE at its real size, but for the audio encoder."""
    encoder = Wav2Vec2EncoderConfig.from_huggingface(json.loads((reference / "emote/wav2vec2_config.json").read_text()))
    return EMOTEConfig(
        name="reference",
        audio_encoder=encoder,
        decoder=DecoderConfig(),
        flint=FLINTConfig(),
        sample_rate=16000,
        fps=25,
        emotions=EMOTIONS,
        intensities=3,
        speakers=tuple(f"speaker {index}" for index in range(32)),
        face="flame2020",
        num_expression=100,
        expression_names=None,
        licence="random weights",
    )


@pytest.fixture(scope="session")
def reference_folder(reference, reference_config, tmp_path_factory) -> Path:
    """A model folder with the recorded weights."""
    folder = tmp_path_factory.mktemp("models") / "reference"
    folder.mkdir()
    flint = read_tensors(reference / "flint/weights.safetensors")
    decoder = {name: array for name, array in flint.items() if name.startswith("motion_decoder.")}
    prior = {f"sequence_decoder.motion_prior.{name}": array for name, array in decoder.items()}
    write_tensors(folder / WEIGHTS_FILE, {**read_tensors(reference / "emote/weights.safetensors"), **prior})
    save_config(reference_config, folder)
    return folder


@pytest.fixture(scope="session")
def reference_flint(reference):
    """FLINT with the recorded weights."""
    from safetensors.torch import load_file

    from emote_blender.emote.flint import FLINT

    flint = FLINT(FLINTConfig())
    flint.load_state_dict(load_file(reference / "flint/weights.safetensors"))
    return flint.eval()


@pytest.fixture(scope="session")
def reference_model(reference, reference_config, reference_flint):
    """EMOTE with the recorded weights."""
    from safetensors.torch import load_file

    from emote_blender.emote.model import EMOTE

    model = EMOTE(reference_config)
    model.load_motion_prior(reference_flint)
    weights = load_file(reference / "emote/weights.safetensors")
    assert not model.load_state_dict(weights, strict=False).unexpected_keys
    return model.eval()


@pytest.fixture(scope="session")
def face_vertices(flame_model):
    """A function of motion (N, 103) and shape (N, 300) that gives vertices (N, 257 * 3) in metres."""
    import torch

    from emote_blender.training.rendering.flame_layer import FLAMELayer

    layer = FLAMELayer(flame_model)

    def vertices(motion, shape):
        pose = torch.zeros(len(motion), 5, 3)
        pose[:, flame_model.joint_names.index("jaw")] = motion[:, 100:]
        return layer(shape, motion[:, :100], pose)[0].flatten(1)

    return vertices
