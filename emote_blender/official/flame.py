"""Conversion of FLAME's files to heads: `generic_model.pkl`, `flame2023.pkl`, gendered models, `.npz` variants.

The files are licensed and stay on the user's machine. Pickles are read without running anything in them
(`safe_pickle`). A file holds v_template (V, 3), f (F, 3), shapedirs (V, 3, 300 + 100),
posedirs (V, 3, 36), J_regressor (5, V) mostly sparse, weights (V, 5), kintree_table (2, 5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, ModelError
from ..flame.head_folder import parents_of
from ..flame.model import FLAME_JOINT_NAMES, FaceModel
from ..flame.regions import compute_regions
from .flame_versions import LICENCES
from .pickle_reader import array_of, load_npy_object, load_pickle

NUM_EXPRESSION = 100
FLAME_VERTICES, FLAME_TRIANGLES = 5023, 9976
PICKLE_SUFFIXES, NUMPY_SUFFIXES = (".pkl", ".pickle"), (".npz", ".npy")
REQUIRED = ("v_template", "f", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table")
HEAD_HEIGHT_METRES = (0.15, 0.6)  # with the neck; FLAME's is about 0.3
_UNITS = (("centimetres", 0.01), ("millimetres", 0.001), ("decimetres", 0.1))
_WEIGHT_TOLERANCE = 1e-3
_LANDMARK_NAMES = (  # authors' file: all 68, then 51 without the jaw line; smplx: 51
    ("full_lmk_faces_idx", "full_lmk_bary_coords"),
    ("static_lmk_faces_idx", "static_lmk_bary_coords"),
    ("lmk_face_idx", "lmk_b_coords"),
)
_LANDMARK_COUNTS = (68, 51)


@dataclass(frozen=True)
class ConvertedHead:
    """The result of a conversion.

    Attributes:
        model: the face model.
        remarks: what the user should know, one sentence each.
        left_out: names in the file that a head folder does not use.
    """

    model: FaceModel
    remarks: tuple[str, ...]
    left_out: tuple[str, ...]


def convert_flame(path: str | Path, landmarks: str | Path | None = None, basis: str | None = None) -> ConvertedHead:
    """The face model in one of FLAME's files.

    Args:
        path: a .pkl or .npz file.
        landmarks: landmark_embedding.npy, or flame_static_embedding.pkl; None for a head without landmarks.
        basis: version of FLAME, one of LICENCES; None to recognise it by the name of the file and its folder.

    Raises:
        InputError: the file cannot be read, is no FLAME model or not in metres, or its version is not recognised.
    """
    path = Path(path)
    remarks = []
    if basis is None:
        basis = guess_basis(path)
        remarks.append(
            f"taken for {basis} by its name; give --basis if it is another version: coefficients of different versions "
            "do not mix"
        )
    elif basis not in LICENCES:
        raise InputError(f"unknown version of FLAME {basis!r}; choose one of {', '.join(LICENCES)}")
    content = _read(path)
    arrays = {name: _array(content, name, path) for name in REQUIRED}
    model = _face_model(arrays, basis, path)
    _check_units(model, path)
    remarks.extend(_layout_remarks(model))
    if landmarks is not None:
        triangles, barycentrics = _read_landmarks(Path(landmarks))
        model = replace(model, landmark_faces=triangles, landmark_barycentrics=barycentrics)
        _check(model, landmarks)
        if len(triangles) != _LANDMARK_COUNTS[0]:
            remarks.append(f"{len(triangles)} landmarks of 68: without those of the jaw line")
    regions, region_remarks = compute_regions(model)
    remarks.extend(region_remarks)
    left_out = tuple(sorted(str(name) for name in content if name not in REQUIRED))
    return ConvertedHead(replace(model, regions=regions), tuple(remarks), left_out)


def guess_basis(path: Path) -> str:
    """The version of FLAME by the names of a file and its folder; raises InputError if it is not recognised.

    `generic_model.pkl`, `female_model.pkl` and `male_model.pkl` without a year are taken for FLAME 2020, although
    FLAME 2017 and 2019 used the same names.
    """
    for name in (path.name.lower(), path.parent.name.lower()):
        if "2023" in name:
            return "flame2023_open" if "open" in name else "flame2023"
        if "2020" in name:
            return "flame2020"
    if path.stem.lower() in ("generic_model", "female_model", "male_model") or "generic_model" in path.stem.lower():
        return "flame2020"
    raise InputError(f"the name of {path} does not tell which FLAME it is; give --basis {' or '.join(LICENCES)}")


def _read(path: Path) -> dict[str, Any]:
    """A file's content by name."""
    if path.suffix.lower() in PICKLE_SUFFIXES:
        content = load_pickle(path)
    elif path.suffix.lower() in NUMPY_SUFFIXES:
        content = load_npy_object(path)
    else:
        raise InputError(f"{path} is not a file of FLAME's: .pkl or .npz expected")
    if not isinstance(content, dict):
        raise InputError(f"{path} holds {type(content).__name__}, not FLAME's table of arrays; choose its model file")
    return content


def _array(content: dict[str, Any], name: str, path: Path) -> np.ndarray:
    """A numeric array of a file's content."""
    if name not in content:
        found = ", ".join(sorted(map(str, content))[:12]) or "nothing"
        raise InputError(f"{path} has no {name} and is no FLAME model (found: {found}); choose its model file")
    try:
        values = array_of(content[name])
    except ValueError as error:
        raise InputError(f"{path} is damaged: {name} {error}; download it again") from error
    if values is None or values.dtype.kind not in "fiub":
        raise InputError(f"{path}: {name} is no array of numbers; download the file again")
    return values


def _face_model(arrays: dict[str, np.ndarray], basis: str, path: Path) -> FaceModel:
    """The face model of FLAME's arrays; raises InputError unless their shapes are FLAME's."""
    v_template, shapedirs, posedirs = arrays["v_template"], arrays["shapedirs"], arrays["posedirs"]
    if v_template.ndim != 2 or shapedirs.ndim != 3 or shapedirs.shape[-1] <= NUM_EXPRESSION:
        raise InputError(
            f"{path}: v_template has shape {v_template.shape} and shapedirs {shapedirs.shape}, expected (V, 3) and "
            f"(V, 3, 300 + {NUM_EXPRESSION}); choose a full FLAME model"
        )
    if posedirs.ndim != 3:
        raise InputError(f"{path}: posedirs has shape {posedirs.shape}, expected (V, 3, 36); choose a full FLAME model")
    num_joints = len(FLAME_JOINT_NAMES)
    for name, axis in (("weights", 1), ("kintree_table", 1), ("J_regressor", 0)):
        shape = arrays[name].shape
        if len(shape) != 2 or shape[axis] != num_joints:
            raise InputError(
                f"{path}: {name} has shape {shape}, FLAME has {num_joints} joints ({', '.join(FLAME_JOINT_NAMES)}); "
                "choose the model with a jaw"
            )
    try:
        model = FaceModel(
            v_template=v_template.astype(np.float32),
            faces=arrays["f"].astype(np.int32),
            shapedirs=shapedirs.astype(np.float32),
            posedirs=np.ascontiguousarray(posedirs.reshape(-1, posedirs.shape[-1]).T, np.float32),
            J_regressor=arrays["J_regressor"].astype(np.float32),
            lbs_weights=arrays["weights"].astype(np.float32),
            parents=parents_of(arrays["kintree_table"], path),
            num_shape=shapedirs.shape[-1] - NUM_EXPRESSION,
            num_expression=NUM_EXPRESSION,
            basis=basis,
            licence=LICENCES[basis],
        )
    except ModelError as error:
        raise InputError(f"{error}; download the file again") from error
    _check(model, path)
    return model


def _check(model: FaceModel, path: str | Path) -> None:
    try:
        model.check(path)
    except ModelError as error:
        raise InputError(f"{error}; download the file again") from error


def _check_units(model: FaceModel, path: Path) -> None:
    """Raise InputError unless the head has the size of a head in metres."""
    size = float(np.ptp(model.v_template, axis=0).max())
    low, high = HEAD_HEIGHT_METRES
    if not low <= size <= high:
        unit = next((f", as in {name}" for name, scale in _UNITS if low <= size * scale <= high), "")
        raise InputError(f"{path}: the head measures {size:.4g}{unit}; expected {low} to {high} metres")


def _layout_remarks(model: FaceModel) -> list[str]:
    """Remarks about differences from FLAME that are no errors."""
    remarks = []
    found = (model.num_vertices, len(model.faces))
    if found != (FLAME_VERTICES, FLAME_TRIANGLES):
        remarks.append(
            f"{found[0]} vertices and {found[1]} triangles, FLAME has {FLAME_VERTICES} and {FLAME_TRIANGLES}"
        )
    if model.num_shape != 300:
        remarks.append(f"{model.num_shape} shape components, FLAME has 300")
    joints = dict(zip(model.joint_names, model.joints(), strict=True))
    left, right = joints["left_eye"], joints["right_eye"]
    middle, base = (left + right) / 2, joints["neck"]
    if not (left[0] > right[0] and middle[1] > base[1] and middle[2] > base[2]):
        remarks.append(
            "its joints are not where FLAME's are (y up, the face towards +z, the left eye at +x): the head may stand "
            "askew in Blender"
        )
    if np.abs(model.lbs_weights.sum(1) - 1).max() > _WEIGHT_TOLERANCE:
        remarks.append("its skinning weights do not sum to 1")
    return remarks


def _read_landmarks(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(L,) triangles and (L, 3) barycentric coordinates of the iBUG landmarks."""
    content = _read(path)
    for triangle_name, barycentric_name in _LANDMARK_NAMES:
        if triangle_name in content and barycentric_name in content:
            triangles = _array(content, triangle_name, path).reshape(-1).astype(np.int32)
            barycentrics = _array(content, barycentric_name, path).astype(np.float32)
            if len(triangles) in _LANDMARK_COUNTS and barycentrics.size == 3 * len(triangles):
                return triangles, barycentrics.reshape(-1, 3)
            raise InputError(
                f"{path} has {len(triangles)} landmarks with coordinates {barycentrics.shape}, expected 68 or 51; "
                "choose landmark_embedding.npy"
            )
    found = ", ".join(sorted(map(str, content))[:12]) or "nothing"
    raise InputError(f"{path} has no landmarks (found: {found}); choose landmark_embedding.npy")
