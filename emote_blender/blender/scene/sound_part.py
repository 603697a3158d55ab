"""Which part of which sound file words were recognised in, and whether that is still what is spoken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError
from ..blend_paths import absolute
from .placed_strip import PlacedStrip, audible_part
from .strips import sound_file

LENGTHENED = "the strip was lengthened"
RETIMED = "the strip was retimed"
_SECONDS_TOLERANCE = 0.2  # of speech at an end of a strip that hold no word


@dataclass(frozen=True)
class SoundPart:
    """A part of a sound file.

    Attributes:
        file: the file's name. Its folder does not count, as projects are moved.
        num_bytes: its size; 0 if it is missing.
        start_seconds: time in the file at which the part begins.
        end_seconds: time in the file at which it ends; None for the end of the file.
        retiming: the retiming keys of its strip, see `placed_strip.AudiblePart`; the times then count in what it plays.
    """

    file: str
    num_bytes: int
    start_seconds: float = 0.0
    end_seconds: float | None = None
    retiming: str = ""

    def change(self, now: SoundPart) -> str:
        """What was changed since, as a clause; empty if the present part is this one or a cut of it.

        A file that is missing at present is none of another content.
        """
        if now.num_bytes and (now.file, now.num_bytes) != (self.file, self.num_bytes):
            return "the sound file was changed"
        if now.retiming != self.retiming:
            return RETIMED
        begins_earlier = now.start_seconds < self.start_seconds - _SECONDS_TOLERANCE
        ends_later = self.end_seconds is not None and (
            now.end_seconds is None or now.end_seconds > self.end_seconds + _SECONDS_TOLERANCE
        )
        return LENGTHENED if begins_earlier or ends_later else ""


def part_of_strip(placed: PlacedStrip) -> SoundPart | None:
    """The part of a strip's file that is heard; None if there is none."""
    sound = placed.strip.sound
    if sound is None:
        return None
    try:
        part = audible_part(placed)
    except InputError:
        return None
    path = sound_file(sound)
    packed = sound.packed_file
    start = part.source_start_seconds
    num_bytes = packed.size if packed is not None else _num_bytes(path)
    return SoundPart(path.name, num_bytes, round(start, 3), round(start + part.duration_seconds, 3), part.retiming)


def part_of_file(given: str) -> SoundPart | None:
    """The whole of a sound file, by its path as a field holds it; None if the path has no file name."""
    try:
        path = Path(absolute(given))
    except InputError:
        return None
    return SoundPart(path.name, _num_bytes(path)) if path.name else None


def _num_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
