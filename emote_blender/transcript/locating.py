"""The place of a sound in a long text: a fast search for the passages that may be spoken in it.

Probes, pieces of some seconds of the sound, are compared with the phones of the whole text by local alignment (Smith
and Waterman, "Identification of common molecular subsequences", 1981). Of the best places of each probe, those are
chosen that follow each other in the text as the probes do in the sound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import Cancelled
from .phones import SILENCE

_PROBE = 100  # segments, about 7 seconds of speech
_MOST_CELLS = 3e8  # segments times phones; of a longer sound, only every second or third probe is searched for
# Nats: a segment that is no phone, a phone without a segment, and the limits of a segment's evidence for a phone.
_EXTRA_SEGMENT, _MISSING_PHONE, _MOST_EVIDENCE, _LEAST_EVIDENCE = 0.7, 1.0, 3.5, -2.0
_FLOOR = 0.01  # added to probabilities
_CANDIDATES, _NOISE_RANK = 5, 10  # places of each probe; the one that is taken for chance
_APART = 150  # phones between two places
_SURE = 5.0  # nats above chance
_LEAP, _LEAP_PHONE = 15.0, 0.05  # cost of the text going on elsewhere: at most, and per phone
_PHONES_PER_SEGMENT = 0.8
_BACK = 40  # phones by which a place may be before the one of an earlier probe
_FASTEST = 22  # phones per second of very fast speech
_MARGIN = 300  # phones around the first and the last place, about 25 seconds of speech
_SLACK = 120  # phones from a place to a passage that is surely spoken after it, or before it
_RATE = 50  # frames per second


@dataclass(frozen=True)
class Place:
    """A passage that may be spoken in a sound.

    Attributes:
        passage: its index.
        start: first frame in which one of its words may begin.
        stop: the frame after the last one.
    """

    passage: int
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class _Probe:
    """A piece of the sound: evidence (S, C) of its segments, and frames [start, stop)."""

    evidence: np.ndarray
    start: int
    stop: int


@dataclass(frozen=True)
class _Anchor:
    """A place of a probe in the text: its last phone, and the nats by which it is above chance."""

    probe: int
    phone: int
    weight: float


def locate(
    posteriors: np.ndarray, passages: Sequence[Sequence[int]], cancelled: Callable[[], bool] | None = None
) -> list[Place]:
    """The passages of a text that may be spoken in a sound, in order; none if no place is better than others.

    Args:
        posteriors: (T, C) probabilities of the phone classes at 50 Hz.
        passages: phones of each passage of the text.
        cancelled: called once per probe.

    Raises:
        Cancelled: if `cancelled` returns True.
    """
    phones = np.array([phone for passage in passages for phone in passage], dtype=np.intp)
    probes = _probes(posteriors, len(phones))
    anchors: list[_Anchor] = []
    for index, probe in enumerate(probes):
        if cancelled is not None and cancelled():
            raise Cancelled("cancelled; nothing was written")
        anchors += _anchors(index, _best_by_end(probe.evidence, phones))
    chain = _best_chain(anchors, probes)
    bounds = np.concatenate([[0], np.cumsum([len(passage) for passage in passages])])
    return _places(chain, probes, bounds, len(posteriors)) if chain else []


def _probes(posteriors: np.ndarray, num_phones: int) -> list[_Probe]:
    """The pieces of the sound that are searched for: all of a short sound, some of a long one."""
    best = posteriors.argmax(axis=1)
    edges = np.concatenate([[0], np.flatnonzero(np.diff(best)) + 1, [len(best)]])
    spoken = best[edges[:-1]] != SILENCE
    starts, stops = edges[:-1][spoken], edges[1:][spoken]
    if not len(starts) or not num_phones:
        return []
    sums = np.concatenate([np.zeros((1, posteriors.shape[1])), np.cumsum(posteriors, axis=0, dtype=np.float64)])
    mean = (sums[stops] - sums[starts]) / (stops - starts)[:, None]
    evidence = np.log((mean + _FLOOR) / (sums[-1] / len(posteriors) + _FLOOR))
    evidence = np.clip(evidence, _LEAST_EVIDENCE, _MOST_EVIDENCE).astype(np.float32)
    parts = np.array_split(np.arange(len(starts)), max(round(len(starts) / _PROBE), 1))
    every = int(np.ceil(len(starts) * num_phones / _MOST_CELLS))
    return [_Probe(evidence[part], int(starts[part[0]]), int(stops[part[-1]])) for part in parts[::every]]


def _best_by_end(evidence: np.ndarray, phones: np.ndarray) -> np.ndarray:
    """(P,) evidence for the best alignment of the segments (S, C), or some of them, that ends in each phone (P,)."""
    score = np.zeros(len(phones) + 1, dtype=np.float32)
    best = np.zeros(len(phones), dtype=np.float32)
    after = score[1:]
    for segment in evidence:
        option = score[:-1] + segment[phones]
        after -= _EXTRA_SEGMENT
        np.maximum(after, option, out=after)
        np.maximum(after, 0.0, out=after)
        for _ in range(2):  # as many phones may be missing in a row
            np.maximum(after[1:], after[:-1] - np.float32(_MISSING_PHONE), out=after[1:])
        np.maximum(best, after, out=best)
    return best


def _anchors(probe: int, scores: np.ndarray) -> list[_Anchor]:
    """The best places of a probe with these scores (P,) by last phone."""
    scores = scores.copy()
    found: list[tuple[int, float]] = []
    while len(found) < _NOISE_RANK and scores.max(initial=0.0) > 0:
        phone = int(scores.argmax())
        found.append((phone, float(scores[phone])))
        scores[max(phone - _APART, 0) : phone + _APART] = 0
    noise = found[-1][1] if len(found) == _NOISE_RANK else 0.0
    # Some places as good as each other are repetitions in the text: not much less than the whole score is chance.
    return [_Anchor(probe, phone, score - 0.9 * noise) for phone, score in found[:_CANDIDATES]]


def _best_chain(anchors: Sequence[_Anchor], probes: Sequence[_Probe]) -> list[_Anchor]:
    """The anchors that are above chance and follow each other in the text as in the sound."""
    anchors = [anchor for anchor in anchors if anchor.weight > _SURE]
    if not anchors:
        return []
    probe = np.array([anchor.probe for anchor in anchors])
    phone = np.array([anchor.phone for anchor in anchors])
    segment = np.cumsum([len(each.evidence) for each in probes])[probe]
    total = np.array([anchor.weight for anchor in anchors])
    before = np.full(len(anchors), -1)
    for index in range(len(anchors)):
        earlier = np.flatnonzero(probe[:index] < probe[index])
        earlier = earlier[phone[earlier] <= phone[index] + _BACK]
        if not len(earlier):
            continue
        expected = phone[earlier] + _PHONES_PER_SEGMENT * (segment[index] - segment[earlier])
        gain = total[earlier] - np.minimum(_LEAP_PHONE * np.abs(phone[index] - expected), _LEAP)
        if gain.max() > 0:
            total[index] += gain.max()
            before[index] = earlier[gain.argmax()]
    chain, index = [], int(total.argmax())
    while index >= 0:
        chain.append(anchors[index])
        index = int(before[index])
    return chain[::-1]


def _places(chain: Sequence[_Anchor], probes: Sequence[_Probe], bounds: np.ndarray, num_frames: int) -> list[Place]:
    """The passages near the anchors and between them, with the frames that the anchors leave them.

    Args:
        chain: anchors in order.
        probes: the pieces of the sound.
        bounds: (number of passages + 1,) first phone of each passage, and the end.
        num_frames: length of the sound.
    """
    starts = np.array([probes[anchor.probe].start for anchor in chain])
    stops = np.array([probes[anchor.probe].stop for anchor in chain])
    lengths = np.array([len(probes[anchor.probe].evidence) for anchor in chain])
    last = np.array([anchor.phone for anchor in chain]) + 1
    first = last - lengths
    # What may be spoken between two anchors is near the one before or near the one after, or both.
    ahead = last + _MARGIN + _FASTEST * (np.append(starts[1:], num_frames) - stops) // _RATE
    behind = first - _MARGIN - _FASTEST * (starts - np.append(0, stops[:-1])) // _RATE
    found = []
    for passage, (begin, end) in enumerate(zip(bounds[:-1], bounds[1:])):
        if not ((begin < ahead) & (end > behind)).any():
            continue
        earlier, later = np.flatnonzero(last + _SLACK <= begin), np.flatnonzero(first - _SLACK >= end)
        start = int(starts[earlier[-1]]) if len(earlier) else 0
        stop = int(stops[later[0]]) if len(later) else num_frames
        found.append(Place(passage, start, stop))
    return found
