"""Speech models of a few thousand random weights, for tests that need one; `conftest.py` makes them fixtures."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from emote_blender.emotion import EMOTIONS
from emote_blender.files.named_tensors import TensorSpec
from emote_blender.files.safetensors_file import write_tensors
from emote_blender.speech_model.config import (
    DecoderConfig,
    EMOTEConfig,
    FLINTConfig,
    LogMelEncoderConfig,
    Wav2Vec2EncoderConfig,
    save_config,
)
from emote_blender.speech_model.graphs import PARTS, expected_tensors, graph_name
from emote_blender.speech_model.weights_file import WEIGHTS_FILE

REFERENCE = Path(__file__).parent / "data/reference"
GRAPHS = Path(__file__).parent / "data/graphs"


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
    torch = pytest.importorskip("torch", reason="a torch model needs torch")
    from emote_blender.emote.model import EMOTE

    def make(seed: int = 0, **changes):
        torch.manual_seed(seed)
        return EMOTE(tiny_emote_config(**changes)).eval()

    return make


def random_tensor(name: str, spec: TensorSpec, generator: np.random.Generator) -> np.ndarray:
    """A tensor as training begins with it: gains and variances about 1, weights by their number of inputs."""
    if spec.dtype == "int64":
        return np.zeros(spec.shape, np.int64)
    if len(spec.shape) < 2:
        around = 0.0 if name.endswith(("bias", "running_mean")) else 1.0
        return generator.uniform(around - 0.1, around + 0.1, spec.shape).astype(np.float32)
    bound = np.prod(spec.shape[1:]) ** -0.5  # torch's
    return generator.uniform(-bound, bound, spec.shape).astype(np.float32)


def write_random_model(config: EMOTEConfig, folder: Path, seed: int = 0) -> Path:
    """A model folder with random weights and, for the tiny architectures, their graphs; without torch."""
    folder.mkdir(parents=True, exist_ok=True)
    save_config(config, folder)
    for part in PARTS:
        for graph in GRAPHS.glob(graph_name(config, part) + ".*"):
            (folder / "graphs").mkdir(exist_ok=True)
            shutil.copy2(graph, folder / "graphs")
    generator = np.random.default_rng(seed)
    expected = expected_tensors(config, folder)
    write_tensors(
        folder / WEIGHTS_FILE, {name: random_tensor(name, spec, generator) for name, spec in expected.items()}
    )
    return folder


@pytest.fixture(scope="session")
def make_tiny_folder(tmp_path_factory):
    """A function of (folder, seed, and what `tiny_emote_config` takes) that writes a model folder, without torch."""

    def make(folder: Path | None = None, seed: int = 0, **changes) -> Path:
        config = tiny_emote_config(**changes)
        return write_random_model(config, folder or tmp_path_factory.mktemp("tiny") / config.name, seed)

    return make


@pytest.fixture
def tiny_model_folder(tmp_path, make_tiny_folder) -> Path:
    """A model folder with random weights, as `EMOTEPipeline.from_pretrained` takes it."""
    return make_tiny_folder(tmp_path / "tiny_log_mel")
