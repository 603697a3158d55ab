"""Trainings at toy size: they learn, resume bit for bit, and hand over what they learnt."""

from dataclasses import replace

import pytest
import torch

from emote_blender.emote.checkpoint import load_model, save_model
from emote_blender.emote.config import FLINTConfig
from emote_blender.training.dataset import BatchSource
from emote_blender.training.losses import MeshLoss
from emote_blender.training.optimisation import AveragedWeights, cosine_rate, load_checkpoint
from emote_blender.training.recipe import QUICK
from emote_blender.training.train_emote import averaged_model, train_emote
from emote_blender.training.train_flint import FLINTTraining, MotionBatches, train_flint

FLINT_SETTINGS = FLINTTraining(num_steps=4, batch_size=4, num_frames=16, warm_up=1, checkpoint_every=2, workers=0)


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def emote_source(folder, seed=2) -> BatchSource:
    return BatchSource((folder,), (1.0,), QUICK.config.audio_encoder, batch_size=3, num_frames=24, seed=seed)


@pytest.fixture
def one_thread():
    """Sums in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def stop_after(steps: int):
    """Runs the first `steps` steps of a run that is planned for more, as if it had been killed there."""

    class Stopped(Exception):
        pass

    from emote_blender.training import optimisation

    def save(path, **state):
        optimisation.save_checkpoint(path, **state)
        if state["step"] == steps:
            raise Stopped

    return Stopped, save


@pytest.mark.usefixtures("one_thread")
def test_flint_resumed_after_two_steps_is_flint_trained_for_four(buzzing_part, open_head, tmp_path, monkeypatch):
    from emote_blender.training import train_flint as module

    whole = train_flint(QUICK.config.flint, open_head, (buzzing_part,), FLINT_SETTINGS, tmp_path / "whole.pt")
    stopped, save = stop_after(2)
    with monkeypatch.context() as patch:
        patch.setattr(module, "save_checkpoint", save)
        with pytest.raises(stopped):
            train_flint(QUICK.config.flint, open_head, (buzzing_part,), FLINT_SETTINGS, tmp_path / "half.pt")
    assert load_checkpoint(tmp_path / "half.pt")["step"] == 2
    resumed = train_flint(QUICK.config.flint, open_head, (buzzing_part,), FLINT_SETTINGS, tmp_path / "half.pt")
    assert equal(whole.state_dict(), resumed.state_dict())


@pytest.mark.usefixtures("one_thread")
def test_emote_resumed_after_two_steps_is_emote_trained_for_four(buzzing_part, open_head, tmp_path, monkeypatch):
    from emote_blender.training import train_emote as module

    prior = train_flint(QUICK.config.flint, open_head, (buzzing_part,), FLINT_SETTINGS, tmp_path / "flint.pt")
    decoder = replace(QUICK.config.decoder, dropout=0.2)  # so that resuming has to restore its randomness, too
    config = replace(QUICK.config, decoder=decoder)
    settings = replace(QUICK.common_run, num_steps=4, checkpoint_every=2)

    def run(checkpoint):
        return train_emote(config, prior, open_head, emote_source(buzzing_part), settings, checkpoint)

    whole = run(tmp_path / "whole.pt")
    stopped, save = stop_after(2)
    with monkeypatch.context() as patch:
        patch.setattr(module, "save_checkpoint", save)
        with pytest.raises(stopped):
            run(tmp_path / "half.pt")
    assert load_checkpoint(tmp_path / "half.pt")["step"] == 2
    assert equal(whole.state_dict(), run(tmp_path / "half.pt").state_dict())


@pytest.mark.usefixtures("one_thread")
def test_flint_learns_to_repeat_a_motion(buzzing_part, open_head, tmp_path):
    config = FLINTConfig(num_expression=50, quant_factor=2, feature_dim=64, intermediate_size=64)
    settings = replace(FLINT_SETTINGS, num_steps=150, batch_size=16, rate=3e-3, warm_up=10, checkpoint_every=150)
    trained = train_flint(config, open_head, (buzzing_part,), settings, tmp_path / "flint.pt")
    motion = MotionBatches((buzzing_part,), settings)[9999]  # of a number that was not trained on
    loss_of = MeshLoss(open_head)
    with torch.inference_mode():
        rebuilt = trained.decode(trained.encode(motion).mean)
        still = motion.mean((0, 1)).expand_as(motion)
        assert loss_of(rebuilt, motion).vertices < 0.75 * loss_of(still, motion).vertices


@pytest.mark.usefixtures("one_thread")
def test_emote_keeps_the_prior_it_was_given_and_saves_averaged_weights(buzzing_part, open_head, tmp_path):
    prior = train_flint(QUICK.config.flint, open_head, (buzzing_part,), FLINT_SETTINGS, tmp_path / "flint.pt")
    settings = replace(QUICK.common_run, num_steps=3)
    checkpoint = tmp_path / "emote.pt"
    model = train_emote(QUICK.config, prior, open_head, emote_source(buzzing_part), settings, checkpoint)
    assert equal(prior.motion_decoder.state_dict(), model.sequence_decoder.motion_prior.motion_decoder.state_dict())
    assert equal(model.state_dict(), averaged_model(QUICK.config, checkpoint).state_dict())
    save_model(model, tmp_path / "model")
    assert equal(model.state_dict(), load_model(tmp_path / "model").state_dict())


@pytest.mark.usefixtures("one_thread")
def test_a_second_run_starts_from_the_first_runs_weights(buzzing_part, open_head, tmp_path):
    prior = train_flint(QUICK.config.flint, open_head, (buzzing_part,), FLINT_SETTINGS, tmp_path / "flint.pt")
    settings = replace(QUICK.common_run, num_steps=3)
    source = emote_source(buzzing_part)
    train_emote(QUICK.config, prior, open_head, source, settings, tmp_path / "first.pt")
    still = replace(settings, num_steps=1, rate=0.0)
    second = train_emote(QUICK.config, None, open_head, source, still, tmp_path / "second.pt", tmp_path / "first.pt")
    first = load_checkpoint(tmp_path / "first.pt")["model"]
    assert all(torch.equal(tensor, first[f"emote.{name}"]) for name, tensor in second.state_dict().items())


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
