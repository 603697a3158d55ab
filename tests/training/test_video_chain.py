"""The whole way: rendered videos are captured, FLINT and EMOTE are trained on the result, and a face speaks."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from face_videos import require_landmarker
from filmed_people import film, write_mead_clip

from emote_blender.cli.main import main
from emote_blender.motion import FaceMotion
from emote_blender.training.data.mead.mead import MEADClips
from emote_blender.training.networks.emotion_network import EmotionNetwork, EmotionNetworkConfig
from emote_blender.training.networks.folder import save_network

pytestmark = [pytest.mark.torch, pytest.mark.once, pytest.mark.slow]
pytest.importorskip("av", reason="outside Blender, videos are read with PyAV")

NUM_FRAMES = 26
TAKES = ("M003/neutral/level_1/001", "M005/angry/level_3/002", "M007/happy/level_2/001", "M009/sad/level_1/003")
FLINT = """
task = "flint"
[trainer]
num_steps = 100
rate = 6e-3
workers = 0
validate_every = 0
tensorboard = false
device = "cpu"
[model]
face = "open_head"
licence = "CC0-1.0"
[model.flint]
num_expression = 50
feature_dim = 32
intermediate_size = 32
num_heads = 2
quant_factor = 2
[data]
type = "mead"
reconstruction = "video_capture"
num_shape = {num_shape}
batch_size = 2
num_frames = 32
[loss]
mesh = "regions"
vertices = 1.0
gap = 0.2
kl = 1e-4
"""
EMOTE = """
task = "emote"
[trainer]
num_steps = 120
rate = 3e-3
workers = 0
validate_every = 0
tensorboard = false
device = "cpu"
[model]
name = "filmed"
face = "open_head"
licence = "CC0-1.0"
[model.audio_encoder]
type = "log_mel"
dim = 32
num_heads = 2
[model.flint]
num_expression = 50
feature_dim = 32
intermediate_size = 32
num_heads = 2
quant_factor = 2
[model.decoder]
feature_dim = 32
intermediate_size = 32
num_heads = 2
dropout = 0.0
[start]
motion_prior = "{prior}"
[data]
type = "mead"
reconstruction = "video_capture"
num_shape = {num_shape}
published_split = false
emotion_features = true
feature_method = "tiny"
feature_dim = 128
batch_size = 2
num_frames = 32
[loss]
mesh = "regions"
vertices = 1.0
gap = 0.2
"""


@pytest.fixture(scope="module", autouse=True)
def networks():
    require_landmarker()


@pytest.fixture(scope="module")
def films(open_head):
    return [film(open_head, NUM_FRAMES, seed) for seed in range(len(TAKES))]


@pytest.fixture(scope="module")
def captured(films, tmp_path_factory) -> Path:
    """The folder that `capture --mead` writes of four people."""
    root = tmp_path_factory.mktemp("chain")
    for take, clip in zip(TAKES, films):
        write_mead_clip(root / "MEAD", take, clip)
    torch.manual_seed(1)
    save_network(EmotionNetwork(EmotionNetworkConfig("tiny", image_size=64)), root / "emotion")
    command = ["capture", "--mead", str(root / "MEAD"), "-o", str(root / "data"), "--view", "39.6"]
    assert main([*command, "--emotion-network", str(root / "emotion")]) == 0
    return root / "data"


def take_folder(take: str) -> str:
    person, rest = take.split("/", 1)
    return f"{person}/front/{rest}"


def test_the_captured_jaws_are_those_of_the_films(captured, films, open_head):
    clips = MEADClips(
        captured,
        "all",
        num_expression=50,
        num_shape=open_head.num_shape,
        reconstruction="video_capture",
        with_features=True,
        feature_method="tiny",
        feature_dim=128,
    )
    found = {clips[number].name: clips[number] for number in range(len(clips))}
    for take, true in zip(TAKES, films):
        clip = found[take_folder(take)]
        assert clip.num_frames == NUM_FRAMES
        assert clip.valid.all()
        assert np.corrcoef(clip.motion[:, -3], true.jaw[:, 0])[0, 1] > 0.9
        np.testing.assert_allclose(clip.samples, true.sound, atol=1e-3)
        assert np.ptp(clip.emotion_features, axis=0).max() > 1e-4
    assert [found[take_folder(take)].intensity for take in TAKES] == [0, 2, 1, 0]


def test_a_model_learns_from_the_captured_data_and_speaks(captured, films, open_head, tmp_path):
    (tmp_path / "flint.toml").write_text(FLINT.format(num_shape=open_head.num_shape))
    prior = (tmp_path / "flint" / "export").as_posix()
    (tmp_path / "emote.toml").write_text(EMOTE.format(num_shape=open_head.num_shape, prior=prior))
    for task in ("flint", "emote"):
        command = ["train", task, "--config", str(tmp_path / f"{task}.toml"), "--data", str(captured)]
        assert main([*command, "-o", str(tmp_path / task)]) == 0
    model = tmp_path / "emote" / "export"
    speakers = json.loads((model / "config.json").read_text())["speakers"]
    assert speakers == ["M003", "M005"]
    heard = captured / "audio" / f"{take_folder(TAKES[1])}.wav"
    command = ["generate", str(heard), "-o", str(tmp_path / "a.npz"), "--model", str(model), "--engine", "torch"]
    assert main([*command, "--emotion", "anger", "--intensity", "2", "--speaker", "M005"]) == 0
    motion = FaceMotion.load(tmp_path / "a.npz")
    posed, true = (
        open_head.vertices(part.expression[:NUM_FRAMES], part.jaw[:NUM_FRAMES]) for part in (motion, films[1])
    )
    lips = open_head.regions["lips"] > 0.5

    def error(vertices) -> float:
        return float(np.linalg.norm(vertices - true, axis=2)[:, lips].mean())

    assert error(posed) < 0.8 * error(true.mean(0))
