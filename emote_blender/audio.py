"""Sound as the speech models take it: one channel, float32, 16 kHz."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import InputError
from .motion_tools.timing import MOTION_FPS
from .resampling import resample

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
        samples: (N,) float32, N >= 1, finite; full scale is -1..1 but louder is allowed.
        sample_rate: samples per second.
    """

    samples: np.ndarray
    sample_rate: int = SAMPLE_RATE

    @classmethod
    def from_channels(cls, samples: np.ndarray, sample_rate: float, name: str = "audio") -> Waveform:
        """The average of all channels as a waveform.

        Args:
            samples: (N,) or (N, C) floating point samples.
            sample_rate: samples per second, 1 kHz to 1 MHz.
            name: what the sentence of an error calls this sound.

        Raises:
            InputError: if there are no samples, one is NaN or infinite, or the sound is longer than six hours.
            TypeError: if the samples are not floating point numbers.
        """
        samples = np.asarray(samples)
        if not np.issubdtype(samples.dtype, np.floating):
            raise TypeError(f"samples must be floating point, found {samples.dtype}")
        if samples.ndim not in (1, 2):
            raise ValueError(f"samples must be (N,) or (N, C), found shape {samples.shape}")
        if not _LOWEST_RATE <= sample_rate <= _HIGHEST_RATE:
            raise InputError(f"{name}: a sample rate of {sample_rate:g} Hz cannot be used; use 8000 to 96000 Hz")
        if samples.size == 0:
            raise InputError(f"{name} has no samples; choose a file with speech in it")
        require_usable_length(len(samples) / sample_rate, name)
        mono = samples if samples.ndim == 1 else samples.mean(axis=1)
        with np.errstate(over="ignore"):
            mono = np.ascontiguousarray(mono, dtype=np.float32)
        # Not NaN, not infinite, and not so large that a square or a sum would be.
        usable = np.abs(mono) < _LOUDEST
        if not usable.all():
            first = int(np.argmin(usable))
            raise InputError(
                f"{name} has a sample that is no sound ({mono[first]}) at {first / sample_rate:.3f} s; "
                "export the sound again"
            )
        return cls(mono, int(round(sample_rate)))

    @property
    def duration_seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate

    def resampled(self, sample_rate: int = SAMPLE_RATE) -> Waveform:
        """The same sound at another sample rate, band-limited; (ceil(N * new / old),) samples."""
        if sample_rate == self.sample_rate:
            return self
        return Waveform(resample(self.samples, self.sample_rate, sample_rate), sample_rate)


def load_audio(path: str | Path, sample_rate: int = SAMPLE_RATE) -> Waveform:
    """The sound of a wav, flac, ogg or mp3 file as one channel at `sample_rate`.

    Raises:
        InputError: if the file is missing, empty, not audio, damaged, or holds samples that are not numbers.
    """
    path = Path(path)
    require_file(path)
    samples, file_rate = _read_mono(path)
    return Waveform.from_channels(samples, file_rate, name=str(path)).resampled(sample_rate)


def require_usable_length(duration_seconds: float, name: str) -> None:
    """Raise InputError if a sound is longer than six hours."""
    if duration_seconds > MAX_DURATION_SECONDS:
        raise InputError(
            f"{name} lasts more than {MAX_DURATION_SECONDS / 3600:g} hours; cut it into parts that are not longer"
        )


def require_file(path: Path) -> None:
    """Raise InputError if `path` is not a file with something in it."""
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


def _read_mono(path: Path) -> tuple[np.ndarray, int]:
    """Samples (N,) float32 averaged over channels, block by block (an hour of stereo stays in memory once)."""
    import soundfile

    try:
        with path.open("rb") as handle, soundfile.SoundFile(handle) as sound:
            limit = int(MAX_DURATION_SECONDS * sound.samplerate) + 1
            blocks, num_samples = [], 0
            while num_samples < limit:
                block = sound.read(min(_BLOCK_FRAMES, limit - num_samples), dtype="float32", always_2d=True)
                if not len(block):
                    break
                blocks.append(block.mean(axis=1))
                num_samples += len(block)
            rate, announced = sound.samplerate, sound.frames
    except (soundfile.LibsndfileError, RuntimeError) as error:
        reason = str(error).rsplit(": ", 1)[-1].rstrip(".")
        raise InputError(
            f"{path} cannot be read as audio ({reason}); use a wav, flac, ogg or mp3 file that plays elsewhere"
        ) from error
    # An mp3's announced length is an estimate.
    if num_samples < 0.99 * min(announced, limit):
        logger.warning("%s ends at %.2f of %.2f s; the rest is missing", path, num_samples / rate, announced / rate)
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    return samples, rate
