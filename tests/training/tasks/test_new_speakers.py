"""A model goes on with other speakers than its own."""

import json

import numpy as np
import pytest
import soundfile
import torch

from emote_blender.cli.main import main
from emote_blender.motion import FaceMotion
from emote_blender.training.tasks.emote.new_speakers import CONDITION_WEIGHT, weights_for_speakers

pytestmark = pytest.mark.torch


@pytest.fixture
def model(make_tiny_model):
    return make_tiny_model()


def test_the_models_own_speakers_leave_the_weights_as_they_are(model):
    weights = weights_for_speakers(model, model.config.speakers)
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())


def test_known_speakers_keep_their_column_and_new_ones_begin_as_the_mean(model):
    known = model.config.speakers
    before = model.state_dict()[CONDITION_WEIGHT]
    weights = weights_for_speakers(model, ["me", known[-1]])
    after = weights[CONDITION_WEIGHT]
    assert after.shape[1] == before.shape[1] - len(known) + 2
    torch.testing.assert_close(after[:, :-2], before[:, : -len(known)])
    torch.testing.assert_close(after[:, -2], before[:, -len(known) :].mean(1))
    assert torch.equal(after[:, -1], before[:, -1])
    assert model.state_dict()[CONDITION_WEIGHT] is not after
    assert torch.equal(model.state_dict()[CONDITION_WEIGHT], before)


def test_the_open_model_goes_on_with_a_speaker_of_ones_own(open_head, open_head_model_folder, tmp_path):
    """As docs/training.md says, for few steps."""
    random = np.random.default_rng(3)
    for number in range(4):
        names = list(open_head.expression_names)
        meta = {"emotion": "happy", "speaker": "me", "face": "open_head", "expression_names": names}
        expression = random.uniform(0, 0.2, (20, open_head.num_expression))
        path = tmp_path / "takes" / f"{number}.npz"
        path.parent.mkdir(exist_ok=True)
        FaceMotion(expression, np.zeros((20, 3)), 25, meta=meta).save(path)
        soundfile.write(path.with_suffix(".wav"), random.normal(0, 0.1, 20 * 640), 16000)
    command = ["train", "emote", "--config", "emote_open_motions", "--data", str(tmp_path / "takes")]
    command += ["--init", str(open_head_model_folder), "-o", str(tmp_path / "run")]
    for setting in (
        'model.speakers=["me"]',
        *("trainer.num_steps=2", "trainer.validate_every=0", "trainer.tensorboard=false", "trainer.device=cpu"),
        *("data.hold_out=3", "data.batch_size=2", "data.num_frames=16", "trainer.workers=0"),
    ):
        command += ["--set", setting]
    assert main(command) == 0
    assert json.loads((tmp_path / "run" / "export" / "config.json").read_text())["speakers"] == ["me"]
