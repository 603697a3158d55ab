"""Which of MEAD's reconstructions fits a model, by the number of coefficients in its files."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from ....errors import InputError
from .hdf5_file import read_arrays
from .layout import RECONSTRUCTION_FILE, VIEW, folders_in, processed_folder
from .mead import RECONSTRUCTION

logger = logging.getLogger(__name__)

PUBLISHED_RECONSTRUCTIONS = RECONSTRUCTION, "EMICA_mead_mp_lr_mse_15"
"""Reconstructions of EMOTE v2 (100 expression coefficients) and of v1 and the paper (50; spec/EMOTE.md 0.4, 9)."""


@dataclass(frozen=True)
class Reconstruction:
    """A folder under `reconstructions`.

    Attributes:
        name: the folder's.
        num_expression: number of expression coefficients in its first clip.
        num_shape: number of identity coefficients there.
    """

    name: str
    num_expression: int
    num_shape: int


def fitting_reconstruction(root: Path, num_expression: int) -> Reconstruction:
    """The reconstruction whose files have a given number of expression coefficients.

    If several have, a published one is chosen, with a warning.

    Args:
        root: MEAD's folder (see `layout.processed_folder`).
        num_expression: number of expression coefficients.

    Raises:
        InputError: no reconstruction has that number, several have but none is published, or a file is damaged.
    """
    folder = processed_folder(root) / "reconstructions"
    measured = [found for method in folders_in(folder) if (found := _measure(method)) is not None]
    fitting = [found for found in measured if found.num_expression == num_expression]
    if not fitting:
        there = ", ".join(f"{found.name} with {found.num_expression}" for found in measured) or "nothing"
        raise InputError(
            f"{folder} has no reconstruction with the {num_expression} expression coefficients of the model, only "
            f"{there}; unpack {PUBLISHED_RECONSTRUCTIONS[0]} for version 2 (100), or {PUBLISHED_RECONSTRUCTIONS[1]} "
            "for version 1 (50)"
        )
    chosen = min(fitting, key=_preference)
    names = ", ".join(found.name for found in fitting)
    if len(fitting) > 1 and chosen.name not in PUBLISHED_RECONSTRUCTIONS:
        raise InputError(f"{folder} has several reconstructions that fit the model ({names}); leave one of them there")
    if len(fitting) > 1:
        logger.warning("%s: of the reconstructions that fit the model (%s), %s is taken", folder, names, chosen.name)
    return chosen


def _preference(reconstruction: Reconstruction) -> int:
    names = PUBLISHED_RECONSTRUCTIONS
    return names.index(reconstruction.name) if reconstruction.name in names else len(names)


def _measure(method: Path) -> Reconstruction | None:
    """The reconstruction in a method's folder; None if it has no clips."""
    path = next(method.glob(f"*/{VIEW}/*/*/*/{RECONSTRUCTION_FILE}"), None)
    if path is None:
        return None
    arrays = read_arrays(path, ["exp", "shape"])
    for name, values in arrays.items():
        if not values.ndim:
            raise InputError(f"{path}: {name} must be (1, frames, coefficients), found one number; unpack it again")
    return Reconstruction(method.name, arrays["exp"].shape[-1], arrays["shape"].shape[-1])
