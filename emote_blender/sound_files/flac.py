"""Frames of FLAC, each with its number and a checksum of its header (RFC 9639)."""

from __future__ import annotations

import re

from .layout import Data, Layout, id3_end

_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_LONGEST_HEADER = 16


def read(data: Data) -> Layout | None:
    """The layout of a FLAC file; its first block says how many samples there are; None if it is another kind."""
    start = id3_end(data, 0)
    if data[start : start + 4] != b"fLaC":
        return None
    block_size = int.from_bytes(data[start + 8 : start + 10], "big")
    bits = int.from_bytes(data[start + 18 : start + 26], "big")  # rate 20, channels 3, bits per sample 5, samples 36
    rate, num_samples = bits >> 44, bits & ((1 << 36) - 1)
    if not rate:
        return Layout()
    hole = _first_missing(data, start + 42, block_size)
    seconds = num_samples / rate if num_samples else None
    return Layout(
        seconds, hole_seconds=None if hole is None else hole / rate, has_sound=True, seeks_exactly=hole is None
    )


def _first_missing(data: Data, start: int, block_size: int) -> int | None:
    """The first sample that no frame holds though a later one is there; None if there is none.

    Two frames in a row must confirm a gap: other bytes look like a header at times.
    """
    expected, jump = 0, None
    for found in _SYNC.finditer(data, start):
        head = bytes(data[found.start() : found.start() + _LONGEST_HEADER])
        number = _number(head)
        if number is None:
            continue
        if head[1] & 1:  # of the first sample, where blocks differ in size: the next number is not known
            return None
        if number == expected:
            expected, jump = number + 1, None
        elif jump is not None and number == jump + 1:
            return expected * block_size
        elif number > expected:
            jump = number
    return None


def _number(head: bytes) -> int | None:
    """The number of the frame whose header these bytes begin with (RFC 9639, section 9.1); None if it is none."""
    if len(head) < _LONGEST_HEADER or head[2] >> 4 == 0 or head[2] & 15 == 15 or head[3] & 1 or head[3] >> 4 > 10:
        return None
    first = head[4]
    extra = 0 if first < 0x80 else 7 - (first ^ 0xFF).bit_length()  # bytes after the first, as in UTF-8
    if extra < 0 or 0x80 <= first < 0xC0 or extra > 6:
        return None
    number = first & (0x7F if extra == 0 else (1 << (6 - extra)) - 1)
    for byte in head[5 : 5 + extra]:
        if byte >> 6 != 2:
            return None
        number = number << 6 | (byte & 0x3F)
    end = 5 + extra + {6: 1, 7: 2}.get(head[2] >> 4, 0) + {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    return number if _crc8(head[:end]) == head[end] else None


def _crc8(data: bytes) -> int:
    """The checksum of a frame's header: polynomial x^8 + x^2 + x + 1."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc
