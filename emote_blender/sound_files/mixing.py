"""Several channels to one."""

from __future__ import annotations

import numpy as np

# The average of unrelated channels has as much energy as the sum of theirs over their number squared. With less than
# a tenth of it the channels cancel each other: they hold one sound with opposite signs.
_CANCELLED = 0.1
_MEASURED = 7  # every how many samples are measured
# Sound below this (-80 dB of full scale), apart from a constant offset, is silence.
SILENCE_PEAK = 1e-4


class Mixer:
    """Mixes blocks of a sound to one channel, and measures whether that leaves anything of it.

    Attributes:
        channel: the channel that is taken; None for the average of all.
        num_samples: samples so far.
    """

    def __init__(self, channel: int | None = None) -> None:
        self.channel = channel
        self.num_samples = 0
        self._highest, self._lowest, self._total = -np.inf, np.inf, 0.0
        self._sums = self._squares = np.zeros(1)  # of the mix, then of each channel
        self._num_measured = 0

    def mix(self, block: np.ndarray) -> np.ndarray:
        """Return samples (n,) float32 of a block (n, C)."""
        if self.channel is None:
            with np.errstate(over="ignore", invalid="ignore"):  # what is no number is refused later
                mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1)
        else:
            mono = block[:, self.channel]
        mono = np.ascontiguousarray(mono, np.float32)
        if len(mono):
            self.num_samples += len(mono)
            self._highest, self._lowest = max(self._highest, float(mono.max())), min(self._lowest, float(mono.min()))
            self._total += float(mono.sum())
            if self.channel is None and block.shape[1] > 1:
                self._add(np.column_stack([mono[::_MEASURED], block[::_MEASURED]]).astype(np.float64))
        return mono

    @property
    def cancels(self) -> bool:
        """Whether the channels cancel each other, so that one of them should be taken."""
        if len(self._sums) < 3 or not self._num_measured:
            return False
        mixed, *energies = self._energies()
        return mixed < _CANCELLED * sum(energies) / len(energies) ** 2

    @property
    def is_silent(self) -> bool:
        """Whether no sample is louder than noise, apart from a constant offset."""
        mean = self._total / max(self.num_samples, 1)
        return not self.num_samples or max(self._highest - mean, mean - self._lowest) < SILENCE_PEAK

    @property
    def loudest(self) -> int:
        """The channel with the most energy."""
        return int(np.argmax(self._energies()[1:]))

    def _add(self, columns: np.ndarray) -> None:
        """Add a block's mix and channels (n, 1 + C) to the sums."""
        self._sums = self._sums + columns.sum(axis=0)
        self._squares = self._squares + np.einsum("nc,nc->c", columns, columns)
        self._num_measured += len(columns)

    def _energies(self) -> np.ndarray:
        """Variance of the mix and of each channel: a constant offset is no sound."""
        return np.maximum(self._squares / self._num_measured - (self._sums / self._num_measured) ** 2, 0.0)
