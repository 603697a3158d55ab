"""Pages of Ogg: Vorbis, Opus, FLAC and Speex (RFC 3533)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from .layout import Data, Layout

_PAGE = b"OggS"
_FIRST = 2  # flag of the first page of a stream
_TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))  # bits in the other order
_NO_POSITION = 0xFFFF_FFFF_FFFF_FFFF


@dataclass
class _Stream:
    """A stream of sound in the file: its rate, where it begins, its next page's number, and its length so far."""

    rate: int
    begin_seconds: float
    next_page: int = 1
    seconds: float = 0.0


def read(data: Data) -> Layout | None:
    """The layout of a file of pages; None if it is another kind."""
    if data[:4] != _PAGE:
        return None
    streams: dict[int, _Stream] = {}
    place, end_seconds, hole, change, formats = 0, 0.0, None, None, set()
    is_cut = False
    while place < len(data):
        if data[place : place + 4] != _PAGE or place + 27 > len(data):
            found = data.find(_PAGE, place + 1)
            if found < 0:
                is_cut = place + 27 > len(data)
                break
            if hole is None and streams:
                hole = end_seconds
            place = found
            continue
        page = place
        flags, position, serial, number = struct.unpack_from("<5xBQII", data, place)
        num_segments = data[place + 26]
        content = place + 27 + num_segments
        place = content + sum(data[place + 27 : content])
        if place > len(data):
            is_cut = True
            break
        if hole is None and not _is_sound(data[page:place]):
            hole = end_seconds
        if flags & _FIRST:
            form = _format(data[content : content + 64])
            if form is not None:
                formats.add(form)
                if len(formats) > 1 and change is None and end_seconds > 0:
                    change = end_seconds
                streams[serial] = _Stream(form[0], end_seconds, number + 1)
            continue
        stream = streams.get(serial)
        if stream is None:
            continue
        if number > stream.next_page and hole is None:
            hole = end_seconds
        stream.next_page = number + 1
        if position != _NO_POSITION:
            stream.seconds = position / stream.rate
            end_seconds = max(end_seconds, stream.begin_seconds + stream.seconds)
    # The mark of a stream's last page says nothing: recorders of live sound leave it out.
    return Layout(None, is_cut, hole, change, has_sound=bool(streams))


def _is_sound(page: bytes) -> bool:
    """Whether a page has the checksum that it gives: a CRC of the polynomial of zlib's, of bytes read the other way."""
    (given,) = struct.unpack_from("<I", page, 22)
    turned = (page[:22] + bytes(4) + page[26:]).translate(_TURNED)
    crc = zlib.crc32(turned, 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int(f"{crc:032b}"[::-1], 2) == given


def _format(head: bytes) -> tuple[int, int] | None:
    """Sample rate and number of channels of a stream of sound, from its first page; None for other streams."""
    form = None
    if head.startswith(b"\x01vorbis"):
        form = struct.unpack_from("<I", head, 12)[0], head[11]
    elif head.startswith(b"OpusHead"):
        form = 48000, head[9]
    elif head.startswith(b"\x7fFLAC"):
        bits = int.from_bytes(head[27:30], "big")
        form = bits >> 4, (bits >> 1 & 7) + 1
    elif head.startswith(b"Speex   "):
        form = struct.unpack_from("<I", head, 36)[0], struct.unpack_from("<I", head, 48)[0]
    return form if form and form[0] else None
