"""Emotion as an artist writes it: an amount, a mix, moments in time; and the EmotionTrack that follows from them.

Visible strength is the root mean square distance of the emotional face from the neutral one over the open head's
vertices, relative to intensity 1. Measured with the open model, mean of seven emotions: 0.65 at intensity 0 (0.62 to
0.70), 1.36 at intensity 2 (1.30 to 1.41), straight between; at intensity 0 with a half neutral 0.30. So the method's
mildest emotion is two thirds of its medium one, and less can only be had by mixing with neutral.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..emotion import EMOTIONS, MAX_INTENSITY, EmotionTrack, check_intensity, one_hot, parse_mix
from ..errors import InputError

MAX_AMOUNT = MAX_INTENSITY
DEFAULT_TRANSITION_SECONDS = 0.5
_MILD_STRENGTH = 0.65  # visible strength of intensity 0, and the amount that asks for it
_HIGH_STRENGTH = 1.36  # visible strength of intensity 2
_NEUTRAL = EMOTIONS.index("neutral")
_LARGEST_ROUNDING = 1e-5


@dataclass(frozen=True, eq=False)
class Moment:
    """From a time on, an emotion.

    Attributes:
        seconds: the middle of the transition from the emotion before.
        weights: (8,) the emotion, one weight per name of EMOTIONS, sums to 1.
        amount: how strong it is, 0 to 2.
        transition_seconds: length of the transition; it is shortened to reach no further than halfway to a neighbour.
    """

    seconds: float
    weights: np.ndarray
    amount: float = 1.0
    transition_seconds: float = DEFAULT_TRANSITION_SECONDS


def emotion_of_amount(weights: np.ndarray, amount: float) -> tuple[np.ndarray, float]:
    """The model's weights (8,) and intensity (0 to 2) for an amount of an emotion.

    The amounts 1 and 2 are the intensities 1 and 2. From 1 down to 0.65 the intensity falls to 0; below, the emotion is
    mixed with neutral. The visible strength is about the amount itself up to 1, and 1.36 at 2.

    Args:
        weights: (8,) the emotion, sums to 1.
        amount: 0 to 2.

    Raises:
        InputError: if the amount is not a number from 0 to 2.
    """
    check_amount(amount)
    if amount >= 1.0:
        return np.asarray(weights, dtype=np.float64), float(amount)
    if amount >= _MILD_STRENGTH:
        # Rounded, so that an amount that was made from an intensity gives that intensity back.
        return np.asarray(weights, dtype=np.float64), round((amount - _MILD_STRENGTH) / (1.0 - _MILD_STRENGTH), 6)
    share = amount / _MILD_STRENGTH
    return share * np.asarray(weights) + (1.0 - share) * np.eye(len(EMOTIONS))[_NEUTRAL], 0.0


def amount_of_intensity(intensity: float) -> float:
    """The amount, 0.65 to 2, that asks for an intensity; raises InputError unless it is from 0 to 2."""
    intensity = check_intensity(intensity)
    return intensity if intensity >= 1.0 else _MILD_STRENGTH + (1.0 - _MILD_STRENGTH) * intensity


def visible_strength(amount: float) -> float:
    """How far the face is from the neutral one for an amount, relative to the amount 1."""
    return amount if amount <= 1.0 else 1.0 + (_HIGH_STRENGTH - 1.0) * (amount - 1.0)


def check_amount(amount: float) -> float:
    """The amount as it was given; raises InputError unless it is a number from 0 to 2."""
    if not 0.0 <= amount <= MAX_AMOUNT:
        raise InputError(f"amount {amount:g} is outside 0 to {MAX_AMOUNT:g} (0 neutral, 1 medium, 2 high)")
    return float(amount)


def constant_track(weights: np.ndarray, amount: float) -> EmotionTrack:
    """One emotion (8,) at one amount from start to end."""
    weights, intensity = emotion_of_amount(weights, amount)
    return EmotionTrack(np.zeros(1), weights[None], np.array([intensity]))


def track_of_moments(moments: Iterable[Moment]) -> EmotionTrack:
    """The track that goes through moments in any order; of several at one time the last one counts.

    Raises:
        InputError: if there is no moment, or a time, an amount or a transition is not allowed.
    """
    at_time = {_checked(moment).seconds: moment for moment in moments}
    if not at_time:
        raise InputError("the list of emotions is empty; add a moment")
    ordered = [at_time[seconds] for seconds in sorted(at_time)]
    states = [emotion_of_amount(moment.weights, moment.amount) for moment in ordered]
    keys: list[tuple[float, int]] = [(ordered[0].seconds, 0)]  # time, and the state that applies then
    for index in range(1, len(ordered)):
        here = ordered[index].seconds
        gaps = [here - ordered[index - 1].seconds, *(later.seconds - here for later in ordered[index + 1 : index + 2])]
        half = min(ordered[index].transition_seconds, *gaps) / 2
        if here - half > keys[-1][0]:
            keys.append((here - half, index - 1))
        keys.append((max(here + half, keys[-1][0]), index))
    return EmotionTrack(
        np.array([seconds for seconds, _ in keys]),
        np.stack([states[index][0] for _, index in keys]),
        np.array([states[index][1] for _, index in keys]),
    )


def _checked(moment: Moment) -> Moment:
    """The moment as it was given; raises InputError if a value is not allowed."""
    if not np.isfinite(moment.seconds):
        raise InputError(f"the time of a moment is {moment.seconds}; give a number of seconds")
    if not (np.isfinite(moment.transition_seconds) and moment.transition_seconds >= 0):
        raise InputError(f"a transition lasts {moment.transition_seconds:g} s; give 0 or more")
    check_amount(moment.amount)
    return moment


def parse_emotion(text: str) -> tuple[np.ndarray, float]:
    """Weights (8,) and amount of an emotion as a person writes it; a comment after : # or ( is left out.

    "anger", "Anger 1.5", "happy 0.6 + surprise 0.4" and "happy 0.6 + surprise 0.4 at 1.5" are emotions.

    Raises:
        InputError: that names the part which cannot be read and how to write it.
    """
    written = re.split(r"[:#(\[]", text, maxsplit=1)[0].strip()
    mix, at, after = re.sub(r"(?<=\d),(?=\d)", ".", written).rpartition(" at ")
    single = re.fullmatch(r"([A-Za-z]+)\s*([-+]?[\d.]+)", after) if not at else None
    if single and single[1].lower() in EMOTIONS:
        return one_hot(single[1]), check_amount(_number(single[2], text))
    return parse_mix(mix if at else after), check_amount(_number(after, text)) if at else 1.0


def _number(written: str, text: str) -> float:
    try:
        return float(written)
    except ValueError:
        raise InputError(f"{text!r}: {written!r} is no amount; write for example anger 1.5") from None


def begins_with_emotion(text: str) -> bool:
    """Whether the first word of a text, such as a marker's name, is an emotion."""
    return bool(words := re.findall(r"[a-z]+", text.lower())) and words[0] in EMOTIONS


def mix_text(weights: np.ndarray) -> str:
    """A mix (8,) as `parse_mix` reads it: "anger", or "happy 0.6 + surprise 0.4"; the strongest first."""
    order = sorted(np.flatnonzero(np.asarray(weights) > 5e-4), key=lambda index: -weights[index])
    if len(order) == 1:
        return EMOTIONS[order[0]]
    return " + ".join(f"{EMOTIONS[index]} {round(float(weights[index]), 3):g}" for index in order)


def amount_of_track(track: EmotionTrack) -> tuple[np.ndarray, float] | None:
    """Weights (8,) and amount of a track that is the same all through; None for one that changes."""
    if np.ptp(track.emotion_weights, axis=0).max() > _LARGEST_ROUNDING or np.ptp(track.intensity) > _LARGEST_ROUNDING:
        return None
    weights, intensity = track.emotion_weights[0], float(track.intensity[0])
    share = 1.0 - float(weights[_NEUTRAL])
    if intensity > 0 or share > 1 - _LARGEST_ROUNDING or share < _LARGEST_ROUNDING:
        return weights, amount_of_intensity(intensity)
    emotion = weights.copy()
    emotion[_NEUTRAL] = 0.0
    return emotion / share, _MILD_STRENGTH * share


def track_label(track: EmotionTrack) -> str:
    """A track in a few words: "Anger 1.50", "Neutral", "Happy 0.6 + Surprise 0.4 at 1.00", "Neutral, Anger, Sad"."""
    constant = amount_of_track(track)
    if constant is not None:
        weights, amount = constant
        if weights[_NEUTRAL] > 1 - _LARGEST_ROUNDING:
            return "Neutral"
        name = mix_text(weights).title()
        return f"{name} at {amount:.2f}" if " " in name else f"{name} {amount:.2f}"
    strongest = [EMOTIONS[index].capitalize() for index in track.emotion_weights.argmax(axis=1)]
    names = [name for index, name in enumerate(strongest) if index == 0 or name != strongest[index - 1]]
    if len(names) == 1:
        return f"{names[0]}, changing"
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])}, … {names[-1]}"


def simplified(track: EmotionTrack, tolerance: float = 1e-4) -> EmotionTrack:
    """The track without the keys that lie, within `tolerance`, on the straight line between those that are kept."""
    values = np.column_stack([track.emotion_weights, track.intensity])
    times = track.times
    keep = np.zeros(len(times), dtype=bool)
    keep[[0, -1]] = True
    parts = [(0, len(times) - 1)]
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        span = times[last] - times[first]
        share = (times[first + 1 : last] - times[first]) / span if span > 0 else np.zeros(last - first - 1)
        line = values[first] + share[:, None] * (values[last] - values[first])
        error = np.abs(values[first + 1 : last] - line).max(axis=1)
        worst = int(error.argmax())
        if error[worst] > tolerance:
            middle = first + 1 + worst
            keep[middle] = True
            parts += [(first, middle), (middle, last)]
    if np.abs(values - values[0]).max() <= tolerance:
        keep[1:] = False
    return EmotionTrack(times[keep], track.emotion_weights[keep], track.intensity[keep])
