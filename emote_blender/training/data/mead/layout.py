"""Folders and files of the processed MEAD (spec/EMOTE.md 9; the module `mead` shows the layout)."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....emotion import EMOTIONS
from ....errors import InputError
from ..clips import split_randomly
from .hdf5_file import read_arrays

logger = logging.getLogger(__name__)

VIEW = "front"
RECONSTRUCTION_FILE = "shape_pose_cam.hdf5"
FEATURES_FILE = "features.hdf5"
SPLIT_SEED = 12345
EMOTION_FOLDERS = {
    **{name: name for name in EMOTIONS if name not in ("surprise", "disgust", "anger")},
    "surprised": "surprise",
    "disgusted": "disgust",
    "angry": "anger",
}
"""MEAD's name of each emotion and ours (spec/EMOTE.md 3.2)."""
IDENTITY = re.compile(r"[MW]\d{3}")
LEVEL = re.compile(r"level_([123])")


@dataclass(frozen=True)
class MEADTake:
    """One recorded sentence.

    Attributes:
        identity: the speaker, such as "M003".
        emotion: MEAD's name of the emotion, such as "angry".
        level: 1 to 3.
        number: of the sentence, such as "001".
    """

    identity: str
    emotion: str
    level: int
    number: str

    @property
    def folder(self) -> Path:
        """The take's folder under every kind of data, such as M003/front/angry/level_1/001."""
        return Path(self.identity, VIEW, self.emotion, f"level_{self.level}", self.number)

    @property
    def emotion_index(self) -> int:
        """Index into `emotion.EMOTIONS`."""
        return EMOTIONS.index(EMOTION_FOLDERS[self.emotion])

    @property
    def intensity(self) -> int:
        """The intensity, 0 (mild) to 2 (high)."""
        return self.level - 1


def find_takes(method: Path) -> list[MEADTake]:
    """The takes in the folder of a method (a reconstruction or features), sorted; unknown folders are logged."""
    takes, ignored = [], set()
    for identity in folders_in(method):
        if not IDENTITY.fullmatch(identity.name):
            ignored.add(identity.name)
            continue
        if not (identity / VIEW).is_dir():  # W017 was never filmed from the front
            continue
        for emotion in folders_in(identity / VIEW):
            for level in folders_in(emotion):
                found = LEVEL.fullmatch(level.name)
                if emotion.name not in EMOTION_FOLDERS or not found:
                    ignored.add(f"{emotion.name}/{level.name}")
                    continue
                takes += [MEADTake(identity.name, emotion.name, int(found[1]), take.name) for take in folders_in(level)]
    if ignored:
        logger.warning("%s: left out %s, which MEAD does not have", method, ", ".join(sorted(ignored)[:10]))
    return takes


def split_by_sequence(takes: Sequence[MEADTake]) -> tuple[list[MEADTake], list[MEADTake], list[MEADTake]]:
    """Takes of training, validation and test, split regardless of the speaker.

    This is `random_by_sequence_sorted_70_15_15`, with which the video emotion network was trained (spec 7). The order
    is our own, and the same in every run.
    """
    train, validation, test = ([takes[index] for index in part] for part in split_randomly(len(takes), SPLIT_SEED))
    return train, validation, test


def processed_folder(root: Path, kind: str = "reconstructions") -> Path:
    """The folder that contains a kind of data: `root` itself or `root/processed`.

    Raises:
        InputError: neither contains it.
    """
    for folder in (root, root / "processed"):
        if (folder / kind).is_dir():
            return folder
    raise InputError(f"{root} has no folder '{kind}'; choose the folder 'processed' of the processed MEAD")


def method_folder(root: Path, kind: str, name: str) -> Path:
    """The folder of a method under a kind of data.

    Raises:
        InputError: it does not exist.
    """
    folder = root / kind / name
    if not folder.is_dir():
        others = ", ".join(path.name for path in folders_in(root / kind)) if (root / kind).is_dir() else ""
        raise InputError(f"{folder} not found; found {others or 'nothing'} there, unpack or choose another")
    return folder


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, sorted, without hidden ones."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def read_frames(
    path: Path,
    widths: dict[str, int],
    remedy: str = "choose the reconstruction that the model is for, or its number of coefficients",
) -> dict[str, np.ndarray]:
    """Datasets (T, D) of a file by name, all with the same T >= 1.

    Args:
        path: an HDF5 file.
        widths: D of each dataset.
        remedy: what the user can do about another width, for the error.

    Raises:
        InputError: a dataset is missing, damaged or of another shape.
    """
    arrays = {}
    for name, values in read_arrays(path, list(widths)).items():
        frames = values[0] if values.ndim == 3 and len(values) == 1 else values
        if frames.ndim != 2 or not len(frames):
            raise InputError(
                f"{path}: {name} must be (1, frames, {widths[name]}), found {values.shape}; unpack it again"
            )
        if frames.shape[1] != widths[name]:
            raise InputError(
                f"{path}: {name} has {frames.shape[1]} coefficients, but {widths[name]} are wanted; {remedy}"
            )
        arrays[name] = frames
    lengths = {name: len(frames) for name, frames in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{count} of {name}" for name, count in lengths.items())
        raise InputError(f"{path}: numbers of frames differ ({found}); unpack it again")
    return arrays


def read_features(path: Path, feature_dim: int) -> np.ndarray:
    """Emotion features (T, D) of the frames of a real video.

    Raises:
        InputError: they are missing, damaged, of another width, or not finite.
    """
    remedy = "choose the features of another network, or correct feature_dim in the config"
    features = read_frames(path, {"feature": feature_dim}, remedy)["feature"]
    if not np.isfinite(features).all():
        raise InputError(f"{path}: feature holds values that are not numbers; unpack it again")
    return features
