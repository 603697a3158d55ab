"""The weights of a model for other speakers than its own."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

from ....emote.model import EMOTE

logger = logging.getLogger(__name__)

CONDITION_WEIGHT = "sequence_decoder.obj_vector.map.weight"


def weights_for_speakers(model: EMOTE, speakers: Sequence[str]) -> dict[str, Tensor]:
    """The state dict of a model with the columns of other speakers.

    Speakers that the model has keep their column. A new one begins as the mean of the model's speakers.

    Args:
        model: the model.
        speakers: names in the order of the new columns.
    """
    state, known = model.state_dict(), model.config.speakers
    if tuple(speakers) == tuple(known):
        return state
    weight = state[CONDITION_WEIGHT]  # (F, emotions + intensities + speakers)
    kept, columns = weight[:, : -len(known)], weight[:, -len(known) :]
    if new := [name for name in speakers if name not in known]:
        logger.info("new speakers %s begin as the mean of %s", ", ".join(new), ", ".join(known))
    chosen = [columns[:, known.index(name)] if name in known else columns.mean(1) for name in speakers]
    return {**state, CONDITION_WEIGHT: torch.cat([kept, torch.stack(chosen, dim=1)], dim=1)}
