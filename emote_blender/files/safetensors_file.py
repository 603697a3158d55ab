"""Safetensors files as numpy arrays, read and written with numpy alone.

Blender shows and animates a head without torch and without the safetensors package, so the head's file is read here.
The format (https://huggingface.co/docs/safetensors): a little-endian uint64 length, that many bytes of JSON, then the
raw arrays.
"""

import json
from pathlib import Path

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


def read_tensors(path) -> dict[str, np.ndarray]:
    """Returns every array of a safetensors file by name.

    Raises:
        ModelError: the file is missing, is not a safetensors file, or is truncated.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path} not found; the head's folder must hold it beside head.json") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); check that it is a readable file") from None
    header, data = _split_header(path, content)
    return {name: _read_array(path, name, entry, data) for name, entry in header.items() if name != "__metadata__"}


def write_tensors(path, tensors: dict[str, np.ndarray]) -> None:
    """Write arrays in a fixed order, so that equal arrays give equal bytes; the file appears whole or not at all."""
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


def _split_header(path: Path, content: bytes) -> tuple[dict, bytes]:
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    if len(content) < LENGTH_BYTES or length > len(content) - LENGTH_BYTES:
        raise ModelError(f"{path} is truncated or not a safetensors file ({len(content)} bytes); copy the file again")
    try:
        header = json.loads(content[LENGTH_BYTES : LENGTH_BYTES + length])
    except ValueError:
        raise ModelError(f"{path} is not a safetensors file (its header is not JSON); copy the file again") from None
    if not isinstance(header, dict):
        raise ModelError(f"{path} is not a safetensors file (its header is not a table); copy the file again")
    return header, content[LENGTH_BYTES + length :]


def _read_array(path: Path, name: str, entry, data: bytes) -> np.ndarray:
    try:
        dtype = np.dtype(DTYPE_OF_CODE[entry["dtype"]])
        shape = tuple(int(size) for size in entry["shape"])
        start, end = (int(offset) for offset in entry["data_offsets"])
    except (KeyError, TypeError, ValueError):
        raise ModelError(f"{path} has a broken entry for '{name}' ({entry!r}); copy the file again") from None
    expected = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    if start < 0 or end - start != expected:
        raise ModelError(f"{path} has a broken entry for '{name}' ({entry!r}); copy the file again")
    if end > len(data):
        raise ModelError(f"{path} is truncated: '{name}' ends at byte {end} of {len(data)}; copy the file again")
    return np.frombuffer(data, dtype, count=expected // dtype.itemsize, offset=start).reshape(shape).copy()
