"""A small prepared corpus that needs no speech engine: buzzing vowels, hissing consonants, silent closures."""

from pathlib import Path

import numpy as np
import pytest
from tiny_corpus import make_shard

from emote_blender.files.paths import find_head
from emote_blender.flame.model import FaceModel
from emote_blender.training.data.corpus.parts import prepare_part


@pytest.fixture(autouse=True)
def no_plots(monkeypatch):
    """Make an empty file of the curves at the end of a run: drawing takes longer. test_trainer.py tests the drawing."""
    monkeypatch.setattr("emote_blender.training.run.log.draw_curves", lambda scalars, image: image.touch())


@pytest.fixture(scope="session")
def buzzing_part(tmp_path_factory) -> Path:
    """A prepared part, with its voices."""
    folder = tmp_path_factory.mktemp("buzz")
    shard = make_shard(folder / "shard.npz")
    prepared = prepare_part([shard], folder / "prepared")
    with np.load(shard) as archive:
        np.save(prepared / "voices.npy", archive["speakers"])
    return prepared


@pytest.fixture(scope="session")
def open_head() -> FaceModel:
    """The head that the open model is trained on."""
    return FaceModel.load(find_head("open_head"))
