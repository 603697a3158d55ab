"""The processed MEAD in the published layout, as clips (spec/EMOTE.md 9).

    <root>/reconstructions/<method>/M003/front/angry/level_1/001/shape_pose_cam.hdf5    exp, jaw, shape: (1, T, D)
    <root>/landmarks_original|landmarks_aligned/...                                     see `landmark_validity`
    <root>/emotions/resnet50/M003/front/angry/level_1/001/features.hdf5                 feature: (1, T, 2048)
    <root>/audio/M003/front/angry/level_1/001.wav

Clips are found by their folders; `metadata.pkl`, a pickle, is never opened. Where the specification leaves something
open, the reader is lenient:

- `<root>` may be the folder above `processed`.
- The leading axis of length 1 may be missing.
- Folders that are not an identity, emotion or level of MEAD are skipped with a warning.
- Without landmarks every frame is valid, with a warning.
- The shape of a clip is the mean over its valid frames, or over all frames if none is valid.
- Coefficients that are not finite in invalid frames become 0.
- The sound may be up to half a second longer or shorter than the video.

Anything else that is missing, damaged or of another size is an InputError.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ....audio import FRAME_SAMPLES
from ....errors import InputError
from ..clips import SpeechClip, load_samples, split_70_15_15
from .landmark_validity import find_landmarks, read_validity
from .layout import (
    FEATURES_FILE,
    RECONSTRUCTION_FILE,
    SPLIT_SEED,
    MEADTake,
    find_takes,
    method_folder,
    processed_folder,
    read_features,
    read_frames,
)

logger = logging.getLogger(__name__)

RECONSTRUCTION = "EMICA-MEAD_flame2020"
SplitName = Literal["train", "validation", "test", "all"]


@dataclass(frozen=True)
class IdentitySplit:
    """The identities of each part, sorted.

    Attributes:
        train: also the order of the condition's speaker columns.
        validation: never trained on.
        test: never trained on.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def part(self, name: SplitName) -> tuple[str, ...]:
        """The identities of a part, or of all."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return parts[name] if name in parts else self.train + self.validation + self.test


PUBLISHED_SPLIT = IdentitySplit(
    train=tuple(
        "M003 M005 M007 M009 M011 M012 M013 M019 M022 M023 M024 M025 M026 M027 M028 M029 M030 M031 "
        "W009 W011 W014 W015 W016 W018 W019 W021 W023 W024 W025 W026 W028 W029".split()
    ),
    validation=tuple("M032 M033 M034 M035 W033 W035 W036".split()),
    test=tuple("M037 M039 M040 M041 M042 W037 W038 W040".split()),
)
"""The split of the released models (spec/EMOTE.md 3.2): `split_identities` of all 47 identities."""


def split_identities(identities: Collection[str]) -> IdentitySplit:
    """The published split by identity: sorted men and sorted women, each cut at 70 % and 85 %.

    This is `random_by_identityV2_sorted_70_15_15` (spec 9).
    """
    men, women = (sorted(name for name in identities if name.startswith(letter)) for letter in "MW")
    parts = zip(split_70_15_15(len(men)), split_70_15_15(len(women)))
    return IdentitySplit(*(tuple(men[of_men] + women[of_women]) for of_men, of_women in parts))


def speaker_columns(split: IdentitySplit) -> dict[str, int]:
    """The speaker column of each identity.

    The condition has columns for the training identities only. A held-out identity uses the column of a random one,
    the same in every run (seed 12345, identities in sorted order). The specification leaves open whether that column is
    drawn per identity or per clip.
    """
    columns = {name: index for index, name in enumerate(split.train)}
    rng = np.random.default_rng(SPLIT_SEED)
    for name in sorted(split.validation + split.test):
        columns[name] = int(rng.integers(len(split.train)))
    return columns


class MEADClips:
    """The clips of one part of MEAD.

    Args:
        root: the folder `processed`, or the one above it.
        split: "train", "validation", "test" or "all".
        num_expression: number of expression coefficients that the reconstruction must have.
        num_shape: number of identity coefficients that it must have.
        with_features: read emotion features, for the second stage and the video emotion network.
        with_audio: read the sound; if False, it is silence (FLINT needs none).
        reconstruction: folder under `reconstructions`.
        feature_method: folder under `emotions`.
        feature_dim: width that the emotion features must have.
        identities: the parts; None: `split_identities` of all identities found. With `PUBLISHED_SPLIT`, an incomplete
            MEAD has the speaker columns of the released models too.

    Raises:
        InputError: the folder does not exist, or the part has no clips.
    """

    def __init__(
        self,
        root: str | Path,
        split: SplitName = "train",
        *,
        num_expression: int = 100,
        num_shape: int = 300,
        with_features: bool = False,
        with_audio: bool = True,
        reconstruction: str = RECONSTRUCTION,
        feature_method: str = "resnet50",
        feature_dim: int = 2048,
        identities: IdentitySplit | None = None,
    ) -> None:
        if split not in ("train", "validation", "test", "all"):
            raise ValueError(f"unknown split {split!r}")
        self.root = processed_folder(Path(root))
        self._reconstructions = method_folder(self.root, "reconstructions", reconstruction)
        self._features = method_folder(self.root, "emotions", feature_method) if with_features else None
        self._landmarks = find_landmarks(self.root)
        self._with_audio = with_audio
        self._widths = {"exp": num_expression, "jaw": 3, "shape": num_shape}
        self._feature_dim = feature_dim
        self._warned = False
        takes = find_takes(self._reconstructions)
        self.identities = identities or split_identities({take.identity for take in takes})
        if not self.identities.train:
            raise InputError(
                f"{self._reconstructions} has {len(takes)} clips and no identity to train on; unpack at least two men "
                "or two women, or choose another reconstruction"
            )
        self._columns = speaker_columns(self.identities)
        self.takes = self._part_of(takes, split)
        if not self.takes:
            raise InputError(
                f"{self._reconstructions} has no clips of the {split} part among {len(takes)}; unpack more identities"
            )

    @property
    def speakers(self) -> Sequence[str]:
        """The training identities, in the order of the condition's columns."""
        return self.identities.train

    def __len__(self) -> int:
        return len(self.takes)

    def __getitem__(self, index: int) -> SpeechClip:
        take = self.takes[index]
        path = self._reconstructions / take.folder / RECONSTRUCTION_FILE
        arrays = read_frames(path, self._widths)
        num_frames = len(arrays["exp"])
        valid = self._validity(take, num_frames)
        for name, values in arrays.items():
            if not np.isfinite(values[valid]).all():
                raise InputError(f"{path}: {name} holds values that are not numbers; unpack it again")
        motion = np.concatenate([arrays["exp"], arrays["jaw"]], axis=1)
        seen = arrays["shape"][valid] if valid.any() else np.nan_to_num(arrays["shape"])
        return SpeechClip(
            samples=self._samples(take, num_frames),
            motion=np.where(np.isfinite(motion), motion, 0.0),
            valid=valid,
            emotion=take.emotion_index,
            intensity=take.intensity,
            speaker=self._columns[take.identity],
            name=take.folder.as_posix(),
            shape=seen.mean(axis=0),
            emotion_features=self._emotion_features(take, num_frames),
        )

    def _part_of(self, takes: list[MEADTake], split: SplitName) -> list[MEADTake]:
        people = set(self.identities.part(split))
        return [take for take in takes if take.identity in people]

    def _samples(self, take: MEADTake, num_frames: int) -> np.ndarray:
        if not self._with_audio:
            return np.zeros(num_frames * FRAME_SAMPLES, np.float32)
        folder = self.root / "audio" / take.folder
        return load_samples(folder.with_name(f"{folder.name}.wav"), num_frames)

    def _validity(self, take: MEADTake, num_frames: int) -> np.ndarray:
        """The valid frames (T,) bool: all of them if there are no landmarks."""
        valid = None if self._landmarks is None else read_validity(self._landmarks / take.folder, num_frames)
        if valid is not None:
            return valid
        if not self._warned:
            logger.warning(
                "%s has no landmarks%s: every frame counts as seen; unpack landmarks.zip to leave out those without a "
                "face", self.root, "" if self._landmarks is None else f" of {take.folder.as_posix()}",
            )  # fmt: skip
            self._warned = True
        return np.ones(num_frames, dtype=bool)

    def _emotion_features(self, take: MEADTake, num_frames: int) -> np.ndarray | None:
        if self._features is None:
            return None
        path = self._features / take.folder / FEATURES_FILE
        features = read_features(path, self._feature_dim)
        if len(features) != num_frames:
            raise InputError(
                f"{path} has {len(features)} frames, but the reconstruction {num_frames}; unpack both from one archive"
            )
        return features
