"""Where the landmarks of the face mesh lie on a head.

On the open head they were measured, on pictures of it (`training/open_model/landmark_embedding.py`). Another head takes
them from it, by the places that are the same on both faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import ModelError
from ...files.paths import DEFAULT_HEAD, find_head
from ...files.safetensors_file import read_tensors, write_tensors
from ...flame.model import FaceModel
from ...retarget.correspondence import face_warp
from ...retarget.face_shape import FaceShape, shape_of_model
from ...retarget.signals import OPEN_BASIS
from .landmark_groups import LEFT_IRIS, LOWER_LIP, NUM_LANDMARKS, RIGHT_IRIS, UPPER_LIP

EMBEDDING_FILE = "face_landmarks.safetensors"
_CANDIDATES = 40  # triangles whose centres are nearest to a point
_DEPTH_SHARE = 0.35  # of a distance in depth: where a landmark is seen counts more than how far away
_FACING = -0.1  # least z of a visible triangle's normal
_MEDIAN_MM, _PERCENTILE_90_MM = 2.5, 8.0  # distances from the mesh beyond which a head is refused


@dataclass(frozen=True, eq=False)
class Embedding:
    """Landmarks on a mesh.

    Attributes:
        faces: (L,) int32 triangle of each landmark.
        barycentrics: (L, 3) its place within the triangle.
        offsets: (L, 3) from there to the landmark, metres, in the head's axes.
    """

    faces: np.ndarray
    barycentrics: np.ndarray
    offsets: np.ndarray

    def of(self, triangles: np.ndarray, values: np.ndarray) -> np.ndarray:
        """(L, ...) the landmarks' values of (V, ...) values of vertices.

        Args:
            triangles: (F, 3) the mesh.
            values: of its vertices.
        """
        return np.einsum("lk,lk...->l...", self.barycentrics.astype(np.float64), values[triangles[self.faces]])

    def points(self, triangles: np.ndarray, vertices: np.ndarray) -> np.ndarray:
        """(L, 3) the landmarks, metres, on a neutral face (V, 3)."""
        return self.of(triangles, vertices) + self.offsets


def embedding_of(model: FaceModel) -> Embedding:
    """The embedding of a head: the measured one of the open head, else one that is made from it.

    Raises:
        ModelError: if the file of the open head's is missing or damaged, or the head is too different from it.
    """
    folder = find_head(DEFAULT_HEAD)
    measured = read_embedding(folder)
    if model.basis == OPEN_BASIS:
        _check_fits(measured, model, folder)
        return measured
    return transferred(measured, FaceModel.load(folder), model)


def read_embedding(folder: Path) -> Embedding:
    """The embedding in a head folder; raises ModelError if there is none, or it is damaged."""
    path = folder / EMBEDDING_FILE
    arrays = read_tensors(path)
    shapes = {"faces": (NUM_LANDMARKS,), "barycentrics": (NUM_LANDMARKS, 3), "offsets": (NUM_LANDMARKS, 3)}
    found = {name: array.shape for name, array in arrays.items()}
    if found != shapes:
        raise ModelError(f"{path} holds {found}, expected {shapes}; install the add-on again")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ModelError(f"{path} holds values that are not numbers; install the add-on again")
    return Embedding(arrays["faces"].astype(np.int32), arrays["barycentrics"], arrays["offsets"])


def write_embedding(embedding: Embedding, folder: Path) -> None:
    """Write the embedding into a head folder."""
    arrays = {
        "faces": embedding.faces.astype(np.int32),
        "barycentrics": embedding.barycentrics.astype(np.float32),
        "offsets": embedding.offsets.astype(np.float32),
    }
    write_tensors(folder / EMBEDDING_FILE, arrays)


def embedded(points: np.ndarray, shape: FaceShape, visible: np.ndarray | None = None) -> tuple[Embedding, np.ndarray]:
    """The embedding of landmarks whose places in space are known, and their distances (L,) from the mesh, metres.

    Landmarks of the irises lie on their eyeball and all others on the skin. The lips' lie on their own lip, although
    the inner ones of both lips coincide while the mouth is closed.

    Args:
        points: (L, 3) landmarks on the neutral face, metres.
        shape: the head.
        visible: (V,) bool, vertices of skin that may hold landmarks; None for all of its skin.
    """
    corners = np.asarray(shape.vertices, np.float64)[shape.triangles]  # (F, 3, 3)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    facing = normals[:, 2] > _FACING
    skin = shape.skin()[shape.triangles].all(1) & facing
    if visible is not None:
        skin &= visible[shape.triangles].all(1)
    lower_jaw = shape.jaw_weights[shape.triangles].mean(1) > 0.5
    eyeball = (shape.eye_weights[shape.triangles] > 0.5).all(1) & facing
    on_left = corners[:, :, 0].mean(1) > np.median(shape.vertices[:, 0])
    allowed = [(np.arange(NUM_LANDMARKS), skin), (UPPER_LIP, skin & ~lower_jaw), (LOWER_LIP, skin & lower_jaw)]
    allowed += [(RIGHT_IRIS, eyeball & ~on_left), (LEFT_IRIS, eyeball & on_left)]
    found = Embedding(np.zeros(NUM_LANDMARKS, np.int32), np.zeros((NUM_LANDMARKS, 3)), np.zeros((NUM_LANDMARKS, 3)))
    for landmarks, triangles in allowed:  # later ones replace earlier ones
        numbers = np.flatnonzero(triangles)
        faces, barycentrics, nearest = _nearest(points[landmarks], corners[numbers])
        found.faces[landmarks] = numbers[faces]
        found.barycentrics[landmarks] = barycentrics
        found.offsets[landmarks] = points[landmarks] - nearest
    return found, np.linalg.norm(found.offsets, axis=1)


def transferred(measured: Embedding, source: FaceModel, target: FaceModel) -> Embedding:
    """The embedding of the same landmarks on another head.

    Args:
        measured: the embedding on the source.
        source: the open head.
        target: the other head.

    Raises:
        ModelError: if the target has no mouth or eyes, or its mesh is not where the landmarks come to lie.
    """
    first, second = shape_of_model(source), shape_of_model(target)
    size = second.millimetre / first.millimetre
    on_mesh = measured.of(source.faces, np.asarray(source.v_template, np.float64))
    points = face_warp(first, second)(on_mesh)
    for iris, eye in ((RIGHT_IRIS, "right_eye"), (LEFT_IRIS, "left_eye")):
        points[iris] = second.joints[eye] + (on_mesh[iris] - first.joints[eye]) * size
    found, distances = embedded(points, second)
    distances = distances / second.millimetre
    median, most = np.median(distances), np.percentile(distances, 90)
    if median > _MEDIAN_MM or most > _PERCENTILE_90_MM:
        raise ModelError(
            f"the face landmarks lie {median:.1f} mm from the mesh of the head ({target.basis}), and up to {most:.1f} "
            f"mm ({_MEDIAN_MM} and {_PERCENTILE_90_MM} mm are usable); fit the open head, and convert its motion"
        )
    return Embedding(found.faces, found.barycentrics, measured.offsets * size)


def _check_fits(embedding: Embedding, model: FaceModel, folder: Path) -> None:
    if embedding.faces.max() >= len(model.faces):
        raise ModelError(
            f"{folder / EMBEDDING_FILE} was made for a mesh with more triangles than the head's {len(model.faces)}; "
            "install the add-on again"
        )


def _nearest(points: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(P,) nearest triangle of each point, (P, 3) barycentric weights and (P, 3) the place on it.

    Args:
        points: (P, 3).
        corners: (F, 3, 3) triangles.
    """
    apart = (points[:, None] - corners.mean(1)) * [1.0, 1.0, _DEPTH_SHARE]
    order = np.argsort((apart**2).sum(2), axis=1)[:, :_CANDIDATES]
    a, b, c = np.moveaxis(corners[order], 2, 0)  # (P, K, 3)
    ab, ac, ap = b - a, c - a, points[:, None] - a
    ab_ab, ac_ac, ab_ac = (ab * ab).sum(2), (ac * ac).sum(2), (ab * ac).sum(2)
    ab_ap, ac_ap = (ab * ap).sum(2), (ac * ap).sum(2)
    area = np.maximum(ab_ab * ac_ac - ab_ac**2, 1e-24)
    second, third = (ac_ac * ab_ap - ab_ac * ac_ap) / area, (ab_ab * ac_ap - ab_ac * ab_ap) / area
    weights = np.clip(np.stack([1 - second - third, second, third], axis=2), 0.0, 1.0)
    weights /= weights.sum(2, keepdims=True)
    places = np.einsum("pkc,pkcd->pkd", weights, corners[order])
    best = np.linalg.norm(points[:, None] - places, axis=2).argmin(1)
    row = np.arange(len(points))
    return order[row, best], weights[row, best], places[row, best]
