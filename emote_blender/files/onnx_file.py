"""What an .onnx file says of itself, read without loading its weights and without a library.

ONNX Runtime 1.20 follows the paths of external weights wherever they lead, even to addresses in memory. So a file that
somebody sent is examined first.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ModelError

_MAX_DEPTH = 32
_MAX_FIELDS = 20_000_000  # a large speech model has 200,000
# Kinds of message, by kind of message around them and number of the field (onnx.proto).
_INSIDE = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 11: "input", 12: "output", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
_NAME, _VALUE = 1, 2  # fields of a named input or output, and of an entry of external data
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LFS_POINTER = b"version https://git-lfs"
_UNSAFE = frozenset('\\:*?"<>|')  # a drive, another separator, and `*`, which means an address in memory


@dataclass(frozen=True)
class OnnxSummary:
    """Names that a graph gives and takes, and where the weights are that it does not hold itself.

    Attributes:
        inputs: names of the inputs.
        outputs: names of the outputs.
        num_bytes: size of the file and of its external data.
    """

    inputs: frozenset[str]
    outputs: frozenset[str]
    num_bytes: int


@dataclass
class _Found:
    """What `_walk` collects."""

    inputs: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)
    external: dict[str, int] = field(default_factory=dict)  # file -> bytes that it must have
    num_fields: int = 0


class _Damaged(Exception):
    """The bytes are no ONNX graph, or end too early."""


def examine_onnx(path: Path) -> OnnxSummary:
    """What an .onnx file says of itself.

    Args:
        path: the file.

    Raises:
        ModelError: if the file is missing, half downloaded, or no ONNX graph; or if its weights are in another file
            that is missing, too short, or outside the folder.
    """
    found = _Found()
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            start = file.read(200)
            if start.startswith(_LFS_POINTER):
                raise ModelError(f"{path} is a pointer of Git LFS, not the file itself; download the file")
            if start.lstrip()[:1] in (b"<", b"{") or not start:
                raise ModelError(f"{path} is {'empty' if not start else 'a text'}, no ONNX file; download it again")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                _walk(content, 0, size, "model", found, 0)
    except _Damaged as error:
        raise ModelError(f"{path} is damaged or half downloaded ({error}); download it again") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror or error}); download it again") from error
    if not found.outputs:
        raise ModelError(f"{path} is no ONNX graph; download it again")
    for place, needed in found.external.items():
        size += _check_external(path, place, needed)
    return OnnxSummary(frozenset(found.inputs), frozenset(found.outputs), size)


def _check_external(path: Path, place: str, needed: int) -> int:
    """The size of a file with external weights; raises ModelError if it must not or cannot be read."""
    if not _is_below(place):
        raise ModelError(f"{path} reads its weights from {place!r}, outside its folder; such a file is not used")
    data = path.parent / place
    try:
        size = data.stat().st_size
    except OSError as error:
        raise ModelError(f"{data} not found, which holds the weights of {path.name}; download it too") from error
    if not data.is_file() or size < needed:
        raise ModelError(f"{data} is half downloaded ({size} of at least {needed} bytes); download it again")
    return size


def _is_below(place: str) -> bool:
    """Whether a path with "/" is one below its folder, on every system."""
    return all(
        part not in ("", ".", "..") and part.isprintable() and _UNSAFE.isdisjoint(part) for part in place.split("/")
    )


def _walk(content: mmap.mmap, position: int, end: int, kind: str, found: _Found, depth: int) -> None:
    """Collect what is in the message of this kind at this place."""
    if depth > _MAX_DEPTH:
        raise _Damaged("graphs in graphs without end")
    inside = _INSIDE.get(kind, {})
    entries: dict[str, str] = {}
    for number, start, stop in _fields(content, position, end, found):
        child = inside.get(number)
        if child in ("input", "output"):
            # Those of an inner graph, the body of a loop for example, are no inputs of the model.
            if depth == 1 and (name := _text(content, start, stop, _NAME, found)) is not None:
                (found.inputs if child == "input" else found.outputs).add(name)
        elif child == "entry":
            key = _text(content, start, stop, _NAME, found)
            entries[key or ""] = _text(content, start, stop, _VALUE, found) or ""
            if key == "location":
                found.external.setdefault(entries[key], 0)
        elif child is not None:
            _walk(content, start, stop, child, found, depth + 1)
    if "location" in entries:
        try:
            needed = int(entries.get("offset", "0")) + int(entries.get("length", "0"))
        except ValueError as error:
            raise _Damaged("a place of weights that is no number") from error
        found.external[entries["location"]] = max(found.external[entries["location"]], needed)


def _fields(content: mmap.mmap, position: int, end: int, found: _Found) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of each field of a message that holds bytes; other fields are passed over."""
    while position < end:
        found.num_fields += 1
        if found.num_fields > _MAX_FIELDS:
            raise _Damaged("more parts than any speech model has")
        tag, position = _varint(content, position, end)
        wire = tag & 7
        if wire == _VARINT:
            _, position = _varint(content, position, end)
            continue
        if wire == _BYTES:
            length, position = _varint(content, position, end)
        elif wire in (_FIXED32, _FIXED64):
            length = 4 if wire == _FIXED32 else 8
        else:
            raise _Damaged("not the format of ONNX")
        if position + length > end:
            raise _Damaged(f"{position + length - end} bytes are missing")
        if wire == _BYTES:
            yield tag >> 3, position, position + length
        position += length


def _varint(content: mmap.mmap, position: int, end: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = shift = 0
    while position < end and shift < 70:
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise _Damaged("the file ends too early" if position >= end else "not the format of ONNX")


def _text(content: mmap.mmap, position: int, end: int, wanted: int, found: _Found) -> str | None:
    """The text in a field of a message; None if the message lacks the field."""
    text = None
    for number, start, stop in _fields(content, position, end, found):
        if number == wanted:
            text = content[start : min(stop, start + 4096)].decode("utf-8", "replace")
    return text
