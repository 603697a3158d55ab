"""Safetensors files as numpy arrays, read and written with numpy alone.

Blender shows and animates a head without torch and without the safetensors package, so the head's file is read here.
The format (https://huggingface.co/docs/safetensors): a little-endian uint64 length, that many bytes of JSON, then the
raw arrays.
"""

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ..errors import ModelError
from .atomic_write import atomic_file

DTYPE_OF_CODE = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
CODE_OF_DTYPE = {np.dtype(dtype): code for code, dtype in DTYPE_OF_CODE.items()}
LENGTH_BYTES = 8
ALIGNMENT_BYTES = 8


def read_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """Every array of a safetensors file by name.

    Raises:
        ModelError: the file is missing, is not a safetensors file, or is truncated.
    """
    path = Path(path)
    with _opened(path) as file:
        entries = _read_entries(path, file)
        data = file.read()
    return {name: _array(path, name, entry, data).copy() for name, entry in entries.items()}


def map_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """Every array by name, read-only and memory-mapped: only what is read takes memory.

    Raises:
        ModelError: as `read_tensors`.
    """
    path = Path(path)
    with _opened(path) as file:
        entries = _read_entries(path, file)
        start, end = file.tell(), os.fstat(file.fileno()).st_size
        data = np.memmap(file, np.uint8, "r", offset=start) if end > start else b""
    return {name: _array(path, name, entry, data) for name, entry in entries.items()}


def read_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """The shape of every array by name, from the file's header alone; raises ModelError as `read_tensors` does."""
    path = Path(path)
    with _opened(path) as file:
        return {name: entry.shape for name, entry in _read_entries(path, file).items()}


def write_tensors(path, tensors: dict[str, np.ndarray]) -> None:
    """Write arrays in a fixed order, so that equal arrays give equal bytes; whole or not at all."""
    path = Path(path)
    # wide types first, as the safetensors package orders them: every array then starts at a multiple of its item size
    names = sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))
    header, offset = {}, 0
    for name in names:
        array = tensors[name]
        header[name] = {
            "dtype": CODE_OF_DTYPE[array.dtype.newbyteorder("<")],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % ALIGNMENT_BYTES)
    # one array after the other: a speech model need not be in memory twice
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        file.write(len(text).to_bytes(LENGTH_BYTES, "little") + text)
        for name in names:
            array = np.ascontiguousarray(tensors[name])
            file.write(array.astype(array.dtype.newbyteorder("<"), copy=False).data)


class _Entry(NamedTuple):
    """The header's entry of an array.

    Attributes:
        dtype: type of the array.
        shape: sizes of its axes.
        start: its first byte in the data that follow the header.
        end: the byte after its last one.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    start: int
    end: int


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise ModelError(f"{path} not found; copy its folder again") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); check that it is a readable file") from None


def _read_entries(path: Path, file: BinaryIO) -> dict[str, _Entry]:
    """The header's entries; the file then stands at the first byte of the data."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(LENGTH_BYTES), "little")
    if length > size - LENGTH_BYTES:
        raise ModelError(f"{path} is truncated or not a safetensors file ({size} bytes); copy the file again")
    try:
        header = json.loads(file.read(length))
    except ValueError:
        raise ModelError(f"{path} is not a safetensors file (its header is not JSON); copy the file again") from None
    if not isinstance(header, dict):
        raise ModelError(f"{path} is not a safetensors file (its header is not a table); copy the file again")
    return {name: _parse_entry(path, name, entry) for name, entry in header.items() if name != "__metadata__"}


def _parse_entry(path: Path, name: str, entry: Any) -> _Entry:
    try:
        dtype = np.dtype(DTYPE_OF_CODE[entry["dtype"]])
        shape = tuple(int(size) for size in entry["shape"])
        start, end = (int(offset) for offset in entry["data_offsets"])
    except (KeyError, TypeError, ValueError):
        raise ModelError(f"{path} has a broken entry for '{name}' ({entry!r}); copy the file again") from None
    if start < 0 or end - start != dtype.itemsize * math.prod(shape):
        raise ModelError(f"{path} has a broken entry for '{name}' ({entry!r}); copy the file again")
    return _Entry(dtype, shape, start, end)


def _array(path: Path, name: str, entry: _Entry, data: bytes | np.ndarray) -> np.ndarray:
    """A view of the data."""
    if entry.end > len(data):
        raise ModelError(f"{path} is truncated: '{name}' ends at byte {entry.end} of {len(data)}; copy the file again")
    count = math.prod(entry.shape)
    return np.frombuffer(data, entry.dtype, count, entry.start).reshape(entry.shape)
