"""Two processes on this CPU, started as a user starts them, do what one process does."""

import os
import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_trainer import PLAIN, SETTINGS, TinyTask, checkpoint

from emote_blender.training.run.log import read_scalars
from emote_blender.training.run.trainer import Trainer

HERE = Path(__file__).parent


def launch(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    """`accelerate launch` with two processes that find each other on a free port; its `--cpu` would start only one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
        "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no",
        "--num_cpu_threads_per_process", "1", "--main_process_ip", "127.0.0.1", "--main_process_port", str(port),
        *arguments,
    ]  # fmt: skip
    paths = os.pathsep.join([str(HERE.parents[2]), str(HERE), str(HERE.parent)])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=500)


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    """The folder that two processes worked in."""
    folder = tmp_path_factory.mktemp("two")
    ended = launch(str(HERE / "two_processes.py"), str(folder), folder=folder)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return folder


def test_two_processes_have_the_gradients_of_one(two, tmp_path):
    settings = replace(PLAIN, num_steps=1, accumulate=4, clip_norm=0.0)
    Trainer(TinyTask(), settings, tmp_path).run()
    one, other = checkpoint(tmp_path)["optimizer"]["state"], checkpoint(two / "one_step")["optimizer"]["state"]
    assert one.keys() == other.keys()
    assert len(one) >= 4
    for index, state in one.items():  # after its first step, Adam's mean of gradients is a tenth of the gradient
        torch.testing.assert_close(other[index]["exp_avg"], state["exp_avg"], rtol=1e-4, atol=1e-7)
        assert state["exp_avg"].abs().max() > 1e-4


def test_two_processes_train_the_weights_of_one(two, tmp_path):
    Trainer(TinyTask(), SETTINGS, tmp_path).run()
    one, other = checkpoint(tmp_path), checkpoint(two / "whole")
    for name, tensor in {**one["module"], **one["average"]}.items():
        torch.testing.assert_close({**other["module"], **other["average"]}[name], tensor, rtol=1e-3, atol=1e-5)
    first, second = (
        {(step, name): value for step, name, value in read_scalars(folder / "scalars.csv") if "seconds" not in name}
        for folder in (tmp_path, two / "whole")
    )
    assert second == pytest.approx(first, rel=1e-3)


def test_a_signal_to_one_process_stops_both_at_the_same_step(two):
    said = [(two / f"stopped_{rank}.txt").read_text() for rank in (0, 1)]
    steps = [re.search(r"stopped after step (\d)", text).group(1) for text in said]
    assert steps == ["2", "2"]


def test_two_processes_go_on_bit_for_bit(two):
    whole, halves = checkpoint(two / "whole"), checkpoint(two / "halves")
    assert all(torch.equal(tensor, halves["module"][name]) for name, tensor in whole["module"].items())


def test_batches_that_cannot_be_shared_evenly_are_refused(two):
    for rank in (0, 1):
        text = (two / f"refused_{rank}.txt").read_text()
        assert text.startswith("2 processes cannot share 3 batches per step; set [trainer] accumulate to a multiple")
    assert not (two / "uneven").exists()


@pytest.mark.slow
def test_the_command_line_trains_in_two_processes(tmp_path, buzzing_part):
    from test_train_cli import CONFIG

    (tmp_path / "small.toml").write_text(CONFIG.replace("workers = 0", "workers = 0\naccumulate = 2"))
    ended = launch(
        "-m", "emote_blender", "train", "flint", "--config", "small.toml", "--data", str(buzzing_part), folder=tmp_path
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert ended.stdout.count("trained flint for 2 steps") == 1
    assert "2 processes on cpu" in ended.stderr
    assert (tmp_path / "runs" / "small" / "export" / "motion_prior.json").is_file()
