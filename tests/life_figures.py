"""Figures of blinks, gaze and head motion beside published ones, as docs/life.md shows them.

    PYTHONPATH=. python tests/life_figures.py

prints the table. The voice is the recorded line of tests/data, cut and repeated with pauses for ten minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from emote_blender.motion import FaceMotion
from emote_blender.motion_tools.blinks import plan_blinks
from emote_blender.motion_tools.gaze import plan_gaze
from emote_blender.motion_tools.life import Life, life_motion
from emote_blender.motion_tools.prosody import measure_prosody, phrasing
from emote_blender.motion_tools.raw_take import Prosody

LINE = Path(__file__).parent / "data" / "anger_line.wav"
SECONDS = 600
FPS = 25.0
FINE_FPS = 1000.0  # for durations of blinks and saccades
BANDS = (0.1, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 8.0)


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        name: what is measured, and its unit.
        measured: the figure.
        low: lowest value that agrees with the published ones.
        high: highest value that agrees with them.
        published: the published figure and where it is from.
    """

    name: str
    measured: float
    low: float
    high: float
    published: str


def long_voice(seconds: int = SECONDS) -> Prosody:
    """The prosody of a voice that speaks phrases of 0.8 to 3.6 s with pauses of 0.3 to 1.2 s."""
    samples, sample_rate = soundfile.read(LINE, dtype="float32")
    line = measure_prosody(samples, sample_rate, len(samples) // 640)
    random = np.random.default_rng(0)
    loudness: list[np.ndarray] = []
    pitch: list[np.ndarray] = []
    while sum(map(len, loudness)) < seconds * FPS:
        length = int(random.integers(20, 91))
        start = int(random.integers(0, len(line.loudness_db) - length))
        pause = int(random.integers(8, 31))
        loudness += [line.loudness_db[start : start + length], np.full(pause, -70.0)]
        pitch += [line.pitch_hz[start : start + length] * random.uniform(0.9, 1.1), np.zeros(pause)]
    num_frames = int(seconds * FPS)
    return Prosody(
        np.concatenate(loudness)[:num_frames].astype(np.float32), np.concatenate(pitch)[:num_frames].astype(np.float32)
    )


def spectrum(values: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (F,), Hz, and power density (F, C) of signals (T, C): Welch's method with 41 s windows."""
    length = int(41 * fps)
    window = np.hanning(length)
    pieces = [
        values[start : start + length] - values[start : start + length].mean(axis=0)
        for start in range(0, len(values) - length + 1, length // 2)
    ]
    powers = [np.abs(np.fft.rfft(piece * window[:, None], axis=0)) ** 2 for piece in pieces]
    density = 2 * np.mean(powers, axis=0) / (fps * np.sum(window**2))
    return np.fft.rfftfreq(length, 1 / fps), density


def blink_figures(voice: Prosody) -> list[Figure]:
    """Rate, regularity, durations and places of blinks."""
    parts = phrasing(voice)
    blinks = plan_blinks(0.0, SECONDS, parts, 4.0, seed=0)
    closed = blinks.closed.mean(axis=1)
    intervals = np.diff(closed)
    logs = np.log(intervals)
    skewness = float(np.mean((logs - logs.mean()) ** 3) / logs.std() ** 3)
    near_end = np.abs(closed[:, None] - 0.15 - parts.phrase_ends).min(axis=1) < 0.25
    chance = np.mean(np.abs(np.arange(0, SECONDS, 0.01)[:, None] - 0.15 - parts.phrase_ends).min(axis=1) < 0.25)
    on_stress = np.abs(closed[:, None] - parts.stress_times).min(axis=1) < 0.13
    return [
        Figure(
            "blinks a minute, one every 4 s", len(blinks) / SECONDS * 60, 10.5, 32.5, "10.5 to 32.5 in conversation [2]"
        ),
        Figure(
            "intervals: standard deviation / mean",
            intervals.std() / intervals.mean(),
            0.45,
            0.75,
            "3.1 s / 5.2 s = 0.6 [3]",
        ),
        Figure("intervals: skewness of their logarithm", skewness, -0.8, 0.8, "0, log-normal [1]"),
        Figure("closing, ms", 1000 * blinks.closing.mean(), 66, 100, "66 [4] to about 100 [5]"),
        Figure(
            "opening / closing time",
            (blinks.opening / blinks.closing).mean(),
            1.6,
            2.6,
            "velocities 1 to 1.7 [6]; tail [7]",
        ),
        Figure(
            "whole blink, ms", 1000 * (blinks.closing + blinks.hold + blinks.opening).mean(), 200, 400, "100 to 400 [5]"
        ),
        Figure("blinks at ends of phrases / by chance", near_end.mean() / chance, 1.5, 5.0, "more than by chance [8]"),
        Figure("blinks closing on a stressed syllable", float(on_stress.sum()), 0, 0, "our rule"),
    ]


def gaze_figures(voice: Prosody) -> list[Figure]:
    """Sizes, durations and intervals of saccades."""
    gaze = plan_gaze(0.0, SECONDS, phrasing(voice), seed=0)
    away = gaze.amplitudes[gaze.amplitudes > 6.0]
    # The main sequence is read from the trace, not from the formula.
    seconds = np.arange(0, 60, 1 / FINE_FPS)
    speed = np.linalg.norm(np.diff(gaze.offsets_at(seconds), axis=0), axis=1) * FINE_FPS
    sizes, durations, peaks = [], [], []
    for time, size in zip(gaze.times[1:], gaze.amplitudes):
        if time > 59.5 or size < 4.0:
            continue
        part = speed[int(time * FINE_FPS) : int((time + 0.15) * FINE_FPS)]
        sizes.append(size)
        durations.append((part > 5.0).sum() / FINE_FPS)
        peaks.append(part.max())
    slope, first = np.polyfit(sizes, durations, 1)
    at_15 = float(np.interp(15.0, np.sort(sizes), np.array(peaks)[np.argsort(sizes)]))
    return [
        Figure("looks away: mean size above 6°, degrees", away.mean(), 10.5, 13.5, "12.6 [9]"),
        Figure("largest saccade, degrees", gaze.amplitudes.max(), 15.0, 32.0, "27.5 [9]"),
        Figure("mean time between saccades, s", np.diff(gaze.times).mean(), 0.4, 1.2, "0.3 to 1"),
        Figure("saccade: ms per degree", 1000 * slope, 2.0, 2.7, "2 to 2.7 [10]"),
        Figure("saccade: ms at 0 degrees", 1000 * first, 15.0, 30.0, "20 to 30 [10]"),
        Figure("peak velocity at 15°, degrees/s", at_15, 280.0, 480.0, "352 ± 50 [11]"),
    ]


def head_figures(voice: Prosody) -> list[Figure]:
    """Size, spectrum and timing of the neck's rotation."""
    num_frames = int(SECONDS * FPS)
    still = FaceMotion(np.zeros((num_frames, 1)), np.zeros((num_frames, 3)), FPS)
    neck = np.degrees(life_motion(still, voice, Life(blinks=False, gaze=False)).neck)
    frequencies, density = spectrum(neck, FPS)
    fitted = (frequencies > 0.3) & (frequencies < 6.0)
    slopes = [np.polyfit(np.log(frequencies[fitted]), np.log(density[fitted, axis]), 1)[0] for axis in range(3)]
    below_2 = density[frequencies < 2.0].sum() / density.sum()
    parts = phrasing(voice)
    strong = parts.stress_times[parts.stress_strengths > 0.5]
    frames = np.round(strong * FPS).astype(int)
    frames = frames[(frames > 10) & (frames < num_frames - 10)]
    dip = (neck[frames + 1, 0] - neck[frames - 5, 0]).mean()
    # One breath in four seconds: its line in the spectrum of a face that does not speak.
    silent = np.degrees(life_motion(still, None, Life(blinks=False, gaze=False, head_strength=0.0)).neck)
    breath_frequencies, breath = spectrum(silent, FPS)
    peak = breath_frequencies[np.argmax(breath[:, 0])]
    return [
        *(
            Figure(f"{name}: standard deviation, degrees", neck[:, axis].std(), 1.0, 5.0, "no published figure found")
            for axis, name in enumerate(("nodding", "turning", "tilting"))
        ),
        *(
            Figure(f"{name}: slope of log power density", slopes[axis], -4.2, -2.0, "falling; no figure found")
            for axis, name in enumerate(("nodding", "turning", "tilting"))
        ),
        Figure("share of power below 2 Hz", below_2, 0.85, 1.0, "mostly slow: 0.2 to 1.8 Hz [12]"),
        Figure(
            "largest velocity, degrees/s",
            np.abs(np.diff(neck, axis=0)).max() * FPS,
            20.0,
            120.0,
            "sharp on stress [13]",
        ),
        Figure("nod on a strong stress, degrees", dip, 0.5, 4.0, "on loud syllables [13]"),
        Figure("breaths a minute", 60 * peak, 12.0, 20.0, "12 to 20 at rest"),
    ]


def all_figures() -> list[Figure]:
    """Every line of the table."""
    voice = long_voice()
    return blink_figures(voice) + gaze_figures(voice) + head_figures(voice)


def table(figures: list[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = ["| | measured | published |", "|---|---|---|"]
    lines += [f"| {item.name} | {item.measured:.3g} | {item.published} |" for item in figures]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(all_figures()))
