"""Sound as the speech models take it: one channel, float32, 16 kHz."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .errors import InputError
from .motion_tools.timing import MOTION_FPS
from .resampling import resample_blocks
from .sample_store import StoredSamples, store
from .sound_files.checks import require_sample_rate, require_sound, require_usable_length
from .sound_files.open_sound import Decoder
from .sound_files.read import read_file, read_part

SAMPLE_RATE = 16000
FRAME_SAMPLES = SAMPLE_RATE // MOTION_FPS  # of one frame of motion
_BLOCK_FRAMES = 1 << 20


@dataclass(frozen=True, eq=False)
class Waveform:
    """One channel of sound.

    Attributes:
        samples: (N,) float32, N >= 1, finite; full scale is -1..1 but louder is allowed. An array, or of a long file
            samples on disk that are read by slices.
        sample_rate: samples per second.
        warnings: what is wrong with the sound although it can be used, one sentence each: a part of the file is
            missing, its channels cancel each other, it is silent.
    """

    samples: np.ndarray | StoredSamples
    sample_rate: int = SAMPLE_RATE
    warnings: tuple[str, ...] = ()

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
        samples = store(resample_blocks(blocks, self.sample_rate, sample_rate), "the sound")
        return replace(self, samples=samples, sample_rate=sample_rate)


def load_audio(
    path: str | Path,
    sample_rate: int | None = SAMPLE_RATE,
    name: str | None = None,
    decoder: Decoder | None = None,
) -> Waveform:
    """The sound of a file, or of a video, as one channel.

    Channels are averaged; where they cancel each other, the loudest is taken. Of several sound tracks it is the first.

    Args:
        path: a file of any kind that ffmpeg reads; its suffix does not matter.
        sample_rate: samples per second of the result; None for the file's own.
        name: name of the sound in error sentences and warnings; the path if None.
        decoder: what decodes it, see `sound_files.open_sound`; by default PyAV outside Blender.

    Raises:
        InputError: if the file is missing, empty, not audio, too long, or holds samples that are not numbers.
    """
    return Waveform(*read_file(Path(path), sample_rate, name or str(path), decoder))


def load_part(
    path: str | Path,
    start_seconds: float,
    duration_seconds: float,
    name: str | None = None,
    decoder: Decoder | None = None,
) -> Waveform:
    """A part of a file's sound, at the file's own sample rate; silence where it reaches beyond the file.

    Args:
        path: the file.
        start_seconds: start of the part; negative times are silence.
        duration_seconds: length of the part; at least one sample is returned.
        name: as in `load_audio`.
        decoder: as in `load_audio`.

    Raises:
        InputError: as `load_audio`, for the part.
    """
    return Waveform(*read_part(Path(path), start_seconds, duration_seconds, name or str(path), decoder))
