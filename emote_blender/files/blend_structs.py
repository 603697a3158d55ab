"""Where the fields of Blender's structs lie, read from the description that Blender writes into every .blend file.

The description (SDNA) is that of the program that wrote the file: names, types, sizes of types, and the fields of each
struct in their order, without padding between them (the file format of .blend, block DNA1).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from math import prod

from ..errors import InputError

_POINTER_BYTES = 8


@dataclass(frozen=True)
class Field:
    """A field of a struct.

    Attributes:
        offset: bytes from the beginning of the struct.
        type: its type, such as "double".
        num_bytes: its size.
    """

    offset: int
    type: str
    num_bytes: int


def fields_of(blend: bytes, name: str) -> dict[str, Field]:
    """The fields of a struct by their names, without their array sizes and stars.

    Args:
        blend: an uncompressed .blend file.
        name: of the struct.

    Raises:
        InputError: if the file has no readable description, or the struct is not in it.
    """
    try:
        return _fields_of(blend, name)
    except (ValueError, IndexError, KeyError, struct.error) as error:
        raise InputError(f"the .blend file does not describe the struct {name!r} ({error})") from error


def _fields_of(blend: bytes, wanted: str) -> dict[str, Field]:
    start = blend.index(b"SDNANAME")
    names, place = _strings(blend, start, start + 8)
    types, place = _strings(blend, start, _section(blend, start, place, b"TYPE"))
    place = _section(blend, start, place, b"TLEN")
    sizes = struct.unpack_from(f"<{len(types)}H", blend, place)
    place = _section(blend, start, place + 2 * len(types), b"STRC")
    (num_structs,) = struct.unpack_from("<I", blend, place)
    place += 4
    for _ in range(num_structs):
        type_index, num_fields = struct.unpack_from("<HH", blend, place)
        place += 4
        if types[type_index] == wanted:
            pairs = struct.iter_unpack("<HH", blend[place : place + 4 * num_fields])
            return _laid_out([(types[kind], sizes[kind], names[name]) for kind, name in pairs])
        place += 4 * num_fields
    raise KeyError("no such struct")


def _laid_out(declared: list[tuple[str, int, str]]) -> dict[str, Field]:
    """Fields by name from their types, the sizes of those, and their names as declared: `*next`, `filepath[1024]`."""
    fields: dict[str, Field] = {}
    offset = 0
    for kind, size, declaration in declared:
        is_pointer = declaration[0] in "*("
        count = prod(int(number) for number in re.findall(r"\[(\d+)\]", declaration))
        num_bytes = count * (_POINTER_BYTES if is_pointer else size)
        fields[re.sub(r"\[\d+\]|[*()]", "", declaration)] = Field(offset, kind, num_bytes)
        offset += num_bytes
    return fields


def _strings(blend: bytes, start: int, place: int) -> tuple[list[str], int]:
    """A counted list of zero-terminated strings, and the place behind it."""
    (count,) = struct.unpack_from("<I", blend, place)
    place += 4
    found = []
    for _ in range(count):
        end = blend.index(b"\0", place)
        found.append(blend[place:end].decode("ascii"))
        place = end + 1
    return found, place


def _section(blend: bytes, start: int, place: int, name: bytes) -> int:
    """The place behind a section's name, which is aligned to four bytes from the start of the description."""
    place = start + -(-(place - start) // 4) * 4
    if blend[place : place + 4] != name:
        raise ValueError(f"{name.decode()} is missing")
    return place + 4
