"""A random order for every epoch, in which each item comes once."""

from __future__ import annotations

import numpy as np

VALIDATION_SEED = 54321  # of validation batches; they do not depend on the run's own seed


class EpochOrder:
    """An endless sequence of indices below `num_items`: a new permutation in each epoch, given by the seed."""

    def __init__(self, num_items: int, seed: int) -> None:
        self.num_items, self.seed = num_items, seed
        self._last: tuple[int, np.ndarray] | None = None  # the latest epoch and its permutation

    def __getitem__(self, place: int) -> int:
        epoch, position = divmod(place, self.num_items)
        if self._last is None or self._last[0] != epoch:
            # The leading 0 makes it independent of the windows, which are drawn with the same seed.
            self._last = epoch, np.random.default_rng([0, self.seed, epoch]).permutation(self.num_items)
        return int(self._last[1][position])
