"""Model folders: `config.json` and `model.safetensors`, loaded strictly."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import ModelError
from ..files.atomic_write import atomic_file
from ..files.named_tensors import TensorSpec
from ..speech_model.config import load_config, save_config
from ..speech_model.weights_file import WEIGHTS_FILE, modern_name, require_fit
from .model import EMOTE


def load_model(folder: str | Path, device: torch.device | str = "cpu") -> EMOTE:
    """The speech model in `folder`, in eval mode on `device`.

    Raises:
        ModelError: if a file is missing or damaged, or weights and configuration do not match exactly.
    """
    config = load_config(folder)
    path = Path(folder) / WEIGHTS_FILE
    state = load_weights(path)
    model = EMOTE(config)
    load_strictly(model, state, path)
    return model.to(device).eval()


def save_model(model: EMOTE, folder: str | Path) -> Path:
    """Write the model's configuration and weights to `folder`, and return its path."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(model, folder / WEIGHTS_FILE)
    save_config(model.config, folder)
    return folder


def save_weights(module: nn.Module, path: Path) -> None:
    """Write the module's tensors as a safetensors file, whole or not at all."""
    from safetensors.torch import save_file

    with atomic_file(path) as temporary:
        save_file({name: t.detach().cpu().contiguous() for name, t in module.state_dict().items()}, temporary)


def load_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, under today's names.

    Raises:
        ModelError: if the file is missing, truncated or of another kind.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error}); copy the model folder again") from error
    except SafetensorError as error:
        raise ModelError(f"{path} is truncated or damaged ({error}); copy the model folder again") from error
    return {modern_name(name): tensor for name, tensor in state.items()}


def load_strictly(model: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Copy `state` into the model; keys and shapes must be the model's exactly.

    Raises:
        ModelError: naming the keys that are missing, unexpected or of another shape. The model is then unchanged.
    """
    broken = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    require_fit(path, tensor_specs(model.state_dict()), tensor_specs(state), broken)
    model.load_state_dict(state)


def tensor_specs(state: Mapping[str, Tensor]) -> dict[str, TensorSpec]:
    """The specs of a state dict's tensors, for `match_tensors`."""
    return {name: TensorSpec(tuple(t.shape), str(t.dtype).removeprefix("torch.")) for name, t in state.items()}
