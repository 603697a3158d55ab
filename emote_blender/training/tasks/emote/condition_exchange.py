"""The emotion-content disentanglement: each clip is generated a second time with another clip's emotion.

The batch is doubled after the audio encoder. The first half keeps its conditions. In the second half, clip `i` takes
emotion and intensity from clip `permutation[i]` and keeps its own speaker and shape (spec/EMOTE.md 6).
"""

from __future__ import annotations

import torch
from torch import Tensor


def derangement(size: int, generator: torch.Generator | None = None) -> Tensor:
    """(size,) int64 random permutation without fixed points, drawn uniformly.

    Args:
        size: number of elements.
        generator: source of randomness; None for torch's global generator.

    Raises:
        ValueError: size is below 2, for which there is no such permutation.
    """
    if size < 2:
        raise ValueError(f"conditions are exchanged between at least 2 clips, found {size}")
    places = torch.arange(size)
    while True:  # about one permutation in e has no fixed point
        permutation = torch.randperm(size, generator=generator)
        if not bool((permutation == places).any()):
            return permutation


def exchange_conditions(condition: Tensor, permutation: Tensor, num_exchanged: int) -> Tensor:
    """(B, T, C) conditions of which clip `i` has the first columns from clip `permutation[i]` and the others unchanged.

    Args:
        condition: (B, T, C) emotions, intensities, speakers.
        permutation: (B,) int64 clip from which clip `i` takes its emotion.
        num_exchanged: number of columns of emotions and intensities together.

    Raises:
        ValueError: the permutation or the number of columns does not match the condition.
    """
    if len(permutation) != len(condition) or not 0 < num_exchanged <= condition.shape[-1]:
        raise ValueError(
            f"{len(permutation)} places and {num_exchanged} columns do not fit a condition {tuple(condition.shape)}"
        )
    given = condition[permutation.to(condition.device), :, :num_exchanged]
    return torch.cat([given, condition[..., num_exchanged:]], dim=-1)


def double_batch(features: Tensor, condition: Tensor, permutation: Tensor, num_exchanged: int) -> tuple[Tensor, Tensor]:
    """(2 B, T, D) audio features and (2 B, T, C) conditions: the batch itself, then with exchanged conditions."""
    exchanged = exchange_conditions(condition, permutation, num_exchanged)
    return torch.cat([features, features]), torch.cat([condition, exchanged])
