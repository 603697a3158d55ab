"""Sound as the speech models take it: one channel, float32, 16 kHz."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .errors import InputError
from .motion_tools.timing import MOTION_FPS
from .resampling import resample_blocks
from .sample_store import StoredSamples, store

if TYPE_CHECKING:
    import soundfile

logger = logging.getLogger(__name__)

SAMPLE_RATE = 16000
FRAME_SAMPLES = SAMPLE_RATE // MOTION_FPS  # of one frame of motion
MAX_DURATION_SECONDS = 6 * 3600.0
_LOWEST_RATE, _HIGHEST_RATE = 1000, 1_000_000
_LOUDEST = 1e10  # full scale is 1; 32-bit integers written as floats reach 2e9
_BLOCK_FRAMES = 1 << 20


@dataclass(frozen=True, eq=False)
class Waveform:
    """One channel of sound.

    Attributes:
        samples: (N,) float32, N >= 1, finite; full scale is -1..1 but louder is allowed. An array, or of a long file
            samples on disk that are read by slices.
        sample_rate: samples per second.
    """

    samples: np.ndarray | StoredSamples
    sample_rate: int = SAMPLE_RATE

    @classmethod
    def from_channels(cls, samples: np.ndarray, sample_rate: float, name: str = "audio") -> Waveform:
        """The average of all channels as a waveform.

        Args:
            samples: (N,) or (N, C) floating point samples.
            sample_rate: samples per second, 1 kHz to 1 MHz.
            name: name of the sound in error sentences.

        Raises:
            InputError: if there are no samples, one is NaN or infinite, or the sound is longer than six hours.
            TypeError: if the samples are not floating point numbers.
        """
        samples = np.asarray(samples)
        if not np.issubdtype(samples.dtype, np.floating):
            raise TypeError(f"samples must be floating point, found {samples.dtype}")
        if samples.ndim not in (1, 2):
            raise ValueError(f"samples must be (N,) or (N, C), found shape {samples.shape}")
        require_sample_rate(sample_rate, name)
        if samples.size == 0:
            raise InputError(f"{name} has no samples; choose a file with speech in it")
        require_usable_length(len(samples) / sample_rate, name)
        mono = samples if samples.ndim == 1 else samples.mean(axis=1)
        with np.errstate(over="ignore"):
            mono = np.ascontiguousarray(mono, dtype=np.float32)
        require_sound(mono, sample_rate, name)
        return cls(mono, int(round(sample_rate)))

    @property
    def duration_seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate

    def resampled(self, sample_rate: int = SAMPLE_RATE) -> Waveform:
        """The same sound at another sample rate, band-limited; (ceil(N * new / old),) samples."""
        if sample_rate == self.sample_rate:
            return self
        starts = range(0, len(self.samples), _BLOCK_FRAMES)
        blocks = (self.samples[start : start + _BLOCK_FRAMES] for start in starts)
        return Waveform(store(resample_blocks(blocks, self.sample_rate, sample_rate), "the sound"), sample_rate)


def load_audio(path: str | Path, sample_rate: int = SAMPLE_RATE) -> Waveform:
    """The sound of a wav, flac, ogg or mp3 file as one channel at `sample_rate`.

    Raises:
        InputError: if the file is missing, empty, not audio, damaged, or holds samples that are not numbers.
    """
    import soundfile

    path = Path(path)
    require_file(path)
    try:
        with path.open("rb") as handle, soundfile.SoundFile(handle) as sound:
            require_sample_rate(sound.samplerate, str(path))
            blocks = _mono_blocks(sound, path)
            if sound.samplerate != sample_rate:
                blocks = resample_blocks(blocks, sound.samplerate, sample_rate)
            samples = store(blocks, str(path))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        reason = str(error).rsplit(": ", 1)[-1].rstrip(".")
        raise InputError(
            f"{path} cannot be read as audio ({reason}); use a wav, flac, ogg or mp3 file that plays elsewhere"
        ) from error
    if not len(samples):
        raise InputError(f"{path} has no samples; choose a file with speech in it")
    return Waveform(samples, sample_rate)


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
        raise InputError(f"{path} is a folder; choose an audio file (wav, flac, ogg or mp3)")
    if not os.path.isfile(path):
        raise InputError(f"{path} not found; check the path of the audio file")
    try:
        with path.open("rb") as file:
            first = file.read(1)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    if not first:
        raise InputError(f"{path} is empty (0 bytes); choose a file with speech in it")


def _mono_blocks(sound: soundfile.SoundFile, path: Path) -> Iterator[np.ndarray]:
    """Yield the samples (n,) float32 of a file, averaged over channels, block by block.

    Raises:
        InputError: if a sample is no number, or the sound is longer than six hours.
    """
    rate, num_samples = sound.samplerate, 0
    while len(block := sound.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
        mono = block.mean(axis=1)
        require_sound(mono, rate, str(path), num_samples)
        num_samples += len(mono)
        require_usable_length(num_samples / rate, str(path))
        yield mono
    # An mp3's announced length is an estimate.
    if num_samples < 0.99 * sound.frames:
        logger.warning("%s ends at %.2f of %.2f s; the rest is missing", path, num_samples / rate, sound.frames / rate)
