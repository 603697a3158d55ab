"""What the landmarker's scores say of blinks: the landmarks of lids that meet do not quite meet."""

from __future__ import annotations

import numpy as np

from ..landmarker import SCORE_NAMES
from .fitted_face import LIDS, FittedFace
from .frames import Observed

_SEEN = 0.4  # least score of lids that are more closed than open
_USUAL_PEAKS = (0.5, 0.8)  # scores of closed lids
_DEVIATION = 0.03  # of a closure that a score states: it outweighs what the landmarks of the lids say


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
