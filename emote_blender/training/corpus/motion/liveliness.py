"""How one utterance's face differs from its emotion's plain style, and what keeps brows and cheeks moving in it.

Without a `Variation`, `emotion_styles.face` gives the plain style, in which an emotion's brows hold nearly still: held
poses are so strong that accents on top of them are cut off. `LIVELY` lets the upper face follow stress and phrases
instead. It holds no chance, so that a network can learn it from sound; `draw_variation` adds what differs from one
utterance to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ....motion_tools.timing import MOTION_FPS

UPPER_FACE = ("brow", "cheekSquint", "eyeSquint", "eyeWide", "noseSneer")
"""What the names of the components begin with that swell with the voice."""


@dataclass(frozen=True)
class Variation:
    """How an utterance differs; the defaults change nothing.

    Attributes:
        gains: factor on a component of the emotion's poses; names without Left or Right mean both sides.
        feeling: factor on the strength of the emotion.
        mouth: factor on the amplitude of articulation.
        lopsided: added to the speaker's.
        accents: factor on the accents of stressed syllables.
        accent_seconds: how much later the accents come than the stress.
        swell: share of the upper face's posture that comes and goes with stress and phrases, 0..1.
        cheeks: how much the cheeks rise with spread lips and stressed smiles.
    """

    gains: Mapping[str, float] = field(default_factory=dict)
    feeling: float = 1.0
    mouth: float = 1.0
    lopsided: float = 0.0
    accents: float = 1.0
    accent_seconds: float = 0.0
    swell: float = 0.0
    cheeks: float = 0.0

    def pose(self, weights: Mapping[str, float]) -> dict[str, float]:
        """An emotion's pose with the gains of this utterance."""
        return {
            name: weight * self.gains.get(name, self.gains.get(name.removesuffix("Left").removesuffix("Right"), 1.0))
            for name, weight in weights.items()
        }


LIVELY = Variation(feeling=1.06, accents=2.0, swell=0.30, cheeks=0.35)


def later(track: np.ndarray, seconds: float) -> np.ndarray:
    """(T,) moved later by seconds, edges held."""
    frames = np.arange(len(track), dtype=np.float64)
    return np.interp(frames - seconds * MOTION_FPS, frames, track)


def phrase_onsets(speaking: np.ndarray) -> np.ndarray:
    """(T,) 0..1, high where a phrase begins, gone half a second later: brows rise to announce it.

    speaking: (T,) 0..1.
    """
    onset, decay = np.zeros(len(speaking)), float(np.exp(-1 / (0.25 * MOTION_FPS)))
    slow = float(speaking[0]) if len(speaking) else 0.0
    for i, value in enumerate(speaking):
        slow = decay * slow + (1 - decay) * value
        onset[i] = max(0.0, value - slow)
    return np.clip(1.5 * onset, 0, 1)


def swelling(amount: float, stress: np.ndarray, speaking: np.ndarray, onsets: np.ndarray) -> np.ndarray:
    """(T,) factor on the upper face's posture, within 1 - 0.85 `amount` .. 1 + 0.15 `amount`.

    Full on stressed syllables and where phrases begin, weaker on what is unstressed, in between in pauses. Rather down
    than up: the poses are near the end of what the components do.
    """
    prominence = np.clip(np.maximum(stress, onsets), 0, 1)
    return 1 + amount * (speaking * prominence + (1 - speaking) * 0.5 - 0.85)
