"""What the landmarker's scores say beside its landmarks.

The landmarks of lids that meet do not quite meet, so scores state blinks. And the scores come from a network that has
seen many people: it can tell a low brow from a frown, and where eyes look that lie deep. While the shape of a person's
face is sought, this keeps what the face always shows from being taken for an expression.
"""

from __future__ import annotations

import numpy as np

from ..landmarker import SCORE_NAMES
from .fitted_face import LIDS, FittedFace
from .observed import Observed

_SEEN = 0.4  # least score of lids that are more closed than open
_USUAL_PEAKS = (0.5, 0.8)  # scores of closed lids
_DEVIATION = 0.03  # of a closure that a score states: it outweighs what the landmarks of the lids say
_BROWS = ("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight")
_CALM = 0.3  # scores of brows that are neither raised nor lowered are below it
_CALM_PARTS = (*_BROWS, "noseSneerLeft", "noseSneerRight", "cheekSquintLeft", "cheekSquintRight")
_CALM_DEVIATION = 0.1
_GAZE_GAIN, _GAZE_LEVEL, _GAZE_DEVIATION = 1.2, 0.57, 0.27
"""The vertical gaze (up positive) is gain * (score up - score down) + level: regression over the rendered people of
`training/open_model/landmark_response.py`."""


def observed_blinks(face: FittedFace, scores: np.ndarray) -> Observed:
    """The closure of lids in frames in which the scores see a blink; the landmarks have all others.

    A score of closed lids differs between people: the highest one of the clip counts as closed.

    Args:
        face: the head.
        scores: (T, 52) in the order of SCORE_NAMES.
    """
    mean, weight = np.zeros((len(scores), face.num_values)), np.zeros((len(scores), face.num_values))
    for side, lid in zip(("Left", "Right"), LIDS):
        blink = f"eyeBlink{side}"
        name = blink if blink in face.names else lid
        if name not in face.names:
            continue
        score = scores[:, SCORE_NAMES.index(blink)]
        column = face.names.index(name)
        seen = score > _SEEN
        mean[seen, column] = np.minimum(score[seen] / np.clip(score.max(), *_USUAL_PEAKS), 1.0)
        weight[seen, column] = _DEVIATION**-2.0
    return Observed(mean, weight)


def observed_habits(face: FittedFace, scores: np.ndarray) -> Observed | None:
    """What tells the person's own face from expressions: brows that are calm, and the height of the gaze.

    Args:
        face: the head; None is returned if its components have no names.
        scores: (T, 52) in the order of SCORE_NAMES.
    """
    if face.model.expression_names is None:
        return None
    mean, weight = np.zeros((len(scores), face.num_values)), np.zeros((len(scores), face.num_values))
    calm = scores[:, [SCORE_NAMES.index(name) for name in _BROWS]].max(1) < _CALM
    for name in _CALM_PARTS:
        weight[calm, face.names.index(name)] = _CALM_DEVIATION**-2.0
    up, down = (
        scores[:, [SCORE_NAMES.index(f"eyeLook{way}{side}") for side in ("Left", "Right")]].mean(1)
        for way in ("Up", "Down")
    )
    height = _GAZE_GAIN * (up - down) + _GAZE_LEVEL
    for name, values in (("lookUp", height), ("lookDown", -height)):
        mean[:, face.names.index(name)] = np.clip(values, 0.0, 1.0)
        weight[:, face.names.index(name)] = _GAZE_DEVIATION**-2.0
    return Observed(mean, weight)
