"""What the bytes of a sound file say of it: the result of the readers of each kind."""

from __future__ import annotations

import mmap
from dataclasses import dataclass

TOLERANCE_SECONDS = 0.1  # some encoders announce their delay and padding, others do not

Data = mmap.mmap | bytes


@dataclass(frozen=True)
class Layout:
    """What the bytes of a file say of its sound.

    Attributes:
        announced_seconds: length that the file announces; None if it does not.
        is_cut: whether the file ends before what it announces.
        hole_seconds: time of the first place in the middle where the file is damaged; None if none is known.
        change_seconds: time at which the sample rate or the number of channels changes (files joined end to end);
            None if neither does.
        has_sound: whether there is a sound track; None if that is not known.
        seeks_exactly: whether a decoder can begin anywhere to the sample (PCM, FLAC).
        unread_seconds: length of what seems to be sound behind what the file announces; decoders leave it out.
        trouble: why a decoder will refuse the file, if that is known.
        refused: why the file is not given to a decoder, which would make noise or nothing of it.
        begins_at: first byte of the sound if the tag before it gives a wrong length, which decoders follow; else 0.
    """

    announced_seconds: float | None = None
    is_cut: bool = False
    hole_seconds: float | None = None
    change_seconds: float | None = None
    has_sound: bool | None = None
    seeks_exactly: bool = False
    unread_seconds: float = 0.0
    trouble: str = ""
    refused: str = ""
    begins_at: int = 0


def id3_end(data: Data, start: int) -> int:
    """The place after an ID3v2 tag that begins at `start`; `start` if there is none."""
    if data[start : start + 3] != b"ID3" or len(data) < start + 10:
        return start
    size = 0
    for byte in data[start + 6 : start + 10]:
        size = size << 7 | (byte & 0x7F)
    return start + 10 + size + (10 if data[start + 5] & 0x10 else 0)
