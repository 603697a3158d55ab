"""Measures of independence: of the articulation from the emotion, and of the emotion from the words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def agreement(renderings: Sequence[np.ndarray]) -> np.ndarray:
    """(E, E) Pearson's r between the motions of the same sounds under E emotions.

    r is taken over the frames of all clips together, after subtracting the mean of each clip's track. A posture that an
    emotion holds thus does not count as another articulation, and long clips count more. A constant track has r = 0
    with all others.

    Args:
        renderings: for each clip, (E, T) one articulation track per emotion.
    """
    tracks = np.concatenate([clip - clip.mean(1, keepdims=True) for clip in renderings], axis=1)
    norms = np.linalg.norm(tracks, axis=1)
    unit = tracks / np.where(norms > 1e-6, norms, np.inf)[:, None]
    found = unit @ unit.T
    np.fill_diagonal(found, 1.0)
    return found


def agreement_with_first(matrix: np.ndarray) -> float:
    """Mean r of the first emotion (neutral) with each of the others."""
    return float(matrix[0, 1:].mean())


def agreement_of_pairs(matrix: np.ndarray) -> float:
    """Mean r of all pairs of different emotions."""
    return float(matrix[np.triu_indices(len(matrix), 1)].mean())


def stability(residuals: np.ndarray) -> float:
    """The fraction of an emotion's effect on the face that does not depend on the words: 1 - within / total variance.

    This is the correlation ratio (eta squared; Fisher 1925). Within is the squared distance of a residual from the mean
    of its emotion, total the one from the mean of all.

    Args:
        residuals: (U, E, D) mean face of utterance u under emotion e minus that of the same utterance under neutral.

    Returns:
        0 to 1; NaN for a single utterance or emotion, or if all residuals are equal.
    """
    utterances, emotions, _ = residuals.shape
    total = float(((residuals - residuals.mean((0, 1))) ** 2).sum())
    if utterances < 2 or emotions < 2 or total < 1e-9:
        return float("nan")
    return 1 - float(((residuals - residuals.mean(0)) ** 2).sum()) / total


def rising(strengths: np.ndarray) -> float:
    """The fraction of rows of strengths (N, 3), at intensities 0, 1, 2, that rise at each step; NaN without rows."""
    return float((np.diff(strengths, axis=1) > 0).all(1).mean()) if len(strengths) else float("nan")
