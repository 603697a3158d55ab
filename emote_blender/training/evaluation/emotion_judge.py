"""The judge: a classifier of the emotion of a moving face, and a regressor of its strength.

It is in no loss, and it is made differently. Its inputs are the mean positions and the spread of 51 landmarks of the
posed mesh, whereas the losses use rendered pictures and the vertices of each frame, and its functions are others
(multinomial logistic and ridge regression). It is trained on reference motions of utterances that are not tested and
that, for the validation parts of the corpus, no model was trained on; never on the output of a model. Both problems are
convex, so the same examples give the same judge. Positions are relative to the head at rest, so an offset of the whole
face counts as an error.

It cannot show whether a person would agree. Its own accuracy on reference motions is the upper limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...emotion import EMOTIONS, MAX_INTENSITY

NEUTRAL = EMOTIONS[0]
_RIDGE = 0.003  # weight of the squared weights, relative to the mean log loss
_STRENGTH_RIDGE = 0.003  # the same, relative to the mean squared error
_STRENGTH_COMPONENTS = 6
_LEAST_SPREAD_MM = 0.05  # floor of the standardisation, so that inputs which hardly vary are not amplified
_STEPS = 60


@dataclass(frozen=True, eq=False)
class JudgedMotion:
    """A training example of the judge.

    Attributes:
        statistics: (D,) float64 result of `statistics`.
        emotion: its name.
        intensity: 0 to 2.
        speaker: its name. Strength is judged relative to the speaker, because the high intensity of a reserved speaker
            looks like the medium one of a lively speaker.
    """

    statistics: np.ndarray
    emotion: str
    intensity: float
    speaker: str


def statistics(points: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(6 P,) float64 inputs of the judge: mean displacement and standard deviation over time of landmarks, mm.

    Args:
        points: (T, P, 3) landmarks, mm.
        rest: (P, 3) landmarks at rest, mm.
    """
    moved = points - rest
    return np.concatenate([moved.mean(0).ravel(), moved.std(0).ravel()]).astype(np.float64)


class EmotionJudge:
    """Names one of the 8 emotions, and estimates the strength of a given one on the scale of intensities, 0 to 2.

    Args:
        examples: the motions to train on.

    Raises:
        ValueError: the examples have fewer than two emotions.
    """

    def __init__(self, examples: Sequence[JudgedMotion]) -> None:
        inputs = np.stack([example.statistics for example in examples])
        self._mean = inputs.mean(0)
        self._spread = np.maximum(inputs.std(0), _LEAST_SPREAD_MM)
        names = np.array([example.emotion for example in examples])
        self.emotions = tuple(name for name in EMOTIONS if name in names)
        if len(self.emotions) < 2:
            raise ValueError(f"a judge needs examples of two emotions or more, found {', '.join(self.emotions)}")
        self.speakers = tuple(sorted({example.speaker for example in examples}))
        self.num_examples = len(examples)
        classes = np.array([self.emotions.index(name) for name in names])
        self._weights = _logistic_regression(self._inputs(inputs), classes, len(self.emotions))
        self._strengths: dict[str, _Strength] = {}
        for emotion in self.emotions:
            chosen = [example for example in examples if example.emotion == emotion]
            intensities = np.array([example.intensity for example in chosen])
            if emotion == NEUTRAL or np.ptp(intensities) == 0:
                continue
            speakers = np.stack([self._one_hot(example.speaker) for example in chosen])
            self._strengths[emotion] = _Strength(np.stack([e.statistics for e in chosen]), speakers, intensities)

    def emotion(self, values: np.ndarray) -> str:
        """The most likely emotion of statistics (D,)."""
        return self.emotions[int(np.argmax(self.probabilities(values)))]

    def probabilities(self, values: np.ndarray) -> np.ndarray:
        """(C,) probability of each of `emotions`, from statistics (D,)."""
        scores = self._inputs(values[None])[0] @ self._weights
        odds = np.exp(scores - scores.max())
        return odds / odds.sum()

    def strength(self, values: np.ndarray, emotion: str, speaker: str) -> float:
        """The strength of an emotion: 0 mild, 1 medium, 2 high; it may lie beyond.

        Args:
            values: (D,) result of `statistics`.
            emotion: its name.
            speaker: its name, which may be unknown to the judge.

        Returns:
            NaN if the examples have the emotion at one intensity only.
        """
        if emotion not in self._strengths:
            return float("nan")
        return float(self._strengths[emotion](values[None], self._one_hot(speaker)[None])[0])

    def _inputs(self, values: np.ndarray) -> np.ndarray:
        """(N, D + 1) standardised statistics and 1."""
        return np.concatenate([(values - self._mean) / self._spread, np.ones((len(values), 1))], 1)

    def _one_hot(self, speaker: str) -> np.ndarray:
        """(1 + S,) 1, then the speaker as one-hot; zeros for an unknown speaker."""
        return np.array([1.0, *(name == speaker for name in self.speakers)])


class _Strength:
    """The strength of one emotion, by ridge regression on the principal components of the examples' statistics.

    One linear function is shared by all speakers, and each speaker has a deviation from it.

    Args:
        values: (N, D) statistics of the examples, mm.
        speakers: (N, 1 + S) their speakers, from `EmotionJudge._one_hot`.
        wanted: (N,) their intensities.
    """

    def __init__(self, values: np.ndarray, speakers: np.ndarray, wanted: np.ndarray) -> None:
        self._mean = values.mean(0)
        _, lengths, directions = np.linalg.svd(values - self._mean, full_matrices=False)
        kept = lengths[:_STRENGTH_COMPONENTS] > 1e-6 * lengths[0]
        self._directions = directions[:_STRENGTH_COMPONENTS][kept].T * (np.sqrt(len(values)) / lengths[0])
        self._weights = _ridge_regression(self._inputs(values, speakers), wanted)

    def __call__(self, values: np.ndarray, speakers: np.ndarray) -> np.ndarray:
        """(N,) strengths."""
        return self._inputs(values, speakers) @ self._weights

    def _inputs(self, values: np.ndarray, speakers: np.ndarray) -> np.ndarray:
        """(N, (1 + S) (K + 1)) products of the speaker inputs with 1 and the components; the constant comes first."""
        components = (values - self._mean) @ self._directions
        line = np.concatenate([np.ones((len(values), 1)), components], 1)
        return (speakers[:, :, None] * line[:, None]).reshape(len(values), -1)


def level(strength: float) -> int:
    """The intensity (0, 1 or 2) nearest to a strength."""
    return int(np.clip(np.rint(strength), 0, MAX_INTENSITY))


def _logistic_regression(inputs: np.ndarray, classes: np.ndarray, num_classes: int) -> np.ndarray:
    """(D, C) weights of multinomial logistic regression with a ridge penalty and equal weight for each class."""
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
    """(D,) weights of least squares with a ridge penalty on all inputs except the first, the constant."""
    penalty = np.full(inputs.shape[1], _STRENGTH_RIDGE * len(inputs))
    penalty[0] = 0
    return np.linalg.solve(inputs.T @ inputs + np.diag(penalty), inputs.T @ wanted)
