"""The errors that EMOTE is trained with, over clips with padded or invalid frames (spec/EMOTE.md 6).

A frame in which no face was found has no usable ground truth, so every error takes `valid`, (B, T) bool. An error that
cannot be measured on a batch is None; the loss then leaves it out.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def masked_mean(values: Tensor, valid: Tensor) -> Tensor | None:
    """Mean () of values (B, T): over the valid frames of each sequence, then over the batch.

    None if any sequence has no valid frame, as in the published training (spec/EMOTE.md 6, stage 1).
    """
    counts = valid.sum(1)
    if not bool(counts.all()):
        return None
    return (values.masked_fill(~valid, 0).sum(1) / counts).mean()


def masked_squared_error(found: Tensor, wanted: Tensor, valid: Tensor) -> Tensor | None:
    """Mean squared error () of (B, T, ...) over the valid frames (B, T), in the squared unit of the values."""
    return masked_mean((found - wanted).flatten(2).square().mean(2), valid)


def masked_velocity_error(found: Tensor, wanted: Tensor, valid: Tensor) -> Tensor | None:
    """Mean squared error () of the differences between consecutive frames of (B, T, ...), where both are valid."""
    error = found - wanted
    steps = error[:, 1:] - error[:, :-1]
    return masked_mean(steps.flatten(2).square().mean(2), valid[:, 1:] & valid[:, :-1])


def cosine_distance(found: Tensor, wanted: Tensor) -> Tensor:
    """Cosine distance 1 - cos (...) of vectors (..., D): 0 if parallel, 1 if orthogonal, 2 if opposite."""
    return 1 - F.cosine_similarity(found, wanted, dim=-1)


def emotion_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean cosine distance () of video emotion features (B, 256), one per clip."""
    return cosine_distance(found, wanted).mean()


def lip_reading_error(found: Tensor, wanted: Tensor, valid: Tensor) -> Tensor | None:
    """Mean cosine distance () of lip-reading features (B, T, D) over all valid frames; None if no frame is valid."""
    if not bool(valid.any()):
        return None
    return cosine_distance(found, wanted)[valid].mean()
