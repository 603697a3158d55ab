"""Sound files through PyAV, which has ffmpeg's decoders in its wheel: outside Blender."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .av_frames import decodable_frames
from .kinds import no_sound_in, not_decodable
from .layout import TOLERANCE_SECONDS, Layout

if TYPE_CHECKING:
    import av
    from av.audio.frame import AudioFrame

_BLOCK_SAMPLES = 1 << 16
# Only files: a playlist may name addresses. `max_size` is the wav reader's: larger packets than 4 kB are faster.
_OPTIONS = {"protocol_whitelist": "file", "max_size": "262144"}


class AvSound:
    """The first sound track of a file, as Blender plays it: samples one after the other, whatever their time stamps.

    Attributes:
        sample_rate: samples per second.
    """

    def __init__(self, path: Path, layout: Layout, source: Path) -> None:
        """Open a file.

        Args:
            path: the file, for error sentences.
            layout: its layout.
            source: the file, or a copy of the part of it that can be decoded.

        Raises:
            InputError: if it cannot be decoded, or holds no sound.
        """
        self._path, self._layout, self._source = path, layout, source
        self._hole_seconds: float | None = None
        with self._open() as container:
            if not container.streams.audio:
                raise no_sound_in(path)
            stream = container.streams.audio[0]
            if stream.codec_context is None or not stream.rate:
                raise not_decodable(path, "its sound is of an unknown kind")
            self.sample_rate: float = stream.rate

    def blocks(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the samples to `stop`, from the first on whatever `start` is.

        Each item is the index of a block's first sample, and (n, C) float32.
        """
        place = num_held = 0
        held: list[np.ndarray] = []
        with self._open() as container:
            for samples in self._decoded(container):
                held.append(samples)
                num_held += len(samples)
                if num_held >= _BLOCK_SAMPLES or place + num_held >= stop:
                    yield place, np.concatenate(held)[: stop - place]
                    place += num_held
                    held.clear()
                    num_held = 0
                    if place >= stop:
                        return
        if held:
            yield place, np.concatenate(held)

    def find_hole(self, lost_seconds: float) -> float | None:
        """Time of the first sound that could not be decoded though more follows; None if there is none."""
        return self._hole_seconds

    def _open(self) -> av.container.InputContainer:
        """The container of the file; raises InputError."""
        import av

        try:
            # With the protocol's name, a path is no pattern or address, whatever its characters are.
            return av.open(f"file:{self._source}", options=_OPTIONS, metadata_errors="ignore")
        except (av.error.FFmpegError, ValueError) as error:
            raise not_decodable(self._path, self._layout.trouble) from error

    def _decoded(self, container: av.container.InputContainer) -> Iterator[np.ndarray]:
        """Yield the samples (n, C) float32 of each frame; what is damaged is left out."""
        form, convert = None, None
        begin, num_samples = None, 0
        for frame in decodable_frames(container, container.streams.audio[0]):
            if frame.sample_rate and frame.pts is not None and frame.time_base:
                seconds = float(frame.pts * frame.time_base)
                begin = seconds if begin is None else begin
                if self._hole_seconds is None and seconds - begin > num_samples / self.sample_rate + TOLERANCE_SECONDS:
                    self._hole_seconds = num_samples / self.sample_rate
            num_samples += frame.samples
            now = frame.format.name, frame.layout.nb_channels, frame.sample_rate
            form = form or now
            if now == form:
                yield as_floats(frame.to_ndarray(), frame.layout.nb_channels, frame.format.is_planar)
                continue
            if convert is None:
                convert = _Converter(form[1], round(self.sample_rate))
            yield from convert(frame)


class _Converter:
    """Changes frames of another format, as in files that were joined, to the file's first one."""

    def __init__(self, num_channels: int, sample_rate: int) -> None:
        self._num_channels, self._sample_rate = num_channels, sample_rate
        self._form: tuple[str, int, int] | None = None
        self._resampler: Any = None

    def __call__(self, frame: AudioFrame) -> Iterator[np.ndarray]:
        import av

        form = frame.format.name, frame.layout.nb_channels, frame.sample_rate
        if form != self._form:
            self._form = form
            self._resampler = av.AudioResampler("fltp", frame.layout, self._sample_rate)
        frame.pts = None
        for converted in self._resampler.resample(frame):
            samples = converted.to_ndarray().T.astype(np.float32)
            yield np.repeat(samples.mean(axis=1, keepdims=True), self._num_channels, axis=1)


def as_floats(samples: np.ndarray, num_channels: int, is_planar: bool) -> np.ndarray:
    """Return the samples of a frame as (n, C) float32 with full scale at 1.

    Args:
        samples: (C, n) if planar, else (1, n C), of any of ffmpeg's types.
        num_channels: C.
        is_planar: whether each channel has its own row.
    """
    samples = samples.T if is_planar else samples.reshape(-1, num_channels)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if np.issubdtype(samples.dtype, np.integer):
        return samples.astype(np.float32) * np.float32(2.0 ** (1 - 8 * samples.dtype.itemsize))
    with np.errstate(over="ignore"):
        return samples.astype(np.float32)
