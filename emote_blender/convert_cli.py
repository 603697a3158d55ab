"""The command `convert`: other people's files to folders that this program uses, once, on the user's machine."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import InputError
from .files.atomic_write import check_new_folder, new_folder
from .files.paths import HEAD_FILE
from .steps import Step, no_step

if TYPE_CHECKING:
    from .flame.convert import ConvertedHead

_BLOCK_BYTES = 1 << 20


def add_convert_command(commands: Any) -> None:
    """Returns nothing; adds `convert` and what it converts to the parsers of `cli`."""
    command = commands.add_parser("convert", help="make a model or head folder of files that you downloaded")
    kinds = command.add_subparsers(required=True, metavar="KIND")
    _add_flame(kinds)
    _add_emote(kinds)
    _add_flint(kinds)


def _add_flame(kinds: Any) -> None:
    command = kinds.add_parser("flame", help="a FLAME model (generic_model.pkl, flame2023.pkl, .npz) to a head folder")
    command.add_argument("file", type=Path, metavar="FILE", help="the model as you downloaded it: .pkl or .npz")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="the head folder to make")
    command.add_argument(
        "--landmarks", type=Path, metavar="FILE", help="landmark_embedding.npy or flame_static_embedding.pkl"
    )
    command.add_argument(
        "--basis", metavar="VERSION", help="flame2020, flame2023 or flame2023_open (default: by the name of the file)"
    )
    command.set_defaults(run=convert_flame_command)


def _add_emote(kinds: Any) -> None:
    command = kinds.add_parser("emote", help="the official EMOTE or EMOTE_v2 to a model folder")
    _add_checkpoint(command, "the folder with cfg.yaml and checkpoints/last.ckpt, or the .ckpt", "model")
    command.add_argument(
        "--with-flame", type=Path, metavar="DIR", help="also make a head folder of the FLAME inside the checkpoint"
    )
    command.set_defaults(run=convert_emote_command)


def _add_flint(kinds: Any) -> None:
    command = kinds.add_parser("flint", help="the official FLINT or FLINTv2 to a motion prior folder, for training")
    _add_checkpoint(command, "the folder with cfg.yaml and the checkpoints, or one .ckpt", "motion prior")
    command.set_defaults(run=convert_flint_command)


def _add_checkpoint(command: argparse.ArgumentParser, source: str, kind: str) -> None:
    """The arguments that both kinds of checkpoint have."""
    command.add_argument("source", type=Path, metavar="CKPT|FOLDER", help=source)
    command.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help=f"the {kind} folder to make")
    command.add_argument("--config", type=Path, metavar="CFG.yaml", help="the settings, if not beside the checkpoint")


def convert_emote_command(arguments: argparse.Namespace, decode: Any) -> int:
    """Exit code of `convert emote`; raises EmoteError if a file cannot be used or a folder cannot be written."""
    return _tell(emote_folder(arguments.source, arguments.output, arguments.config, arguments.with_flame))


def convert_flint_command(arguments: argparse.Namespace, decode: Any) -> int:
    """Exit code of `convert flint`; raises EmoteError if a file cannot be used or the folder cannot be written."""
    from .emote.convert import convert_flint

    conversion = convert_flint(arguments.source, arguments.output, arguments.config)
    return _tell([f"wrote {conversion.output} from {conversion.source}", *conversion.lines()])


def convert_flame_command(arguments: argparse.Namespace, decode: Any) -> int:
    """Exit code of `convert flame`; raises EmoteError if a file cannot be used or the folder cannot be written."""
    return _tell(head_folder(arguments.file, arguments.output, arguments.landmarks, arguments.basis))


def _tell(lines: list[str]) -> int:
    """Prints what a conversion did; exit code 0."""
    print(*lines, sep="\n")
    return 0


def emote_folder(
    source: Path, folder: Path, config: Path | None = None, head: Path | None = None, step: Step = no_step
) -> list[str]:
    """What was done, line by line, to make a model folder of an official checkpoint; raises EmoteError.

    `step` is called with the fraction done and what comes next; what it raises ends the conversion and leaves nothing.
    """
    from .emote.convert import convert_emote

    conversion = convert_emote(source, folder, config, head, step)
    return [f"wrote {conversion.output} from {conversion.source}", *conversion.lines()]


def head_folder(
    file: Path, folder: Path, landmarks: Path | None = None, basis: str | None = None, step: Step = no_step
) -> list[str]:
    """What was done, line by line, to make a head folder of a FLAME file; raises EmoteError. `step`: as above."""
    from .flame.convert import convert_flame

    if (folder / HEAD_FILE).exists():
        raise InputError(f"{folder} already holds a head; give another folder, or delete it first")
    check_new_folder(folder)
    step(0.0, "Reading the FLAME model")
    head = convert_flame(file, landmarks, basis)
    with new_folder(folder) as unfinished:
        step(0.6, "Writing the head")
        head.model.save(unfinished)
        step(0.9, "Writing the card")
        (unfinished / "README.md").write_text(_card(file, head), encoding="utf-8")
        step(1.0, "Done")
    model = head.model
    told = [
        f"wrote {folder}: {model.basis}, {model.num_vertices} vertices, {len(model.faces)} triangles, "
        f"{model.num_shape} shape and {model.num_expression} expression components, "
        f"{9 * (model.num_joints - 1)} pose correctives",
        f"licence: {model.licence}",
        f"regions: {', '.join(model.regions)}",
        *(f"note: {remark}" for remark in head.remarks),
    ]
    return told + ([f"left out: {', '.join(head.left_out)}"] if head.left_out else [])


def _card(source: Path, head: ConvertedHead) -> str:
    """The folder's README.md."""
    notes = "".join(f"- {remark}\n" for remark in head.remarks) or "- none\n"
    return (
        f"# {head.model.basis}\n\nConverted from `{source.name}` (SHA-256 {_sha256(source)}).\n\n"
        f"Licence: {head.model.licence}. It binds this folder, too: pass it on only if the licence lets you.\n\n"
        f"Notes:\n{notes}"
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
