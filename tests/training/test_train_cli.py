"""`train` on the command line: a config to a motion prior, and each mistake in one sentence."""

import json
import sys

import pytest
import torch

from emote_blender.cli.main import main
from emote_blender.emote.motion_prior import load_motion_prior

CONFIG = """
task = "flint"
[trainer]
num_steps = 2
rate = 1e-3
workers = 0
validate_every = 2
device = "cpu"
tensorboard = false
[model]
face = "open_head"
licence = "CC0-1.0"
[model.flint]
num_expression = 50
num_layers = 1
feature_dim = 16
intermediate_size = 16
num_heads = 2
quant_factor = 2
[data]
type = "corpus"
batch_size = 2
num_frames = 16
validation_batches = 1
[loss]
mesh = "regions"
vertices = 1.0
kl = 1e-3
"""


@pytest.fixture
def train(tmp_path, buzzing_part, monkeypatch):
    """A function of further arguments that trains FLINT in tmp_path/run and gives the exit code."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(CONFIG)

    def run(*arguments: str, task: str = "flint", config: str = "small.toml", data: str = str(buzzing_part)) -> int:
        return main(["train", task, "--config", config, "--data", data, *arguments])

    return run


def sentence(capsys) -> str:
    """The only line on stderr that is no progress."""
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    return lines[0]


def test_train_writes_a_motion_prior_and_a_run_folder(train, tmp_path, capsys):
    assert train() == 0
    out, err = capsys.readouterr()
    assert "trained flint for 2 steps; best validation" in out
    assert "flint: step 2/2" in err
    folder = tmp_path / "runs" / "small"
    assert load_motion_prior(folder / "export").config.feature_dim == 16
    assert {"last.pt", "best.pt", "run.json", "scalars.csv", "curves.png"} <= {path.name for path in folder.iterdir()}
    assert json.loads((folder / "run.json").read_text())["data"]["batch_size"] == 2


def test_a_run_goes_on_only_when_told_to(train, tmp_path, capsys):
    assert train("-o", "run") == 0
    assert train("-o", "run") == 1
    assert "holds a run already; continue it with --resume" in sentence(capsys)
    assert train("-o", "run", "--resume", "--set", "trainer.num_steps=3") == 0
    assert torch.load(tmp_path / "run" / "last.pt")["counters"]["step"] == 3


def test_a_run_starts_from_another_ones_weights(train, tmp_path, capsys):
    assert train("-o", "first") == 0
    assert train("-o", "second", "--init", "first", "--set", "trainer.rate=1e-30", "--set", "trainer.num_steps=1") == 0
    first, second = (torch.load(tmp_path / name / "best.pt")["module"] for name in ("first", "second"))
    assert torch.equal(first["flint.motion_decoder.cross_smooth_layer.weight"],
                       second["flint.motion_decoder.cross_smooth_layer.weight"])  # fmt: skip


@pytest.mark.parametrize(
    "options, arguments, message",
    [
        ({"config": "none.toml"}, [], "config 'none.toml' not found"),
        ({"config": "flint_v9"}, [], "flint_open, flint_v1, flint_v2"),
        ({"task": "lips"}, [], "small.toml is for `train flint`, not `train lips`"),
        ({"task": "flnt"}, [], "small.toml is for `train flint`, not `train flnt`"),
        ({"data": "nowhere"}, [], "--data nowhere: no such file or folder"),
        ({}, ["--init", "none.pt"], "--init none.pt: no such file or folder"),
        ({}, ["--init", "small.toml"], "small.toml is damaged or not a checkpoint"),
        ({}, ["--resume"], "runs/small holds no run to go on with"),
        ({}, ["--head", "no_head"], "head 'no_head' not found"),
        ({}, ["--set", "data.parts=['flite']"], "flite holds no prepared part of the corpus (there: "),
        ({}, ["--set", "loss.kll=1"], "small.toml: [loss] kll: unknown setting"),
        ({}, ["--set", "data.num_frames=15"], "data.num_frames: must be a multiple of 4"),
        ({}, ["-o", "small.toml"], "small.toml is a file"),
        ({"data": "."}, [], "holds no prepared part of the corpus"),
    ],
)
def test_a_mistake_is_one_sentence(train, capsys, options, arguments, message):
    assert train(*arguments, **options) == 1
    assert message in sentence(capsys)


def test_without_the_training_code_the_command_says_so(train, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "emote_blender.training", None)
    assert train() == 1
    assert "the extension does not bring the training code" in sentence(capsys)


def test_without_accelerate_the_command_says_so(train, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    assert train() == 1
    assert "pip install accelerate" in sentence(capsys)
