"""Sound files read by Blender's own decoder (wav, flac, ogg, mp3, m4a, opus, the sound of a video)."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...audio import MAX_DURATION_SECONDS, Waveform, require_file, require_usable_length
from ...errors import InputError

if TYPE_CHECKING:
    import aud

_PIECE_SECONDS = 60
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE  # format tags of a wav file


def decode_file(path: str | Path, name: str | None = None) -> Waveform:
    """The sound of a file, at the file's own sample rate.

    Raises:
        InputError: if the file is missing, empty, not audio, too long, or holds samples that are not numbers.
    """
    path = Path(path)
    sound, sample_rate = _open(path)
    pieces = [
        piece for _, piece in _pieces(sound, sample_rate, path, 0, round((MAX_DURATION_SECONDS + 1) * sample_rate))
    ]
    return Waveform.from_channels(np.concatenate(pieces), sample_rate, name=name or str(path))


def decode_part(path: str | Path, start_seconds: float, duration_seconds: float, name: str | None = None) -> Waveform:
    """A part of a file's sound, at the file's own sample rate; silence where it reaches beyond the file.

    The sound after the part is not decoded. The sound before it is skipped in formats where Blender seeks exactly (PCM
    wav, flac); in other formats it is decoded too, and held in memory meanwhile.

    Args:
        path: the file.
        start_seconds: start of the part; negative times are silence.
        duration_seconds: length of the part; at least one sample is returned.
        name: name of the sound in error sentences; the path if None.

    Raises:
        InputError: as `decode_file`, for the part.
    """
    path = Path(path)
    name = name or str(path)
    sound, sample_rate = _open(path)
    require_usable_length(duration_seconds, name)
    start = round(start_seconds * sample_rate)
    part = np.zeros(max(1, round(duration_seconds * sample_rate)), np.float32)
    stop = start + len(part)
    is_empty = True
    for first, piece in _pieces(sound, sample_rate, path, start, stop):
        begin, end = max(start, first), min(stop, first + len(piece))
        if end > begin:
            part[begin - start : end - start] = piece[begin - first : end - first]
            is_empty = False
    if is_empty and not len(sound.limit(0, 1).data()):
        part = part[:0]  # not silence: the file has no samples at all
    return Waveform.from_channels(part, sample_rate, name)


def _pieces(
    sound: aud.Sound, sample_rate: float, path: Path, start: int, stop: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Pieces of a sound that cover its samples [start, stop), each with the index of its first sample.

    A piece is (n,) float32, the average of all channels. In formats where the decoder cannot seek exactly, there is
    one piece that begins with the file.
    """
    stop_seconds = (stop + 0.5) / sample_rate  # half a sample more: the decoder rounds down
    if not _is_skipped_exactly(path):
        yield 0, sound.limit(0, stop_seconds).data().mean(axis=1)
        return
    # At whole seconds ffmpeg's rounding of time stamps is never a sample off.
    for second in range(int(max(0, start) // sample_rate), math.ceil(stop / sample_rate), _PIECE_SECONDS):
        piece = sound.limit(second, min(second + _PIECE_SECONDS, stop_seconds)).data().mean(axis=1)
        yield second * round(sample_rate), piece
        if len(piece) < _PIECE_SECONDS * sample_rate:
            return


def _open(path: Path) -> tuple[aud.Sound, float]:
    """The sound of a file, not yet decoded, and its sample rate; raises InputError."""
    import aud

    require_file(path)
    try:
        sound = aud.Sound(str(path))  # type: ignore[call-arg] # the stubs lack this constructor
        # Reading .specs first raises on a bad file; .data() alone would abort Blender (4.5, 5.0).
        sample_rate, _ = sound.specs
    except aud.error as error:  # type: ignore[misc] # the stubs do not call it an exception
        raise InputError(
            f"{path} cannot be read as audio ({error}); use a wav, flac, ogg or mp3 file that plays elsewhere"
        ) from error
    return sound, sample_rate


def _is_skipped_exactly(path: Path) -> bool:
    """Whether Blender's decoder seeks in this file exactly to the sample (measured on 4.5, 5.0 and 5.2).

    It lands 1024 samples late in ogg, 312 late in opus, sometimes one sample off in mp3, and anywhere in adpcm.
    """
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == b"fLaC":
            return True
        if head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
            return False
        while len(chunk := file.read(8)) == 8:
            kind, size = struct.unpack("<4sI", chunk)
            if kind == b"fmt ":
                form = file.read(26)
                tag = int.from_bytes(form[:2], "little")
                if tag == _EXTENSIBLE:
                    tag = int.from_bytes(form[24:26], "little")
                return tag in (_PCM, _FLOAT)
            file.seek(size + size % 2, 1)
    return False
