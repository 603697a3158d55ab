"""Measures of a motion against a reference. Lengths in millimetres, times in seconds, motion at 25 fps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .corpus import phones

FPS = 25
CLOSED_MM = 0.5  # `flame.measure.LIPS_CLOSED_GAP`
TOLERANCE_SECONDS = 0.04  # one frame before and after a sound
TUCK_MM = 1.0


@dataclass(frozen=True)
class Contacts:
    """How often lips touch where they should. events: sounds that want it; hits: of them, with contact; runs: stretches
    of contact found; false_runs: of them, where the reference has none."""

    events: int
    hits: int
    runs: int
    false_runs: int

    def __add__(self, other: Contacts) -> Contacts:
        return Contacts(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def recall(self) -> float:
        """hits / events."""
        return self.hits / max(1, self.events)

    @property
    def precision(self) -> float:
        """Share of the stretches of contact that belong."""
        return 1 - self.false_runs / max(1, self.runs)

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision."""
        return 2 * self.recall * self.precision / max(1e-9, self.recall + self.precision)


def correlation(found: np.ndarray, wanted: np.ndarray) -> float:
    """Pearson's r of two tracks (T,); 0 where the found one does not move, NaN where the wanted one does not."""
    if wanted.std() < 1e-6:
        return float("nan")
    return float(np.corrcoef(found, wanted)[0, 1]) if found.std() >= 1e-6 else 0.0


def events(labels: np.ndarray, wanted: frozenset[str], rate: float = 50) -> list[tuple[float, float]]:
    """Start and end of each unbroken run of the wanted phone classes in labels (L,) at `rate` Hz."""
    inside = np.isin(labels, [phones.CLASS_INDEX[name] for name in wanted])
    return [(start / rate, end / rate) for start, end in runs(inside)]


def runs(inside: np.ndarray) -> list[tuple[int, int]]:
    """First index and one past the last of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def frames_of(event: tuple[float, float], num_frames: int, tolerance: float = TOLERANCE_SECONDS) -> slice:
    """Frames whose middle lies within an event, give or take the tolerance; at least one frame where it is in range."""
    first = int(np.ceil((event[0] - tolerance) * FPS - 0.5 - 1e-6))
    last = int(np.floor((event[1] + tolerance) * FPS - 0.5 + 1e-6))
    first = min(max(first, 0), num_frames - 1)
    return slice(first, max(first, min(last, num_frames - 1)) + 1)


def closures(found_gap: np.ndarray, wanted_gap: np.ndarray, labels: np.ndarray) -> Contacts:
    """Lips closed on p, b, m: the lip gap (T,) falls below `CLOSED_MM` at some frame of the sound.

    A run of closed frames is false if the reference is open in all of them and in the frames beside them.
    """
    sounds = events(labels, phones.BILABIALS)
    hits = sum(bool((found_gap[frames_of(sound, len(found_gap))] < CLOSED_MM).any()) for sound in sounds)
    found_runs = runs(found_gap < CLOSED_MM)
    wanted = np.pad(wanted_gap < CLOSED_MM, 1)
    false = sum(not wanted[start : end + 2].any() for start, end in found_runs)
    return Contacts(len(sounds), hits, len(found_runs), false)


def tucks(found_height: np.ndarray, wanted_height: np.ndarray, labels: np.ndarray) -> Contacts:
    """Lower lip at the upper teeth on f, v: the distance between them (T,) comes as low as the reference's, to 1 mm."""
    sounds = events(labels, phones.LABIODENTALS)
    hits = 0
    for sound in sounds:
        frames = frames_of(sound, len(found_height))
        hits += bool(found_height[frames].min() <= wanted_height[frames].min() + TUCK_MM)
    return Contacts(len(sounds), hits, 0, 0)


def fast_energy(track: np.ndarray, above_hz: float = 8.0) -> float:
    """Energy per frame above a frequency, of a track (T,) in mm: what the eye takes for jitter. Unit mm²."""
    spectrum = np.fft.rfft((track - track.mean()) * np.hanning(len(track)))
    frequency = np.fft.rfftfreq(len(track), 1 / FPS)
    return float((np.abs(spectrum[frequency > above_hz]) ** 2).sum() / len(track) ** 2)
