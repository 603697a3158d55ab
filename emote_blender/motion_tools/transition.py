"""Easing a motion from rest and back to rest, so that no pose is held outside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..motion import FaceMotion


@dataclass(frozen=True)
class Fade:
    """A span of time in which the weight of a motion rises from 0 to 1, or falls from 1 to 0.

    Attributes:
        start: seconds from the motion's first frame.
        end: seconds from the motion's first frame; not before `start`.
    """

    start: float
    end: float


def with_transitions(motion: FaceMotion, fade_in: Fade, fade_out: Fade) -> tuple[FaceMotion, int]:
    """The motion with frames before and after it in which it eases from rest and to rest, and how many lie before it.

    In those frames the first and the last pose are held; coefficients and axis-angles are multiplied by a smooth
    weight (3 x^2 - 2 x^3), so that the fades of two motions over the same span add up to a cross-fade.

    Args:
        motion: the motion, at the frame rate of the result.
        fade_in: span of the rise; frames are added from its start on.
        fade_out: span of the fall; frames are added up to its end.
    """
    fps, last = motion.fps, (motion.num_frames - 1) / motion.fps
    before = max(0, int(np.ceil(-fade_in.start * fps - 1e-6)))
    after = max(0, int(np.ceil((fade_out.end - last) * fps - 1e-6)))
    time = (np.arange(motion.num_frames + before + after) - before) / fps
    weight = fade_weights(time, fade_in, fade_out)
    if not before and not after and weight.min() == 1.0:
        return motion, 0
    parts: dict[str, Any] = {}
    for name in ("expression", "jaw", "eyes", "neck", "lids", "eye_offsets"):
        values = getattr(motion, name)
        if values is not None:
            held = np.pad(values, ((before, after), (0, 0)), mode="edge")
            parts[name] = held * weight[:, None].astype(np.float32)
    return replace(motion, **parts), before


def fade_weights(time: np.ndarray, fade_in: Fade, fade_out: Fade) -> np.ndarray:
    """Weights (T,) from 0 to 1 of a motion at the times (T,), in the unit of the fades."""
    return _rise(time, fade_in) * (1.0 - _rise(time, fade_out, inclusive=False))


def _rise(time: np.ndarray, fade: Fade, inclusive: bool = True) -> np.ndarray:
    """Weights (T,) that rise from 0 to 1 in the fade; a step if it has no length, `inclusive` of its time or not."""
    if fade.end - fade.start < 1e-6:
        step = time >= fade.start - 1e-6 if inclusive else time > fade.end + 1e-6
        return step.astype(np.float64)
    share = np.clip((time - fade.start) / (fade.end - fade.start), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)
