"""Checkpoints in torch's zip format, written without torch: what Lightning saves, as far as a reader sees it."""

import struct
import zipfile
from pathlib import Path

import numpy as np

STORAGES = {np.dtype(np.float32): b"FloatStorage", np.dtype(np.int64): b"LongStorage"}


def write_checkpoint(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """Write `{"state_dict": {name: tensor}}` as torch.save does; every tensor has a storage of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = [array.copy(order="C") for array in tensors.values()]
    items = b"".join(_text(name) + _tensor(index, array) for index, (name, array) in enumerate(zip(tensors, arrays)))
    # protocol 2; {"state_dict": {...}}
    program = b"\x80\x02}(" + _text("state_dict") + b"}(" + items + b"uu."
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", program)
        for index, array in enumerate(arrays):
            archive.writestr(f"archive/data/{index}", array.tobytes())
        archive.writestr("archive/version", "3\n")


def _tensor(index: int, array: np.ndarray) -> bytes:
    """Opcodes of torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)."""
    kind = b"ctorch\n" + STORAGES[array.dtype] + b"\n"
    storage = b"(" + _text("storage") + kind + _text(str(index)) + _text("cpu") + _number(array.size) + b"tQ"
    stride = tuple(step // array.itemsize for step in array.strides)
    arguments = storage + _number(0) + _numbers(array.shape) + _numbers(stride) + b"\x89ccollections\nOrderedDict\n)R"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tR"


def _text(text: str) -> bytes:
    """Opcode of a string."""
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def _number(value: int) -> bytes:
    """Opcode of a whole number."""
    return b"J" + struct.pack("<i", value)


def _numbers(values: tuple[int, ...]) -> bytes:
    """Opcodes of a tuple."""
    return b"(" + b"".join(map(_number, values)) + b"t"
