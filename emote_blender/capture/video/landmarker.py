"""The three networks of the face landmarker: faces in a picture, 478 points on a face, 52 scores of its expression."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError
from ...files.paths import search_folders
from .network_files import AGAIN, GRAPHS_FILE, read_networks

FOLDER_NAME = "face_landmarker"
DETECTOR_SIZE, POINTS_SIZE = 128, 256
"""Width and height of the pictures that the detector and the network of points take, pixels."""
NUM_POINTS = 478
SCORE_NAMES = tuple(
    (
        "_neutral browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft "
        "cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight "
        "eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft "
        "eyeWideRight jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft "
        "mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight "
        "mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft "
        "mouthSmileRight mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft "
        "noseSneerRight"
    ).split()
)

# The points from which the scores are computed (documentation of MediaPipe's Blendshape V2).
_SCORED_POINTS = np.array(
    [0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80]
    + [81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153]
    + [154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249]
    + [251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314]
    + [317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382]
    + [384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473]
    + [474, 475, 476, 477]
)
# Cells of the detector's two grids, and boxes for each cell.
_GRIDS = ((16, 2), (8, 6))
_NUM_BOXES = sum(cells * cells * boxes for cells, boxes in _GRIDS)
SHAPES: dict[str, dict[str, tuple[int, ...]]] = {
    "detector": {
        "image": (1, DETECTOR_SIZE, DETECTOR_SIZE, 3),
        "boxes": (1, _NUM_BOXES, 16),
        "confidences": (1, _NUM_BOXES, 1),
    },
    "points": {
        "image": (1, POINTS_SIZE, POINTS_SIZE, 3),
        "points": (1, 1, 1, 3 * NUM_POINTS),
        "presence": (1, 1, 1, 1),
        "tongue": (1, 1),
    },
    "scores": {"points": (1, len(_SCORED_POINTS), 2), "scores": (len(SCORE_NAMES),)},
}
_ERRORS_ONLY = 3
_LEAST_CONFIDENCE = 0.5
_SAME_FACE_OVERLAP = 0.3  # intersection over union of two boxes from which on they are one face


@dataclass(frozen=True)
class FaceBox:
    """A detected face, in fractions of the square picture that was searched.

    Attributes:
        x: centre, from the left edge.
        y: centre, from the top edge.
        size: the larger of width and height.
        right_eye: place of the person's right eye, (x, y).
        left_eye: place of the person's left eye, (x, y).
        confidence: how likely it is a face, 0 to 1.
    """

    x: float
    y: float
    size: float
    right_eye: tuple[float, float]
    left_eye: tuple[float, float]
    confidence: float


class Landmarker:
    """The networks, ready to run.

    Every call is independent of the ones before, and several threads may share an object.
    """

    def __init__(self, folder: str | Path | None = None, num_threads: int = 1) -> None:
        """Load the networks.

        Args:
            folder: the folder that `build.py landmarker` makes; None: it is searched for where models are.
            num_threads: threads of the largest operations.

        Raises:
            ModelError: the folder is missing or damaged, or ONNX Runtime cannot be used.
        """
        folder = find_landmarker() if folder is None else Path(folder)
        if not (folder / GRAPHS_FILE).is_file():
            raise _not_found(folder / GRAPHS_FILE)
        models = read_networks(folder, SHAPES)
        self._sessions = {name: _open(content, folder, name, num_threads) for name, content in models.items()}
        self._folder = folder
        self._cells = _cell_centres()

    def detect(self, image: np.ndarray) -> list[FaceBox]:
        """The faces in a picture, the likeliest first; no two of them overlap much.

        Args:
            image: (128, 128, 3) float32, RGB from 0 to 1.
        """
        boxes, confidences = self._run("detector", "image", image[None] * 2 - 1, ("boxes", "confidences"))
        likely = 1 / (1 + np.exp(-np.clip(confidences[0, :, 0], -80, 80)))
        found: list[FaceBox] = []
        for index in np.argsort(-likely):
            if likely[index] < _LEAST_CONFIDENCE:
                break
            box = self._box(boxes[0, index], self._cells[index], float(likely[index]))
            if all(_overlap(box, other) < _SAME_FACE_OVERLAP for other in found):
                found.append(box)
        return found

    def points(self, crop: np.ndarray) -> tuple[np.ndarray, float]:
        """(478, 3) points on the face in a crop, and how likely the crop shows a face.

        x, y and depth are in fractions of the crop's width; depth falls towards the camera.

        Args:
            crop: (256, 256, 3) float32, RGB from 0 to 1, of an upright face.
        """
        points, presence = self._run("points", "image", crop[None], ("points", "presence"))
        likely = 1 / (1 + math.exp(-float(np.clip(presence.reshape(-1)[0], -80, 80))))
        return points.reshape(NUM_POINTS, 3) / np.float32(POINTS_SIZE), likely

    def scores(self, points: np.ndarray) -> np.ndarray:
        """(52,) scores, 0 to 1, in the order of SCORE_NAMES.

        Args:
            points: (478, 2 or more) points in a picture with square pixels, in any unit.
        """
        chosen = np.asarray(points[_SCORED_POINTS, :2], np.float32)[None]
        return self._run("scores", "points", chosen, ("scores",))[0]

    def _run(self, network: str, name: str, values: np.ndarray, outputs: tuple[str, ...]) -> list[np.ndarray]:
        values = np.ascontiguousarray(values, np.float32)
        if values.shape != SHAPES[network][name]:
            raise ValueError(f"expected {name} of shape {SHAPES[network][name]}, found {values.shape}")
        try:
            results = self._sessions[network].run(list(outputs), {name: values})
        except Exception as error:  # ONNX Runtime's own classes, which differ from version to version
            raise self._unusable(network, str(error).splitlines()[0][:200]) from error
        for output, result in zip(outputs, results):
            if result.shape != SHAPES[network][output]:
                raise self._unusable(network, f"its {output} have the shape {result.shape}")
        return results

    def _unusable(self, network: str, problem: str) -> ModelError:
        return ModelError(f"the network {network} in {self._folder} cannot run ({problem}); {AGAIN}")

    @staticmethod
    def _box(values: np.ndarray, cell: np.ndarray, confidence: float) -> FaceBox:
        """A box of the detector; its values are pixels from the centre of its cell."""
        offsets = values.astype(np.float64) / DETECTOR_SIZE
        x, y = offsets[:2] + cell
        right_eye, left_eye = offsets[4:6] + cell, offsets[6:8] + cell
        size = float(max(offsets[2], offsets[3], 1e-6))
        return FaceBox(float(x), float(y), size, tuple(right_eye.tolist()), tuple(left_eye.tolist()), confidence)


def find_landmarker() -> Path:
    """The folder of the networks in one of the folders of models; raises ModelError if there is none."""
    for folder in search_folders():
        if os.path.isfile(folder / FOLDER_NAME / GRAPHS_FILE):
            return folder / FOLDER_NAME
    raise _not_found(Path("models") / FOLDER_NAME / GRAPHS_FILE)


def _not_found(path: Path) -> ModelError:
    return ModelError(
        f"{path} not found: the networks that find a face in a video do not come with the program; run python build.py "
        f"landmarker in a checkout, and put the folder {FOLDER_NAME} that it makes where your models are"
    )


def _open(content: bytes, folder: Path, name: str, num_threads: int) -> Any:
    """A session of a network; raises ModelError."""
    try:
        import onnxruntime
    except (ImportError, OSError, RuntimeError, AttributeError, SystemError) as error:
        raise ModelError(
            f"ONNX Runtime cannot be loaded here ({str(error).splitlines()[0]}); install the add-on's zip for this "
            "system, or the Python library onnxruntime"
        ) from error
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the cores are Blender's too
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own classes, which differ from version to version
        raise ModelError(
            f"the network {name} in {folder} cannot be opened ({str(error).splitlines()[0][:200]}); {AGAIN}"
        ) from error


def _cell_centres() -> np.ndarray:
    """(896, 2) centre of each box's cell, in fractions of the picture."""
    centres = []
    for cells, boxes in _GRIDS:
        places = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(places, places, indexing="ij")
        centres.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2), boxes, axis=0))
    return np.concatenate(centres)


def _overlap(first: FaceBox, second: FaceBox) -> float:
    """Intersection over union of two boxes, taken as squares."""
    width = min(first.x + first.size / 2, second.x + second.size / 2) - max(
        first.x - first.size / 2, second.x - second.size / 2
    )
    height = min(first.y + first.size / 2, second.y + second.size / 2) - max(
        first.y - first.size / 2, second.y - second.size / 2
    )
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (first.size**2 + second.size**2 - shared)
