"""Which frames of a MEAD clip show a face: those with landmarks (spec/EMOTE.md 6 and 9).

The specification names the folders `landmarks_original` and `landmarks_aligned` but no files. So the reader takes any
file in a clip's folder that has "landmark" in its name and ends in .hdf5, .h5 or .pkl, in this order of preference:

- An HDF5 dataset with "valid" in its name has one number per frame. A frame is valid if it is not 0.
- Otherwise, an HDF5 dataset with "landmark" in its name has frames first, or after an axis of length 1 as in the rest
  of the data set. A frame is valid if all its numbers are finite and not all are 0.
- A pickle, read without running code, is a list with one entry per frame. A frame is valid if its entry is a non-empty
  array, or a list that begins with one, of finite numbers that are not all 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ....errors import InputError
from ....official.pickle_reader import array_of, load_pickle
from .hdf5_file import dataset_names, read_arrays
from .layout import IDENTITY

KINDS = ("landmarks_original", "landmarks_aligned", "landmarks")
PREFERRED_METHOD = "mediapipe"  # the published losses use the frames in which it found a face (spec/EMOTE.md 6)
_SUFFIXES = (".hdf5", ".h5", ".pkl")


def find_landmarks(root: Path) -> Path | None:
    """The folder in a processed data set with one folder of landmarks per identity, or None.

    Of several landmark methods, one with "mediapipe" in its name is preferred, then the first by name.
    """
    for kind in KINDS:
        if not (root / kind).is_dir():
            continue
        folders = sorted(path for path in (root / kind).iterdir() if path.is_dir())
        if any(IDENTITY.fullmatch(path.name) for path in folders):
            return root / kind
        methods = sorted(folders, key=lambda path: PREFERRED_METHOD not in path.name.lower())
        if methods:
            return methods[0]
    return None


def read_validity(folder: Path, num_frames: int) -> np.ndarray | None:
    """The frames (T,) bool in which a face was found; None if the folder has no landmarks.

    Args:
        folder: of a clip.
        num_frames: T.

    Raises:
        InputError: the file is damaged, has no landmarks, or has another number of frames.
    """
    path = _landmark_file(folder)
    if path is None:
        return None
    valid = _from_pickle(path) if path.suffix == ".pkl" else _from_hdf5(path, num_frames)
    if len(valid) != num_frames:
        raise InputError(
            f"{path} has {len(valid)} frames, but the reconstruction {num_frames}; unpack both from one archive"
        )
    return valid


def _landmark_file(folder: Path) -> Path | None:
    if not folder.is_dir():
        return None
    found = [path for path in folder.iterdir() if path.suffix in _SUFFIXES and "landmark" in path.name.lower()]
    return min(found, key=lambda path: (_SUFFIXES.index(path.suffix), path.name), default=None)


def _from_hdf5(path: Path, num_frames: int) -> np.ndarray:
    names = dataset_names(path)
    named = [name for name in names if "valid" in name.lower()] or [n for n in names if "landmark" in n.lower()]
    if not named:
        raise InputError(
            f"{path} has no dataset of landmarks or validity, only {', '.join(names[:10]) or 'nothing'}; "
            "unpack landmarks.zip again"
        )
    values = read_arrays(path, named[:1])[named[0]]
    if "valid" in named[0].lower():
        return values.reshape(-1) != 0
    if values.ndim >= 3 and len(values) == 1 != num_frames:
        values = values[0]
    return _has_landmarks(values.reshape(len(values), -1)) if values.size else np.zeros(0, dtype=bool)


def _from_pickle(path: Path) -> np.ndarray:
    frames = load_pickle(path)
    array = array_of(frames)
    if array is not None and array.ndim > 1:
        frames = list(array)
    if not isinstance(frames, list | tuple):
        raise InputError(f"{path} is not a list of landmarks per frame; unpack landmarks.zip again")
    return np.array([_is_seen(frame) for frame in frames], dtype=bool)


def _is_seen(frame: Any) -> bool:
    """Whether the entry of a frame has landmarks."""
    if isinstance(frame, list | tuple):
        frame = frame[0] if frame else None
    array = None if frame is None else array_of(frame)
    if array is None or not array.size or array.dtype.kind not in "fiu":
        return False
    return bool(_has_landmarks(array.reshape(1, -1))[0])


def _has_landmarks(values: np.ndarray) -> np.ndarray:
    """The rows (T,) bool of (T, N) that are finite and not all zero."""
    return np.isfinite(values).all(1) & (values != 0).any(1)
