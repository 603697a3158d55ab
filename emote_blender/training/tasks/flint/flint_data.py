"""The motions that FLINT is trained on: windows of MEAD, of motion files or of the generated corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from ....errors import InputError
from ...data.clips import ClipBatches, Clips, SelectedClips, WindowSettings
from ...data.corpus.parts import SpeechPart, find_parts, load_part, prepared_parts
from ...data.corpus.speech_batches import draw_motion, draw_window
from ...data.motion_folder import MotionFolder

MotionBatch = tuple[Tensor, Tensor | None]
"""(B, T, E + 3) expression and jaw axis-angle in radians; (B, S) identity coefficients, None for the mean head."""


@dataclass(frozen=True)
class CorpusData:
    """`[data]` of type "corpus": prepared parts, folders below `--data` (or `--data` itself).

    Attributes:
        type: the tag of this kind of data.
        parts: parts to train on, drawn equally often; all that exist if empty.
        validation: parts that are held out; if empty, validation uses other windows of the training parts.
        batch_size: windows in a batch.
        num_frames: frames of a window.
        validation_batches: number of held-out batches.
    """

    type: Literal["corpus"] = "corpus"
    parts: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    batch_size: int = 32
    num_frames: int = 32
    validation_batches: int = 8


@dataclass(frozen=True)
class MEADData:
    """`[data]` of type "mead": the processed MEAD in its published layout below `--data`.

    Attributes:
        type: the tag of this kind of data.
        reconstruction: folder of the face reconstruction method.
        num_shape: number of identity coefficients in its files.
        batch_size: windows in a batch.
        num_frames: frames of a window.
    """

    type: Literal["mead"] = "mead"
    reconstruction: str = "EMICA-MEAD_flame2020"
    num_shape: int = 300
    batch_size: int = 32
    num_frames: int = 32


@dataclass(frozen=True)
class MotionsData:
    """`[data]` of type "motions": motion files with their sound below `--data` (see `motion_folder.MotionFolder`).

    Attributes:
        type: the tag of this kind of data.
        hold_out: every n-th clip is held out for validation.
        batch_size: windows in a batch; fewer if there are fewer clips.
        num_frames: frames of a window.
    """

    type: Literal["motions"] = "motions"
    hold_out: int = 10
    batch_size: int = 32
    num_frames: int = 32

    def __post_init__(self) -> None:
        if self.hold_out < 2:
            raise ValueError(f"hold_out: must be at least 2, found {self.hold_out}")


class FLINTData(Protocol):
    """A source of motions. It can be pickled, so that worker processes can make batches."""

    @property
    def num_batches(self) -> int | None:
        """Batches in an epoch; None if there is no end."""
        ...

    @property
    def num_validation_batches(self) -> int:
        """Number of batches that `validation` yields."""
        ...

    def batch(self, number: int) -> MotionBatch:
        """Training batch `number`."""
        ...

    def validation(self) -> Iterator[MotionBatch]:
        """The held-out batches, the same each time."""
        ...


@dataclass
class CorpusMotions:
    """Random windows of prepared parts under random conditions; batch `n` depends on the seed and `n` only.

    Attributes:
        folders: prepared parts to train on.
        validation_folders: held-out parts; the training parts if empty.
        settings: `[data]`.
        seed: of the windows and conditions.
        num_batches: always None: there is no end.
    """

    folders: Sequence[Path]
    validation_folders: Sequence[Path]
    settings: CorpusData
    seed: int
    num_batches: int | None = None

    def __post_init__(self) -> None:
        self._parts: dict[Path, SpeechPart] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_parts": {}}  # another process opens its own

    @property
    def num_validation_batches(self) -> int:
        """The number in the settings."""
        return self.settings.validation_batches

    def batch(self, number: int) -> MotionBatch:
        """Training batch `number`."""
        return self._draw(self.folders, np.random.default_rng([self.seed, number]))

    def validation(self) -> Iterator[MotionBatch]:
        """Windows of the held-out parts, drawn with another seed."""
        for number in range(self.settings.validation_batches):
            yield self._draw(self.validation_folders or self.folders, np.random.default_rng([1, self.seed, number]))

    def _draw(self, folders: Sequence[Path], rng: np.random.Generator) -> MotionBatch:
        motions = []
        for _ in range(self.settings.batch_size):
            part = self._part(folders[rng.integers(len(folders))])
            motions.append(draw_motion(draw_window(part, self.settings.num_frames, rng), rng).motion)
        return torch.from_numpy(np.stack(motions)), None

    def _part(self, folder: Path) -> SpeechPart:
        if folder not in self._parts:
            self._parts[folder] = load_part(folder)
        return self._parts[folder]


class ClipMotions:
    """Random windows of clips, each clip once per epoch."""

    def __init__(self, training: Clips, validation: Clips, settings: WindowSettings) -> None:
        self._training, self._validation = (
            ClipBatches(clips, replace(settings, batch_size=min(settings.batch_size, max(1, len(clips)))))
            for clips in (training, validation)
        )

    @property
    def num_batches(self) -> int | None:
        """Whole batches in an epoch."""
        return self._training.num_batches

    @property
    def num_validation_batches(self) -> int:
        """Whole batches of the held-out speakers."""
        return self._validation.num_batches

    def batch(self, number: int) -> MotionBatch:
        """Training batch `number`."""
        batch = self._training[number]
        return batch.motion, batch.shape

    def validation(self) -> Iterator[MotionBatch]:
        """One window of each held-out clip, the same each time."""
        for number in range(self.num_validation_batches):
            batch = self._validation[number]
            yield batch.motion, batch.shape


def open_flint_data(
    settings: CorpusData | MEADData | MotionsData, root: Path, num_expression: int, seed: int
) -> FLINTData:
    """The data that `[data]` describes.

    Args:
        settings: `[data]`.
        root: the data's folder.
        num_expression: expression coefficients to read.
        seed: of the windows.

    Raises:
        InputError: the folder or something in it is missing.
    """
    if not root.is_dir():
        raise InputError(f"--data {root}: no such folder; give the folder of the data")
    if isinstance(settings, CorpusData):
        return CorpusMotions(
            corpus_parts(root, settings.parts), corpus_parts(root, settings.validation) if settings.validation else (),
            settings, seed,
        )  # fmt: skip
    windows = WindowSettings(settings.batch_size, settings.num_frames, seed)
    if isinstance(settings, MotionsData):
        motions = MotionFolder(root, num_expression=num_expression, with_audio=False)
        training, held_out = (SelectedClips(motions, indices) for indices in motions.split(settings.hold_out))
        return ClipMotions(training, held_out, windows)
    from ...data.mead.mead import MEADClips

    common: dict[str, Any] = {
        "num_expression": num_expression,
        "num_shape": settings.num_shape,
        "with_audio": False,
        "reconstruction": settings.reconstruction,
    }
    return ClipMotions(MEADClips(root, "train", **common), MEADClips(root, "validation", **common), windows)


def corpus_parts(root: Path, names: Sequence[str]) -> tuple[Path, ...]:
    """The prepared parts `names` below `root`, or all if `names` is empty; `root` may be a part itself.

    Raises:
        InputError: a part is missing, or there are none.
    """
    if names:
        return find_parts(root, names)
    if found := prepared_parts(root):
        return tuple(found)
    raise InputError(f"{root} holds no prepared part of the corpus; make one with `python build.py model`")
