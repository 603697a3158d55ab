"""Weights of other projects' networks, from checkpoints that may be malicious, matched strictly to our networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ...emote.checkpoint import tensor_specs
from ...errors import InputError
from ...files.named_tensors import listed, take_tensors
from ...official.pickle_reader import load_torch


def read_state_dict(path: str | Path) -> dict[str, np.ndarray]:
    """The tensors of a PyTorch or Lightning checkpoint by name; no code in the file is run.

    The state dict may be the whole file, or be stored under "state_dict" or "model".

    Raises:
        InputError: the file does not exist or has no state dict.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} not found; give a checkpoint (.ckpt, .pt, .pth)")
    content = load_torch(path)
    for candidate in (content, *(content.get(key) for key in ("state_dict", "model") if isinstance(content, dict))):
        if isinstance(candidate, dict) and candidate and all(isinstance(v, np.ndarray) for v in candidate.values()):
            return {str(key): value for key, value in candidate.items()}
    raise InputError(f"{path} has no state dict of tensors; give the checkpoint that training wrote")


def common_prefix(state: dict[str, np.ndarray], anchor: str, path: Path) -> str:
    """The prefix of a network's keys in a state dict.

    Args:
        state: the state dict.
        anchor: the name, without prefix, of a weight that the network always has.
        path: the file, for the error.

    Raises:
        InputError: no key ends with `anchor`, or several do.
    """
    found = [key.removesuffix(anchor) for key in state if key == anchor or key.endswith("." + anchor)]
    if len(found) != 1:
        raise InputError(
            f"{path} has {len(found)} weights called {anchor}, expected one; give the checkpoint of one network "
            f"(found {listed(list(state))})"
        )
    return found[0]


def fill(
    network: nn.Module, state: dict[str, np.ndarray], their_name: Callable[[str], str], path: Path
) -> dict[str, np.ndarray]:
    """The rest of a state dict after its weights were copied into a network.

    Args:
        network: changed in place. The state dict must have all its tensors, except counters of batches. A network on
            the `meta` device saves the time to draw random weights.
        state: the state dict.
        their_name: maps the name of a tensor of the network to its name in the state dict.
        path: the file, for the error.

    Raises:
        InputError: a tensor is missing, of another shape or type, or not finite; the network is then unchanged.
    """
    ours = {their_name(name): name for name in network.state_dict()}
    specs = tensor_specs(network.state_dict())
    taken, problems = take_tensors({theirs: specs[name] for theirs, name in ours.items()}, state)
    if problems:
        raise InputError(f"{path} {'; '.join(problems)}; give the checkpoint of the network that is asked for")
    filled = {ours[theirs]: torch.from_numpy(np.array(array)) for theirs, array in taken.items()}
    network.load_state_dict(filled, assign=True)
    return {name: array for name, array in state.items() if name not in ours}
