"""Samples of a long sound on disk: an hour of speech need not be in memory to be animated."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from typing import IO, Protocol

import numpy as np

from .errors import InputError

_IN_MEMORY = 10 * 60 * 16000  # samples of a sound that stays in memory: 38 MB
_ITEM_BYTES = np.dtype(np.float32).itemsize


class Samples(Protocol):
    """Samples (N,) float32 that are read by slices: an array, or a part of a file."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> np.ndarray: ...


class StoredSamples:
    """Samples in a temporary file, which goes with this object. Every slice is read anew."""

    def __init__(self, file: IO[bytes], num_samples: int) -> None:
        """`file` holds `num_samples` float32 numbers and nothing else."""
        self._file = file
        self._num_samples = num_samples

    def __len__(self) -> int:
        return self._num_samples

    def __getitem__(self, part: slice) -> np.ndarray:
        start, stop, step = part.indices(self._num_samples)
        if step != 1:
            raise ValueError(f"stored samples are read in slices without a step, found {part}")
        self._file.seek(start * _ITEM_BYTES)
        return np.frombuffer(self._file.read(max(0, stop - start) * _ITEM_BYTES), np.float32)

    def __array__(self, dtype: np.typing.DTypeLike = None, copy: bool | None = None) -> np.ndarray:
        """All samples, in memory."""
        return self[:].astype(dtype or np.float32, copy=False)


def store(blocks: Iterable[np.ndarray], name: str) -> np.ndarray | StoredSamples:
    """Return the blocks (n,) float32 laid end to end: as an array, or on disk if they are more than ten minutes.

    Raises:
        InputError: if the temporary folder has no room for them; `name` is what the sentence calls the sound.
    """
    held: list[np.ndarray] = []
    num_samples, file = 0, None
    try:
        for block in blocks:
            num_samples += len(block)
            if file is not None:
                file.write(np.ascontiguousarray(block).data)
                continue
            held.append(block)
            if num_samples > _IN_MEMORY:
                file = tempfile.TemporaryFile(prefix="emote-")
                for part in held:
                    file.write(np.ascontiguousarray(part).data)
                held.clear()
        if file is not None:
            file.flush()
    except OSError as error:
        raise InputError(
            f"{name} is long and needs more than {num_samples * _ITEM_BYTES / 1e6:.0f} MB in {tempfile.gettempdir()} "
            f"while it is worked on, which cannot be written ({error.strerror}); make room there"
        ) from error
    if file is not None:
        return StoredSamples(file, num_samples)
    return np.concatenate(held) if held else np.zeros(0, np.float32)
