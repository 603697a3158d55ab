"""Recordings as they are: rooms, noise, telephones, codecs and other ways to speak, made of clean speech.

Each keeps the times of the sounds, to within a hundredth of a second, so that the reference of the clean clip holds.
The code is independent of the augmentation in training (`data/augment`), which would know its own noise.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...audio import SAMPLE_RATE

_RNG = np.random.Generator
_PHONE_BAND_HZ = (300.0, 3400.0)
_MP3_BITS_PER_SECOND = 32000
_MU = 255
_LPC_ORDER = 18
_LPC_FRAME, _LPC_HOP = 400, 160
_BLOCK, _SEARCH = 640, 160  # samples, of the time-scale modification
CHILD_PITCH, CHILD_TRACT = 1.45, 1.2  # factors on the pitch alone, and on pitch and formants


@dataclass(frozen=True, eq=False)
class Degraded:
    """A degraded clip.

    Attributes:
        samples: (N,) mono at 16 kHz.
        start: sample at which the clean clip begins in it; 0 unless something was put before it.
    """

    samples: np.ndarray
    start: int = 0


Degradation = Callable[[np.ndarray, Sequence[np.ndarray], _RNG], Degraded]
"""Function of a clean clip (N,), other clips, and random numbers."""


def babble(ratio_db: float) -> Degradation:
    """Four other speakers at once, so many dB below the speech."""

    def degrade(samples: np.ndarray, others: Sequence[np.ndarray], rng: _RNG) -> Degraded:
        voices = []
        for index in rng.choice(len(others), min(4, len(others)), replace=False):
            voice = np.roll(np.resize(others[index], len(samples)), int(rng.integers(len(samples))))
            voices.append(voice / max(1e-9, rms_of_speech(voice)))
        noise = np.sum(voices, axis=0)
        return Degraded(samples + noise * gain_for(samples, noise, ratio_db))

    return degrade


def room(samples: np.ndarray, others: Sequence[np.ndarray], rng: _RNG) -> Degraded:
    """A room with a reverberation time of 0.5 s; the reverberation is 3 dB below the direct sound."""
    from scipy.signal import fftconvolve

    length = SAMPLE_RATE // 2
    tail = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    tail[: SAMPLE_RATE // 100] = 0  # the first reflection comes after 10 ms
    tail *= 10 ** (-3 / 20) / np.linalg.norm(tail)
    tail[0] = 1.0
    return Degraded(fftconvolve(samples, tail)[: len(samples)])


def telephone(samples: np.ndarray, others: Sequence[np.ndarray], rng: _RNG) -> Degraded:
    """A telephone: 300 to 3400 Hz, 8 kHz, 8 bits of the µ-law (ITU-T G.711)."""
    from scipy.signal import butter, resample_poly, sosfiltfilt

    band = butter(4, _PHONE_BAND_HZ, "bandpass", fs=SAMPLE_RATE, output="sos")
    narrow = resample_poly(sosfiltfilt(band, samples), 1, 2)
    scale = max(1e-9, float(np.abs(narrow).max()))
    compressed = np.sign(narrow) * np.log1p(_MU * np.abs(narrow) / scale) / np.log1p(_MU)
    coded = np.round(compressed * 127) / 127
    expanded = np.sign(coded) * (np.expm1(np.abs(coded) * np.log1p(_MU)) / _MU) * scale
    return Degraded(resample_poly(expanded, 2, 1)[: len(samples)])


def mp3(samples: np.ndarray, others: Sequence[np.ndarray], rng: _RNG) -> Degraded:
    """MP3 at 32 kbit/s, encoded and decoded by ffmpeg's libraries."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream: Any = container.add_stream("libmp3lame", rate=SAMPLE_RATE)
        stream.layout, stream.bit_rate = "mono", _MP3_BITS_PER_SECOND
        pcm = (np.clip(samples / max(1e-9, np.abs(samples).max()), -1, 1) * 30000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        resampler = av.AudioResampler(format="s16p", layout="mono", rate=SAMPLE_RATE)
        frames = [*resampler.resample(frame), None]
        for packet in (packet for piece in frames for packet in stream.encode(piece)):
            container.mux(packet)
    file.seek(0)
    with av.open(file) as container:
        decoded = np.concatenate([frame.to_ndarray().mean(0) for frame in container.decode(audio=0)])
    return Degraded(np.pad(decoded, (0, max(0, len(samples) - len(decoded))))[: len(samples)])


def whisper(samples: np.ndarray, others: Sequence[np.ndarray], rng: _RNG) -> Degraded:
    """Whispered: noise instead of the voice, through the same vocal tract (linear prediction), brighter by 6 dB/octave.

    The level of each frame is kept, to the power 0.6: vowels lose most of their level without the voice.
    """
    residual, filters = _analyse(samples)
    noise = rng.standard_normal(len(samples))
    level = np.sqrt(_smoothed(residual**2))
    excited = noise * level**0.6 * max(1e-9, float(level.max())) ** 0.4
    spoken = _synthesise(excited, filters)
    return Degraded(np.append(0.0, np.diff(spoken)))


def child(samples: np.ndarray, others: Sequence[np.ndarray], rng: _RNG) -> Degraded:
    """A child-like voice: pitch higher by 1.74, formants by 1.2, at the same speed."""
    residual, filters = _analyse(samples)
    higher = _synthesise(raised(residual, CHILD_PITCH), filters)
    return Degraded(raised(higher, CHILD_TRACT))


def laughter(samples: np.ndarray, others: Sequence[np.ndarray], rng: _RNG) -> Degraded:
    """The clean speech between two laughs as loud as it."""
    level = rms_of_speech(samples)
    before, after = (laugh(rng) * level for _ in range(2))
    return Degraded(np.concatenate([before, samples, after]), len(before))


def laugh(rng: _RNG) -> np.ndarray:
    """A laugh of about a second with RMS 1: voiced bursts at five per second with the formants of an open vowel.

    Its length is a whole number of frames at 25 fps.
    """
    count = SAMPLE_RATE // 25 * int(rng.integers(20, 30))
    clock = np.arange(count) / SAMPLE_RATE
    pitch = rng.uniform(180, 320) * np.exp(-0.35 * clock) * (1 + 0.03 * np.sin(2 * np.pi * 5 * clock))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    voice = sum(np.sin(k * phase) * _formants(k * pitch) for k in range(1, 18))
    bursts = np.clip(np.sin(2 * np.pi * 5 * clock), 0, 1) ** 0.7
    breath = 0.15 * rng.standard_normal(count) * np.clip(-np.sin(2 * np.pi * 5 * clock), 0, 1)
    sound = (voice * bursts + breath * np.abs(voice).max()) * np.exp(-0.8 * clock)
    return sound / sound.std()


DEGRADATIONS: dict[str, Degradation] = {
    "clean": lambda samples, others, rng: Degraded(samples),
    "babble, 20 dB": babble(20),
    "babble, 10 dB": babble(10),
    "babble, 5 dB": babble(5),
    "room": room,
    "telephone": telephone,
    "mp3, 32 kbit/s": mp3,
    "whisper": whisper,
    "child-like": child,
    "laughter around it": laughter,
}


def rms_of_speech(samples: np.ndarray) -> float:
    """The RMS of the part of a sound that is within 34 dB of its peak."""
    loud = samples[np.abs(samples) > 0.02 * np.abs(samples).max(initial=0.0)]
    return float(np.sqrt((loud**2).mean())) if len(loud) else 0.0


def gain_for(speech: np.ndarray, noise: np.ndarray, ratio_db: float) -> float:
    """The factor that makes a noise so many dB quieter than speech."""
    return rms_of_speech(speech) / max(1e-9, rms_of_speech(noise)) * 10 ** (-ratio_db / 20)


def raised(samples: np.ndarray, factor: float) -> np.ndarray:
    """A sound whose frequencies are multiplied by a factor of 1 or more, at the same speed and length.

    It is played faster, and then slowed down by repeating pieces that fit (waveform similarity overlap-add).
    """
    fast = np.interp(np.arange(int(len(samples) / factor)) * factor, np.arange(len(samples)), samples)
    half = _BLOCK // 2
    window = np.hanning(_BLOCK + 1)[:-1]
    padded = np.pad(fast, (half + _SEARCH, _BLOCK + 2 * _SEARCH))
    result = np.zeros(len(samples) + 2 * _BLOCK)
    wanted = padded[_SEARCH : _SEARCH + _BLOCK]
    for start in range(0, len(samples) + half, half):
        middle = min(int(start / factor), len(fast)) + _SEARCH  # where the piece would begin if it needed not fit
        near = padded[middle - _SEARCH : middle + _SEARCH + _BLOCK]
        offset = int(np.correlate(near, wanted, "valid").argmax())
        begin = middle - _SEARCH + offset
        result[start : start + _BLOCK] += window * padded[begin : begin + _BLOCK]
        wanted = np.pad(padded[begin + half : begin + half + _BLOCK], (0, _BLOCK))[:_BLOCK]
    return result[half : half + len(samples)]


def _analyse(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The residual (N,) of linear prediction, and the coefficients (F, 19) of each hop of 10 ms."""
    from scipy.linalg import solve_toeplitz
    from scipy.signal import lfilter

    window = np.hanning(_LPC_FRAME)
    emphasised = np.append(samples[:1], samples[1:] - 0.97 * samples[:-1])
    padded = np.pad(emphasised, (_LPC_FRAME // 2, _LPC_FRAME))
    floor = 1e-9 + 1e-7 * float((emphasised**2).mean()) * _LPC_FRAME
    filters = []
    for start in range(0, len(samples), _LPC_HOP):
        frame = padded[start : start + _LPC_FRAME] * window
        lags = np.correlate(frame, frame, "full")[_LPC_FRAME - 1 : _LPC_FRAME + _LPC_ORDER]
        lags[0] = lags[0] * (1 + 1e-5) + floor
        filters.append(np.append(1.0, -solve_toeplitz(lags[:-1], lags[1:])))
    table = np.array(filters)
    residual, state = np.zeros(len(samples)), np.zeros(_LPC_ORDER)
    for index, coefficients in enumerate(table):
        hop = slice(index * _LPC_HOP, (index + 1) * _LPC_HOP)
        residual[hop], state = lfilter(coefficients, [1.0], emphasised[hop], zi=state)
    return residual, table


def _synthesise(residual: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """The sound (N,) of a residual through the filters of `_analyse`; the reverse of it."""
    from scipy.signal import lfilter

    sound, state = np.zeros(len(residual)), np.zeros(_LPC_ORDER)
    for index, coefficients in enumerate(filters):
        hop = slice(index * _LPC_HOP, (index + 1) * _LPC_HOP)
        sound[hop], state = lfilter([1.0], coefficients, residual[hop], zi=state)
    return lfilter([1.0], [1.0, -0.97], sound)


def _smoothed(track: np.ndarray) -> np.ndarray:
    """A track (N,) averaged over 20 ms."""
    reach = SAMPLE_RATE // 100
    return np.convolve(np.pad(track, reach, mode="edge"), np.full(2 * reach + 1, 1 / (2 * reach + 1)), "valid")


def _formants(frequency: np.ndarray) -> np.ndarray:
    """The gain of an open vowel at frequencies in Hz."""
    resonances = ((750.0, 90.0, 1.0), (1250.0, 110.0, 0.6), (2600.0, 160.0, 0.25))
    gains = [level / (1 + ((frequency - centre) / width) ** 2) for centre, width, level in resonances]
    return np.sum(gains, axis=0) + 0.02
