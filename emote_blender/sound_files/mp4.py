"""Boxes of MP4 and QuickTime: m4a, mp4, mov (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .layout import Data, Layout

_FIRST = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def read(data: Data) -> Layout | None:
    """The layout of a file of boxes; None if it is another kind."""
    if data[4:8] not in _FIRST:
        return None
    is_cut, is_in_parts = False, False
    tracks: list[tuple[bytes, float | None]] = []
    for name, start, stop in _boxes(data, 0, len(data)):
        is_cut = is_cut or stop > len(data)
        is_in_parts = is_in_parts or name == b"moof"
        if name == b"moov":
            stop = min(stop, len(data))
            heads = [
                _scale_and_length(data, first)[0] for name, first, _ in _boxes(data, start, stop) if name == b"mvhd"
            ]
            scale = heads[0] if heads else 0
            tracks = [_track(data, *box[1:], scale) for box in _boxes(data, start, stop) if box[0] == b"trak"]
    if not tracks:
        return Layout(is_cut=True, trouble="its index is missing: the file or its recording was not finished")
    sounds = [seconds for kind, seconds in tracks if kind == b"soun"]
    # In a file of parts (as streams are saved) the index gives the length of none or of the first.
    seconds = sounds[0] if sounds and not is_in_parts else None
    return Layout(seconds, is_cut, has_sound=bool(sounds))


def _track(data: Data, start: int, stop: int, movie_scale: int) -> tuple[bytes, float | None]:
    """The kind of a track ("soun" for sound), and its length as far as it is played."""
    kind, seconds, edited = b"", None, 0
    for name, first, last in _boxes(data, start, stop):
        for inner, place, _ in _boxes(data, first, last) if name in (b"mdia", b"edts") else ():
            if inner == b"hdlr":
                kind = bytes(data[place + 8 : place + 12])
            elif inner == b"mdhd":
                scale, length = _scale_and_length(data, place)
                seconds = length / scale if scale and length else None
            elif inner == b"elst":
                edited = _edited_length(data, place)
    if seconds is not None and edited and movie_scale:
        seconds = min(seconds, edited / movie_scale)
    return kind, seconds


def _scale_and_length(data: Data, place: int) -> tuple[int, int]:
    """Units per second and length in them, of the header of a movie or of a track's media."""
    form, place = (">IQ", place + 20) if data[place] == 1 else (">II", place + 12)
    scale, length = struct.unpack_from(form, data, place)
    return scale, length


def _edited_length(data: Data, place: int) -> int:
    """Length of all parts of a track that its edit list plays, in units of the movie."""
    form = ">Qq4x" if data[place] == 1 else ">Ii4x"
    (count,) = struct.unpack_from(">I", data, place + 4)
    size = struct.calcsize(form)
    edits = [struct.unpack_from(form, data, place + 8 + number * size) for number in range(min(count, 10_000))]
    return sum(length for length, media_time in edits if media_time >= 0)


def _boxes(data: Data, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte of the content, and end of each box."""
    while start + 8 <= stop:
        (size,), name, head = struct.unpack_from(">I", data, start), bytes(data[start + 4 : start + 8]), 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", data, start + 8), 16
        elif size == 0:
            size = stop - start
        if size < head:
            return
        yield name, start + head, start + size
        start += size
