"""Fixtures that several folders of tests share."""

import gc
import os
import sys
from dataclasses import replace
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from recorded_faces import open_head, recorded_poses, small_head
from recorded_models import face_vertices, reference_config, reference_flint, reference_folder, reference_model
from tiny_models import (
    make_tiny_config,
    make_tiny_folder,
    make_tiny_model,
    reference,
    tiny_model_folder,
    write_random_model,
)

from emote_blender.files.paths import find_model
from emote_blender.speech_model.config import load_config

_EXIT_STATUS = pytest.StashKey[int]()
collect_ignore = [] if find_spec("torch") else ["training"]

__all__ = [
    "face_vertices",
    "make_tiny_config",
    "make_tiny_folder",
    "make_tiny_model",
    "open_head",
    "recorded_poses",
    "reference",
    "reference_config",
    "reference_flint",
    "reference_folder",
    "reference_model",
    "small_head",
    "tiny_model_folder",
]


def pytest_collection_finish() -> None:
    """Hide what the imports left from the garbage collector: looking through it took a third of each training."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Keeps the exit status for `pytest_unconfigure`."""
    session.config.stash[_EXIT_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the process without C++ destructors where bpy was used.

    Python leaves bpy 4.5 loaded here because pytest still refers to it; the destructor of its sound device then waits
    for ever for a thread of its own. That a Blender with the add-on ends well is tested in tests/packaging.
    """
    if "bpy" in sys.modules and _EXIT_STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_EXIT_STATUS])


@pytest.fixture(scope="session")
def build():
    """build.py as a module."""
    spec = spec_from_file_location("build_script", Path(__file__).parents[1] / "build.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclass looks
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def speech_samples() -> np.ndarray:
    """One second of a vowel-like sound at 16 kHz: (16000,) float32, a 120 Hz buzz that swells four times."""
    time = np.arange(16000) / 16000
    buzz = sum(np.sin(2 * np.pi * 120 * harmonic * time) / harmonic for harmonic in range(1, 20))
    return (0.2 * buzz * np.sin(2 * np.pi * 2 * time) ** 2).astype(np.float32)


@pytest.fixture
def speech_wav(tmp_path: Path, speech_samples: np.ndarray) -> Path:
    """`speech_samples` as a 16-bit wav file."""
    import soundfile

    path = tmp_path / "speech.wav"
    soundfile.write(path, speech_samples, 16000)
    return path


@pytest.fixture(scope="session")
def open_head_model_folder(tmp_path_factory) -> Path:
    """A model folder with the open model's architecture and random weights; moves the open head's components."""
    config = replace(load_config(find_model("emote_open")), name="tiny", speakers=("clear", "soft"))
    return write_random_model(config, tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def flame_model(reference):
    """A face model with FLAME's layout and random content: 257 vertices, 300 + 100 components, pose correctives.

    See tests/data/reference/trim_flame_oracle.py.
    """
    from emote_blender.files.safetensors_file import read_tensors
    from emote_blender.flame.head_folder import parents_of
    from emote_blender.flame.model import FaceModel

    arrays = read_tensors(reference / "flame/synthetic_model.safetensors")
    return FaceModel(
        v_template=arrays["v_template"],
        faces=arrays["f"],
        shapedirs=arrays["shapedirs"],
        posedirs=arrays["posedirs"].reshape(-1, arrays["posedirs"].shape[-1]).T.copy(),
        J_regressor=arrays["J_regressor"],
        lbs_weights=arrays["weights"],
        parents=parents_of(arrays["kintree_table"], "the recorded model"),
        num_shape=300,
        num_expression=100,
        basis="flame_synthetic",
        licence="CC0-1.0",
    )
