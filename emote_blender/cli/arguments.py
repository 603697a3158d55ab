"""Arguments and exit codes of several commands."""

from __future__ import annotations

import argparse
from dataclasses import replace

from ..engine.open_engine import DEFAULT_DEVICE, DEFAULT_ENGINE, ENGINES
from ..files.pasted_path import pasted_path
from ..files.paths import DEFAULT_MODEL
from ..motion_tools.life import STILL, Life
from ..motion_tools.refine import RANGES

EXIT_FAILED, EXIT_CANCELLED = 1, 130


def model_arguments() -> argparse.ArgumentParser:
    """A parent parser for commands that animate: model, head, engine and report."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help="name or folder of the speech model (default: %(default)s)"
    )
    parser.add_argument(
        "--head",
        help="name or folder of the head for a .blend or for --refine (default: the one the model was made for)",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default=DEFAULT_ENGINE,
        help="what runs the model (default: %(default)s); torch needs a checkout with torch",
    )
    parser.add_argument(
        "--device", default=DEFAULT_DEVICE, metavar="NAME", help="cpu; with --engine torch also cuda or mps"
    )
    parser.add_argument("--report", type=pasted_path, metavar="R.json", help="write what was done, as JSON")
    return parser


def life_arguments() -> argparse.ArgumentParser:
    """A parent parser for commands that animate: blinks, gaze and head motion."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("a face that is alive", "added without inference; nothing unless it is asked for")
    group.add_argument("--alive", action="store_true", help="blinks, gaze and head motion")
    for name, what in (
        ("blinks", "blinks at ends of phrases"),
        ("gaze", "saccades, and lids that follow the eyes"),
        ("head-motion", "nods, drift and breath in the neck"),
    ):
        group.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=what)
    group.add_argument("--seed", type=int, default=0, metavar="N", help="another number gives others (default: 0)")
    return parser


def refinement_argument() -> argparse.ArgumentParser:
    """A parent parser for commands that animate: refinement after inference."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--refine",
        default="",
        metavar="NAME=VALUE,...",
        help=f"change the motion after inference, such as jaw_strength=1.2,lower_smoothing=0.05; {', '.join(RANGES)}",
    )
    return parser


def recogniser_argument() -> argparse.ArgumentParser:
    """A parent parser for commands that animate: the recogniser of words."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--recogniser",
        type=lambda text: str(pasted_path(text)) if text else "",
        default="",
        metavar="FOLDER",
        help="folder of the speech recogniser for the transcript auto (default: the built-in one, for English)",
    )
    return parser


def chosen_life(arguments: argparse.Namespace) -> Life:
    """What the arguments of `life_arguments` ask for; raises InputError if the seed cannot be used."""
    parts = {name: getattr(arguments, name) for name in ("blinks", "gaze", "head_motion")}
    switches = {name: arguments.alive if value is None else value for name, value in parts.items()}
    return replace(STILL, **switches, seed=arguments.seed)
