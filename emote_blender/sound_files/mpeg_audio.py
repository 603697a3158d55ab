"""Frames of MPEG audio, one after the other without an index: mp3 (ISO/IEC 11172-3, 13818-3) and aac in ADTS."""

from __future__ import annotations

import functools
import re
import struct
from typing import NamedTuple

from .layout import TOLERANCE_SECONDS, Data, Layout, id3_end

_KILOBITS = {  # by (is MPEG-1, layer)
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_SYNC = re.compile(rb"\xff[\xe0-\xff]")
_MOST_JUNK = 1 << 24  # bytes before the first frame, or between two
_CONFIRMING = 3  # frames in a row that make a beginning


class _Frame(NamedTuple):
    """The header of a frame: its size in bytes, its samples, and what may not change from one frame to the next."""

    size: int
    num_samples: int
    rate: int
    num_channels: int
    layer: int


def read(data: Data) -> Layout | None:
    """The layout of a file of frames; None if it is another kind."""
    place = _next_run(data, id3_end(data, 0))
    begins_at = 0
    if place is None and id3_end(data, 0):
        place = _next_run(data, 0)
        begins_at = place or 0
    if place is None:
        return None
    seconds, announced, hole, change, is_cut = 0.0, 0.0, None, None, False
    form: _Frame | None = None
    is_announced = True  # whether every part announced its length
    while place + 4 <= len(data):
        frame = _frame(data, place)
        if frame is None:
            after = _after_tag(data, place)
            if after is None:
                after = _next_run(data, place)
                if after is None:
                    break
                hole = seconds if hole is None else hole
            place = after
            continue
        if place + frame.size > len(data):
            is_cut = True
            break
        if form is not None and frame[2:4] != form[2:4] and change is None:
            change = seconds
        given = _announced_samples(data, place, frame)
        if given is not None:
            announced += given / frame.rate
        else:
            seconds += frame.num_samples / frame.rate
            is_announced = is_announced and (form is not None or announced > 0)
        form = frame
        place += frame.size
    exact = announced if announced and is_announced else None
    # A frame that a tag cuts off at the very end is no loss if all that was announced is there.
    is_cut = is_cut if exact is None else exact - seconds > TOLERANCE_SECONDS
    return Layout(exact, is_cut, hole, change, has_sound=True, begins_at=begins_at)


def _frame(data: Data, place: int) -> _Frame | None:
    """The header at `place`, or None."""
    if data[place] != 0xFF:
        return None
    head = int.from_bytes(data[place : place + 4], "big")
    if head & 0xFFF6_0000 == 0xFFF0_0000:
        return _adts(data, place)
    return _mpeg(head & 0xFFFF_FEC0)


@functools.lru_cache(maxsize=4096)
def _mpeg(head: int) -> _Frame | None:
    """An MPEG audio header of 32 bits."""
    version, layer = head >> 19 & 3, 4 - (head >> 17 & 3)
    bitrate, rate = head >> 12 & 15, head >> 10 & 3
    if head >> 21 != 0x7FF or version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    hertz, bits = _RATES[version][rate], 1000 * _KILOBITS[version == 3, layer][bitrate]
    is_padded, num_channels = head >> 9 & 1, 1 if head >> 6 & 3 == 3 else 2
    if layer == 1:
        return _Frame((12 * bits // hertz + is_padded) * 4, 384, hertz, num_channels, 1)
    num_samples = 576 if layer == 3 and version != 3 else 1152
    return _Frame(num_samples // 8 * bits // hertz + is_padded, num_samples, hertz, num_channels, layer)


def _adts(data: Data, place: int) -> _Frame | None:
    """A header of an AAC frame (ISO/IEC 13818-7)."""
    if place + 7 > len(data):
        return None
    bits = int.from_bytes(data[place : place + 7], "big")
    rate, num_channels, size = bits >> 34 & 15, bits >> 30 & 7, bits >> 13 & 0x1FFF
    if rate >= len(_AAC_RATES) or size < 7:
        return None
    return _Frame(size, 1024 * (1 + (bits & 3)), _AAC_RATES[rate], num_channels, 4)


def _next_run(data: Data, start: int) -> int | None:
    """The first place from `start` at which several frames follow each other, or None."""
    for found in _SYNC.finditer(data, start, min(start + _MOST_JUNK, len(data))):
        place = found.start()
        first = _frame(data, place) if place + 4 <= len(data) else None
        frame = first
        for _ in range(_CONFIRMING - 1):
            if frame is None:
                break
            place += frame.size
            frame = _frame(data, place) if place + 4 <= len(data) else None
        if frame is not None and first is not None and frame.layer == first.layer:
            return found.start()
    return None


def _after_tag(data: Data, place: int) -> int | None:
    """The place after a tag between two frames; None if none begins here, or if its length is wrong."""
    end = None
    if data[place : place + 3] == b"ID3":
        end = id3_end(data, place)
    elif data[place : place + 3] == b"TAG":
        end = place + 128
    elif data[place : place + 8] == b"APETAGEX":
        (size,) = struct.unpack_from("<I", data, place + 12)
        end = place + 32 + size
    if end is None or (end < len(data) and _frame(data, end) is None and data[end : end + 3] not in (b"ID3", b"TAG")):
        # An ID3 tag is followed by zeros at times, and its length may be wrong: the frames behind it are what counts.
        return _next_run(data, place) if end is not None else None
    return end


def _announced_samples(data: Data, place: int, frame: _Frame) -> int | None:
    """The samples that the first frame of an mp3 announces (Xing, Info or VBRI header); None for other frames.

    The delay and the padding of the encoder are no part of them, where the header gives them (LAME's part of it):
    decoders leave them out, and at 8 kHz they last 0.2 s.
    """
    if frame.layer != 3:
        return None
    is_mpeg1 = frame.num_samples == 1152
    side = (17 if frame.num_channels == 1 else 32) if is_mpeg1 else (9 if frame.num_channels == 1 else 17)
    tag = place + 4 + side
    if data[tag : tag + 4] in (b"Xing", b"Info"):
        flags, num_frames = struct.unpack_from(">II", data, tag + 4)
        if not flags & 1:
            return 0
        extent = num_frames * frame.num_samples
        delay_and_padding = int.from_bytes(data[tag + 141 : tag + 144], "big") if flags & 15 == 15 else 0
        outside = (delay_and_padding >> 12) + (delay_and_padding & 0xFFF)
        return extent - outside if outside < extent else extent
    if data[place + 36 : place + 40] == b"VBRI":
        return struct.unpack_from(">I", data, place + 50)[0] * frame.num_samples
    return None
