"""The open model's trainings at toy size: they learn, resume bit for bit, and hand over what they learnt."""

from pathlib import Path

import pytest
import torch

from emote_blender.emote.checkpoint import load_model
from emote_blender.emote.motion_prior import load_motion_prior
from emote_blender.errors import Cancelled
from emote_blender.training.losses.mesh import MeshLoss
from emote_blender.training.run.config import load_run_config
from emote_blender.training.run.folder import read_weights
from emote_blender.training.run.optimisation import AveragedWeights, cosine_rate
from emote_blender.training.run.task import RunInputs
from emote_blender.training.run.trainer import Trainer
from emote_blender.training.tasks.make_task import make_task

PRIOR = (
    "trainer.num_steps=4", "trainer.warm_up=1", "trainer.workers=0", "trainer.tensorboard=false", "trainer.device=cpu",
    "model.flint.feature_dim=32", "model.flint.intermediate_size=32", "data.parts=[]", "data.num_frames=16",
    "data.batch_size=4",
)  # fmt: skip
EMOTE = (
    *PRIOR[:7], "trainer.validate_every=0", "trainer.checkpoint_every=2", "model.decoder.feature_dim=32",
    "model.decoder.intermediate_size=32", "model.decoder.dropout=0.2", "data.batch_size=3", "data.num_frames=24",
    "model.audio_encoder={type='log_mel', dim=32, num_heads=2, num_blocks=2, num_motion_blocks=1, num_mels=32}",
    "data.shares={prepared=1.0}", "data.validation=['prepared']",
)  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    """Sums in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def trainer(name: str, corpus: Path, folder: Path, *overrides: str, init: Path | None = None) -> Trainer:
    config = load_run_config(name, overrides)
    inputs = RunInputs(config.name, config.trainer.seed, corpus.parent, init=init)
    return Trainer(make_task(config, inputs), config.trainer, folder, config.record)


@pytest.fixture(scope="module")
def prior(buzzing_part, tmp_path_factory) -> Path:
    """The folder of a run of `train flint`."""
    folder = tmp_path_factory.mktemp("flint") / "run"
    trainer("flint_open", buzzing_part, folder, *PRIOR).run()
    return folder


def test_flint_learns_to_repeat_a_motion(buzzing_part, open_head, tmp_path):
    longer = (
        "trainer.num_steps=150", "trainer.rate=3e-3", "trainer.warm_up=10", "data.batch_size=16",
        "model.flint.feature_dim=64", "model.flint.intermediate_size=64",
    )  # fmt: skip
    training = trainer("flint_open", buzzing_part, tmp_path / "run", *PRIOR, *longer)
    trained = load_motion_prior(training.run().export)
    motion, _ = training.task.batch(9999)  # of a number that was not trained on
    loss_of = MeshLoss(open_head)
    with torch.inference_mode():
        rebuilt = trained.decode(trained.encode(motion).mean)
        still = motion.mean((0, 1)).expand_as(motion)
        assert loss_of(rebuilt, motion).vertices < 0.75 * loss_of(still, motion).vertices


def test_emote_resumed_after_two_steps_is_emote_trained_for_four(buzzing_part, prior, tmp_path, monkeypatch):
    start = f"start.motion_prior='{prior}'"
    told = (*EMOTE, start, "data.told=0.5")
    trainer("emote_open_stage1", buzzing_part, tmp_path / "whole", *told).run()
    halves = trainer("emote_open_stage1", buzzing_part, tmp_path / "halves", *told)
    with monkeypatch.context() as patch:
        measured = type(halves.task).loss

        def loss(task, module, batch, step):
            if step == 2:
                raise Cancelled("stopped")
            return measured(task, module, batch, step)

        patch.setattr(type(halves.task), "loss", loss)
        with pytest.raises(Cancelled):
            halves.run()
    assert torch.load(tmp_path / "halves" / "last.pt", weights_only=True)["counters"]["step"] == 2
    halves.run(resume=True)
    assert equal(*(read_weights(tmp_path / name) for name in ("whole", "halves")))


def test_emote_keeps_the_prior_it_was_given_and_the_next_run_starts_from_its_averaged_weights(
    buzzing_part, prior, tmp_path
):
    path = f"start.motion_prior='{prior}'"
    result = trainer("emote_open_stage1", buzzing_part, tmp_path / "first", *EMOTE, path).run()
    model = load_model(result.export)
    decoder = load_motion_prior(prior / "export").motion_decoder.state_dict()
    assert equal(decoder, model.sequence_decoder.motion_prior.motion_decoder.state_dict())
    state = torch.load(tmp_path / "first" / "last.pt", weights_only=True)
    averaged = {**state["module"], **state["average"]}
    assert not equal(averaged, state["module"])
    own = {name.removeprefix("emote."): value for name, value in averaged.items() if name.startswith("emote.")}
    assert all(torch.equal(tensor, own[name]) for name, tensor in model.state_dict().items())
    second = trainer("emote_open_all", buzzing_part, tmp_path / "second", *EMOTE, init=tmp_path / "first")
    begun = second.task.modules().state_dict()
    assert all(torch.equal(tensor, averaged[name]) for name, tensor in begun.items())


def test_the_rate_rises_then_falls():
    rates = [cosine_rate(step, 100, 1.0, warm_up=10) for step in range(100)]
    assert rates[0] == pytest.approx(0.1, abs=0.01)
    assert max(rates) == pytest.approx(rates[10], abs=0.02)
    assert rates[-1] < 0.03
    assert all(a >= b for a, b in zip(rates[10:], rates[11:], strict=False))


def test_averaged_weights_of_a_still_model_are_its_weights():
    model = torch.nn.Linear(3, 2)
    average = AveragedWeights(model, 0.99)
    for step in range(5):
        average.update(model, step)
    torch.testing.assert_close(average.state_of(model)["weight"], model.weight.detach())
