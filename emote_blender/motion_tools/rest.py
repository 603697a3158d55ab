"""Whether a face speaks at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..motion import FaceMotion

# Measured with the open model and all emotions: silence, hum, clicks and steady tones move the jaw by at most 0.02, a
# single "mm" or a "hello" at -40 dB in 20 s of silence by at least 0.08. Noise and music are taken for speech.
_LEAST_OPENING = 0.03  # radians between the most open and the most closed jaw


def is_at_rest(motion: FaceMotion) -> bool:
    """Whether the jaw rests from beginning to end, as it does where the model perceives no speech."""
    return float(np.ptp(motion.jaw[:, 0])) < _LEAST_OPENING


def rest_warning(motion: FaceMotion, name: str) -> tuple[str, ...]:
    """The warning that a sound was perceived as no speech, if it was; `name` is the sound's in the sentence."""
    if not is_at_rest(motion):
        return ()
    return (f"{name}: no speech was found in it from beginning to end, and the mouth stays at rest; check the sound",)
