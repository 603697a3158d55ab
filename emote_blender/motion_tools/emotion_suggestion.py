"""Where a voice rises and falls: times at which an emotion may become stronger or weaker.

Loudness and pitch show how aroused a voice is, not what it feels: anger and joy, or sadness and tenderness, can have
the same of both (P. Juslin and P. Laukka, Psychological Bulletin 129, 2003, table 7). So only times and amounts are
suggested; which emotion it is remains the artist's choice.
"""

from __future__ import annotations

import numpy as np

from .emotion_timeline import DEFAULT_TRANSITION_SECONDS, MAX_AMOUNT, Moment
from .prosody import phrasing, semitones
from .raw_take import Prosody
from .timing import MOTION_FPS

# A phrase that is 6 dB louder, or four semitones higher, than the voice usually is counts as one step.
_DB_PER_STEP, _SEMITONES_PER_STEP = 6.0, 4.0
_AMOUNT_PER_STEP = 0.4
_LOWEST_AMOUNT = 0.2
_SMALLEST_CHANGE = 0.15  # of the amount; a phrase that differs less continues the one before
_SHORTEST_SECONDS = 1.0  # between moments


def suggested_moments(
    prosody: Prosody, weights: np.ndarray, amount: float = 1.0, fps: float = MOTION_FPS
) -> list[Moment]:
    """Moments of one emotion that is stronger in loud and high phrases and weaker in soft and low ones.

    Args:
        prosody: loudness and pitch of the voice.
        weights: (8,) the emotion, as the artist chose it.
        amount: how strong it is in a phrase that is as loud and high as the voice usually is.
        fps: frames per second of the prosody.

    Returns:
        Moments in order, in seconds from the sound's start, each at the start of a phrase; none without speech.
    """
    phrases = phrasing(prosody, fps)
    if not len(phrases.phrase_starts):
        return []
    loudness, pitch = np.asarray(prosody.loudness_db, np.float64), semitones(prosody, fps)
    arousal = loudness / _DB_PER_STEP + pitch / _SEMITONES_PER_STEP
    usual = float(np.median(arousal[phrases.speaking]))
    moments: list[Moment] = []
    for start, end in zip(phrases.phrase_starts, phrases.phrase_ends, strict=True):
        steps = float(np.median(arousal[int(round(start * fps)) : max(int(round(end * fps)), 1)])) - usual
        strength = float(np.clip(amount + _AMOUNT_PER_STEP * steps, _LOWEST_AMOUNT, MAX_AMOUNT))
        strength = round(strength, 2)
        if moments:
            near = start - moments[-1].seconds < _SHORTEST_SECONDS
            if near or abs(strength - moments[-1].amount) < _SMALLEST_CHANGE:
                continue
        seconds = float(start) if moments else 0.0
        moments.append(Moment(seconds, weights, strength, DEFAULT_TRANSITION_SECONDS))
    return moments
