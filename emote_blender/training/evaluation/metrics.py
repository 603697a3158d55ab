"""Measures of a motion's tracks against a reference. Lengths in millimetres, times in seconds, motion at 25 fps.

Tracks are read off the posed mesh (`face_reader`): lip gap, distance of the lower lip from the upper teeth, distance
of the mouth's corners, jaw angle. Measures of whole surfaces are in `metrics_mesh`, those of emotion against content in
`metrics_content`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...motion_tools.timing import MOTION_FPS
from ..corpus import phones

CLOSED_MM = 0.5  # `flame.measure.LIPS_CLOSED_GAP`
TOLERANCE_SECONDS = 0.04  # one frame before and after a sound
TUCK_MM = 1.0
ROUNDED_MM = 8.0  # corners this much nearer than at rest: half of what "oo" does on the open head
ROUND_MM = 3.0
JITTER_HZ = 8.0  # above it, speech moves a face hardly at all, and the eye sees tremor
ROUNDED = frozenset(("UW", "OW", "W", "YU"))  # the lips' corners come together


@dataclass(frozen=True)
class Contacts:
    """How often lips do what a sound wants. events: sounds that want it; hits: of them, where it is done; runs:
    stretches in which it is done; false_runs: of them, where the reference does not."""

    events: int = 0
    hits: int = 0
    runs: int = 0
    false_runs: int = 0

    def __add__(self, other: Contacts) -> Contacts:
        return Contacts(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def recall(self) -> float:
        """hits / events; NaN without events."""
        return self.hits / self.events if self.events else float("nan")

    @property
    def precision(self) -> float:
        """Share of the stretches that belong; 1 where there are none."""
        return 1 - self.false_runs / max(1, self.runs)

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision."""
        return 2 * self.recall * self.precision / max(1e-9, self.recall + self.precision)


def total(contacts: Iterable[Contacts]) -> Contacts:
    """The contacts of many clips together."""
    return sum(contacts, Contacts())


def correlation(found: np.ndarray, wanted: np.ndarray) -> float:
    """Pearson's r of two tracks (T,); 0 where the found one does not move, NaN where the wanted one does not."""
    if not len(wanted) or not np.isfinite(wanted).all() or wanted.std() < 1e-6:
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
    first = int(np.ceil((event[0] - tolerance) * MOTION_FPS - 0.5 - 1e-6))
    last = int(np.floor((event[1] + tolerance) * MOTION_FPS - 0.5 + 1e-6))
    first = min(max(first, 0), num_frames - 1)
    return slice(first, max(first, min(last, num_frames - 1)) + 1)


def closures(found_gap: np.ndarray, wanted_gap: np.ndarray, labels: np.ndarray) -> Contacts:
    """Lips closed on p, b, m: the lip gap (T,) falls below `CLOSED_MM` at some frame of the sound.

    A run of closed frames is false if the reference is open in all of them and in the frames beside them.
    """
    sounds = events(labels, phones.BILABIALS)
    hits = sum(bool((found_gap[frames_of(sound, len(found_gap))] < CLOSED_MM).any()) for sound in sounds)
    return Contacts(len(sounds), hits, *_false_runs(found_gap < CLOSED_MM, wanted_gap < CLOSED_MM))


def tucks(found_height: np.ndarray, wanted_height: np.ndarray, labels: np.ndarray) -> Contacts:
    """Lower lip at the upper teeth on f, v: the distance between them (T,) comes as low as the reference's, to 1 mm.

    A run of frames in which the lip is at the teeth (distance 0 or less) is false if the reference's lip stays more
    than 1 mm away in all of them and in the frames beside them. Closed lips are at the teeth, too, in both.
    """
    sounds = events(labels, phones.LABIODENTALS)
    hits = sum(_as_low(found_height, wanted_height, sound, TUCK_MM) for sound in sounds)
    return Contacts(len(sounds), hits, *_false_runs(found_height <= 0, wanted_height <= TUCK_MM))


def roundings(found_width: np.ndarray, wanted_width: np.ndarray, rest_width: float, labels: np.ndarray) -> Contacts:
    """Lips rounded on u, o, w: the distance of the corners (T,) comes as small as the reference's, to `ROUND_MM`.

    A run of rounded frames (`ROUNDED_MM` narrower than at rest) is false if the reference stays wider than that by more
    than `ROUND_MM` in all of them and in the frames beside them.
    """
    sounds = events(labels, ROUNDED)
    hits = sum(_as_low(found_width, wanted_width, sound, ROUND_MM) for sound in sounds)
    limit = rest_width - ROUNDED_MM
    return Contacts(len(sounds), hits, *_false_runs(found_width < limit, wanted_width < limit + ROUND_MM))


def first_closure(found_gap: np.ndarray, labels: np.ndarray) -> bool | None:
    """Whether the lips close for the p, b or m that begins an utterance; None where none does."""
    spoken = np.flatnonzero(labels != phones.SILENCE)
    sounds = events(labels, phones.BILABIALS)
    if not len(spoken) or not sounds or abs(sounds[0][0] - spoken[0] / 50) > 1e-6:
        return None
    return bool((found_gap[frames_of(sounds[0], len(found_gap))] < CLOSED_MM).any())


def at_rest(found_gap: np.ndarray, wanted_gap: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(R,) bool: closed or not, for each frame that is silent, and closed in the reference."""
    silent = (labels.reshape(len(found_gap), -1) == phones.SILENCE).all(1)
    return found_gap[silent & (wanted_gap < CLOSED_MM)] < CLOSED_MM


def _as_low(found: np.ndarray, wanted: np.ndarray, sound: tuple[float, float], tolerance: float) -> bool:
    """Whether the least value during a sound is the reference's or below, to a tolerance."""
    frames = frames_of(sound, len(found))
    return bool(found[frames].min() <= wanted[frames].min() + tolerance)


def _false_runs(found: np.ndarray, wanted: np.ndarray) -> tuple[int, int]:
    """Number of runs of True in found (T,), and of those where wanted (T,) is False from the frame before to the one
    after."""
    found_runs = runs(found)
    padded = np.pad(wanted, 1)
    return len(found_runs), sum(not padded[start : end + 2].any() for start, end in found_runs)


def fast_energy(track: np.ndarray, above_hz: float = JITTER_HZ) -> float:
    """Energy per frame above a frequency, of a track (T,) in mm: what the eye takes for jitter. Unit mm².

    The spectrum of the track less its mean under a Hann window. Of tracks (T, K): the mean over K.
    """
    spectrum = np.fft.rfft((track - track.mean(0)).T * np.hanning(len(track)))
    frequency = np.fft.rfftfreq(len(track), 1 / MOTION_FPS)
    return float((np.abs(spectrum[..., frequency > above_hz]) ** 2).sum(-1).mean() / len(track) ** 2)


SPECTRUM_FRAMES = 50  # 2 s: bins of half a hertz
SPECTRUM_HZ = np.fft.rfftfreq(SPECTRUM_FRAMES, 1 / MOTION_FPS)


def power_spectra(track: np.ndarray) -> np.ndarray:
    """(W, 26) power in mm² at `SPECTRUM_HZ` of each 2 s window of a track (T,), half overlapping (Welch's method);
    W = 0 where the track is shorter. Of tracks (T, K): the mean over K."""
    tracks = track.reshape(len(track), -1)
    starts = range(0, len(tracks) - SPECTRUM_FRAMES + 1, SPECTRUM_FRAMES // 2)
    if not starts:
        return np.zeros((0, len(SPECTRUM_HZ)))
    windows = np.stack([tracks[start : start + SPECTRUM_FRAMES].T for start in starts])  # (W, K, 50)
    centred = (windows - windows.mean(-1, keepdims=True)) * np.hanning(SPECTRUM_FRAMES)
    return (np.abs(np.fft.rfft(centred)) ** 2).mean(1) / SPECTRUM_FRAMES**2
