"""Arguments and exit codes of several commands."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..engine.open_engine import DEFAULT_DEVICE, DEFAULT_ENGINE, ENGINES
from ..files.paths import DEFAULT_MODEL

EXIT_FAILED, EXIT_CANCELLED = 1, 130


def model_arguments() -> argparse.ArgumentParser:
    """A parent parser for commands that animate: model, head, engine and report."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help="name or folder of the speech model (default: %(default)s)"
    )
    parser.add_argument(
        "--head", help="name or folder of the head for a .blend (default: the one the model was made for)"
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
    parser.add_argument("--report", type=Path, metavar="R.json", help="write what was done, as JSON")
    return parser
