"""The command `info`: lists what is installed, or describes a model, a head or a motion file."""

from __future__ import annotations

import argparse
from typing import Any

from ..files.console_progress import show


def add_info_command(commands: Any) -> None:
    """Add `info` to the parsers of the program."""
    command = commands.add_parser("info", help="list models and heads, or describe one or a motion file")
    command.add_argument("what", nargs="?", metavar="MODEL|HEAD|MOTION", help="name, folder, .npz, .json or capture")
    command.set_defaults(run=info)


def info(arguments: argparse.Namespace, decode: Any) -> int:
    """Print the information and return the exit code; raises EmoteError if something is missing or damaged."""
    from .describe import describe, describe_installed

    show(describe(arguments.what) if arguments.what else describe_installed())
    return 0
