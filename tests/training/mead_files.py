"""Writers of small look-alikes of the processed MEAD, in its published layout."""

from pathlib import Path

import h5py
import numpy as np
import soundfile

from emote_blender.training.data.mead.mead import RECONSTRUCTION

MEN = ("M003", "M005", "M007", "M009", "M011", "M012", "M013")
WOMEN = ("W009", "W011", "W014", "W015")
TAKES = (("neutral", 1, "001"), ("angry", 1, "001"), ("angry", 3, "002"), ("surprised", 2, "001"))
NUM_EXPRESSION, NUM_SHAPE, NUM_FEATURES = 6, 4, 9
SHORT = "M003/front/angry/level_3/002"


def write_take(root: Path, folder: str, num_frames: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Write a take with landmarks, features and sound, and return its arrays by name."""
    values = {
        "exp": rng.normal(size=(num_frames, NUM_EXPRESSION)).astype(np.float32),
        "jaw": rng.normal(size=(num_frames, 3)).astype(np.float32) / 10,
        "shape": rng.normal(size=(num_frames, NUM_SHAPE)).astype(np.float32),
        "global_pose": rng.normal(size=(num_frames, 3)).astype(np.float32),
        "cam": rng.normal(size=(num_frames, 3)).astype(np.float32),
        "feature": rng.normal(size=(num_frames, NUM_FEATURES)).astype(np.float32),
        "valid": rng.random(num_frames) < 0.8,
        "samples": np.round(rng.uniform(-0.5, 0.5, num_frames * 640) * 32768) / 32768,
    }
    values["valid"][:2] = True, False
    files = {
        f"reconstructions/{RECONSTRUCTION}/{folder}/shape_pose_cam.hdf5": ("exp", "jaw", "shape", "global_pose", "cam"),
        f"emotions/resnet50/{folder}/features.hdf5": ("feature",),
        f"landmarks_original/mediapipe/{folder}/landmarks.hdf5": ("valid",),
    }
    for path, names in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(root / path, "w") as file:
            for name in names:
                file[name] = values[name][None]
    audio = root / f"audio/{folder}.wav"
    audio.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(audio, values["samples"], 16000, subtype="PCM_16")
    return values


def write_tree(root: Path, identities=MEN + WOMEN, takes=TAKES) -> dict[str, dict[str, np.ndarray]]:
    """Write a processed data set and return the arrays of each take."""
    rng = np.random.default_rng(0)
    written = {}
    for identity in identities:
        for emotion, level, number in takes:
            folder = f"{identity}/front/{emotion}/level_{level}/{number}"
            written[folder] = write_take(root, folder, 10 if folder == SHORT else int(rng.integers(20, 30)), rng)
    return written


def write_reconstruction(root: Path, name: str, num_expression: int, num_shape: int) -> Path:
    """Write a reconstruction method's folder with one clip of three frames, and return the clip's file."""
    path = root / "reconstructions" / name / "W009/front/angry/level_1/001/shape_pose_cam.hdf5"
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file["exp"] = np.zeros((1, 3, num_expression))
        file["shape"] = np.zeros((1, 3, num_shape))
        file["jaw"] = np.zeros((1, 3, 3))
    return path
