"""The torch networks as an engine: for a checkout with torch, with or without a GPU, and for evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, ModelError
from ..sample_store import Samples
from ..speech_model.config import EMOTEConfig
from ..speech_model.graphs import FOLDER_NAME, PARTS, has_graph
from .interface import ClipStatistics, Engine

if TYPE_CHECKING:
    from ..emote.model import EMOTE

_LIBRARIES = ("torch", "transformers", "safetensors", "onnx", "onnxscript")


class TorchEngine(Engine):
    """Runs a torch model on the device of its weights."""

    def __init__(self, model: EMOTE) -> None:
        self._model = model.eval()
        self._device = next(model.parameters()).device
        self.config = model.config

    @classmethod
    def load(cls, folder: str | Path, device: str = "cpu") -> TorchEngine:
        """The model in `folder` on `device`.

        Raises:
            InputError: if there is no such device.
            ModelError: if a library is missing, or the model's files are damaged or do not match.
        """
        with needs_libraries("the engine torch"):
            from ..emote.checkpoint import load_model

            model = load_model(folder)
        try:
            return cls(model.to(device))
        except (RuntimeError, AssertionError) as error:  # no such device, or torch was built without it
            reason = str(error).splitlines()[0][:120]
            raise InputError(f"torch cannot use the device {device!r} ({reason}); try cpu") from error

    def clip_statistics(self, samples: Samples) -> ClipStatistics:
        import torch

        with torch.inference_mode():
            return self._model.clip_statistics(self._tensor(samples[:]))

    def encode(
        self,
        samples: np.ndarray,
        num_frames: int,
        statistics: ClipStatistics | None = None,
        phones: np.ndarray | None = None,
    ) -> np.ndarray:
        import torch

        with torch.inference_mode():
            given = None if phones is None else self._tensor(phones)[None]
            return _array(self._model.encode_audio(self._tensor(samples)[None], num_frames, statistics, given)[0])

    def phone_posteriors(
        self, samples: np.ndarray, num_frames: int, statistics: ClipStatistics | None = None
    ) -> np.ndarray:
        import torch

        with torch.inference_mode():
            return _array(self._model.phone_posteriors(self._tensor(samples)[None], num_frames, statistics)[0])

    def motion(self, features: np.ndarray, condition: np.ndarray) -> np.ndarray:
        import torch

        with torch.inference_mode():
            latents = self._model.latents(self._tensor(features)[None], self._tensor(condition)[None])
            return _array(torch.cat(self._model.decode_latents(latents, len(features)), dim=-1)[0])

    def _tensor(self, array: np.ndarray) -> Any:
        """The array as a tensor on the model's device."""
        import torch

        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(self._device)


def write_missing_graphs(config: EMOTEConfig, model_folder: Path) -> list[Path]:
    """Make the graphs of an architecture that do not ship, write them into the model's folder, and return them.

    Raises:
        ModelError: if a library is missing.
        OSError: if the folder cannot be written.
    """
    missing = [part for part in PARTS if not has_graph(config, part)]
    if not missing:
        return []
    with needs_libraries("making an ONNX graph"):
        from ..emote.export import write_graph

        folder = model_folder / FOLDER_NAME
        folder.mkdir(exist_ok=True)
        return [write_graph(config, part, folder).path for part in missing]


@contextmanager
def needs_libraries(what: str) -> Iterator[None]:
    """Turn the ImportError of a library that only a checkout has into a ModelError."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in _LIBRARIES:
            raise
        raise ModelError(
            f"{what} needs the Python library {error.name}, which is not installed here; run it in a checkout of the "
            "project (`python build.py test` installs what is needed)"
        ) from error


def _array(tensor: Any) -> np.ndarray:
    return tensor.cpu().numpy()
