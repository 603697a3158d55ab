"""Speech models of a few thousand random weights, for tests that need one; `conftest.py` makes them fixtures."""

from pathlib import Path

import pytest

from emote_blender.emotion import EMOTIONS
from emote_blender.speech_model.config import (
    DecoderConfig,
    EMOTEConfig,
    FLINTConfig,
    LogMelEncoderConfig,
    Wav2Vec2EncoderConfig,
)

REFERENCE = Path(__file__).parent / "data/reference"


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of the numbers recorded from the authors' code."""
    return REFERENCE


def tiny_emote_config(audio: str = "log_mel", num_expression: int = 5, **changes) -> EMOTEConfig:
    """A speech model of a few thousand weights; `audio` is "log_mel" or "wav2vec2"."""
    encoder = {
        "log_mel": LogMelEncoderConfig(dim=16, num_blocks=2, num_heads=2, kernel_size=3, num_mels=16),
        "wav2vec2": Wav2Vec2EncoderConfig(
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            conv_dim=(8,) * 7,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=4,
        ),
    }[audio]
    values = {
        "name": f"tiny_{audio}",
        "audio_encoder": encoder,
        "decoder": DecoderConfig(feature_dim=16, intermediate_size=16, num_heads=4),
        "flint": FLINTConfig(num_expression, feature_dim=16, intermediate_size=16, num_heads=4),
        "sample_rate": 16000,
        "fps": 25,
        "emotions": EMOTIONS,
        "intensities": 3,
        "speakers": ("A", "B", "C"),
        "face": "tiny_face",
        "num_expression": num_expression,
        "expression_names": tuple(f"component{index}" for index in range(num_expression)),
        "licence": "CC0-1.0",
    }
    return EMOTEConfig(**{**values, **changes})


@pytest.fixture(scope="session")
def make_tiny_config():
    """The function `tiny_emote_config`."""
    return tiny_emote_config


@pytest.fixture(scope="session")
def make_tiny_model():
    """A function of (seed, and what `tiny_emote_config` takes) that gives a random model in eval mode."""
    torch = pytest.importorskip("torch", reason="the speech model needs torch")
    from emote_blender.emote.model import EMOTE

    def make(seed: int = 0, **changes):
        torch.manual_seed(seed)
        return EMOTE(tiny_emote_config(**changes)).eval()

    return make


@pytest.fixture
def tiny_model_folder(tmp_path, make_tiny_model) -> Path:
    """A model folder with random weights, as `EMOTEPipeline.from_pretrained` takes it."""
    from emote_blender.emote.checkpoint import save_model

    return save_model(make_tiny_model(), tmp_path / "tiny_log_mel")
