"""Folders of perceptual networks: `config.json` and `model.safetensors`, loaded strictly."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from ...emote.checkpoint import WEIGHTS_FILE, load_strictly, load_weights, save_weights
from ...errors import ModelError
from ...files.atomic_write import write_json
from ...files.dataclass_reader import read_dataclass
from .emotion_network import EmotionNetwork, EmotionNetworkConfig
from .lip_reading import LipReader, LipReaderConfig
from .video_emotion import VideoEmotionConfig, VideoEmotionNetwork

CONFIG_FILE = "config.json"
_LARGEST_SETTING = 1 << 13  # a larger value in a damaged file could exhaust the memory
_KINDS: dict[str, tuple[type[nn.Module], type]] = {
    "emotion": (EmotionNetwork, EmotionNetworkConfig),
    "video_emotion": (VideoEmotionNetwork, VideoEmotionConfig),
    "lip_reader": (LipReader, LipReaderConfig),
}
_Network = TypeVar("_Network", EmotionNetwork, VideoEmotionNetwork, LipReader)


def save_network(network: EmotionNetwork | VideoEmotionNetwork | LipReader, folder: str | Path) -> Path:
    """The folder to which the network's settings and weights were written."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    kind = next(name for name, (cls, _) in _KINDS.items() if type(network) is cls)
    save_weights(network, folder / WEIGHTS_FILE)
    write_json(folder / CONFIG_FILE, {"network": kind, "config": dataclasses.asdict(network.config)})
    return folder


def load_network(folder: str | Path, cls: type[_Network]) -> _Network:
    """The network in a folder, in eval mode.

    Args:
        folder: the folder.
        cls: the class that the network must have.

    Raises:
        ModelError: a file is missing or damaged, it is another network, or weights and settings do not match exactly.
    """
    path = Path(folder) / CONFIG_FILE
    kind, config_class = next((name, config) for name, (known, config) in _KINDS.items() if known is cls)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read; choose a folder that holds a trained {kind} network") from error
    except ValueError as error:
        raise ModelError(f"{path} is not readable JSON ({error}); copy the folder again") from error
    found = content.get("network") if isinstance(content, dict) else None
    if found != kind:
        raise ModelError(f"{path} describes {found!r:.40}, expected a network of kind '{kind}'; choose its folder")
    network = cls(_read_config(content.get("config"), config_class, path))
    weights = Path(folder) / WEIGHTS_FILE
    load_strictly(network, load_weights(weights), weights)
    return network.eval()


def _read_config(values: object, config_class: type, path: Path) -> Any:
    """The settings from config.json, without defaults for missing ones."""
    try:
        config: Any = read_dataclass(config_class, values, complete=True)
    except ValueError as error:
        raise ModelError(f"{path}: {error}; copy the folder again") from error
    for name, value in dataclasses.asdict(config).items():
        if isinstance(value, int) and not 0 <= value <= _LARGEST_SETTING:
            raise ModelError(f"{path}: {name} is {value}, expected at most {_LARGEST_SETTING}; copy the folder again")
    return config
