"""Plain pickles, and numpy's .npy and .npz files with or without objects."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from .constructors import checked_shape, plain_dtype
from .inert import RefusedPickle
from .machine import PickleMachine
from .source import map_file, safe_entries, sentences

_NPY_MAGIC = b"\x93NUMPY"
_MAX_HEADER = 10_000
MAX_UNPACKED_BYTES = 1 << 31


def load_pickle(path: str | Path) -> Any:
    """The value of a .pkl file: dicts, lists, numpy arrays, and stand-ins for everything else.

    The strings of a Python 2 pickle are text with one character per byte (latin-1).

    Raises:
        InputError: if the file is damaged, or names anything that could run code; the sentence names it.
    """
    path = Path(path)
    data = map_file(path)
    with sentences(path):
        return PickleMachine(data).load()


def load_npy_object(path: str | Path) -> Any:
    """The value of a .npy file, or the values of a .npz by name; a single pickled object is returned as itself.

    Raises:
        InputError: as for `load_pickle`.
    """
    path = Path(path)
    data = map_file(path)
    with sentences(path):
        if bytes(data[: len(_NPY_MAGIC)]) == _NPY_MAGIC:
            return _parse_npy(data)
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy"): _parse_npy(part) for name, part in _unpacked(archive)}


def _unpacked(archive: zipfile.ZipFile):
    """The name and bytes of each entry, at most the entry's stated size each and the limit in all."""
    entries = safe_entries(archive)
    if sum(entry.file_size for entry in entries.values()) > MAX_UNPACKED_BYTES:
        raise RefusedPickle("would unpack to an absurd size")
    for name, entry in entries.items():
        with archive.open(entry) as file:
            content = file.read(entry.file_size + 1)
        if len(content) != entry.file_size:
            raise RefusedPickle(f"has an entry {name[:80]!r} that unpacks to another size than it says")
        yield name, memoryview(content)


def _parse_npy(data: memoryview) -> Any:
    """The value of a .npy file's bytes (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)."""
    file = io.BytesIO(bytes(data[: _MAX_HEADER + 16]))
    if file.read(len(_NPY_MAGIC)) != _NPY_MAGIC:
        raise RefusedPickle("is no .npy file")
    version = file.read(1)[0]
    file.read(1)
    if version not in (1, 2, 3):
        raise RefusedPickle(f"is a .npy file of the unknown version {version}")
    length = int.from_bytes(file.read(2 if version == 1 else 4), "little")
    if length > _MAX_HEADER:
        raise RefusedPickle(f"has a .npy header of {length} bytes")
    text = file.read(length).decode("utf-8" if version == 3 else "latin-1")
    header = ast.literal_eval(re.sub(r"(\d)L\b", r"\1", text).strip())  # Python 2 wrote 10L
    if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        raise RefusedPickle("has a .npy header that numpy never writes")
    dtype = plain_dtype(header["descr"])
    body = data[file.tell() :]
    if dtype.hasobject:
        value = PickleMachine(body).load()
        is_single = isinstance(value, np.ndarray) and value.shape == ()
        return value.item() if is_single else value
    shape = checked_shape(header["shape"], dtype.itemsize, len(body))
    flat = np.frombuffer(body, dtype).copy()
    return flat.reshape(shape[::-1]).T if header["fortran_order"] else flat.reshape(shape)
