"""`capture --mead` and `capture --folder`: folders of videos as training data. Their code is in a checkout only."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files.console_progress import ProgressLine, say, show, warn
from ..files.pasted_path import pasted_path
from .arguments import EXIT_FAILED

_PACKAGE = __package__.rpartition(".")[0]
_SHOWN = 20  # clips that are named as left out; the report names all
FRONT = "front"


def add_folder_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments for folders to the parser of `capture`."""
    group = command.add_argument_group("folders of videos as training data, in a checkout", "OUT is a folder then")
    group.add_argument("--mead", type=pasted_path, metavar="FOLDER", help="MEAD, unpacked: M003/video/front/angry/...")
    group.add_argument("--folder", type=pasted_path, metavar="FOLDER", help="videos of your own; needs --table")
    group.add_argument(
        "--table", type=pasted_path, metavar="T.csv", help="columns video, emotion; also intensity, speaker, audio"
    )
    group.add_argument("--camera", metavar="NAME", help=f"MEAD's camera, such as left_30 (default: {FRONT})")
    group.add_argument(
        "--emotion-network",
        type=pasted_path,
        metavar="NET",
        help="also write emotion features, by the network in this folder or checkpoint",
    )
    group.add_argument("--processes", type=int, metavar="N", help="clips that are captured at once (default: 1)")


def capture_folder(arguments: argparse.Namespace) -> int:
    """Run `capture --mead` or `--folder`, and return the exit code: 0 only if nothing was left out.

    Raises:
        EmoteError: the folder or something that all videos need cannot be used.
    """
    if find_spec(f"{_PACKAGE}.training") is None:
        raise InputError(
            "the extension does not bring the code that makes training data; get the project's source and run "
            "`python -m emote_blender capture` there"
        )
    for library in ("torch", "h5py", "soundfile"):
        if find_spec(library) is None:
            raise InputError(f"training data need the Python package {library}; run `pip install {library}`")
    from ..training.data.filmed.capture_run import CaptureSettings, capture_all

    num_processes = 1 if arguments.processes is None else arguments.processes
    if not 1 <= num_processes <= 4 * (os.cpu_count() or 1):
        raise InputError(f"--processes {num_processes}: give a number from 1 to {4 * (os.cpu_count() or 1)}")
    network: Path | None = arguments.emotion_network
    if network is not None and not network.exists():
        raise InputError(f"--emotion-network {network} not found; give its folder or checkpoint, or leave it out")
    settings = CaptureSettings(arguments.head, network, arguments.mirrored, arguments.view)
    clips, left_out, layout = _plan(arguments)
    progress = ProgressLine(sys.stderr, f"{len(clips)} videos")
    try:
        result = capture_all(clips, left_out, arguments.output, layout, settings, num_processes, progress)
    finally:
        progress.clear()
    for left in result.left_out[:_SHOWN]:
        say(f"left out: {left.name}: {left.why}")
    if len(result.left_out) > _SHOWN:
        say(f"left out: {len(result.left_out) - _SHOWN} more, see report.json")
    before = f" ({result.num_before} decided before)" if result.num_before else ""
    show(
        f"{arguments.output}: {len(result.captured)} clips captured, {len(result.left_out)} left out{before}; "
        "report.json says why"
    )
    return EXIT_FAILED if result.left_out else 0


def _plan(arguments: argparse.Namespace) -> tuple[Any, Any, Any]:
    """The clips, what was left out of them, and how they are written."""
    from ..training.data.filmed.layouts import MEADLayout, MotionsLayout
    from ..training.data.filmed.videos import mead_videos, own_videos

    output: Path = arguments.output
    source: Path = arguments.mead or arguments.folder
    if output.resolve() == source.resolve():
        raise InputError(f"-o {output} is the folder of the videos; give another one")
    if arguments.mead:
        clips, left_out = mead_videos(source, arguments.camera or FRONT)
        return clips, left_out, MEADLayout(output, _feature_method(arguments.emotion_network))
    clips, left_out = own_videos(source, arguments.table, warn)
    return clips, left_out, MotionsLayout(output)


def _feature_method(network: Path | None) -> str:
    """The folder under `emotions` for the features of a network: its layers."""
    if network is None:
        return ""
    from ..training.data.filmed.capture_run import open_emotion_network

    return open_emotion_network(network).config.layers
