"""The engines by name, and opening a model with one."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from .interface import Engine

ENGINES = ("onnx", "torch")
DEFAULT_ENGINE = "onnx"
DEFAULT_DEVICE = "cpu"


def open_engine(folder: Path, engine: str = DEFAULT_ENGINE, device: str = DEFAULT_DEVICE) -> Engine:
    """The model in `folder`, loaded by one of `ENGINES`.

    Args:
        folder: the model's folder.
        engine: "onnx", which runs everywhere, or "torch", which needs torch.
        device: "cpu"; for the engine torch also "cuda" or "mps".

    Raises:
        InputError: if there is no such engine, or the engine cannot use the device.
        ModelError: if the model is damaged, or the engine's library is missing or cannot be used.
    """
    if engine == "onnx":
        if device != "cpu":
            raise InputError(f"the engine onnx runs on the CPU, not on {device!r}; leave the device out or use torch")
        from .onnx import OnnxEngine

        return OnnxEngine(folder)
    if engine == "torch":
        from .torch import TorchEngine

        return TorchEngine.load(folder, device)
    raise InputError(f"unknown engine {engine!r}; choose {' or '.join(ENGINES)}")
