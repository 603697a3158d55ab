"""Emotion features of MEAD's real videos, with the emotion and level of each take (spec/EMOTE.md 7, 9).

    <root>/emotions/resnet50/M003/front/angry/level_1/001/features.hdf5    feature: (1, T, 2048)

Neither sound nor reconstructions are needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ....errors import InputError
from ..epoch_order import VALIDATION_SEED, EpochOrder
from .layout import (
    FEATURES_FILE,
    MEADTake,
    find_takes,
    method_folder,
    processed_folder,
    read_features,
    split_by_sequence,
)


@dataclass(frozen=True)
class FeatureSettings:
    """The table `[data]` of type "mead": the published layout below `--data` (spec/EMOTE.md 7, 9).

    Attributes:
        type: "mead".
        method: folder under `emotions`.
        batch_size: clips in a batch.
        num_frames: most frames of a clip; a longer clip gives a random window.
        validation_batches: most batches to validate on; 0: all.
    """

    type: Literal["mead"] = "mead"
    method: str = "resnet50"
    batch_size: int = 16
    num_frames: int = 150
    validation_batches: int = 0

    def __post_init__(self) -> None:
        for name in ("batch_size", "num_frames"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be at least 1, found {getattr(self, name)}")
        if self.validation_batches < 0:
            raise ValueError(f"validation_batches: must not be negative, found {self.validation_batches}")


@dataclass(frozen=True, eq=False)
class FeatureBatch:
    """B windows of at most T frames.

    Attributes:
        features: (B, T, D), padded with zeros.
        valid: (B, T) bool; False in the padding.
        emotion: (B,) int64 index into `emotion.EMOTIONS`.
        intensity: (B,) int64, 0 (mild) to 2 (high).
    """

    features: Tensor
    valid: Tensor
    emotion: Tensor
    intensity: Tensor

    def to(self, device) -> FeatureBatch:
        """The batch on a device."""
        return FeatureBatch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


class FeatureBatches:
    """Batches by number, which depend only on the seed and the number; every take comes once per epoch.

    Every start that gives a full window is equally likely. A batch is as long as its longest window.

    Args:
        folder: of the features' method.
        takes: the takes.
        feature_dim: D, the features' width.
        settings: the table `[data]`.
        seed: of the order and the windows.
    """

    def __init__(
        self, folder: Path, takes: Sequence[MEADTake], feature_dim: int, settings: FeatureSettings, seed: int
    ) -> None:
        self.takes = takes
        self._folder, self._feature_dim, self._settings, self._seed = folder, feature_dim, settings, seed
        self._order = EpochOrder(len(takes), seed)

    @property
    def num_batches(self) -> int:
        """Whole batches in an epoch, at least 1."""
        return max(1, len(self.takes) // self._settings.batch_size)

    def __getitem__(self, number: int) -> FeatureBatch:
        return self._batch(number, self._settings.batch_size)

    def first_epoch(self, most: int = 0) -> Iterator[FeatureBatch]:
        """The batches of the first epoch, with every take once; the last batch may be smaller.

        Args:
            most: at most this many batches; 0: all.
        """
        size = self._settings.batch_size
        needed = -(-len(self.takes) // size)
        for number in range(min(needed, most) if most else needed):
            yield self._batch(number, min(size, len(self.takes) - number * size))

    def _batch(self, number: int, size: int) -> FeatureBatch:
        """The first `size` clips of batch `number`."""
        rng = np.random.default_rng([1, self._seed, number])
        first = number * self._settings.batch_size
        takes = [self.takes[self._order[place]] for place in range(first, first + size)]
        windows = [self._window(take, rng) for take in takes]
        lengths = torch.tensor([len(window) for window in windows])
        return FeatureBatch(
            features=torch.nn.utils.rnn.pad_sequence(windows, batch_first=True),
            valid=torch.arange(int(lengths.max())) < lengths[:, None],
            emotion=torch.tensor([take.emotion_index for take in takes]),
            intensity=torch.tensor([take.intensity for take in takes]),
        )

    def _window(self, take: MEADTake, rng: np.random.Generator) -> Tensor:
        """A random window (T, D) of a take's features."""
        features = read_features(self._folder / take.folder / FEATURES_FILE, self._feature_dim)
        num_frames = self._settings.num_frames
        start = int(rng.integers(max(0, len(features) - num_frames) + 1))
        return torch.from_numpy(features[start : start + num_frames])


def open_features(
    root: Path, settings: FeatureSettings, feature_dim: int, seed: int
) -> tuple[FeatureBatches, FeatureBatches]:
    """Training and validation batches: 70 % and 15 % of all takes, drawn regardless of the speaker (spec 7).

    Args:
        root: MEAD's folder (see `layout.processed_folder`).
        settings: the table `[data]`.
        feature_dim: D, the features' width.
        seed: of the training batches; the validation batches are always the same.

    Raises:
        InputError: the features are not there, those of a take are missing, or there are too few takes to split.
    """
    folder = method_folder(processed_folder(root, "emotions"), "emotions", settings.method)
    takes = find_takes(folder)
    missing = [path for take in takes if not (path := folder / take.folder / FEATURES_FILE).is_file()]
    if missing:
        more = f", nor are those of {len(missing) - 1} more clips" if len(missing) > 1 else ""
        raise InputError(
            f"{missing[0]} is not there{more}; unpack emotions.zip again, or delete the folders of clips that have none"
        )
    train, validation, _ = split_by_sequence(takes)
    if not train or not validation:
        raise InputError(f"{folder} has {len(takes)} clips, too few to train on some and hold others out; unpack more")
    return (
        FeatureBatches(folder, train, feature_dim, settings, seed),
        FeatureBatches(folder, validation, feature_dim, settings, VALIDATION_SEED),
    )
