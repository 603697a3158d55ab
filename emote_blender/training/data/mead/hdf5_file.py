"""Numeric arrays from HDF5 files of unknown origin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ....errors import InputError

_MAX_VALUES = 1 << 26  # 256 MB of float32; an hour of shape coefficients is 27 million
_SHOWN_NAMES = 10
T = TypeVar("T")


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The datasets `names` of a file, as float32.

    Raises:
        InputError: the file is missing, damaged or not HDF5, or a dataset is missing, not numeric or too large.
    """
    return _within(path, lambda file: {name: _array(path, file, name) for name in names})


def dataset_names(path: Path) -> list[str]:
    """The names at the top level of a file, sorted.

    Raises:
        InputError: the file is missing, damaged or not HDF5.
    """
    return _within(path, lambda file: sorted(file))


def _within(path: Path, work: Callable[[Any], T]) -> T:
    """The result of `work` on the open file; every failure becomes an InputError."""
    import h5py

    if not path.is_file():
        raise InputError(f"{path} not found; unpack the whole processed data set")
    try:
        with h5py.File(path, "r") as file:
            return work(file)
    except InputError:
        raise
    # For a damaged file, h5py also raises KeyError, RuntimeError, ValueError, TypeError and MemoryError.
    except Exception as error:
        raise InputError(f"{path} is not an HDF5 file or is damaged ({_short(error)}); unpack it again") from error


def _array(path: Path, file, name: str) -> np.ndarray:
    """A dataset stored in the file itself, as float32."""
    import h5py

    # Links and external storage could open any file on this machine.
    if not isinstance(file.get(name, getlink=True), h5py.HardLink) or not isinstance(file[name], h5py.Dataset):
        found = ", ".join(sorted(file)[:_SHOWN_NAMES]) or "nothing"
        raise InputError(f"{path} has no {name!r}, only {found}; unpack it again")
    dataset = file[name]
    if dataset.external or dataset.is_virtual:
        raise InputError(f"{path}: {name} lies in another file; unpack the whole processed data set")
    if dataset.dtype.kind not in "fiub" or dataset.size > _MAX_VALUES:
        raise InputError(
            f"{path}: {name} is {dataset.shape} of {dataset.dtype}, not numbers that fit in memory; unpack it again"
        )
    with np.errstate(over="ignore"):  # an overflow becomes infinite; callers check for finite values
        return np.asarray(dataset[()]).astype(np.float32)


def _short(error: Exception) -> str:
    """The first line of h5py's message."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")
