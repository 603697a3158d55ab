"""Measures of a motion's tracks against a reference. Lengths in millimetres, times in seconds, motion at 25 fps.

`face_reader` makes the tracks: lip gap, distance of the lower lip from the upper teeth, distance of the mouth's
corners, jaw angle. `metrics_mesh` has the measures of surfaces, `metrics_content` those of emotion against content.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...motion_tools.timing import MOTION_FPS
from ..corpus import phones

CLOSED_MM = 0.5  # `flame.measure.LIPS_CLOSED_GAP`
LABEL_RATE = 50  # Hz, of the phone classes
TOLERANCE_SECONDS = 0.04  # one frame before and after a sound
TUCK_MM = 1.0  # tolerance
ROUNDED_MM = 8.0  # the mouth is rounded if it is narrower than at rest by this: half of what "oo" does on the open head
ROUND_MM = 3.0  # tolerance
JITTER_HZ = 8.0  # speech hardly moves a face above it, so motion there looks like a tremor
ROUNDED = frozenset(("UW", "OW", "W", "YU"))  # phones with rounded lips


@dataclass(frozen=True)
class Contacts:
    """Counts of a contact that some sounds need, such as closed lips.

    Attributes:
        events: sounds that need the contact.
        hits: sounds with the contact.
        runs: runs of frames with the contact.
        false_runs: runs in which the reference does not have it.
    """

    events: int = 0
    hits: int = 0
    runs: int = 0
    false_runs: int = 0

    def __add__(self, other: Contacts) -> Contacts:
        return Contacts(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def recall(self) -> float:
        """The fraction hits / events; NaN without events."""
        return self.hits / self.events if self.events else float("nan")

    @property
    def precision(self) -> float:
        """The fraction of runs that are not false; 1 without runs."""
        return 1 - self.false_runs / max(1, self.runs)

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision."""
        return 2 * self.recall * self.precision / max(1e-9, self.recall + self.precision)


def total(contacts: Iterable[Contacts]) -> Contacts:
    """The sum of the counts of many clips."""
    return sum(contacts, Contacts())


def correlation(found: np.ndarray, wanted: np.ndarray) -> float:
    """Pearson's r of two tracks (T,); 0 if the found one is constant, NaN if the wanted one is."""
    if not len(wanted) or not np.isfinite(wanted).all() or wanted.std() < 1e-6:
        return float("nan")
    found = np.asarray(found, np.float64)  # in float32 the deviation of a constant may not be 0
    return float(np.corrcoef(found, wanted)[0, 1]) if found.std() >= 1e-6 else 0.0


def events(labels: np.ndarray, wanted: frozenset[str], rate: float = LABEL_RATE) -> list[tuple[float, float]]:
    """Start and end in seconds of each run of the wanted phone classes in labels (L,) at `rate` Hz."""
    inside = np.isin(labels, [phones.CLASS_INDEX[name] for name in wanted])
    return [(start / rate, end / rate) for start, end in runs(inside)]


def runs(inside: np.ndarray) -> list[tuple[int, int]]:
    """First and one past last index of each run of True in (T,) bool."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def frames_of(event: tuple[float, float], num_frames: int, tolerance: float = TOLERANCE_SECONDS) -> slice:
    """The frames whose middle lies within an event, widened by the tolerance on both sides; at least one frame."""
    first = int(np.ceil((event[0] - tolerance) * MOTION_FPS - 0.5 - 1e-6))
    last = int(np.floor((event[1] + tolerance) * MOTION_FPS - 0.5 + 1e-6))
    first = min(max(first, 0), num_frames - 1)
    return slice(first, max(first, min(last, num_frames - 1)) + 1)


def closures(found_gap: np.ndarray, wanted_gap: np.ndarray, labels: np.ndarray) -> Contacts:
    """Closed lips on p, b, m: the lip gap (T,) falls below `CLOSED_MM` in some frame of the sound.

    A run of closed frames is false if the reference is open in all of them and in the two adjacent frames.
    """
    sounds = events(labels, phones.BILABIALS)
    hits = sum(bool((found_gap[frames_of(sound, len(found_gap))] < CLOSED_MM).any()) for sound in sounds)
    return Contacts(len(sounds), hits, *_false_runs(found_gap < CLOSED_MM, wanted_gap < CLOSED_MM))


def tucks(found_height: np.ndarray, wanted_height: np.ndarray, labels: np.ndarray) -> Contacts:
    """Lower lip at the upper teeth on f, v: the distance (T,) becomes as small as the reference's, to within `TUCK_MM`.

    A run of frames with the lip at the teeth (distance 0 or less) is false if the reference's lip stays more than
    `TUCK_MM` away in all of them and in the two adjacent frames. Closed lips are at the teeth too, in both motions.
    """
    sounds = events(labels, phones.LABIODENTALS)
    hits = sum(_as_low(found_height, wanted_height, sound, TUCK_MM) for sound in sounds)
    return Contacts(len(sounds), hits, *_false_runs(found_height <= 0, wanted_height <= TUCK_MM))


def roundings(found_width: np.ndarray, wanted_width: np.ndarray, rest_width: float, labels: np.ndarray) -> Contacts:
    """Rounded lips on u, o, w: the mouth's width (T,) becomes as small as the reference's, to within `ROUND_MM`.

    A run of rounded frames (`ROUNDED_MM` narrower than at rest) is false if the reference stays wider than that limit
    by more than `ROUND_MM` in all of them and in the two adjacent frames.
    """
    sounds = events(labels, ROUNDED)
    hits = sum(_as_low(found_width, wanted_width, sound, ROUND_MM) for sound in sounds)
    limit = rest_width - ROUNDED_MM
    return Contacts(len(sounds), hits, *_false_runs(found_width < limit, wanted_width < limit + ROUND_MM))


def first_closure(found_gap: np.ndarray, labels: np.ndarray) -> bool | None:
    """True if the lips close for the p, b or m at the start of an utterance; None if it starts with another sound."""
    spoken = np.flatnonzero(labels != phones.SILENCE)
    sounds = events(labels, phones.BILABIALS)
    if not len(spoken) or not sounds or abs(sounds[0][0] - spoken[0] / LABEL_RATE) > 1e-6:
        return None
    return bool((found_gap[frames_of(sounds[0], len(found_gap))] < CLOSED_MM).any())


def inner_closures(found_gap: np.ndarray, wanted_gap: np.ndarray, labels: np.ndarray) -> Contacts:
    """The same as `closures` for the p, b, m that touch no silence.

    A mouth that rests beside a pause has such a closure without knowing the sound. So closed frames of a silence, and
    of the two frames on each side of it, are not counted as runs either.
    """
    spoken = np.pad(labels != phones.SILENCE, 1)  # the ends of the clip count as silence
    sounds = [
        sound
        for sound in events(labels, phones.BILABIALS)
        if spoken[round(sound[0] * LABEL_RATE)] and spoken[round(sound[1] * LABEL_RATE) + 1]
    ]
    hits = sum(bool((found_gap[frames_of(sound, len(found_gap))] < CLOSED_MM).any()) for sound in sounds)
    beside = _near(_silent_frames(labels, len(found_gap)), 2)
    return Contacts(len(sounds), hits, *_false_runs((found_gap < CLOSED_MM) & ~beside, wanted_gap < CLOSED_MM))


def at_rest(found_gap: np.ndarray, wanted_gap: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(R,) bool: whether the lips are closed, for each frame at rest.

    These are the frames that are at least two frames away from speech, and in which the reference is closed.
    """
    silent = _silent_frames(labels, len(found_gap))
    return found_gap[~_near(~silent, 1) & (wanted_gap < CLOSED_MM)] < CLOSED_MM


def syllable_speeds(gap: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(S, 2) peak speed in mm/s at which the lips open before and close after the middle of each syllable.

    A syllable is a run of vowels. Its opening begins at the middle of the previous syllable, and its closing ends at
    the middle of the next one, or at the ends of the clip. A speed is the difference of two neighbouring frames of the
    lip gap (T,); it is 0 if the lips do not move in that direction.
    """
    middles = [(start + end) / 2 * MOTION_FPS - 0.5 for start, end in events(labels, phones.VOWELS)]
    bounds = np.clip(np.round([0.0, *middles, len(gap) - 1.0]).astype(int), 0, len(gap) - 1)
    speed = np.diff(gap) * MOTION_FPS
    return np.array(
        [
            (speed[before:middle].max(initial=0.0), -speed[middle:after].min(initial=0.0))
            for before, middle, after in zip(bounds, bounds[1:], bounds[2:])
        ]
    ).reshape(-1, 2)


def recognised_phones(posteriors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(S,) bool: whether the most probable class (L, C) is the right one, for each label (L,) that is not silence."""
    length = min(len(posteriors), len(labels))
    spoken = labels[:length] != phones.SILENCE
    return posteriors[:length][spoken].argmax(1) == labels[:length][spoken]


def _silent_frames(labels: np.ndarray, num_frames: int) -> np.ndarray:
    """(T,) bool: whether all labels of a frame are silence."""
    return (labels.reshape(num_frames, -1) == phones.SILENCE).all(1)


def _near(inside: np.ndarray, reach: int) -> np.ndarray:
    """(T,) bool: whether one of the frames up to `reach` before or after is True in (T,) bool."""
    return np.convolve(np.pad(inside, reach), np.ones(2 * reach + 1), "valid") > 0.5


def _as_low(found: np.ndarray, wanted: np.ndarray, sound: tuple[float, float], tolerance: float) -> bool:
    """True if the minimum during a sound is at most the reference's plus a tolerance."""
    frames = frames_of(sound, len(found))
    return bool(found[frames].min() <= wanted[frames].min() + tolerance)


def _false_runs(found: np.ndarray, wanted: np.ndarray) -> tuple[int, int]:
    """The number of runs of True in found (T,), and of those without True in wanted (T,), adjacent frames included."""
    found_runs = runs(found)
    padded = np.pad(wanted, 1)
    return len(found_runs), sum(not padded[start : end + 2].any() for start, end in found_runs)


def fast_energy(track: np.ndarray, above_hz: float = JITTER_HZ) -> float:
    """Energy per frame above a frequency of a track (T,) in mm: the jitter, mm².

    The spectrum is that of the track minus its mean, under a Hann window. For tracks (T, K) it is the mean over K.
    """
    spectrum = np.fft.rfft((track - track.mean(0)).T * np.hanning(len(track)))
    frequency = np.fft.rfftfreq(len(track), 1 / MOTION_FPS)
    return float((np.abs(spectrum[..., frequency > above_hz]) ** 2).sum(-1).mean() / len(track) ** 2)


SPECTRUM_FRAMES = 50  # 2 s: bins of half a hertz
SPECTRUM_HZ = np.fft.rfftfreq(SPECTRUM_FRAMES, 1 / MOTION_FPS)


def power_spectra(track: np.ndarray) -> np.ndarray:
    """(W, 26) power in mm² at `SPECTRUM_HZ` of each 2 s window of a track (T,), by Welch's method.

    Windows overlap by half; a track shorter than a window has none. For tracks (T, K) it is the mean over K.
    """
    tracks = track.reshape(len(track), -1)
    starts = range(0, len(tracks) - SPECTRUM_FRAMES + 1, SPECTRUM_FRAMES // 2)
    if not starts:
        return np.zeros((0, len(SPECTRUM_HZ)))
    windows = np.stack([tracks[start : start + SPECTRUM_FRAMES].T for start in starts])  # (W, K, 50)
    centred = (windows - windows.mean(-1, keepdims=True)) * np.hanning(SPECTRUM_FRAMES)
    return (np.abs(np.fft.rfft(centred)) ** 2).mean(1) / SPECTRUM_FRAMES**2
