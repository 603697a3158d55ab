"""Folders of perceptual networks: what is written is read back, and nothing else is."""

import json
from typing import Any

import pytest
import torch

from emote_blender.errors import ModelError
from emote_blender.training.networks.emotion_network import EmotionNetwork, EmotionNetworkConfig
from emote_blender.training.networks.folder import load_network, save_network
from emote_blender.training.networks.lip_reading import LipReader, LipReaderConfig
from emote_blender.training.networks.video_emotion import VideoEmotionConfig, VideoEmotionNetwork

pytestmark = pytest.mark.torch

NETWORKS: dict[type, Any] = {
    EmotionNetwork: EmotionNetworkConfig("tiny", image_size=64),
    VideoEmotionNetwork: VideoEmotionConfig(feature_dim=12, dim=8, num_heads=2, intermediate_size=6),
    LipReader: LipReaderConfig.tiny(),
}


@pytest.fixture
def folder(tmp_path):
    """A small video emotion network's folder."""
    return save_network(VideoEmotionNetwork(NETWORKS[VideoEmotionNetwork]), tmp_path / "video")


def change(folder, **values):
    """Write other values into the folder's config."""
    content = json.loads((folder / "config.json").read_text())
    content["config"].update(values)
    (folder / "config.json").write_text(json.dumps(content))


@pytest.mark.parametrize("cls", NETWORKS)
def test_what_was_saved_is_loaded(cls, tmp_path):
    torch.manual_seed(0)
    network = cls(NETWORKS[cls])
    loaded = load_network(save_network(network, tmp_path / "a" / "b"), cls)
    assert loaded.config == network.config
    assert not loaded.training
    expected = network.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in loaded.state_dict().items())
    assert sorted(path.name for path in (tmp_path / "a/b").iterdir()) == ["config.json", "model.safetensors"]


def test_another_networks_folder_is_refused(folder):
    with pytest.raises(ModelError, match="describes 'video_emotion', expected a network of kind 'lip_reader'"):
        load_network(folder, LipReader)


@pytest.mark.parametrize(
    "values, words",
    [
        ({"dim": "8"}, "dim must be int, found '8'"),
        ({"dim": 1 << 20}, "dim is 1048576, expected at most"),
        ({"dim": -1}, "dim is -1"),
        ({"dim": 16}, "wrong shape"),
        ({"num_layers": 2}, "missing sequence_encoder.transformer_encoder.encoder.layers.1"),
        ({"new": 1}, "unknown field new"),
    ],
)
def test_settings_that_do_not_fit_are_named(values, words, folder):
    change(folder, **values)
    with pytest.raises(ModelError, match=words):
        load_network(folder, VideoEmotionNetwork)


def test_layers_that_nobody_knows_are_named(tmp_path):
    folder = save_network(EmotionNetwork(NETWORKS[EmotionNetwork]), tmp_path)
    change(folder, layers="vgg")
    with pytest.raises(ModelError, match="'vgg' is none of"):
        load_network(folder, EmotionNetwork)


def test_damaged_files_are_refused(folder):
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:100])
    with pytest.raises(ModelError, match="truncated or damaged"):
        load_network(folder, VideoEmotionNetwork)
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match="not readable JSON"):
        load_network(folder, VideoEmotionNetwork)
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"config.json cannot be read"):
        load_network(folder, VideoEmotionNetwork)
