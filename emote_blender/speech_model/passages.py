"""Passages of a clip: stretches in which the voice keeps about one level, in spite of pauses and short loud sounds.

A shout and the whisper after it, or a near and a far speaker, are passages of their own. A clap, a slate or a door is
not: it is over before a voice would be. What is no passage (a pause, noise, such a sound) belongs to one beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LOUDNESS_EXPONENT = 0.25  # of power, about that of specific loudness (Zwicker & Fastl, "Psychoacoustics", ch. 8)
_SYLLABLE_GAP = 25  # spectra (0.25 s) between the loud moments of fluent speech
_IMPULSE = 30  # spectra; a shorter peak of the level is no voice
_PAUSE = 100  # spectra; a shorter pause does not end a passage
_SHORTEST = 60  # spectra of a passage
_STEP = 12.0  # dB; where the level falls further below the passage's, another passage may begin
_SOUND = 27.0  # dB below the level that a voice keeps; what is quieter counts as that
# Syllables change the level by 4 to 9 dB (rms), many voices at once by 2, noise, hum and long tones by less than 1.
_MODULATION = 2.5
_FAST, _SLOW = 5, 35  # spectra; means over them differ by the rhythm of syllables
# The level that a voice keeps is so far (dB) above the quietest twentieth of what sounds within 5 s of it; that of a
# background that goes on under other voices (music, a crowd) is not.
_PROMINENCE, _SURROUNDINGS, _SILENCE = 14.0, 500, 57.0
_RANGE = 38.0  # dB; a voice that is so far below the loudest one is taken for background
_ABOVE = 18.0  # dB above the level that a voice keeps; its loudest moments were up to 17 dB above

_Stretch = tuple[int, int, float]  # first spectrum, spectrum after the last one, level (dB) that the voice keeps


@dataclass(frozen=True)
class Passage:
    """A stretch of a clip.

    Attributes:
        start: its first spectrum.
        stop: the spectrum after its last one.
        limit: greatest level (dB) of its voice; louder spectra are those of other sounds.
    """

    start: int
    stop: int
    limit: float


def spectrum_level(power: np.ndarray) -> np.ndarray:
    """Level (L,) of each spectrum in dB, of mel power (M, L).

    Bands are compressed before they are summed, as in hearing: one band with a hum does not outweigh speech in all.
    """
    compressed = np.mean(np.power(power, np.float32(LOUDNESS_EXPONENT)), axis=0, dtype=np.float64)
    return 10 / LOUDNESS_EXPONENT * np.log10(compressed + 1e-4)


def find_passages(level: np.ndarray) -> list[Passage]:
    """The passages that together cover a clip of which the spectra have the given level (L,) in dB; at least one."""
    length = len(level)
    # An alternating filter of closings and openings (Serra, "Image Analysis and Mathematical Morphology", vol. 2)
    # joins syllables, cuts off short peaks and bridges pauses; steps of the level stay where they are.
    sustained = _closing(-_closing(-_closing(level, _SYLLABLE_GAP), _IMPULSE), _PAUSE)
    # The median: the ends of a stretch may be those of a louder sound.
    stretches = [(a, b, float(np.median(sustained[a:b]))) for a, b in _level_stretches(sustained)]
    voices = [stretch for stretch in stretches if _is_voice(level, *stretch)]
    loudest = max((kept_level for _, _, kept_level in voices), default=0.0)
    voices = _joined([voice for voice in voices if voice[2] > loudest - _RANGE])
    if not voices:
        return [Passage(0, length, float("inf"))]
    passages, start = [], 0
    for index, (_, stop, own) in enumerate(voices):
        end = length
        if index + 1 < len(voices):  # a long pause between two passages belongs to the louder one
            following, _, other = voices[index + 1]
            end = following if own >= other else stop
        passages.append(Passage(start, end, own + _ABOVE))
        start = end
    return passages


def _joined(voices: list[_Stretch]) -> list[_Stretch]:
    """The stretches, neighbours joined whose levels differ by at most `_STEP`: they are phrases of one voice."""
    joined: list[_Stretch] = []
    softest = 0.0
    for start, stop, own in voices:
        if joined and max(joined[-1][2], own) - min(softest, own) <= _STEP:
            first, _, loudest = joined.pop()
            start, own, softest = first, max(loudest, own), min(softest, own)
        else:
            softest = own
        joined.append((start, stop, own))
    return joined


def _is_voice(level: np.ndarray, start: int, stop: int, own: float) -> bool:
    """Whether the spectra from `start` to `stop`, which keep the level `own`, may be those of a voice."""
    if stop - start < _SHORTEST:
        return False
    around = level[max(start - _SURROUNDINGS, 0) : stop + _SURROUNDINGS]
    around = around[around > own - _SILENCE]
    if not len(around) or own - np.percentile(around, 5) < _PROMINENCE:
        return False
    sound = level[start:stop].clip(min=own - _SOUND)
    return float(np.std(_running_mean(sound, _FAST) - _running_mean(sound, _SLOW))) > _MODULATION


def _running_mean(values: np.ndarray, size: int) -> np.ndarray:
    """The mean of the `size` (odd) values around each of the values (L,)."""
    total = np.cumsum(np.pad(values, (size // 2 + 1, size // 2), mode="edge"))
    return (total[size:] - total[:-size]) / size


def _level_stretches(level: np.ndarray) -> list[tuple[int, int]]:
    """Stretches (start, stop), in order, that cover a clip; in each, the level stays within `_STEP` of its peak."""
    stretches, rest = [], [(0, len(level))]
    while rest:
        start, stop = rest.pop()
        if start == stop:
            continue
        peak = start + int(level[start:stop].argmax())
        below = level[start:stop] < level[peak] - _STEP
        before, after = np.flatnonzero(below[: peak - start]), np.flatnonzero(below[peak - start :])
        first = start + int(before[-1]) + 1 if len(before) else start
        last = peak + int(after[0]) if len(after) else stop
        stretches.append((first, last))
        rest += [(start, first), (last, stop)]
    return sorted(stretches)


def _closing(values: np.ndarray, size: int) -> np.ndarray:
    """The closing of values (L,): the least, over all windows of `size` values around each, of their greatest."""
    padded = np.pad(values, size - 1, constant_values=-np.inf)
    return -_running_maximum(-_running_maximum(padded, size), size)


def _running_maximum(values: np.ndarray, size: int) -> np.ndarray:
    """The greatest of each `size` neighbouring values: (L,) -> (L - size + 1,)."""
    width = 1
    while width < size:
        step = min(width, size - width)
        values = np.maximum(values[:-step], values[step:])
        width += step
    return values
