"""The trainer: resuming, accumulating, averaging, choosing the best, and what it does when something goes wrong."""

import errno
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_task import TinyTask
from torch import nn

from emote_blender.errors import Cancelled, InputError, TrainingError
from emote_blender.files import atomic_write
from emote_blender.training.run.failures import explained_failures
from emote_blender.training.run.folder import RunFolder, load_weights, read_weights
from emote_blender.training.run.log import clock, draw_curves, gif, read_scalars
from emote_blender.training.run.processes import seed_everything
from emote_blender.training.run.settings import TrainerSettings
from emote_blender.training.run.trainer import Trainer

SETTINGS = TrainerSettings(
    rate=1e-2, num_steps=4, optimizer="adamw", weight_decay=0.01, schedule="cosine", warm_up=2, clip_norm=1.0,
    accumulate=2, average_decay=0.9, workers=0, checkpoint_every=1, validate_every=2, log_every=2, device="cpu",
    tensorboard=False,
)  # fmt: skip
PLAIN = replace(SETTINGS, optimizer="adam", weight_decay=0.0, schedule="constant", warm_up=0, average_decay=0.0)


@pytest.fixture(autouse=True)
def one_thread():
    """Sums in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def run(folder: Path, settings: TrainerSettings = SETTINGS, resume: bool = False, **task):
    return Trainer(TinyTask(**task), settings, folder).run(resume)


def checkpoint(folder: Path) -> dict:
    return torch.load(folder / "last.pt", weights_only=True)


def same(first, second) -> bool:
    """Bit for bit."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[name], second[name]) for name in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return torch.equal(first, second) if torch.is_tensor(first) else first == second


# ---------------------------------------------------------------- going on


@pytest.mark.parametrize("workers", [0, 1])
def test_two_and_two_steps_are_four_steps_bit_for_bit(tmp_path, workers):
    settings = replace(SETTINGS, workers=workers)
    run(tmp_path / "whole", settings)
    with pytest.raises(Cancelled, match="stopped after step 2; the last checkpoint, .*last.pt, is intact"):
        run(tmp_path / "halves", settings, event="sigterm", at_step=1)
    assert checkpoint(tmp_path / "halves")["counters"]["step"] == 2
    run(tmp_path / "halves", settings, resume=True)
    assert same(checkpoint(tmp_path / "whole"), checkpoint(tmp_path / "halves"))
    assert same(read_weights(tmp_path / "whole" / "best.pt"), read_weights(tmp_path / "halves" / "best.pt"))


def test_what_was_logged_after_the_checkpoint_is_taken_back(tmp_path):
    settings = replace(SETTINGS, log_every=1, checkpoint_every=2, num_steps=6)
    run(tmp_path / "whole", settings)
    with pytest.raises(InputError):
        run(tmp_path / "killed", settings, event="missing", at_step=6)  # batch 6 belongs to step 3
    assert {step for step, _, _ in read_scalars(tmp_path / "killed" / "scalars.csv")} == {1, 2, 3}
    run(tmp_path / "killed", settings, resume=True)

    def rows(name: str) -> list:
        return [row for row in read_scalars(tmp_path / name / "scalars.csv") if "seconds" not in row[1]]

    assert rows("killed") == rows("whole")


def test_a_finished_run_that_goes_on_does_nothing(tmp_path):
    first = run(tmp_path)
    before = (tmp_path / "last.pt").stat().st_mtime_ns
    assert run(tmp_path, resume=True) == first
    assert (tmp_path / "last.pt").stat().st_mtime_ns == before


def test_a_run_can_be_made_longer(tmp_path):
    run(tmp_path, PLAIN)
    assert run(tmp_path, replace(PLAIN, num_steps=6), resume=True).step == 6


def test_a_run_is_not_overwritten(tmp_path):
    run(tmp_path)
    before = (tmp_path / "last.pt").read_bytes()
    with pytest.raises(InputError, match="holds a run already; continue it with --resume, or choose another"):
        run(tmp_path)
    assert (tmp_path / "last.pt").read_bytes() == before


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("final")
    with pytest.raises(InputError, match="is not empty"):
        run(tmp_path)


def test_a_run_does_not_go_on_with_other_settings(tmp_path):
    run(tmp_path)
    with pytest.raises(InputError, match=r"other settings .trainer.rate was 0.01 and is 0.02."):
        run(tmp_path, replace(SETTINGS, rate=0.02), resume=True)


def test_a_file_may_be_named_in_full_or_from_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(tmp_path / "run")
    folder.open({"start": {"motion_prior": Path("runs/flint")}, "seed": 1}, resume=False)
    folder.open({"start": {"motion_prior": tmp_path / "runs" / "flint"}, "seed": 1}, resume=True)
    with pytest.raises(InputError, match="start.motion_prior was .* and is 'runs/other'"):
        folder.open({"start": {"motion_prior": Path("runs/other")}, "seed": 1}, resume=True)
    with pytest.raises(InputError, match="start.motion_prior was .* and is None"):
        folder.open({"start": {"motion_prior": None}, "seed": 1}, resume=True)


def test_a_damaged_checkpoint_is_named(tmp_path):
    run(tmp_path)
    (tmp_path / "last.pt").write_bytes((tmp_path / "last.pt").read_bytes()[:500])
    with pytest.raises(InputError, match=r"last.pt is damaged"):
        run(tmp_path, resume=True)


def test_a_checkpoint_can_hold_nothing_but_tensors_and_plain_values(tmp_path):
    run(tmp_path)
    torch.save({"module": Path("/")}, tmp_path / "last.pt")
    with pytest.raises(InputError, match=r"last.pt is damaged"):
        read_weights(tmp_path / "last.pt")


# ---------------------------------------------------------------- what a step does


def test_a_step_is_adam_on_the_mean_gradient_of_its_batches(tmp_path):
    settings = replace(PLAIN, num_steps=3, accumulate=3, clip_norm=0.5)
    run(tmp_path, settings)
    task = TinyTask()
    seed_everything(settings.seed)
    module = task.modules()
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, settings.rate)
    for step in range(3):
        total = torch.zeros(())
        for number in range(3 * step, 3 * step + 3):
            torch.manual_seed(settings.seed * 1_000_003 + number)
            total = total + task.loss(module, task.batch(number), step)[0] / 3
        optimizer.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(trained, 0.5)
        optimizer.step()
    for name, tensor in checkpoint(tmp_path)["module"].items():
        torch.testing.assert_close(tensor, module.state_dict()[name], rtol=1e-5, atol=1e-7)


def test_accumulated_small_batches_are_one_large_batch(tmp_path):
    class Split(TinyTask):
        def batch(self, number):
            x, wanted = TinyTask(batch_size=8).batch(number // 2)
            half = slice(0, 4) if number % 2 == 0 else slice(4, 8)
            return x[half], wanted[half]

    run(tmp_path / "large", replace(PLAIN, accumulate=1), dropout=0.0, batch_size=8)
    Trainer(Split(dropout=0.0), replace(PLAIN, accumulate=2), tmp_path / "small").run()
    large, small = checkpoint(tmp_path / "large")["module"], checkpoint(tmp_path / "small")["module"]
    for name, tensor in large.items():
        torch.testing.assert_close(small[name], tensor, rtol=1e-4, atol=1e-6)  # the same sums in another order


def test_frozen_weights_stay_and_others_move(tmp_path):
    seed_everything(SETTINGS.seed)
    start = TinyTask().modules().state_dict()
    run(tmp_path)
    end = checkpoint(tmp_path)["module"]
    assert torch.equal(end["frozen.weight"], start["frozen.weight"])
    assert not torch.equal(end["body.0.weight"], start["body.0.weight"])


def test_the_seed_decides_the_weights(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(tmp_path / name, replace(SETTINGS, seed=seed))
    a, b, c = (checkpoint(tmp_path / name)["module"] for name in "abc")
    assert same(a, b)
    assert not same(a, c)


def test_averaged_weights_are_validated_and_exported_and_training_goes_on_with_the_own_ones(tmp_path):
    seen = []

    class Watched(TinyTask):
        def validate(self, module):
            seen.append({name: tensor.clone() for name, tensor in module.state_dict().items()})
            assert not module.training
            return {"error": -float(len(seen))}

    result = Trainer(Watched(), SETTINGS, tmp_path / "watched").run()
    run(tmp_path / "unwatched", replace(SETTINGS, validate_every=0))
    state, exported = checkpoint(tmp_path / "watched"), torch.load(result.export / "weights.pt")
    assert same(state["module"], checkpoint(tmp_path / "unwatched")["module"])
    assert same(seen[-1], {**state["module"], **state["average"]})
    assert same(exported, seen[-1])
    assert not torch.equal(exported["body.0.weight"], state["module"]["body.0.weight"])


def test_the_best_by_validation_is_exported(tmp_path):
    settings = replace(PLAIN, num_steps=4, validate_every=1)
    result = run(tmp_path / "long", settings, figures=(3.0, 1.0, 2.0, 2.5))
    assert (result.best, result.best_step) == (1.0, 2)
    run(tmp_path / "short", replace(settings, num_steps=2, validate_every=0))
    assert same(torch.load(result.export / "weights.pt"), checkpoint(tmp_path / "short")["module"])


def test_a_run_ends_when_validation_gets_no_better(tmp_path):
    settings = replace(PLAIN, num_steps=50, validate_every=1, patience=2, checkpoint_every=50)
    result = run(tmp_path, settings, figures=(3.0, 1.0, 2.0, 1.5, 0.1))
    assert (result.step, result.best_step) == (4, 2)
    assert run(tmp_path, settings, resume=True).step == 4


def test_epochs_are_counted_in_batches(tmp_path):
    settings = replace(PLAIN, num_steps=None, num_epochs=3, accumulate=2)
    assert run(tmp_path / "a", settings, epoch=4).step == 6
    with pytest.raises(InputError, match="give .trainer. num_steps"):
        run(tmp_path / "b", settings)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"num_steps": None}, "num_steps"),
        ({"num_epochs": 3}, "num_steps"),
        ({"rate": 0.0}, "rate"),
        ({"accumulate": 0}, "accumulate"),
        ({"average_decay": 1.0}, "average_decay"),
        ({"validate_every": 0, "patience": 1}, "patience"),
        ({"workers": -1}, "workers"),
    ],
)
def test_settings_that_make_no_sense_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        replace(PLAIN, **values)


def test_the_rate_rises_and_stays_or_falls():
    steady = replace(PLAIN, warm_up=4)
    assert [steady.rate_at(step, 100) for step in (0, 1, 3, 4, 99)] == pytest.approx([2.5e-3, 5e-3, 1e-2, 1e-2, 1e-2])
    falling = replace(steady, schedule="cosine")
    assert falling.rate_at(50, 100) == pytest.approx(1e-2 * (0.02 + 0.98 * 0.5))


def test_bfloat16_on_a_cpu_only_when_asked_for(tmp_path):
    kinds = []

    class Watched(TinyTask):
        def loss(self, module, batch, step):
            kinds.append(module.frozen(batch[0]).dtype)
            return super().loss(module, batch, step)

    settings = replace(PLAIN, num_steps=1, accumulate=1, precision="bf16")
    Trainer(Watched(), settings, tmp_path / "a").run()
    Trainer(Watched(), replace(settings, cpu_precision="bf16"), tmp_path / "b").run()
    Trainer(Watched(), settings, tmp_path / "c").run()
    assert kinds == [torch.float32, torch.bfloat16, torch.float32]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("precision", ["no", "fp16", "bf16"])
def test_a_gpu_goes_on_bit_for_bit_in_every_precision(tmp_path, precision):
    settings = replace(SETTINGS, device="auto", precision=precision, deterministic=True)
    run(tmp_path / "whole", settings)
    with pytest.raises(Cancelled):
        run(tmp_path / "halves", settings, event="sigterm", at_step=1)
    run(tmp_path / "halves", settings, resume=True)
    whole = checkpoint(tmp_path / "whole")
    assert same(whole, checkpoint(tmp_path / "halves"))
    assert (whole["scaler"] is not None) == (precision == "fp16")


# ---------------------------------------------------------------- when something goes wrong


@pytest.mark.parametrize(
    "event, message",
    [
        ("nan", r"not a number at step 2 \(batch 4\): first is nan"),
        ("nan_gradient", r"gradient is not a number at step 2 \(batch 5; sum is .*, first is"),
        ("oom", "memory ran out; make the batches smaller .* accumulate more"),
    ],
)
def test_what_ends_a_run_is_told_and_the_checkpoint_is_intact(tmp_path, event, message):
    with pytest.raises(TrainingError, match=f"{message}.*last.pt, is intact"):
        run(tmp_path / "failed", event=event, at_step=2)
    assert checkpoint(tmp_path / "failed")["counters"]["step"] == 2
    run(tmp_path / "failed", resume=True)
    run(tmp_path / "whole")
    assert same(checkpoint(tmp_path / "failed"), checkpoint(tmp_path / "whole"))


@pytest.mark.parametrize(
    "error", [RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried")]
)
def test_memory_that_runs_out_on_a_cpu_is_told(tmp_path, error):
    with (
        pytest.raises(TrainingError, match="memory ran out.*no checkpoint yet"),
        explained_failures(RunFolder(tmp_path)),
    ):
        raise error


def test_another_fault_keeps_its_traceback(tmp_path):
    with pytest.raises(ZeroDivisionError), explained_failures(RunFolder(tmp_path)):
        raise ZeroDivisionError


@pytest.mark.parametrize("workers", [0, 1])
def test_a_missing_file_is_told_in_its_own_sentence(tmp_path, workers):
    with pytest.raises(InputError) as caught:
        run(tmp_path, replace(SETTINGS, workers=workers), event="missing", at_step=3)
    assert str(caught.value) == "clip 7 not found; bring it back"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_full_disk_is_told_and_the_last_checkpoint_is_intact(tmp_path, monkeypatch):
    real = atomic_write.temporary_beside
    checkpoints = []

    def full_at_the_third(path):
        temporary = real(path)
        if path.name == "last.pt":
            checkpoints.append(path)
            if len(checkpoints) == 3:
                temporary.symlink_to("/dev/full")
        return temporary

    monkeypatch.setattr(atomic_write, "temporary_beside", full_at_the_third)
    with pytest.raises(TrainingError, match=r"the disk of .* is full; free some space; the last checkpoint, .* intact"):
        run(tmp_path)
    assert checkpoint(tmp_path)["counters"]["step"] == 2
    assert not list(tmp_path.glob(".emote-*"))


def test_a_full_disk_while_logging_is_told(tmp_path, monkeypatch):
    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("emote_blender.training.run.log.RunLog.scalars", fail)
    with pytest.raises(TrainingError, match="is full"):
        run(tmp_path)


def test_a_killed_process_leaves_a_checkpoint_to_go_on_from(tmp_path):
    run(tmp_path / "whole")
    code = f"""
import sys; sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[3])]}
import torch; torch.set_num_threads(1)
from test_trainer import TinyTask, SETTINGS, Trainer
Trainer(TinyTask(event="sigkill", at_step=3), SETTINGS, {str(tmp_path / "killed")!r}).run()
"""
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=300)
    assert ended.returncode == -signal.SIGKILL
    assert checkpoint(tmp_path / "killed")["counters"]["step"] == 3
    run(tmp_path / "killed", resume=True)
    assert same(checkpoint(tmp_path / "killed"), checkpoint(tmp_path / "whole"))


def test_the_handlers_of_signals_are_given_back(tmp_path):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with pytest.raises(Cancelled):
        run(tmp_path, event="sigterm", at_step=1)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_second_interrupt_some_time_later_interrupts(monkeypatch):
    from emote_blender.training.run.failures import StopSignals

    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore SIGINT
    try:
        with StopSignals() as signals:
            os.kill(os.getpid(), signal.SIGINT)
            now = 101.0
            os.kill(os.getpid(), signal.SIGINT)
            assert signals.requested
            now = 102.0
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


# ---------------------------------------------------------------- what is written


def test_weights_are_read_from_a_run_or_a_checkpoint(tmp_path):
    run(tmp_path)
    state = checkpoint(tmp_path)
    assert same(read_weights(tmp_path / "last.pt"), {**state["module"], **state["average"]})
    assert same(read_weights(tmp_path), torch.load(tmp_path / "best.pt")["module"])
    module = TinyTask().modules()
    load_weights(module, tmp_path)
    assert same(dict(module.state_dict()), read_weights(tmp_path))


@pytest.fixture
def saved_on_a_gpu(tmp_path, monkeypatch):
    """A run, stopped halfway, whose files say that their tensors lay on the first GPU, as torch writes it there."""
    with monkeypatch.context() as patch:
        patch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
        with pytest.raises(Cancelled):
            run(tmp_path / "gpu", event="sigterm", at_step=2)
    for name in ("best.pt", "last.pt"):
        assert b"cuda:0" in (tmp_path / "gpu" / name).read_bytes()
    return tmp_path / "gpu"


def test_a_run_that_was_begun_on_a_gpu_goes_on_without_one(tmp_path, saved_on_a_gpu):
    assert run(saved_on_a_gpu, resume=True).step == 4
    run(tmp_path / "cpu")
    assert same(checkpoint(saved_on_a_gpu), checkpoint(tmp_path / "cpu"))


def test_weights_that_a_gpu_saved_are_read_without_one(saved_on_a_gpu):
    weights = read_weights(saved_on_a_gpu / "last.pt")
    assert {tensor.device.type for tensor in weights.values()} == {"cpu"}
    load_weights(TinyTask().modules(), saved_on_a_gpu)


def test_a_module_of_another_kind_does_not_take_the_weights(tmp_path):
    run(tmp_path)
    with pytest.raises(InputError, match=r"does not fit this config: weight is missing"):
        load_weights(nn.Linear(2, 2), tmp_path)
    with pytest.raises(InputError, match="holds no best.pt"):
        read_weights(tmp_path / "export")
    with pytest.raises(InputError, match="not found"):
        read_weights(tmp_path / "nothing.pt")


def test_scalars_hold_terms_rates_and_validation(tmp_path):
    run(tmp_path, replace(SETTINGS, num_steps=2, accumulate=1, log_every=2))
    values = {name: value for _, name, value in read_scalars(tmp_path / "scalars.csv")}
    assert values["train/loss"] == pytest.approx(values["train/sum"] + values["train/first"], rel=1e-5)
    assert values["train/rate"] == pytest.approx(SETTINGS.rate_at(1, 2))
    assert {"validation/error", "validation/weight", "train/gradient_norm"} <= values.keys()


def test_curves_and_clips_are_pictures(tmp_path, monkeypatch):
    from PIL import GifImagePlugin, Image

    scalars = tmp_path / "scalars.csv"
    scalars.write_text(
        "step,name,value\n1,train/loss,3\n2,train/loss,2\n2,validation/loss,2.5\n1,train/rate,0.1\n2,tra"
    )
    draw_curves(scalars, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as image:
        assert image.size[0] > 600  # two plots side by side
    monkeypatch.setattr("emote_blender.training.run.log.draw_curves", draw_curves)
    run(tmp_path / "run", replace(SETTINGS, clips_every=4))
    with Image.open(tmp_path / "run" / "curves.png") as image:
        assert image.size[0] > 600
    with Image.open(tmp_path / "run" / "clips" / "ramp_0000004.gif") as image:
        assert isinstance(image, GifImagePlugin.GifImageFile)
        assert (image.n_frames, image.size, image.info["duration"]) == (5, (16, 16), 40)
        image.seek(4)
        assert np.asarray(image.convert("RGB"))[0, 15, 0] == pytest.approx(255, abs=4)
    with pytest.raises(ValueError, match="a clip is"):
        gif(torch.zeros(3, 8, 8))


def test_tensorboard_holds_the_scalars_and_the_clips(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="no TensorBoard")
    run(tmp_path, replace(SETTINGS, tensorboard=True, clips_every=4))
    events = accumulator.EventAccumulator(str(tmp_path / "events")).Reload()
    logged = [row[2] for row in read_scalars(tmp_path / "scalars.csv") if row[1] == "train/loss"]
    assert [event.value for event in events.Scalars("train/loss")] == pytest.approx(logged, rel=1e-5)
    assert events.Images("clips/ramp")[0].encoded_image_string.startswith(b"GIF")


@pytest.mark.parametrize("seconds, text", [(7, "0:07"), (750.4, "12:30"), (11100, "3:05:00")])
def test_the_time_left_reads_like_a_clock(seconds, text):
    assert clock(seconds) == text


def test_progress_says_the_step_and_the_time_left(tmp_path):
    import io

    from emote_blender.files.console_progress import ProgressLine

    stream = io.StringIO()
    Trainer(TinyTask(), SETTINGS, tmp_path, progress=ProgressLine(stream, "tiny"), progress_seconds=0.0).run()
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("tiny: step 1/4, 0:")
    assert "step 4/4, loss" in lines[-1]
    assert lines[-1].endswith("0:00 left, 100 %")
