"""The commands `train` and `evaluate`. Their code is in a checkout only; the extension reports that."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import InputError

_PACKAGE = __package__.rpartition(".")[0]


def add_train_command(commands: Any) -> None:
    """Add `train` to the parsers of the program."""
    command = commands.add_parser("train", help="train FLINT, EMOTE, its audio encoder or the perceptual networks")
    command.add_argument("task", metavar="TASK", help="what to train, as its config says: flint, emote, encoder, ...")
    command.add_argument("--config", required=True, metavar="F", help="a .toml file, or the name of a shipped config")
    command.add_argument("--data", type=Path, metavar="D", help="folder of the data that the config is for")
    command.add_argument("--head", metavar="H", help="name or folder of the head (default: the config's)")
    command.add_argument(
        "--init", type=Path, metavar="CKPT", help="checkpoint or run folder whose weights to start from"
    )
    command.add_argument(
        "-o", "--output", metavar="FOLDER", help="folder of the run (default: runs/ and the config's name)"
    )
    command.add_argument("--resume", action="store_true", help="go on with the run in FOLDER")
    command.add_argument(
        "--set", action="append", metavar="TABLE.KEY=VALUE", help="another value than the config's; may be repeated"
    )
    command.set_defaults(run=train)


def add_evaluate_command(commands: Any) -> None:
    """Add `evaluate` to the parsers of the program."""
    command = commands.add_parser("evaluate", help="measure how good a speech model is")
    command.add_argument("model", metavar="MODEL", help="name or folder of the speech model")
    command.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="D",
        help="prepared part of the corpus, folder of parts, processed MEAD, or folder of motions with their sound",
    )
    command.add_argument("--head", metavar="H", help="name or folder of the head (default: the model's)")
    command.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="write scores.json, table.md and pictures there"
    )
    command.add_argument("--limit", type=int, default=100, metavar="N", help="clips per part (default: %(default)s)")
    command.add_argument("--json", action="store_true", help="print JSON instead of the table")
    command.add_argument(
        "--transcript",
        nargs="?",
        const="exact",
        choices=("exact", "auto"),
        help="give the model words: exact (the default) where the data have them, auto: those that it recognises",
    )
    command.add_argument(
        "--wrong-words", type=float, default=0.0, metavar="0..1", help="share of the transcripts' words that are wrong"
    )
    command.set_defaults(run=evaluate)


def train(arguments: argparse.Namespace, decode: Any) -> int:
    """Run `train` and return the exit code; raises InputError if training or a library is not installed."""
    if find_spec(f"{_PACKAGE}.training") is None:
        raise InputError(
            "the extension does not bring the training code; get the project's source and run "
            "`python -m emote_blender train` there"
        )
    if find_spec("accelerate") is None:
        raise InputError(
            "training needs the Python package accelerate, which is not here; run `pip install accelerate`"
        )
    from ..training.train import train_command

    return train_command(arguments)


def evaluate(arguments: argparse.Namespace, decode: Any) -> int:
    """Run `evaluate` and return the exit code; raises InputError if the training code is not installed."""
    if find_spec(f"{_PACKAGE}.training") is None:
        raise InputError(
            "the extension does not bring the code that judges models; get the project's source and run "
            "`python -m emote_blender evaluate` there"
        )
    from ..training.evaluate import evaluate_command

    return evaluate_command(arguments)
