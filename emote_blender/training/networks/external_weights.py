"""Other people's networks: weights out of a checkpoint that may be hostile, matched strictly to a network of ours."""

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
    """The tensors of a PyTorch or Lightning checkpoint by name; nothing in the file is run.

    The state dict may be the file itself, or stand under "state_dict" or "model".

    Raises:
        InputError: no such file, or it holds no state dict.
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
    """What stands before `anchor`, a name that the network surely has, in the state dict's keys.

    Raises:
        InputError: no key ends with it, or several do.
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
    """Copies weights into the network and gives back what is left of the state dict.

    Args:
        network: every tensor of it must be in the state dict, but counters of seen batches. It may be on `meta`, which
            saves the time of random weights.
        their_name: name in the state dict of one of the network's tensors.

    Raises:
        InputError: naming what is missing, of another shape or type, or not finite. The network is then unchanged.
    """
    ours = {their_name(name): name for name in network.state_dict()}
    specs = tensor_specs(network.state_dict())
    taken, problems = take_tensors({theirs: specs[name] for theirs, name in ours.items()}, state)
    if problems:
        raise InputError(f"{path} {'; '.join(problems)}; give the checkpoint of the network that is asked for")
    filled = {ours[theirs]: torch.from_numpy(np.array(array)) for theirs, array in taken.items()}
    network.load_state_dict(filled, assign=True)
    return {name: array for name, array in state.items() if name not in ours}
