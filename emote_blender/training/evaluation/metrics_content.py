"""Measures of independence: the words stay when the emotion changes, the emotion stays when the words change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def agreement(renderings: Sequence[np.ndarray]) -> np.ndarray:
    """(E, E) Pearson's r between the renderings of the same sounds under E emotions.

    r is taken over the frames of all clips together, each clip's tracks less their mean, so that a posture that an
    emotion holds does not count as another articulation, and long clips count more. A rendering that never moves has
    r = 0 with all others.

    Args:
        renderings: per clip (E, T) one articulation track per emotion.
    """
    tracks = np.concatenate([clip - clip.mean(1, keepdims=True) for clip in renderings], axis=1)
    norms = np.linalg.norm(tracks, axis=1)
    unit = tracks / np.where(norms > 1e-6, norms, np.inf)[:, None]
    found = unit @ unit.T
    np.fill_diagonal(found, 1.0)
    return found


def agreement_with_first(matrix: np.ndarray) -> float:
    """Mean r of the first emotion (neutral) with each other one."""
    return float(matrix[0, 1:].mean())


def agreement_of_pairs(matrix: np.ndarray) -> float:
    """Mean r of all pairs of different emotions."""
    return float(matrix[np.triu_indices(len(matrix), 1)].mean())


def stability(residuals: np.ndarray) -> float:
    """Share of what emotions do to a face that does not depend on what is said: 1 - within / total variance.

    The share explained by the emotion (correlation ratio, eta squared; Fisher 1925): within is the squared distance of
    a residual from the mean of its emotion, total that from the mean of all.

    Args:
        residuals: (U, E, D) mean face of utterance u under emotion e less that of the same utterance without emotion.

    Returns:
        0 to 1; NaN for one utterance or one emotion, or if nothing ever changes.
    """
    utterances, emotions, _ = residuals.shape
    total = float(((residuals - residuals.mean((0, 1))) ** 2).sum())
    if utterances < 2 or emotions < 2 or total < 1e-9:
        return float("nan")
    return 1 - float(((residuals - residuals.mean(0)) ** 2).sum()) / total


def rising(strengths: np.ndarray) -> float:
    """Share of rows of strengths (N, 3), judged at intensities 0, 1, 2, that rise at each step; NaN without rows."""
    return float((np.diff(strengths, axis=1) > 0).all(1).mean()) if len(strengths) else float("nan")
