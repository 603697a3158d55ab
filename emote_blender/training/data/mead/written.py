"""Takes written in the layout of the processed MEAD, as `mead.MEADClips` and `features` read them.

The folder of a take appears whole or not at all, that of the reconstruction last: by it takes are found.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ....errors import InputError
from ....files.atomic_write import new_folder, replacing
from .layout import FEATURES_FILE, RECONSTRUCTION_FILE

LANDMARKS_METHOD = "landmarks_original/mediapipe"
LANDMARKS_FILE = "landmarks.hdf5"


def write_take(
    root: Path,
    take: str,
    reconstruction: str,
    coefficients: Mapping[str, np.ndarray],
    valid: np.ndarray,
    samples: np.ndarray,
    features: np.ndarray | None = None,
    feature_method: str = "",
) -> None:
    """Write a take, in place of one that is there.

    Args:
        root: the folder of the data set.
        take: the take's folder, such as M003/front/angry/level_1/001.
        reconstruction: name of the folder under `reconstructions`.
        coefficients: (T, D) by name: exp, jaw, shape and others.
        valid: (T,) bool, frames in which a face was seen.
        samples: (640 T,) sound at 16 kHz.
        features: (T, D) emotion features, or None.
        feature_method: name of the folder under `emotions`.

    Raises:
        InputError: a file cannot be written.
    """
    remove_take(root, take, reconstruction)
    audio = _audio_file(root, take)
    _make(audio.parent)
    with replacing(audio) as temporary:
        write_wav(temporary, samples)
    _write_arrays(root / LANDMARKS_METHOD / take, LANDMARKS_FILE, {"valid": valid.astype(np.uint8)})
    if features is not None:
        _write_arrays(root / "emotions" / feature_method / take, FEATURES_FILE, {"feature": features})
    _write_arrays(root / "reconstructions" / reconstruction / take, RECONSTRUCTION_FILE, coefficients)


def is_written(root: Path, take: str, reconstruction: str) -> bool:
    """Whether a take is there."""
    return (root / "reconstructions" / reconstruction / take / RECONSTRUCTION_FILE).is_file()


def remove_take(root: Path, take: str, reconstruction: str) -> None:
    """Remove a take, if it is there; its reconstruction first."""
    shutil.rmtree(root / "reconstructions" / reconstruction / take, ignore_errors=True)
    for method in (root / "emotions").glob("*"):
        shutil.rmtree(method / take, ignore_errors=True)
    shutil.rmtree(root / LANDMARKS_METHOD / take, ignore_errors=True)
    _audio_file(root, take).unlink(missing_ok=True)


def folders_of(root: Path, take: str, reconstruction: str) -> list[Path]:
    """The folders into which a take is written."""
    kinds = [f"reconstructions/{reconstruction}", LANDMARKS_METHOD, "audio"]
    kinds += [f"emotions/{method.name}" for method in (root / "emotions").glob("*")]
    return [(root / kind / take).parent for kind in kinds]


def write_wav(path: Path, samples: np.ndarray) -> None:
    """Write a waveform at 16 kHz as a 16-bit wav file."""
    import soundfile

    soundfile.write(path, np.clip(samples, -1.0, 1.0), 16000, subtype="PCM_16", format="WAV")


def _audio_file(root: Path, take: str) -> Path:
    return root / "audio" / f"{take}.wav"


def _write_arrays(folder: Path, name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays (T, ...) into a new folder, with a leading axis of length 1 as the published files have."""
    import h5py

    _make(folder.parent)
    with new_folder(folder) as unfinished, h5py.File(unfinished / name, "w") as file:
        for key, values in arrays.items():
            values = values if values.dtype == np.uint8 else values.astype(np.float32)
            file.create_dataset(key, data=values[None], compression="gzip")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be made ({error.strerror}); choose another place") from error
