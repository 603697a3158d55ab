"""An observer that names the emotion of a moving face, and how strong it is. No model has been trained against it.

Why it is independent. It appears in no loss. It sees where 51 landmarks of the posed mesh stand on average and how much
they move, where the losses' emotion network sees rendered pixels and the vertex losses see frames; it is made of other
functions (multinomial logistic and ridge regression). It learns from reference motions of utterances that are neither
tested nor, for the corpus's validation parts, trained on; what a model produces it never learns from. Both problems are
convex, so the same examples give the same judge. It knows no face at rest but the head's, so an offset of the whole
face is a mistake that it sees.

What it can not tell: whether a person would agree. Its own accuracy on reference motions is the ceiling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...emotion import EMOTIONS, MAX_INTENSITY

NEUTRAL = EMOTIONS[0]
_RIDGE = 0.003  # of the squared weights against the mean log loss
_STRENGTH_RIDGE = 0.003  # of the squared weights against the mean squared error
_STRENGTH_COMPONENTS = 6
_LEAST_SPREAD_MM = 0.05  # what moves less than this tells nothing: it is not blown up by standardising
_STEPS = 60


@dataclass(frozen=True, eq=False)
class JudgedMotion:
    """What a judge sees of a motion, and what it should say.

    statistics: (D,) of `statistics`. emotion: a name. intensity: 0 to 2. speaker: a name; strength is judged knowing
    who speaks, as a viewer does, since a reserved speaker's high is a lively one's medium.
    """

    statistics: np.ndarray
    emotion: str
    intensity: float
    speaker: str


def statistics(points: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(6 P,) mean displacement from rest (P, 3), mm, and standard deviation over time of landmarks (T, P, 3)."""
    moved = points - rest
    return np.concatenate([moved.mean(0).ravel(), moved.std(0).ravel()]).astype(np.float64)


class EmotionJudge:
    """Names one of the 8 emotions and gives the strength of a named one on the scale of intensities, 0 to 2."""

    def __init__(self, examples: Sequence[JudgedMotion]) -> None:
        """Learns from examples.

        Raises:
            ValueError: fewer than two emotions, with which nothing can be told apart.
        """
        seen = np.stack([example.statistics for example in examples])
        self._mean = seen.mean(0)
        self._spread = np.maximum(seen.std(0), _LEAST_SPREAD_MM)
        names = np.array([example.emotion for example in examples])
        self.emotions = tuple(name for name in EMOTIONS if name in names)
        if len(self.emotions) < 2:
            raise ValueError(f"a judge needs examples of two emotions or more, found {', '.join(self.emotions)}")
        self.speakers = tuple(sorted({example.speaker for example in examples}))
        self.num_examples = len(examples)
        classes = np.array([self.emotions.index(name) for name in names])
        self._weights = _logistic_regression(self._inputs(seen), classes, len(self.emotions))
        self._strengths: dict[str, _Strength] = {}
        for emotion in self.emotions:
            chosen = [example for example in examples if example.emotion == emotion]
            intensities = np.array([example.intensity for example in chosen])
            if emotion == NEUTRAL or np.ptp(intensities) == 0:
                continue
            told = np.stack([self._told(example.speaker) for example in chosen])
            self._strengths[emotion] = _Strength(np.stack([e.statistics for e in chosen]), told, intensities)

    def emotion(self, seen: np.ndarray) -> str:
        """The most likely emotion of statistics (D,)."""
        return self.emotions[int(np.argmax(self.probabilities(seen)))]

    def probabilities(self, seen: np.ndarray) -> np.ndarray:
        """(C,) of `emotions`, of statistics (D,)."""
        scores = self._inputs(seen[None])[0] @ self._weights
        odds = np.exp(scores - scores.max())
        return odds / odds.sum()

    def strength(self, seen: np.ndarray, emotion: str, speaker: str) -> float:
        """How strong an emotion looks by statistics (D,): 0 mild, 1 medium, 2 high, and beyond; NaN where the examples
        had it at one intensity only. The speaker may be unknown."""
        if emotion not in self._strengths:
            return float("nan")
        return float(self._strengths[emotion](seen[None], self._told(speaker)[None])[0])

    def _inputs(self, seen: np.ndarray) -> np.ndarray:
        """(N, D + 1) standardised statistics and 1."""
        return np.concatenate([(seen - self._mean) / self._spread, np.ones((len(seen), 1))], 1)

    def _told(self, speaker: str) -> np.ndarray:
        """(1 + S,) 1, and which of the examples' speakers it is; zeros for another."""
        return np.array([1.0, *(name == speaker for name in self.speakers)])


class _Strength:
    """Strength of one emotion: ridge regression on the main components of its examples' statistics, in mm, with a line
    for all speakers together and each speaker's deviation from it."""

    def __init__(self, seen: np.ndarray, told: np.ndarray, wanted: np.ndarray) -> None:
        """seen: (N, D) statistics. told: (N, 1 + S) of `_told`. wanted: (N,) intensities."""
        self._mean = seen.mean(0)
        _, lengths, directions = np.linalg.svd(seen - self._mean, full_matrices=False)
        kept = lengths[:_STRENGTH_COMPONENTS] > 1e-6 * lengths[0]
        self._directions = directions[:_STRENGTH_COMPONENTS][kept].T * (np.sqrt(len(seen)) / lengths[0])
        self._weights = _ridge_regression(self._inputs(seen, told), wanted)

    def __call__(self, seen: np.ndarray, told: np.ndarray) -> np.ndarray:
        """(N,) strengths."""
        return self._inputs(seen, told) @ self._weights

    def _inputs(self, seen: np.ndarray, told: np.ndarray) -> np.ndarray:
        """(N, (1 + S) (K + 1)) products of who speaks with the components and 1; the constant comes first."""
        components = (seen - self._mean) @ self._directions
        line = np.concatenate([np.ones((len(seen), 1)), components], 1)
        return (told[:, :, None] * line[:, None]).reshape(len(seen), -1)


def level(strength: float) -> int:
    """The intensity 0, 1 or 2 that is nearest to a strength."""
    return int(np.clip(np.rint(strength), 0, MAX_INTENSITY))


def _logistic_regression(inputs: np.ndarray, classes: np.ndarray, num_classes: int) -> np.ndarray:
    """(D, C) weights of multinomial logistic regression with a ridge, each class counting the same."""
    given, wanted = torch.from_numpy(inputs), torch.from_numpy(classes)
    shares = torch.from_numpy(1 / np.maximum(1, np.bincount(classes, minlength=num_classes)))
    weights = torch.zeros(inputs.shape[1], num_classes, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = torch.nn.functional.cross_entropy(given @ weights, wanted, weight=shares)
        value = value + _RIDGE * (weights[:-1] ** 2).sum()
        value.backward()
        return value

    with torch.enable_grad():
        optimiser.step(loss)
    return weights.detach().numpy()


def _ridge_regression(inputs: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(D,) weights of least squares with a ridge on all but the first input, the constant."""
    penalty = np.full(inputs.shape[1], _STRENGTH_RIDGE * len(inputs))
    penalty[0] = 0
    return np.linalg.solve(inputs.T @ inputs + np.diag(penalty), inputs.T @ wanted)
