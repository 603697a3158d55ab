"""Movement of brows and cheeks with the voice.

In the plain style of an emotion the brows hardly move: the held poses are so strong that accents on top of them are
clipped. With `LIVELY`, the upper face follows stress and phrases, which a network can learn from sound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....motion_tools.timing import MOTION_FPS

UPPER_FACE = ("brow", "cheekSquint", "eyeSquint", "eyeWide", "noseSneer")
"""Prefixes of the components that swell with the voice."""


@dataclass(frozen=True)
class Liveliness:
    """How much a face moves with the voice; the defaults give the plain style.

    Attributes:
        feeling: factor on the strength of the emotion.
        accents: factor on the accents of stressed syllables.
        swell: fraction of the upper face's posture that varies with stress and phrases, 0 to 1.
        cheeks: how much the cheeks rise with spread lips and stressed smiles.
    """

    feeling: float = 1.0
    accents: float = 1.0
    swell: float = 0.0
    cheeks: float = 0.0


PLAIN = Liveliness()
LIVELY = Liveliness(feeling=1.06, accents=2.0, swell=0.30, cheeks=0.35)


def phrase_onsets(speaking: np.ndarray) -> np.ndarray:
    """A track (T,) from 0 to 1 that is high where a phrase begins and decays within half a second.

    Brows rise to announce a phrase.

    Args:
        speaking: (T,) from 0 (pause) to 1 (speech).
    """
    onset, decay = np.zeros(len(speaking)), float(np.exp(-1 / (0.25 * MOTION_FPS)))
    slow = float(speaking[0]) if len(speaking) else 0.0
    for i, value in enumerate(speaking):
        slow = decay * slow + (1 - decay) * value
        onset[i] = max(0.0, value - slow)
    return np.clip(1.5 * onset, 0, 1)


def swelling(amount: float, stress: np.ndarray, speaking: np.ndarray, onsets: np.ndarray) -> np.ndarray:
    """The factor (T,) on the upper face's posture, from 1 - 0.85 `amount` to 1 + 0.15 `amount`.

    It is high on stressed syllables and at the beginnings of phrases, low on unstressed syllables, and in between in
    pauses. It decreases more than it increases, because the poses are near the limits of the components.

    Args:
        amount: `Liveliness.swell`.
        stress: (T,), see `emotion_styles.face`.
        speaking: (T,) from 0 (pause) to 1 (speech).
        onsets: (T,) of `phrase_onsets`.
    """
    prominence = np.clip(np.maximum(stress, onsets), 0, 1)
    return 1 + amount * (speaking * prominence + (1 - speaking) * 0.5 - 0.85)
