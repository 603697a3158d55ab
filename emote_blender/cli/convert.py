"""The command `convert`: official files to folders that this program uses, and motions from one format to another."""

from __future__ import annotations

import argparse
from typing import Any

from ..capture.motion_files import MOTION_SUFFIX, load_motion, require_written_suffix, save_motion
from ..errors import InputError
from ..files.atomic_write import check_writable
from ..files.console_progress import show, warn
from ..files.pasted_path import pasted_path
from ..files.paths import find_head, find_model
from ..motion_tools.raw_take import RawTake
from ..official.folders import emote_folder, head_folder
from ..retarget.conversion import in_open_basis, raw_for_head, shape_of_folder
from ..speech_model.config import load_config


def add_convert_command(commands: Any) -> None:
    """Add `convert` and its subcommands to the parsers of the program."""
    command = commands.add_parser(
        "convert", help="make a model or head folder of files that you downloaded, or convert a motion"
    )
    kinds = command.add_subparsers(required=True, metavar="KIND")
    _add_flame(kinds)
    _add_emote(kinds)
    _add_flint(kinds)
    _add_graphs(kinds)
    _add_motion(kinds)


def _add_flame(kinds: Any) -> None:
    command = kinds.add_parser("flame", help="a FLAME model (generic_model.pkl, flame2023.pkl, .npz) to a head folder")
    command.add_argument("file", type=pasted_path, metavar="FILE", help="the model as you downloaded it: .pkl or .npz")
    command.add_argument(
        "-o", "--output", type=pasted_path, required=True, metavar="DIR", help="the head folder to make"
    )
    command.add_argument(
        "--landmarks", type=pasted_path, metavar="FILE", help="landmark_embedding.npy or flame_static_embedding.pkl"
    )
    command.add_argument(
        "--basis", metavar="VERSION", help="flame2020, flame2023 or flame2023_open (default: by the name of the file)"
    )
    command.set_defaults(run=convert_flame_command)


def _add_emote(kinds: Any) -> None:
    command = kinds.add_parser("emote", help="the official EMOTE or EMOTE_v2 to a model folder")
    _add_checkpoint(command, "the folder with cfg.yaml and checkpoints/last.ckpt, or the .ckpt", "model")
    command.add_argument(
        "--with-flame",
        type=pasted_path,
        metavar="DIR",
        help="also make a head folder of the FLAME inside the checkpoint",
    )
    command.set_defaults(run=convert_emote_command)


def _add_flint(kinds: Any) -> None:
    command = kinds.add_parser("flint", help="the official FLINT or FLINTv2 to a motion prior folder, for training")
    _add_checkpoint(command, "the folder with cfg.yaml and the checkpoints, or one .ckpt", "motion prior")
    command.set_defaults(run=convert_flint_command)


def _add_graphs(kinds: Any) -> None:
    command = kinds.add_parser(
        "graphs", help="what the engine onnx needs of a model with an architecture of its own; needs torch, once"
    )
    command.add_argument("model", metavar="MODEL", help="name or folder of the speech model")
    command.set_defaults(run=convert_graphs_command)


def _add_motion(kinds: Any) -> None:
    command = kinds.add_parser(
        "motion", help="a motion or a capture (.npz, .json, CSV of Live Link Face, Face Cap) to .npz, .csv or .json"
    )
    command.add_argument("file", type=pasted_path, metavar="MOTION", help="the motion or capture")
    command.add_argument(
        *("-o", "--output"), type=pasted_path, required=True, metavar="OUT", help="OUT.npz, OUT.csv (ARKit) or OUT.json"
    )
    command.add_argument(
        "--fps",
        type=float,
        metavar="N",
        help="frames per second to write (default: those of a capture; else 60 for CSV)",
    )
    command.add_argument(
        "--start",
        default="",
        metavar="TIME",
        help="where the sound begins: seconds from the first frame, or a timecode",
    )
    command.add_argument(
        "--head",
        metavar="HEAD",
        help="write it for this head: a motion of the open basis is converted to FLAME's, and FLAME's to the open one",
    )
    command.add_argument(
        "--recorded-fps", type=float, metavar="N", help="frames per second of the capture, in place of its times"
    )
    command.set_defaults(run=convert_motion_command)


def _add_checkpoint(command: argparse.ArgumentParser, source: str, kind: str) -> None:
    """Add the arguments of both kinds of checkpoint."""
    command.add_argument("source", type=pasted_path, metavar="CKPT|FOLDER", help=source)
    command.add_argument(
        "-o", "--output", type=pasted_path, required=True, metavar="DIR", help=f"the {kind} folder to make"
    )
    command.add_argument(
        "--config", type=pasted_path, metavar="CFG.yaml", help="the settings, if not beside the checkpoint"
    )


def convert_emote_command(arguments: argparse.Namespace, decode: Any) -> int:
    """Run `convert emote` and return the exit code; raises EmoteError if a file or folder cannot be used."""
    return _report(emote_folder(arguments.source, arguments.output, arguments.config, arguments.with_flame))


def convert_flint_command(arguments: argparse.Namespace, decode: Any) -> int:
    """Run `convert flint` and return the exit code; raises EmoteError if a file or folder cannot be used."""
    from ..official.flint import convert_flint

    conversion = convert_flint(arguments.source, arguments.output, arguments.config)
    return _report([f"wrote {conversion.output} from {conversion.source}", *conversion.lines()])


def convert_flame_command(arguments: argparse.Namespace, decode: Any) -> int:
    """Run `convert flame` and return the exit code; raises EmoteError if a file or folder cannot be used."""
    return _report(head_folder(arguments.file, arguments.output, arguments.landmarks, arguments.basis))


def convert_graphs_command(arguments: argparse.Namespace, decode: Any) -> int:
    """Run `convert graphs` and return the exit code; raises EmoteError if torch is missing or the folder unusable."""
    from ..engine.torch import write_missing_graphs

    folder = find_model(arguments.model)
    try:
        written = write_missing_graphs(load_config(folder), folder)
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}); copy the model to another place") from error
    lines = [f"wrote {path}" for path in written] or [f"{folder} needs none: the graphs of its architecture ship"]
    return _report(lines)


def convert_motion_command(arguments: argparse.Namespace, decode: Any) -> int:
    """Run `convert motion` and return the exit code; raises InputError if a file cannot be used."""
    output = arguments.output
    require_written_suffix(output)
    check_writable(output)
    if output.resolve() == arguments.file.resolve():
        raise InputError(f"-o names {output}, which is the file to read; give the output another name")
    motion = load_motion(arguments.file, None, arguments.start, arguments.recorded_fps, warn)
    if arguments.head:
        head = shape_of_folder(find_head(arguments.head))
        motion = raw_for_head(RawTake(motion), head, lambda: head).emotional
    if output.suffix.lower() != MOTION_SUFFIX:
        motion = in_open_basis(motion)
    written = save_motion(motion, output, arguments.fps)
    lines = [f"wrote {output}: {written.num_frames} frames at {written.fps:g} fps"]
    if transfer := motion.meta.get("transfer"):
        mean, most = transfer["lips_mean_mm"], transfer["lips_percentile_95_mm"]
        off = f"{mean:.2f} mm on average, {most:.2f} mm or less in 95 %"
        lines.append(f"converted from {transfer['from']} to {motion.meta['face']}: lips off by {off}")
    return _report(lines)


def _report(lines: list[str]) -> int:
    """Print the result of a conversion and return exit code 0."""
    show("\n".join(lines))
    return 0
