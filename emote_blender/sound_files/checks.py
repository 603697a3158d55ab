"""What a sound must be to be used, each as a check with its sentence."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..errors import InputError
from .kinds import READABLE

MAX_DURATION_SECONDS = 6 * 3600.0
_LOWEST_RATE, _HIGHEST_RATE = 1000, 1_000_000
_LOUDEST = 1e10  # full scale is 1; 32-bit integers written as floats reach 2e9


def require_sample_rate(sample_rate: float, name: str) -> None:
    """Raise InputError if a sound has a sample rate that no recording has."""
    if not _LOWEST_RATE <= sample_rate <= _HIGHEST_RATE:
        raise InputError(f"{name}: a sample rate of {sample_rate:g} Hz cannot be used; use 8000 to 96000 Hz")


def require_sound(mono: np.ndarray, sample_rate: float, name: str, first: int = 0) -> None:
    """Raise InputError if a sample is NaN, infinite, or so large that a square or a sum would be.

    Args:
        mono: (n,) samples.
        sample_rate: samples per second.
        name: what the sentence calls the sound.
        first: place of the first sample in the sound.
    """
    usable = np.abs(mono) < _LOUDEST
    if not usable.all():
        index = int(np.argmin(usable))
        raise InputError(
            f"{name} has a sample that is no sound ({mono[index]}) at {(first + index) / sample_rate:.3f} s; "
            "export the sound again"
        )


def require_usable_length(duration_seconds: float, name: str) -> None:
    """Raise InputError if a sound is longer than six hours."""
    if duration_seconds > MAX_DURATION_SECONDS:
        raise InputError(
            f"{name} lasts more than {MAX_DURATION_SECONDS / 3600:g} hours; cut it into parts that are not longer"
        )


def require_file(path: Path) -> None:
    """Raise InputError if `path` is not a readable file, or is empty."""
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder; choose an audio file ({READABLE})")
    if not os.path.isfile(path) and os.path.exists(path):
        raise InputError(f"{path} is a pipe or a device; save the sound in a file, and give that")
    if not os.path.isfile(path):
        raise InputError(f"{path} not found; check the path of the audio file")
    try:
        with path.open("rb") as file:
            first = file.read(1)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    if not first:
        raise InputError(f"{path} is empty (0 bytes); choose a file with speech in it")
