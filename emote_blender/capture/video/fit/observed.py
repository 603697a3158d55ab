"""What is known of the unknowns of frames beside the landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Observed:
    """What is known of values beside the landmarks: each is near `mean` with a weight (an inverse variance).

    Attributes:
        mean: (T, N + 3).
        weight: (T, N + 3).
    """

    mean: np.ndarray
    weight: np.ndarray

    def part(self, frames: slice | np.ndarray) -> Observed:
        """Those of some frames."""
        return Observed(self.mean[frames], self.weight[frames])

    def and_also(self, other: Observed) -> Observed:
        """What both state: the mean of their means by their weights."""
        weight = self.weight + other.weight
        mean = self.mean * self.weight + other.mean * other.weight
        return Observed(mean / np.maximum(weight, 1e-12), weight)
