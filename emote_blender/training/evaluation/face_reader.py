"""From a motion to the tracks of an evaluation: mouth, jaw and brows, and selected vertices of the posed head.

This code is independent of the mesh in the losses (`losses/mesh.py`), so that an error there cannot hide itself here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ModelError
from ...flame.model import FaceModel
from ...motion_tools.rotation import axis_angle_to_matrix

MILLIMETRES = np.float32(1000)

# A vertex belongs to the face if a component moves it by this many metres, or if its weight for the jaw is this large.
_MOVING_METRES = 0.0003
_MOVING_JAW = 0.1
_FACE_VERTICES = 1200  # about this many vertices represent the face, because neighbours move alike
_BROW_REACH, _CHEEK_REACH = 0.010, 0.018  # metres around the landmarks of a brow, and around the middle of a cheek
_TEETH_HALF_WIDTH = 0.004  # metres from the midline: the incisors

# iBUG numbers of 68 landmarks, counted from 0; sets of 51 lack the jaw line's 17.
_JAW_LINE = 17
_BROWS, _NOSE_BRIDGE = slice(17, 27), 29
_CHEEKS = ((36, 48, 31), (45, 54, 35))  # outer corner of the eye, corner of the mouth, wing of the nose
_MOUTH_CORNERS, _INNER_LIPS = (48, 54), (62, 66)


@dataclass(frozen=True, eq=False)
class FaceReading:
    """The tracks and vertices of one motion.

    Attributes:
        gap: (T,) lip gap as in `flame.measure.lip_gap`, mm.
        tuck: (T,) height of the upper teeth above the lower lip, mm; NaN on a head without teeth.
        width: (T,) distance of the mouth's corners, mm.
        jaw: (T,) jaw opening, radians.
        brow: (T,) height of the brows, mm.
        vertices: (T, V, 3) the vertices that `FaceReader.regions` indexes, mm.
        points: (T, 51, 3) the landmarks without the jaw line, mm.
    """

    gap: np.ndarray
    tuck: np.ndarray
    width: np.ndarray
    jaw: np.ndarray
    brow: np.ndarray
    vertices: np.ndarray
    points: np.ndarray


class PosedVertices:
    """Selected vertices under expression, jaw rotation and identity, in numpy; root, neck and eyes stay at rest.

    Args:
        face_model: the head.
        vertices: (V,) int indices.
        columns: (E,) int component of the head for each coefficient of a motion.
    """

    def __init__(self, face_model: FaceModel, vertices: np.ndarray, columns: np.ndarray) -> None:
        jaw = face_model.joint_names.index("jaw")
        self._identity = face_model.identity_dirs
        self._regressor = face_model.J_regressor[jaw]
        self._vertices = vertices
        self.template = face_model.v_template[vertices] * MILLIMETRES
        directions = face_model.expression_dirs[:, :, columns]
        self._directions = np.ascontiguousarray(directions[vertices].reshape(-1, len(columns)).T) * MILLIMETRES
        self._weights = face_model.lbs_weights[vertices, jaw, None].astype(np.float32)
        self._joint = (self._regressor @ face_model.v_template).astype(np.float32) * MILLIMETRES
        self._joint_directions = np.einsum("v,vce->ec", self._regressor, directions).astype(np.float32) * MILLIMETRES
        self._correctives = None
        if face_model.posedirs is not None:
            rows = face_model.posedirs[9 * (jaw - 1) : 9 * jaw].reshape(9, -1, 3)[:, vertices]
            self._correctives = rows.reshape(9, -1) * MILLIMETRES

    def __call__(self, motion: np.ndarray, shape: np.ndarray | None = None) -> np.ndarray:
        """(T, V, 3) vertices in millimetres of a motion (T, E + 3) on a head with identity coefficients (S,)."""
        motion = np.asarray(motion, np.float32)
        expression, rotation = motion[:, :-3], axis_angle_to_matrix(motion[:, -3:])
        posed = self.template + (expression @ self._directions).reshape(len(motion), -1, 3)
        joint = self._joint + expression @ self._joint_directions
        if shape is not None and len(shape):
            if len(shape) > self._identity.shape[-1]:
                raise ModelError(
                    f"the motion has {len(shape)} identity components, but the head has {self._identity.shape[-1]}; "
                    "choose the head that it was made for"
                )
            grown = self._identity[..., : len(shape)] @ np.asarray(shape, np.float32) * MILLIMETRES
            posed = posed + grown[self._vertices]
            joint = joint + (self._regressor @ grown).astype(np.float32)
        turn: np.ndarray = rotation - np.eye(3, dtype=np.float32)
        if self._correctives is not None:
            posed = posed + (turn.reshape(len(motion), 9) @ self._correctives).reshape(posed.shape)
        return posed + self._weights * np.matmul(posed - joint[:, None], turn.transpose(0, 2, 1))


class FaceReader:
    """Poses one head by motions and reads their tracks.

    Args:
        face_model: the head.
        num_expression: number of expression coefficients of the motions.
        names: names of these coefficients; None for the head's first components.

    Attributes:
        regions: indices into a reading's vertices: face, lips, upper_face (above the middle of the nose), brows,
            cheeks.
        rest: (V, 3) the vertices at rest, mm.
        rest_points: (51, 3) the landmarks at rest, mm.
        rest_width: distance of the mouth's corners at rest, mm.

    Raises:
        ModelError: the head has no landmarks, or lacks some of the components.
    """

    def __init__(self, face_model: FaceModel, num_expression: int, names: tuple[str, ...] | None = None) -> None:
        columns = _columns(face_model, num_expression, names)
        corners, self._barycentrics = _landmarks(face_model)
        landmarks = np.full((68, 3), np.nan)
        landmarks[_JAW_LINE:] = _points(face_model.v_template[corners], self._barycentrics)
        chosen = _regions(face_model, columns, landmarks)
        upper, lower, teeth = (chosen.pop(name) for name in ("upper", "lower", "teeth"))
        vertices = np.unique(np.concatenate([*chosen.values(), upper, lower, teeth, corners.ravel()]))

        def within(indices: np.ndarray) -> np.ndarray:
            return np.searchsorted(vertices, indices)

        self.regions = {name: within(indices) for name, indices in chosen.items()}
        self._upper, self._lower, self._teeth, self._corners = map(within, (upper, lower, teeth, corners))
        self._all = PosedVertices(face_model, vertices, columns)
        self._few = PosedVertices(face_model, corners.ravel(), columns)
        self.rest = self._all.template
        self.rest_points = _points(self.rest[self._corners], self._barycentrics)
        self.rest_width = float(np.linalg.norm(np.subtract(*(self.rest_points[i - _JAW_LINE] for i in _MOUTH_CORNERS))))

    def read(self, motion: np.ndarray, shape: np.ndarray | None = None) -> FaceReading:
        """The tracks and vertices of a motion (T, E + 3) on a head with identity coefficients (S,)."""
        vertices = self._all(motion, shape)
        points = _points(vertices[:, self._corners], self._barycentrics)
        heights = vertices[..., 1]
        lip_top = heights[:, self._lower].max(1) if len(self._lower) else points[:, _INNER_LIPS[1] - _JAW_LINE, 1]
        lip_bottom = heights[:, self._upper].min(1) if len(self._upper) else points[:, _INNER_LIPS[0] - _JAW_LINE, 1]
        right, left = (points[:, corner - _JAW_LINE] for corner in _MOUTH_CORNERS)
        return FaceReading(
            gap=lip_bottom - lip_top,
            tuck=heights[:, self._teeth].min(1) - lip_top if len(self._teeth) else np.full(len(heights), np.nan),
            width=np.linalg.norm(left - right, axis=-1),
            jaw=np.asarray(motion[:, -3], np.float32),
            brow=heights[:, self.regions["brows"]].mean(1),
            vertices=vertices,
            points=points,
        )

    def points(self, motion: np.ndarray, shape: np.ndarray | None = None) -> np.ndarray:
        """(T, 51, 3) landmarks of a motion, mm; faster than `read`, for the judge."""
        corners = self._few(motion, shape).reshape(len(motion), -1, 3, 3)
        return _points(corners, self._barycentrics)


def _columns(face_model: FaceModel, num_expression: int, names: tuple[str, ...] | None) -> np.ndarray:
    """(E,) component of the head for each coefficient of the motions."""
    if names and face_model.expression_names:
        missing = [name for name in names if name not in face_model.expression_names]
        if missing:
            raise ModelError(f"the head {face_model.basis} has no {', '.join(missing[:5])}; choose the model's head")
        return np.array([face_model.expression_names.index(name) for name in names])
    if num_expression > face_model.num_expression:
        raise ModelError(
            f"the motion has {num_expression} expression components, but the head {face_model.basis} has "
            f"{face_model.num_expression}; choose the head that it was made for"
        )
    return np.arange(num_expression)


def _landmarks(face_model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """(51, 3) corner vertices and (51, 3) barycentric coordinates of iBUG's landmarks 17 to 67."""
    faces, weights = face_model.landmark_faces, face_model.landmark_barycentrics
    if faces is None or weights is None or len(faces) not in (51, 68):
        raise ModelError(
            f"an evaluation needs a head with 51 or 68 landmarks, and {face_model.basis} has none; convert FLAME with "
            "--landmarks landmark_embedding.npy"
        )
    return face_model.faces[faces[-51:]], weights[-51:].astype(np.float32)


def _points(corners: np.ndarray, barycentrics: np.ndarray) -> np.ndarray:
    """(..., P, 3) points within triangles with corners (..., P, 3, 3)."""
    return (corners * barycentrics[..., None]).sum(-2)


def _regions(face_model: FaceModel, columns: np.ndarray, landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """Vertex indices of each region by name; regions that the head lacks come from its landmarks (68, 3)."""
    template, soft = face_model.v_template, face_model.regions

    def inside(name: str) -> np.ndarray:
        return soft[name] > 0.5 if name in soft else np.zeros(len(template), bool)

    def near(points: np.ndarray, reach: float) -> np.ndarray:
        return np.linalg.norm(template[:, None] - points[None], axis=-1).min(1) < reach

    moved = np.linalg.norm(face_model.expression_dirs[:, :, columns], axis=1).max(1) > _MOVING_METRES
    face = moved | (face_model.lbs_weights[:, face_model.joint_names.index("jaw")] > _MOVING_JAW)
    face &= ~(inside("eye_left") | inside("eye_right"))
    if "skin" in soft:
        face &= inside("skin")
    near_midline = np.abs(template[:, 0]) < 0.0005  # `flame.measure.MIDLINE_HALF_WIDTH`
    cheeks = inside("cheek_left") | inside("cheek_right")
    if not cheeks.any():
        cheeks = face & near(np.array([landmarks[list(corners)].mean(0) for corners in _CHEEKS]), _CHEEK_REACH)
    indices = np.flatnonzero(face)
    thinned = indices[:: -(-len(indices) // _FACE_VERTICES)]
    return {
        "face": thinned,
        "upper_face": thinned[template[thinned, 1] > landmarks[_NOSE_BRIDGE, 1]],
        "lips": np.flatnonzero(inside("lips")),
        "brows": np.flatnonzero(face & near(landmarks[_BROWS], _BROW_REACH)),
        "cheeks": np.flatnonzero(cheeks),
        "upper": np.flatnonzero(near_midline & inside("lips_upper")),
        "lower": np.flatnonzero(near_midline & inside("lips_lower")),
        "teeth": np.flatnonzero((np.abs(template[:, 0]) < _TEETH_HALF_WIDTH) & inside("teeth_upper")),
    }
