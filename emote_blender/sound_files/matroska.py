"""Elements of Matroska: mkv, mka, webm (RFC 8794, RFC 9559)."""

from __future__ import annotations

from collections.abc import Iterator

from .layout import Data, Layout

_EBML, _SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_TIMESTAMP_SCALE, _TRACK_ENTRY, _TRACK_TYPE, _TIMESTAMP = 0x2AD7B1, 0xAE, 0x83, 0xE7
_SIMPLE_BLOCK, _BLOCK_GROUP = 0xA3, 0xA0
_OF_SEGMENT = {_INFO, _TRACKS, _CLUSTER, 0x114D9B74, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, 0xEC, 0xBF}
_OF_CLUSTER = {_TIMESTAMP, _SIMPLE_BLOCK, _BLOCK_GROUP, 0x5854, 0xA7, 0xAB, 0xAF, 0xEC, 0xBF}
_SOUND = 2
_LONGEST_BLOCK_SECONDS = 5.0


def read(data: Data) -> Layout | None:
    """The layout of a file of elements; None if it is another kind."""
    if data[:4] != _EBML.to_bytes(4, "big"):
        return None
    scale, cluster, seconds, hole, has_sound, is_cut = 1_000_000, 0, 0.0, None, None, False
    segment = next((item for item in _elements(data, 0, len(data)) if item[0] == _SEGMENT), None)
    if segment is None:
        return Layout()
    _, place, end = segment
    is_cut = end is not None and end > len(data)
    is_whole = end is not None and not is_cut
    stop = min(end or len(data), len(data))
    while place < stop:
        element = next(_elements(data, place, stop), None)
        if element is None or (element[0] not in _OF_SEGMENT and element[0] not in _OF_CLUSTER):
            hole = seconds  # no element begins here: what follows is damaged
            break
        name, start, end = element
        if name == _INFO:
            for item, first, last in _elements(data, start, end or stop):
                if item == _TIMESTAMP_SCALE and last is not None:
                    scale = int.from_bytes(data[first:last], "big") or scale
        elif name == _TRACKS:
            has_sound = _SOUND in _track_types(data, start, end or stop)
        elif name == _TIMESTAMP and end is not None:
            cluster = int.from_bytes(data[start:end], "big")
        elif name in (_SIMPLE_BLOCK, _BLOCK_GROUP):
            block = start if name == _SIMPLE_BLOCK else next(_elements(data, start, stop), (0, start))[1]
            block_seconds = (cluster + int.from_bytes(data[block + 1 : block + 3], "big", signed=True)) * scale / 1e9
            if block_seconds < seconds + _LONGEST_BLOCK_SECONDS:  # else no block, but damage that looks like one
                seconds = max(seconds, block_seconds)
        if end is not None and end > stop:
            is_cut, hole = not is_whole, seconds if is_whole else None
            break
        # The elements of a cluster are read in turn: a damaged one breaks the chain.
        place = start if name == _CLUSTER or end is None else end
    return Layout(None, is_cut, hole, has_sound=has_sound)


def _track_types(data: Data, start: int, stop: int) -> set[int]:
    """The types of all tracks: 1 picture, 2 sound."""
    types = set()
    for name, first, last in _elements(data, start, stop):
        if name == _TRACK_ENTRY:
            for item, begin, end in _elements(data, first, last or stop):
                if item == _TRACK_TYPE and end is not None:
                    types.add(int.from_bytes(data[begin:end], "big"))
    return types


def _elements(data: Data, place: int, stop: int) -> Iterator[tuple[int, int, int | None]]:
    """Name, first byte of the content, and end of each element; the end is None if it is not known."""
    while place < stop:
        name_bytes = _width(data[place])
        if name_bytes > 4 or place + name_bytes >= stop:
            return
        name = int.from_bytes(data[place : place + name_bytes], "big")
        place += name_bytes
        size_bytes = _width(data[place])
        if size_bytes > 8 or place + size_bytes > stop:
            return
        size = int.from_bytes(data[place : place + size_bytes], "big") & ((1 << 7 * size_bytes) - 1)
        place += size_bytes
        end = None if size == (1 << 7 * size_bytes) - 1 else place + size
        yield name, place, end
        if end is None:
            return
        place = end


def _width(byte: int) -> int:
    """Bytes of a number that begins with `byte`: one more than its leading zeros."""
    return 9 - byte.bit_length()
