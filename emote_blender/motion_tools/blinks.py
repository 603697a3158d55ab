"""Blinks: when the lids close, and how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .prosody import Phrasing

# Intervals are log-normal, as A. Bentivoglio et al. found (Movement Disorders 12, 1997). They counted 26 blinks a
# minute in conversation and 17 at rest; M. Doughty (Optometry and Vision Science 78, 2001) gives 10.5 to 32.5 in
# conversation. The spread is that of viewers of a film (IOVS abstracts, 2009: 5.2 s, standard deviation 3.1 s).
INTERVAL_VARIATION = 0.6  # standard deviation over mean
SHORTEST_INTERVAL = 0.6  # seconds between the closed moments of two blinks

# Seconds, mean and standard deviation. Closing: 66 ms to a first contact of the lids (spontaneous blinks in a search
# coil, measured as 77.6 ms for voluntary blinks, which were 17.6 % longer) to 100 ms (J. Stern et al.,
# Psychophysiology 21, 1984). Opening is slower: its peak velocity is about half that of closing (C. Sforza et al.,
# Ophthalmic and Physiological Optics 28, 2008; C. Evinger et al., IOVS 32, 1991).
CLOSING_SECONDS = 0.09, 0.012
CLOSED_SECONDS = 0.05, 0.012
OPENING_SECONDS = 0.20, 0.030
_EYE_LAG_SECONDS = 0.004  # standard deviation of the time between the two lids

# About half of all spontaneous blinks are incomplete (G. Ousler et al., Clinical Ophthalmology 8, 2014). Most of those
# are hardly visible and read as an error in animation: fewer are kept, and none shallower than this.
_PARTIAL_SHARE = 0.15
_SHALLOWEST = 0.65

# Speakers blink where phrases end and in pauses (T. Nakano and S. Kitazawa, Experimental Brain Research 205, 2010).
_PHRASE_SHARE = 0.75  # of the blinks near the end of a phrase that move there
_PHRASE_REACH = 0.4  # of the mean interval that a blink may move
_STRESS_REACH = 0.14  # seconds around a stressed syllable in which the lids do not close


@dataclass(frozen=True, eq=False)
class Blinks:
    """Blinks of both eyes, in order; all times in seconds.

    Attributes:
        closed: (N, 2) moment at which the left and the right eye are closed first.
        closing: (N,) time from open to closed.
        hold: (N,) time for which the lids stay closed.
        opening: (N,) time from closed to open.
        depth: (N, 2) how far the lids close, 0 to 1.
    """

    closed: np.ndarray
    closing: np.ndarray
    hold: np.ndarray
    opening: np.ndarray
    depth: np.ndarray

    def __len__(self) -> int:
        return len(self.closed)

    def closure_at(self, seconds: np.ndarray) -> np.ndarray:
        """(T, 2) closure of the left and the right lid at the times (T,), ascending: 0 open, 1 closed."""
        closure = np.zeros((len(seconds), 2))
        for number in range(len(self)):
            for eye in range(2):
                shut = self.closed[number, eye]
                opens = shut + self.hold[number]
                first = np.searchsorted(seconds, shut - self.closing[number])
                last = np.searchsorted(seconds, opens + self.opening[number])
                time = seconds[first:last]
                down = _ease((time - shut) / self.closing[number] + 1)
                # The lid opens fast first and comes to rest slowly.
                up = _ease(np.clip((time - opens) / self.opening[number], 0, 1) ** 0.8)
                shape = self.depth[number, eye] * np.where(time < shut, down, 1 - up)
                closure[first:last, eye] = np.maximum(closure[first:last, eye], shape)
        return closure


def plan_blinks(start: float, end: float, phrasing: Phrasing, interval_seconds: float = 4.0, seed: int = 0) -> Blinks:
    """Blinks between two times, seconds; the same for the same arguments. Every blink lies between them as a whole.

    Args:
        start: time at which the first blink may begin.
        end: time at which the last blink must have ended.
        phrasing: of the voice. Blinks move to ends of phrases and away from stressed syllables.
        interval_seconds: mean time between blinks.
        seed: another number gives other blinks.
    """
    random = np.random.default_rng([seed, 1])
    spread = np.sqrt(np.log(1 + INTERVAL_VARIATION**2))

    def interval() -> float:
        return interval_seconds * float(random.lognormal(-(spread**2) / 2, spread))  # a mean of interval_seconds

    first = start + CLOSING_SECONDS[0] + 3 * CLOSING_SECONDS[1]
    last = end - sum(mean + 3 * deviation for mean, deviation in (CLOSED_SECONDS, OPENING_SECONDS))
    times: list[float] = []
    clock = first + interval() * random.random()  # the head was there before: somewhere in an interval
    while clock <= last:
        for wanted in (_at_phrase_end(clock, phrasing, interval_seconds, random), clock):
            wanted = _off_stress(wanted, phrasing.stress_times)
            if first <= wanted <= last and (not times or wanted - times[-1] >= SHORTEST_INTERVAL):
                times.append(wanted)
                break
        clock += max(SHORTEST_INTERVAL, interval())
    count = len(times)
    closing, hold, opening = (
        mean + deviation * np.clip(random.standard_normal(count), -2.5, 2.5)
        for mean, deviation in (CLOSING_SECONDS, CLOSED_SECONDS, OPENING_SECONDS)
    )
    lag = _EYE_LAG_SECONDS * np.clip(random.standard_normal(count), -2, 2)
    depth = np.where(random.random(count) < _PARTIAL_SHARE, random.uniform(_SHALLOWEST, 0.95, count), 1.0)
    slack = np.where(depth < 1, 0.04 * random.standard_normal(count), 0.0)
    both = np.clip(np.stack([depth, depth + slack], axis=1), 0.0, 1.0)
    closed = np.array(times).reshape(-1, 1) + np.stack([-lag, lag], axis=1) / 2
    return Blinks(closed, closing, hold, opening, both)


def _at_phrase_end(time: float, phrasing: Phrasing, interval_seconds: float, random: np.random.Generator) -> float:
    """The time, or one shortly after the nearest end of a phrase."""
    draws = random.random(2)  # always drawn, so that one blink's place does not change the later ones
    ends = phrasing.phrase_ends
    if not len(ends):
        return time
    nearest = ends[np.argmin(np.abs(ends - time))]
    if draws[0] > _PHRASE_SHARE or abs(nearest - time) > _PHRASE_REACH * interval_seconds:
        return time
    return float(nearest + 0.05 + 0.2 * draws[1])


def _off_stress(time: float, stress_times: np.ndarray) -> float:
    """The time, moved later until the lids do not close on a stressed syllable."""
    for stress in stress_times[np.searchsorted(stress_times, time - _STRESS_REACH) :]:
        if stress - time >= _STRESS_REACH:
            break
        time = float(stress + _STRESS_REACH)
    return time


def _ease(part: np.ndarray) -> np.ndarray:
    """A smooth step from 0 to 1 where `part` goes from 0 to 1."""
    part = np.clip(part, 0.0, 1.0)
    return part * part * (3 - 2 * part)
