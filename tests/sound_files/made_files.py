"""Sound files of many kinds, made with PyAV and soundfile."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import soundfile

SECONDS = 3.0
_FRAME = 4096  # samples that an encoder is given at a time


def sweep(rate: int, seconds: float = SECONDS) -> np.ndarray:
    """(N, 2) float32: a rising tone with noise, of which no two places are alike; the right channel is half as loud."""
    time = np.arange(round(seconds * rate)) / rate
    noise = 0.02 * np.random.default_rng(0).standard_normal(len(time))
    sound = 0.3 * np.sin(2 * np.pi * (200 + 150 * time) * time) + noise
    return np.stack([sound, 0.5 * sound], 1).astype(np.float32)


def write_tracks(path: Path, form: str, tracks: list, pictures: float = 0.0, options: dict | None = None) -> Path:
    """Write a container with sound tracks (samples (N, C), rate, codec) and, if asked for, seconds of pictures."""
    with av.open(str(path), "w", format=form, options=options or {}) as container:
        video = container.add_stream("mpeg4", rate=25) if pictures else None
        if video is not None:
            video.width = video.height = 64
        streams = []
        for samples, rate, codec in tracks:
            stream = container.add_stream(codec, rate=rate)
            stream.layout = {1: "mono", 2: "stereo", 6: "5.1"}[samples.shape[1]]
            streams.append(stream)
        for number in range(round(25 * pictures)):
            picture = np.full((64, 64, 3), number % 200, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        for stream, (samples, rate, _) in zip(streams, tracks):
            for start in range(0, len(samples), _FRAME):
                part = np.ascontiguousarray(samples[start : start + _FRAME].T)
                frame = av.AudioFrame.from_ndarray(part, "fltp", stream.layout.name)
                frame.sample_rate = rate
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        if video is not None:
            container.mux(video.encode(None))
    return path


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        codec: name of ffmpeg's encoder, or soundfile's subtype.
        form: name of ffmpeg's container; "" for soundfile.
        rate: samples per second.
        delay: samples by which encoder and container, without edit list or header, put the sound later.
        options: of the container.
        pictures: whether it is a video.
    """

    codec: str
    form: str = ""
    rate: int = 44100
    delay: int = 0
    options: dict = field(default_factory=dict)
    pictures: bool = False

    def write(self, path: Path, samples: np.ndarray | None = None) -> Path:
        """Write the sweep, or other samples, as a file of this kind."""
        samples = sweep(self.rate) if samples is None else samples
        if not self.form:
            major, _, subtype = self.codec.partition("/")
            soundfile.write(path, samples, self.rate, format=major, subtype=subtype or None)
            return path
        pictures = 1.2 * SECONDS if self.pictures else 0.0  # longer than the sound
        return write_tracks(path, self.form, [(samples, self.rate, self.codec)], pictures, self.options)


KINDS = {
    "u8.wav": Kind("WAV/PCM_U8"),
    "16.wav": Kind("WAV/PCM_16"),
    "24.wav": Kind("WAV/PCM_24"),
    "32.wav": Kind("WAV/PCM_32"),
    "float.wav": Kind("WAV/FLOAT"),
    "double.wav": Kind("WAV/DOUBLE"),
    "alaw.wav": Kind("WAV/ALAW"),
    "mulaw.wav": Kind("WAV/ULAW"),
    "ms_adpcm.wav": Kind("WAV/MS_ADPCM"),
    "ima_adpcm.wav": Kind("WAV/IMA_ADPCM"),
    "extensible.wav": Kind("WAVEX/PCM_16"),
    "rf64.wav": Kind("RF64/PCM_16"),
    "sony.w64": Kind("W64/PCM_24"),
    "a.aiff": Kind("AIFF/PCM_24"),
    "float.aifc": Kind("AIFF/FLOAT"),
    "a.au": Kind("AU/PCM_16"),
    "a.caf": Kind("CAF/PCM_16"),
    "a.flac": Kind("FLAC/PCM_16"),
    "vorbis.ogg": Kind("OGG/VORBIS"),
    "a.opus": Kind("libopus", "ogg", 48000),
    "a.mp3": Kind("libmp3lame", "mp3"),
    "vbr.mp3": Kind("MP3/MPEG_LAYER_III"),
    "bare.mp3": Kind("libmp3lame", "mp3", delay=1105, options={"write_xing": "0"}),
    "low.mp3": Kind("libmp3lame", "mp3", 22050),
    "telephone.mp3": Kind("libmp3lame", "mp3", 8000),
    "a.m4a": Kind("aac", "ipod", delay=1024),
    "fast.m4a": Kind("aac", "ipod", delay=1024, options={"movflags": "+faststart"}),
    "lossless.m4a": Kind("alac", "ipod"),
    "a.aac": Kind("aac", "adts", delay=1024),
    "a.mka": Kind("pcm_s16le", "matroska"),
    "sound.webm": Kind("libopus", "webm", 48000),
    "film.mp4": Kind("aac", "mp4", pictures=True, delay=1024),
    "parts.mp4": Kind("aac", "mp4", pictures=True, delay=1024, options={"movflags": "frag_keyframe+empty_moov"}),
    "film.mov": Kind("pcm_s16le", "mov", pictures=True),
    "film.mkv": Kind("libopus", "matroska", 48000, pictures=True),
    "film.avi": Kind("libmp3lame", "avi", pictures=True, delay=1105),
}


def wav_bytes(samples: np.ndarray, rate: int = 16000) -> bytes:
    """A 16-bit wav file of one channel, as its bytes: 44 of header, then the samples."""
    data = np.round(samples * 32767).astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", 36 + len(data), b"WAVE")
    return head + form + struct.pack("<4sI", b"data", len(data)) + data
