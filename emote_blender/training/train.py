"""The command `train`: from a config file to a trained network."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from ..errors import InputError
from ..files.console_progress import ProgressLine
from .run.config import load_run_config
from .run.folder import RunFolder
from .run.task import RunInputs
from .run.trainer import Trainer
from .tasks.make_task import make_task

RUNS = Path("runs")


def train_command(arguments: argparse.Namespace) -> int:
    """Run `train` and return its exit code.

    Raises:
        EmoteError: something given cannot be used, or the training cannot continue.
    """
    config = load_run_config(arguments.config, arguments.set or ())
    if config.task != arguments.task:
        raise InputError(f"{config.name} is for `train {config.task}`, not `train {arguments.task}`; choose another")
    folder = Path(arguments.output) if arguments.output else RUNS / Path(config.name).stem
    if arguments.resume and not RunFolder(folder).is_started:
        raise InputError(f"{folder} holds no run to go on with; leave out --resume, or give its folder with -o")
    for option, path in (("--data", arguments.data), ("--init", arguments.init)):
        if path is not None and not path.exists():
            raise InputError(f"{option} {path}: no such file or folder; correct the path")
    inputs = RunInputs(config.name, config.trainer.seed, arguments.data, arguments.head, arguments.init)
    # A log file gets a line per minute instead of a line that is overwritten.
    seconds = 0.5 if sys.stderr.isatty() else 60.0
    progress = ProgressLine(sys.stderr, config.task)
    if os.environ.get("RANK", "0") == "0":  # of several processes, only the main one logs
        logging.getLogger(__package__).setLevel(logging.INFO)
    trainer = Trainer(make_task(config, inputs), config.trainer, folder, config.record, progress, seconds)
    result = trainer.run(arguments.resume)
    from accelerate.state import PartialState

    if PartialState().is_main_process:
        best = "" if result.best is None else f"; best validation {result.best:.6g} at step {result.best_step}"
        print(f"trained {config.task} for {result.step} steps{best}; wrote {result.export}")
    return 0
