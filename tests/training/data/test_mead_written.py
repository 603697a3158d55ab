"""Takes that are written in MEAD's layout are read as they were."""

import numpy as np
import pytest

from emote_blender.training.data.mead.features import FeatureSettings, open_features
from emote_blender.training.data.mead.mead import MEADClips
from emote_blender.training.data.mead.written import is_written, remove_take, write_take

pytestmark = pytest.mark.torch

PEOPLE = ("M003", "M005", "M007", "M009")


def arrays(seed: int, num_frames: int = 20) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        "exp": random.normal(size=(num_frames, 6)).astype(np.float32),
        "jaw": random.normal(size=(num_frames, 3)).astype(np.float32),
        "shape": random.normal(size=(num_frames, 4)).astype(np.float32),
    }


def write(root, person: str, seed: int, num_frames: int = 20) -> dict[str, np.ndarray]:
    values = arrays(seed, num_frames)
    random = np.random.default_rng(seed)
    extra = {
        "valid": random.random(num_frames) < 0.7,
        "samples": np.round(random.uniform(-0.5, 0.5, 640 * num_frames) * 32768) / 32768,
        "features": random.normal(size=(num_frames, 9)).astype(np.float32),
    }
    take = f"{person}/front/angry/level_2/001"
    write_take(root, take, "ours", values, **extra, feature_method="tiny")
    return values | extra


def test_takes_are_read_as_they_were_written(tmp_path):
    written = {person: write(tmp_path, person, seed) for seed, person in enumerate(PEOPLE)}
    clips = MEADClips(
        tmp_path,
        "all",
        num_expression=6,
        num_shape=4,
        reconstruction="ours",
        with_features=True,
        feature_method="tiny",
        feature_dim=9,
    )
    assert len(clips) == 4
    for number, values in enumerate(written.values()):
        clip = clips[number]
        np.testing.assert_array_equal(clip.motion, np.concatenate([values["exp"], values["jaw"]], axis=1))
        np.testing.assert_array_equal(clip.valid, values["valid"])
        np.testing.assert_allclose(clip.shape, values["shape"][values["valid"]].mean(0), atol=1e-6)
        np.testing.assert_allclose(clip.samples, values["samples"], atol=1e-4)
        np.testing.assert_array_equal(clip.emotion_features, values["features"])
        assert clip.intensity == 1


def test_the_video_emotion_network_reads_the_features(tmp_path):
    for seed, person in enumerate(PEOPLE):
        write(tmp_path, person, seed)
    training, validation = open_features(tmp_path, FeatureSettings(method="tiny", batch_size=2), 9, seed=1)
    assert (len(training.takes), len(validation.takes)) == (2, 1)
    assert training[0].features.shape == (2, 20, 9)


def test_a_take_is_replaced_and_removed(tmp_path):
    write(tmp_path, "M003", 1)
    write(tmp_path, "M003", 2, num_frames=10)
    take = "M003/front/angry/level_2/001"
    assert is_written(tmp_path, take, "ours")
    remove_take(tmp_path, take, "ours")
    assert [path for path in tmp_path.rglob("*") if path.is_file() or path.name == "001"] == []
