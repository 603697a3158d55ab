"""Chunks of RIFF and its relatives: wav, RF64, Wave64, AIFF, AVI."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .layout import Data, Layout

_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE  # format tags of a wav file
# A program that cannot go back to write the size leaves 0, or about the largest number there is.
_LEAST_UNKNOWN_SIZE = 0x7FFF_0000
_W64_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_W64_CHUNK = bytes.fromhex("f3acd3118cd100c04f8edb8a")  # last 12 bytes of the names of its chunks


def read(data: Data) -> Layout | None:
    """The layout of a file of chunks; None if it is another kind."""
    if data[:16] == _W64_RIFF:
        return _wav(data, _wave64_chunks(data), is_wave64=True)
    form = data[8:12]
    if data[:4] == b"RIFX":
        return Layout(refused="its numbers are big-endian (RIFX), which players take for noise")
    if data[:4] in (b"RIFF", b"RF64", b"BW64"):
        if form == b"WAVE":
            return _wav(data, _chunks(data, "<"))
        if form == b"AVI ":
            return _avi(data)
    if data[:4] == b"FORM" and form in (b"AIFF", b"AIFC"):
        return _aiff(data)
    return None


def _wav(data: Data, chunks: Iterator[tuple[bytes, int, int]], is_wave64: bool = False) -> Layout:
    """The layout of a wav file of (name, first byte, size) chunks."""
    byte_rate, size64, tag = 0, None, 0
    for name, start, size in chunks:
        if name == b"fmt ":
            tag, rate, bytes_of_all_channels = struct.unpack_from("<HxxI4xH", data, start)
            if tag == _EXTENSIBLE and size >= 26:
                (tag,) = struct.unpack_from("<H", data, start + 24)
            # In others the rate of bytes is an estimate.
            byte_rate = rate * bytes_of_all_channels if tag in (_PCM, _FLOAT, _A_LAW, _MU_LAW) else 0
        elif name == b"ds64":
            size64 = struct.unpack_from("<Q", data, start + 8)[0]
        elif name == b"data":
            if size64 is not None and size == 0xFFFF_FFFF:
                size = size64
                if not size and start < len(data):
                    return Layout(refused="its header gives a length of 0: the recording was not finished")
            is_known = 0 < size < _LEAST_UNKNOWN_SIZE or (size64 == size and size) or is_wave64
            seconds = size / byte_rate if is_known and byte_rate else None
            is_cut = bool(is_known) and start + size > len(data) + 1
            unread, behind = 0.0, start + size + size % 2
            if seconds is not None and not is_wave64:
                if not _is_sound(data[behind : behind + 64]):
                    # Files joined end to end: decoders stop after the first.
                    behind = next((place for name, place, _ in chunks if name in (b"RIFF", b"data")), len(data))
                unread = (len(data) - behind) / byte_rate
            return Layout(
                seconds, is_cut, has_sound=True, seeks_exactly=tag in (_PCM, _FLOAT), unread_seconds=max(0.0, unread)
            )
    return Layout()


def _aiff(data: Data) -> Layout:
    """The layout of an AIFF or AIFC file."""
    seconds = None
    for name, start, size in _chunks(data, ">"):
        if name == b"COMM":
            num_samples = struct.unpack_from(">I", data, start + 2)[0]
            rate = _extended_float(bytes(data[start + 8 : start + 18]))
            seconds = num_samples / rate if num_samples and rate >= 1 else None
        elif name == b"SSND":
            is_known = 0 < size < _LEAST_UNKNOWN_SIZE
            return Layout(seconds if is_known else None, is_known and start + size > len(data) + 1, has_sound=True)
    return Layout()


def _avi(data: Data) -> Layout:
    """The layout of an AVI file; the type of each stream stands in its header."""
    has_sound = b"auds" in data[: 1 << 16]
    is_cut = any(
        data[start : start + 4] == b"movi" and start + size > len(data) + 1
        for name, start, size in _chunks(data, "<")
        if name == b"LIST"
    )
    return Layout(is_cut=is_cut, has_sound=has_sound)


def _chunks(data: Data, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and size of each chunk after the form's name."""
    place = 12
    while place + 8 <= len(data):
        name, (size,) = bytes(data[place : place + 4]), struct.unpack_from(order + "I", data, place + 4)
        yield name, place + 8, size
        place += 8 + size + size % 2


def _is_sound(beginning: bytes) -> bool:
    """Whether what follows a chunk is neither another chunk, which has a name, nor zeros that fill a sector."""
    return any(beginning) and not all(32 <= byte < 127 for byte in beginning[:4])


def _wave64_chunks(data: Data) -> Iterator[tuple[bytes, int, int]]:
    """The same of a Sony Wave64 file: names of 16 bytes, sizes of 8 that count both, to a multiple of 8."""
    place = 40
    while place + 24 <= len(data):
        name, (size,) = bytes(data[place : place + 4]), struct.unpack_from("<Q", data, place + 16)
        if data[place + 4 : place + 16] != _W64_CHUNK or size < 24:
            return
        yield name, place + 24, size - 24
        place += -(-size // 8) * 8


def _extended_float(number: bytes) -> float:
    """An 80-bit floating point number, as AIFF gives its sample rate."""
    exponent, mantissa = struct.unpack(">HQ", number)
    return float(mantissa) * 2.0 ** min((exponent & 0x7FFF) - 16383 - 63, 0)
