"""Conversions for the command line and Blender: the authors' files to model and head folders."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..errors import InputError
from ..files.atomic_write import check_new_folder, new_folder
from ..files.paths import HEAD_FILE
from ..steps import Step, no_step
from .flame import ConvertedHead

_BLOCK_BYTES = 1 << 20


def emote_folder(
    source: Path, folder: Path, config: Path | None = None, head: Path | None = None, step: Step = no_step
) -> list[str]:
    """Convert an official checkpoint to a model folder, and return what was done, line by line; raises EmoteError.

    `step` is called with the fraction done and the next step. An exception from it ends the conversion without a trace.
    """
    from .emote import convert_emote

    conversion = convert_emote(source, folder, config, head, step)
    return [f"wrote {conversion.output} from {conversion.source}", *conversion.lines()]


def head_folder(
    file: Path, folder: Path, landmarks: Path | None = None, basis: str | None = None, step: Step = no_step
) -> list[str]:
    """Convert a FLAME file to a head folder, and return what was done; see `emote_folder`."""
    from .flame import convert_flame

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
    lines = [
        f"wrote {folder}: {model.basis}, {model.num_vertices} vertices, {len(model.faces)} triangles, "
        f"{model.num_shape} shape and {model.num_expression} expression components, "
        f"{9 * (model.num_joints - 1)} pose correctives",
        f"licence: {model.licence}",
        f"regions: {', '.join(model.regions)}",
        *(f"note: {remark}" for remark in head.remarks),
    ]
    return lines + ([f"left out: {', '.join(head.left_out)}"] if head.left_out else [])


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
