"""PyTorch checkpoints without PyTorch: the zip format of torch 1.6 and later, and the one before it.

Tensors become numpy arrays on a memory map of the file, so that a checkpoint takes no memory until its values are read.
"""

from __future__ import annotations

import math
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .constructors import Constructor, _dict_of
from .inert import InertClass, RefusedPickle
from .machine import PickleMachine
from .source import forget_pages, map_file, safe_entries, sentences

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
MAX_PICKLE_BYTES = 1 << 28
MAX_EXPANDED_BYTES = 1 << 24  # of a tensor whose storage is smaller than itself
_MAX_DIMENSIONS = 16

_DTYPES = {
    "Float": "<f4",
    "Double": "<f8",
    "Half": "<f2",
    "BFloat16": "bfloat16",
    "Long": "<i8",
    "Int": "<i4",
    "Short": "<i2",
    "Char": "|i1",
    "Byte": "|u1",
    "Bool": "|b1",
}


@dataclass(frozen=True)
class StorageType:
    """A class of storages.

    Attributes:
        code: type of the numbers, as numpy's code or "bfloat16"; None for untyped storages.
    """

    code: str | None

    @property
    def dtype(self) -> np.dtype:
        """The type of the stored numbers; unsigned 16-bit integers for bfloat16, which numpy lacks."""
        return np.dtype("<u2" if self.code == "bfloat16" else self.code)


@dataclass(frozen=True, eq=False)
class Storage:
    """A storage.

    Attributes:
        kind: its class.
        numbers: its numbers as a flat array; None until its place in the file is known.
    """

    kind: StorageType
    numbers: np.ndarray | None


def load_torch(path: str | Path) -> Any:
    """The content of a checkpoint: dicts and lists, tensors as numpy arrays, stand-ins for everything else.

    The arrays are memory-mapped and read-only. No class of the file is imported.

    Raises:
        InputError: if the file is damaged, or names anything that could run code; the sentence names it.
    """
    path = Path(path)
    data = map_file(path)
    with sentences(path):
        if bytes(data[:2]) == b"PK":
            with zipfile.ZipFile(path) as archive:
                content = _load_zip(archive, data)
        else:
            content = _load_legacy(data)
    forget_pages(data)  # the checksums looked at every byte
    return content


def _load_zip(archive: zipfile.ZipFile, data: memoryview) -> Any:
    entries = safe_entries(archive)
    pickles = [name for name in entries if re.fullmatch(r"[^/]+/data\.pkl", name)]
    if len(pickles) != 1:
        raise RefusedPickle("is a zip but no PyTorch checkpoint (it has no data.pkl)")
    root = pickles[0].rpartition("/")[0]
    byteorder = entries.get(f"{root}/byteorder")
    if byteorder is not None and bytes(_stored_bytes(byteorder, data)[:8]) == b"big":
        raise RefusedPickle("was written on a big-endian machine, which is not supported")
    script = _stored_bytes(entries[pickles[0]], data)
    if len(script) > MAX_PICKLE_BYTES:
        raise RefusedPickle("has an absurdly large data.pkl")
    known: dict[str, np.ndarray] = {}

    def read(kind: StorageType, key: str, count: int) -> np.ndarray:
        if key not in known:
            entry = entries.get(f"{root}/data/{key}")
            if entry is None:
                raise RefusedPickle(f"lacks the tensor data {key[:40]!r}")
            known[key] = np.frombuffer(_stored_bytes(entry, data), np.uint8)
        stored = known[key]
        if len(stored) != count * kind.dtype.itemsize:
            raise RefusedPickle(f"claims {count} numbers for tensor data of {len(stored)} bytes")
        return stored.view(kind.dtype)

    return PickleMachine(script, TORCH_GLOBALS, _persistent(read)).load()


def _stored_bytes(entry: zipfile.ZipInfo, data: memoryview) -> memoryview:
    """The bytes of an uncompressed zip entry, in place, after a check of its checksum."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        raise RefusedPickle(f"has the compressed entry {entry.filename[:80]!r}, which torch.save never writes")
    header = bytes(data[entry.header_offset : entry.header_offset + 30])
    if len(header) != 30 or header[:4] != b"PK\x03\x04":
        raise RefusedPickle(f"has the damaged entry {entry.filename[:80]!r}")
    start = entry.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    content = data[start : start + entry.file_size]
    if len(content) != entry.file_size or zlib.crc32(content) != entry.CRC:
        raise RefusedPickle(f"is cut off or damaged in {entry.filename[:80]!r}")
    return content


def _load_legacy(data: memoryview) -> Any:
    """The format before torch 1.6: five pickles, then each storage as an int64 count and its numbers."""
    machine = PickleMachine(data)
    machine.bytes_left = 1 << 27  # its pickles hold no arrays
    if machine.load() != LEGACY_MAGIC:
        raise RefusedPickle("is no PyTorch checkpoint")
    if machine.load() != LEGACY_PROTOCOL:
        raise RefusedPickle("is written in an unknown PyTorch protocol")
    system = machine.load()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise RefusedPickle("was written on a big-endian machine, which is not supported")
    # The places of the storages follow the pickle that refers to them, so it is read twice.
    kinds: dict[str, StorageType] = {}
    counts: dict[str, int] = {}

    def remember(kind: StorageType, key: str, count: int) -> None:
        if (kinds.setdefault(key, kind), counts.setdefault(key, count)) != (kind, count):
            raise RefusedPickle(f"describes the tensor data {key[:40]!r} in two ways")

    start = machine.position
    machine.more, machine.persistent = TORCH_GLOBALS, _persistent(remember)
    machine.load()
    machine.more, machine.persistent = {}, None
    keys = machine.load()
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(counts):
        raise RefusedPickle("lists other tensor data than it refers to")
    places: dict[str, np.ndarray] = {}
    position = machine.position
    for key in map(str, keys):
        count, dtype = int.from_bytes(data[position : position + 8], "little"), kinds[key].dtype
        end = position + 8 + count * dtype.itemsize
        if count != counts[key] or end > len(data):
            raise RefusedPickle(f"is cut off or damaged in the tensor data {key[:40]!r}")
        places[key] = np.frombuffer(data[position + 8 : end], dtype)
        position = end
    machine.position = start
    machine.more, machine.persistent = TORCH_GLOBALS, _persistent(lambda kind, key, count: places[key])
    return machine.load()


def _persistent(read: Callable[[StorageType, str, int], np.ndarray | None]) -> Callable[[object], Storage]:
    """A function from a persistent id ("storage", class, key, device, count) to its storage, read with `read`."""

    def make(identifier: object) -> Storage:
        if not isinstance(identifier, tuple) or len(identifier) not in (5, 6) or identifier[0] != "storage":
            raise RefusedPickle("refers to data outside the file (a persistent id)")
        kind, key, _, count = identifier[1:5]
        if not isinstance(kind, StorageType) or not isinstance(key, str) or type(count) is not int or count < 0:
            raise RefusedPickle("describes tensor data in a way torch.save never does")
        if len(identifier) == 6 and identifier[5] is not None:
            raise RefusedPickle("holds views of tensor data, as only torch before 0.4 wrote them; save it again")
        if kind.code is None:
            kind = StorageType("|u1")
        return Storage(kind, read(kind, key, count))

    return make


def _tensor(args: tuple, charge: Callable[[int], None]) -> np.ndarray:
    """torch._utils._rebuild_tensor_v2(storage, offset, size, stride, ...): a view of the storage, checked."""
    storage, offset, size, stride = args[:4] if len(args) >= 4 else (None, None, None, None)
    if not isinstance(storage, Storage) or type(offset) is not int or offset < 0:
        raise RefusedPickle("holds a tensor without its data")
    for lengths in (size, stride):
        if not isinstance(lengths, tuple) or not all(type(n) is int and 0 <= n < 1 << 40 for n in lengths):
            raise RefusedPickle(f"holds a tensor of absurd shape {lengths!r:.60}")
    if len(size) != len(stride) or len(size) > _MAX_DIMENSIONS:
        raise RefusedPickle(f"holds a tensor of absurd shape {size!r:.60}")
    if storage.numbers is None:
        return np.zeros(0, np.float32)
    count = math.prod(size)
    itemsize = storage.numbers.itemsize
    last = offset + sum((n - 1) * step for n, step in zip(size, stride)) if count else offset - 1
    if last >= len(storage.numbers) or (count > len(storage.numbers) and count * itemsize > MAX_EXPANDED_BYTES):
        raise RefusedPickle(f"claims a tensor of shape {size!r:.60} in data of {len(storage.numbers)} numbers")
    if not count:
        return np.zeros(size, storage.numbers.dtype)
    strides = tuple(step * itemsize if n > 1 else 0 for n, step in zip(size, stride))
    view = np.lib.stride_tricks.as_strided(storage.numbers[offset:], size, strides, writeable=False)
    if storage.kind.code == "bfloat16":
        charge(4 * count)
        return (view.astype(np.uint32) << 16).view(np.float32)
    return view


def _parameter(args: tuple, charge: Callable[[int], None]) -> np.ndarray:
    if not args or not isinstance(args[0], np.ndarray):
        raise RefusedPickle("holds a parameter without its tensor")
    return args[0]


def _size(args: tuple, charge: Callable[[int], None]) -> tuple:
    if len(args) != 1 or not isinstance(args[0], tuple | list):
        raise RefusedPickle("holds a damaged tensor size")
    charge(8 * len(args[0]))
    return tuple(args[0])


def _device(args: tuple, charge: Callable[[int], None]) -> str:
    return ":".join(str(part)[:20] for part in args[:2] if isinstance(part, str | int))


def _torch_globals() -> dict[str, object]:
    """The globals that a checkpoint may build, beside numpy's and the containers."""
    made: dict[str, object] = {f"torch.{name}Storage": StorageType(code) for name, code in _DTYPES.items()}
    made |= {f"torch.cuda.{name}Storage": StorageType(code) for name, code in _DTYPES.items()}
    made["torch.storage.UntypedStorage"] = made["torch.UntypedStorage"] = StorageType(None)
    builders = {
        "torch._utils._rebuild_tensor_v2": _tensor,
        "torch._utils._rebuild_tensor": _tensor,
        "torch._utils._rebuild_parameter": _parameter,
        "torch._utils._rebuild_parameter_with_state": _parameter,
        "torch.Size": _size,
        "torch.device": _device,
        "torch.serialization._get_layout": _device,
        "torch._jit_internal.OrderedDict": _dict_of,
    }
    made |= {name: Constructor(name, build) for name, build in builders.items()}
    types = "float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool float double half long int"
    return made | {f"torch.{name}": InertClass(f"torch.{name}") for name in types.split()}


TORCH_GLOBALS = _torch_globals()
