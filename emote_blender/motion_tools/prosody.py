"""Loudness and pitch of a voice, and what follows from them: speech and pauses, stressed syllables, phrases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..sample_store import Samples
from .raw_take import Prosody
from .timing import MOTION_FPS

SILENCE_DB = -100.0

# Ranges and threshold of YIN (see `measure_prosody`).
LOWEST_PITCH_HZ, HIGHEST_PITCH_HZ = 60.0, 600.0
_WINDOW_SECONDS = 0.032  # of one period difference: two periods of the lowest pitch
_APERIODICITY = 0.2
_VOICED_RANGE_DB = 35.0  # below the loudest frames, a periodic sound is taken for noise
_BLOCK_FRAMES = 1024

# Rules of `phrasing`.
_SPEECH_RANGE_DB = 25.0  # speech is at most this much below its loudest parts
_SHORTEST_PAUSE = 0.2  # seconds; shorter gaps are closures of stops
_SHORTEST_SPEECH = 0.08  # seconds; shorter sounds are clicks
_SYLLABLE_SECONDS = 0.06  # standard deviation of the smoothing that leaves one peak per syllable
_PHRASE_SECONDS = 0.7  # standard deviation of the smoothing that gives the level around a syllable
_DB_PER_SEMITONE = 1.5  # a pitch accent of 4 semitones counts as much as 6 dB
_LEAST_STRESS_DB = 2.0  # above the syllables around
_STRESS_DISTANCE = 0.25  # seconds between stressed syllables, at least


@dataclass(frozen=True, eq=False)
class Phrasing:
    """Where a voice speaks, where it stresses, and where its phrases begin and end. Times are in seconds.

    Attributes:
        speaking: (T,) whether there is speech, one value per frame at `fps`.
        fps: frames per second of `speaking`.
        stress_times: (N,) middle of each stressed syllable, ascending.
        stress_strengths: (N,) 0 to 1.
        phrase_starts: (P,) beginning of each phrase, ascending.
        phrase_ends: (P,) end of each phrase.
    """

    speaking: np.ndarray
    fps: float
    stress_times: np.ndarray
    stress_strengths: np.ndarray
    phrase_starts: np.ndarray
    phrase_ends: np.ndarray

    @classmethod
    def silent(cls, num_frames: int, fps: float = MOTION_FPS) -> Phrasing:
        """The phrasing of a face that does not speak."""
        return cls(np.zeros(num_frames, bool), fps, *np.zeros((4, 0)))

    def speech_at(self, seconds: np.ndarray) -> np.ndarray:
        """(N,) 1 in speech and 0 in pauses at the given times (N,), with edges of about 0.3 s; 0 outside the sound."""
        if not self.speaking.any():
            return np.zeros(len(seconds))
        soft = _smoothed(self.speaking.astype(float), 0.12 * self.fps)
        return np.interp(seconds * self.fps, np.arange(len(soft)), soft, left=0.0, right=0.0)


def measure_prosody(samples: Samples, sample_rate: int, num_frames: int, fps: float = MOTION_FPS) -> Prosody:
    """The loudness and pitch of a sound, one value per frame of the motion; in pieces, so that it may last hours.

    Loudness is the level of 1 / fps seconds around the frame's time. Pitch is YIN's (A. de Cheveigne and H. Kawahara,
    JASA 111, 2002: steps 1 to 5), in windows of 32 ms around the frame's time, cleaned by a median of three frames.

    Args:
        samples: (N,) samples that are read by slices; full scale is 1.
        sample_rate: samples per second.
        num_frames: T, frames of the motion.
        fps: frames per second of the motion.
    """
    window = round(_WINDOW_SECONDS * sample_rate)
    longest, shortest = int(sample_rate / LOWEST_PITCH_HZ), max(2, int(sample_rate / HIGHEST_PITCH_HZ))
    reach = window + longest + 1
    half_frame = max(1, round(sample_rate / fps / 2))
    before = max(reach // 2, half_frame)  # samples of a piece before its first frame's time
    loudness, pitch = np.empty(num_frames), np.zeros(num_frames)
    for first in range(0, num_frames, _BLOCK_FRAMES):
        centres = np.round(np.arange(first, min(first + _BLOCK_FRAMES, num_frames)) * (sample_rate / fps)).astype(int)
        start = centres[0] - before
        sound = _zero_padded(samples, start, centres[-1] + before + 1).astype(np.float64)
        place = centres - start
        energy = np.concatenate([[0.0], np.cumsum(sound**2)])
        power = np.maximum(energy[place + half_frame] - energy[place - half_frame], 0.0) / (2 * half_frame)
        rows = slice(first, first + len(centres))
        loudness[rows] = 10 * np.log10(np.maximum(power, 10 ** (SILENCE_DB / 10)))
        frames = np.lib.stride_tricks.sliding_window_view(sound, reach)[place - reach // 2]
        periods = _periods(frames, window, shortest, longest)
        pitch[rows] = np.divide(sample_rate, periods, out=np.zeros(len(periods)), where=periods > 0)
    loudest = float(np.max(loudness, initial=SILENCE_DB))
    pitch[loudness < max(-60.0, loudest - _VOICED_RANGE_DB)] = 0.0
    return Prosody(loudness.astype(np.float32), _without_leaps(pitch).astype(np.float32))


def _zero_padded(samples: Samples, start: int, stop: int) -> np.ndarray:
    """The samples from `start` to `stop`, with zeros where the sound has none."""
    padded = np.zeros(stop - start, np.float32)
    first, last = max(start, 0), min(stop, len(samples))
    if first < last:
        padded[first - start : last - start] = samples[first:last]
    return padded


def _periods(frames: np.ndarray, window: int, shortest: int, longest: int) -> np.ndarray:
    """(F,) period of each frame (F, window + longest + 1) in samples; 0 where it has none."""
    frames = frames - frames.mean(axis=1, keepdims=True)
    size = 1 << int(np.ceil(np.log2(frames.shape[1])))
    # The window's products with the frame at every lag; lags up to `longest` do not wrap around.
    spectrum = np.fft.rfft(frames, size) * np.conj(np.fft.rfft(frames[:, :window], size))
    products = np.fft.irfft(spectrum, size)[:, : longest + 2]
    energy = np.pad(np.cumsum(frames**2, axis=1), ((0, 0), (1, 0)))
    lagged = energy[:, window : window + longest + 2] - energy[:, : longest + 2]
    difference = np.maximum(lagged[:, :1] + lagged - 2 * products, 0.0)  # YIN, equation 7
    # Cumulative mean normalised difference, equation 8; 1 where the sound is silent.
    running = np.cumsum(difference[:, 1:], axis=1)
    normalised = np.ones_like(difference)
    lags = np.arange(1, longest + 2)
    np.divide(difference[:, 1:] * lags, running, out=normalised[:, 1:], where=running > 1e-12)
    # The first dip below the threshold, at its lowest point.
    inner = normalised[:, shortest : longest + 1]
    is_dip = (inner <= normalised[:, shortest - 1 : longest]) & (inner < normalised[:, shortest + 1 : longest + 2])
    is_dip &= inner < _APERIODICITY
    lag = shortest + np.argmax(is_dip, axis=1)
    rows = np.arange(len(frames))
    left, middle, right = (normalised[rows, lag + step] for step in (-1, 0, 1))
    bend = left - 2 * middle + right
    shift = np.divide(0.5 * (left - right), bend, out=np.zeros(len(rows)), where=np.abs(bend) > 1e-12)
    return np.where(is_dip.any(axis=1), lag + np.clip(shift, -0.5, 0.5), 0.0)


def _without_leaps(pitch: np.ndarray) -> np.ndarray:
    """The pitch (T,) without values of a single frame that neither neighbour confirms within a quarter."""
    padded = np.pad(pitch, 1)
    near = [
        (neighbour > 0) & (np.abs(np.log2(np.maximum(pitch, 1.0) / np.maximum(neighbour, 1.0))) < 0.25)
        for neighbour in (padded[:-2], padded[2:])
    ]
    return np.where(near[0] | near[1], pitch, 0.0)


def phrasing(prosody: Prosody, fps: float = MOTION_FPS) -> Phrasing:
    """The pauses, phrases and stressed syllables of a voice.

    A frame is speech if it is less than 25 dB below the loud frames. A phrase ends in a pause of 0.2 s or more.
    A syllable is stressed as far as it stands out from those around it in loudness and pitch, the two strongest
    acoustic cues besides duration (D. Fry, Language and Speech 1, 1958).
    """
    loudness = np.asarray(prosody.loudness_db, np.float64)
    speaking = _speaking(loudness, fps)
    if not speaking.any():
        return Phrasing.silent(len(loudness), fps)
    starts, ends = _runs(speaking)
    prominence = _prominence(loudness, np.asarray(prosody.pitch_hz, np.float64), speaking, fps)
    frames = _peaks(prominence, _LEAST_STRESS_DB, max(1, round(_STRESS_DISTANCE * fps)))
    strengths = np.clip(prominence[frames] / 8.0, 0.0, 1.0)
    return Phrasing(speaking, fps, frames / fps, strengths, starts / fps, ends / fps)


def semitones(prosody: Prosody, fps: float = MOTION_FPS) -> np.ndarray:
    """(T,) pitch above the voice's median, semitones, continued over unvoiced frames; zeros for a voiceless sound."""
    pitch = np.asarray(prosody.pitch_hz, np.float64)
    voiced = np.flatnonzero(pitch > 0)
    if not len(voiced):
        return np.zeros(len(pitch))
    values = 12 * np.log2(pitch[voiced] / np.median(pitch[voiced]))
    return np.clip(np.interp(np.arange(len(pitch)), voiced, values), -12.0, 12.0)


def _speaking(loudness: np.ndarray, fps: float) -> np.ndarray:
    """(T,) whether there is speech."""
    loud = np.percentile(loudness, 95)
    if loud < -60.0:
        return np.zeros(len(loudness), bool)
    # In noise the quiet frames lie close to the loud ones; the border is then halfway.
    floor = np.percentile(loudness, 10)
    border = max(loud - _SPEECH_RANGE_DB, (loud + floor) / 2 if loud - floor < 2 * _SPEECH_RANGE_DB else -np.inf)
    speaking = loudness > min(border, loud - 6.0)
    for value, shortest in ((False, _SHORTEST_PAUSE), (True, _SHORTEST_SPEECH)):
        for start, stop in zip(*_runs(speaking == value)):
            inside = start > 0 and stop < len(speaking)
            if stop - start < shortest * fps and (inside or value):
                speaking[start:stop] = not value
    return speaking


def _runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First frame, and frame after the last, of every run of True."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def _prominence(loudness: np.ndarray, pitch: np.ndarray, speaking: np.ndarray, fps: float) -> np.ndarray:
    """(T,) how far loudness and pitch stand out from those around, dB; zero in pauses."""
    level = loudness + _DB_PER_SEMITONE * semitones(Prosody(loudness, pitch), fps)
    level = np.where(speaking, level, np.percentile(level[speaking], 20))
    syllable = _smoothed(level, _SYLLABLE_SECONDS * fps)
    weight = _smoothed(speaking.astype(float), _PHRASE_SECONDS * fps)
    around = _smoothed(np.where(speaking, level, 0.0), _PHRASE_SECONDS * fps) / np.maximum(weight, 1e-6)
    return np.where(speaking, syllable - around, 0.0)


def _peaks(values: np.ndarray, least: float, distance: int) -> np.ndarray:
    """Frames of the local maxima of at least `least`, ascending; of several within `distance` frames the highest."""
    padded = np.pad(values, 1, constant_values=-np.inf)
    is_peak = (values >= padded[:-2]) & (values > padded[2:]) & (values >= least)
    frames = np.flatnonzero(is_peak)
    free = np.ones(len(values), bool)
    taken = []
    for frame in frames[np.argsort(-values[frames], kind="stable")]:
        if free[frame]:
            taken.append(frame)
            free[max(0, frame - distance + 1) : frame + distance] = False
    return np.array(sorted(taken), dtype=int)


def _smoothed(values: np.ndarray, deviation: float) -> np.ndarray:
    """The values (T,) smoothed by a Gaussian of this standard deviation, frames; the ends are held."""
    reach = max(1, int(np.ceil(3 * deviation)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(deviation, 1e-6)) ** 2)
    return np.convolve(np.pad(values, reach, mode="edge"), kernel / kernel.sum(), mode="valid")
