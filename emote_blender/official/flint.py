"""Conversion of official FLINT checkpoints to motion prior folders, for training; needs torch."""

from __future__ import annotations

import re
from pathlib import Path

from ..engine.torch import needs_libraries
from ..errors import InputError
from ..files.atomic_write import check_new_folder, new_folder
from ..files.safetensors_file import write_tensors
from .emote import Conversion, account, find_checkpoint, sizes_of, state_dict_of
from .settings import FACE, LICENCE, check_flint_settings, flint_config


def convert_flint(source: str | Path, output: str | Path, settings_file: str | Path | None = None) -> Conversion:
    """Convert an official FLINT checkpoint to the folder of a motion prior, and return the result.

    Args:
        source: the checkpoint, or the official folder; of several checkpoints the one with the least validation loss.
        output: the folder of the motion prior; a new or empty folder.
        settings_file: cfg.yaml, if it is not beside the checkpoint.

    Raises:
        InputError: naming the setting, key or file that cannot be used. Nothing is left half-written.
        ModelError: if torch is not installed.
    """
    with needs_libraries("converting FLINT, which only training reads,"):
        import torch

        from ..emote.checkpoint import tensor_specs
        from ..emote.flint import FLINT
        from ..emote.motion_prior import PRIOR_FILE, save_prior_config
    output = Path(output)
    check_new_folder(output)
    checkpoint, settings = find_checkpoint(Path(source), settings_file, _best_checkpoint)
    state = state_dict_of(checkpoint)
    config = flint_config({key: tensor.shape for key, tensor in state.items()}, checkpoint)
    check_flint_settings(settings, config)
    with torch.device("meta"):
        expected = tensor_specs(FLINT(config).state_dict())
    kept, dropped = account(state, expected, checkpoint)
    with new_folder(output) as folder:
        write_tensors(folder / PRIOR_FILE, kept)
        save_prior_config(config, FACE, LICENCE, folder)
    return Conversion(checkpoint, output, sizes_of(kept), dropped, settings.notes, {output: LICENCE})


def _best_checkpoint(folder: Path) -> Path:
    """The checkpoint that the authors use for FLINT: the least validation loss in a file's name (spec 1.3)."""
    losses: dict[Path, float] = {}
    for path in sorted(folder.rglob("*.ckpt")):
        match = re.search(r"=([0-9.eE+-]+)$", path.stem)
        if path.stem != "last" and "val" in str(path.relative_to(folder)) and match:
            try:
                losses[path] = float(match[1])
            except ValueError:
                continue
    if not losses:
        raise InputError(
            f"{folder} holds no checkpoint named by its validation loss (model-epoch=0758-val/loss_total=0.11.ckpt); "
            "give the checkpoint itself"
        )
    return min(losses, key=lambda path: (losses[path], str(path)))
