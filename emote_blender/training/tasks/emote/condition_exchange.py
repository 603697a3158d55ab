"""The exchange that keeps emotion and content apart: the same speech, spoken once more in another clip's emotion.

The batch is doubled after the audio has been encoded. The first half keeps its conditions; in the second, clip `i`
takes emotion and intensity of clip `permutation[i]` and keeps its speaker and its shape (spec/EMOTE.md 6).
"""

from __future__ import annotations

import torch
from torch import Tensor


def derangement(size: int, generator: torch.Generator | None = None) -> Tensor:
    """A random permutation (size,) int64 that leaves no element in its place; each has the same chance.

    Raises:
        ValueError: fewer than two elements have no such permutation.
    """
    if size < 2:
        raise ValueError(f"conditions are exchanged between at least 2 clips, found {size}")
    places = torch.arange(size)
    while True:  # about every third permutation has none in its place
        permutation = torch.randperm(size, generator=generator)
        if not bool((permutation == places).any()):
            return permutation


def exchange_conditions(condition: Tensor, permutation: Tensor, num_exchanged: int) -> Tensor:
    """Conditions (B, T, C) whose first columns are those of clip `permutation[i]`; the others stay.

    Args:
        condition: (B, T, C) emotions, intensities, speakers.
        permutation: (B,) which clip gives clip `i` its emotion.
        num_exchanged: number of columns of emotions and intensities together.

    Raises:
        ValueError: permutation and condition do not fit.
    """
    if len(permutation) != len(condition) or not 0 < num_exchanged <= condition.shape[-1]:
        raise ValueError(
            f"{len(permutation)} places and {num_exchanged} columns do not fit a condition {tuple(condition.shape)}"
        )
    given = condition[permutation.to(condition.device), :, :num_exchanged]
    return torch.cat([given, condition[..., num_exchanged:]], dim=-1)


def double_batch(features: Tensor, condition: Tensor, permutation: Tensor, num_exchanged: int) -> tuple[Tensor, Tensor]:
    """Audio features (2 B, T, D) and conditions (2 B, T, C): first as they are, then with exchanged conditions."""
    exchanged = exchange_conditions(condition, permutation, num_exchanged)
    return torch.cat([features, features]), torch.cat([condition, exchanged])
