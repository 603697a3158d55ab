"""Errors that EMOTE is trained with, over clips whose frames may be padded or unseen (spec/EMOTE.md 6).

Where a frame's face was not found its ground truth says nothing, so every error takes `valid`, (B, T) bool. None stands
for a term that cannot be measured on a batch; it is then left out of the sum.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def masked_mean(values: Tensor, valid: Tensor) -> Tensor | None:
    """Mean () of values (B, T): per sequence over its valid frames, then over the batch.

    None where a sequence has no valid frame, as in the published training (spec 6, stage 1).
    """
    counts = valid.sum(1)
    if not bool(counts.all()):
        return None
    return (values.masked_fill(~valid, 0).sum(1) / counts).mean()


def masked_squared_error(found: Tensor, wanted: Tensor, valid: Tensor) -> Tensor | None:
    """Mean squared error () of (B, T, ...) over the valid frames (B, T); in the unit of the values, squared."""
    return masked_mean((found - wanted).flatten(2).square().mean(2), valid)


def masked_velocity_error(found: Tensor, wanted: Tensor, valid: Tensor) -> Tensor | None:
    """Mean squared error () of the steps between neighbouring frames of (B, T, ...), both of them valid."""
    error = found - wanted
    steps = error[:, 1:] - error[:, :-1]
    return masked_mean(steps.flatten(2).square().mean(2), valid[:, 1:] & valid[:, :-1])


def cosine_distance(found: Tensor, wanted: Tensor) -> Tensor:
    """1 - cos (...) of vectors (..., D): 0 for one direction, 1 at a right angle, 2 for opposite ones."""
    return 1 - F.cosine_similarity(found, wanted, dim=-1)


def emotion_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean cosine distance () of video emotion features (B, 256), one per clip."""
    return cosine_distance(found, wanted).mean()


def lip_reading_error(found: Tensor, wanted: Tensor, valid: Tensor) -> Tensor | None:
    """Mean cosine distance () of lip-reading features (B, T, D) over all valid frames; None where there is none."""
    if not bool(valid.any()):
        return None
    return cosine_distance(found, wanted)[valid].mean()
