"""The gap of a character's lips in millimetres, whatever became of its objects, without code of the product."""

import functools

import bpy
import numpy as np
from character_rigs import ORIGIN
from character_shapes import open_head_model

_LIP_COLUMNS_MM = (-14.1, -10.8, -7.3, -3.6, 0.0, 3.6, 7.3, 10.8, 14.1)  # where the cage of the lips has its columns
_COLUMN_HALF_WIDTH_MM = 0.75


def evaluated_points(mesh_object: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """(N,) numbers on the open head and (N, 3) places in the world of an evaluated mesh, as the scene stands."""
    evaluated = mesh_object.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    points, numbers = np.empty(3 * len(mesh.vertices), np.float32), np.empty(len(mesh.vertices), np.int32)
    mesh.vertices.foreach_get("co", points)
    mesh.attributes[ORIGIN].data.foreach_get("value", numbers)
    world = np.array(evaluated.matrix_world)
    evaluated.to_mesh_clear()
    points = points.reshape(-1, 3).astype(np.float64) @ world[:3, :3].T + world[:3, 3]
    return numbers[numbers >= 0], points[numbers >= 0]


def points_on_open_head(mesh_object: bpy.types.Object, frame: int | None = None) -> dict[int, np.ndarray]:
    """Places of an evaluated face by vertex of the open head, metres, in its axes: as though it had that head's size.

    The part of the skull that nothing moves is fitted to the open head, so that turns of the head, rotated, scaled
    or mirrored objects and other units make no difference.

    Args:
        mesh_object: the mesh of a character's face.
        frame: the frame to set first; None for the scene as it stands.
    """
    return dict(zip(*_on_open_head(mesh_object, frame), strict=True))


def _on_open_head(mesh_object: bpy.types.Object, frame: int | None) -> tuple[list[int], np.ndarray]:
    """The vertices (N) of the open head and their places (N, 3); see `points_on_open_head`."""
    if frame is not None:
        bpy.context.scene.frame_set(frame)
    numbers, points = evaluated_points(mesh_object)
    chosen = _rigid_vertices()[numbers]
    known = np.concatenate([points[chosen], np.ones((chosen.sum(), 1))], axis=1)
    fit, *_ = np.linalg.lstsq(known, open_head_model().v_template[numbers[chosen]].astype(np.float64), rcond=None)
    return numbers.tolist(), points @ fit[:3] + fit[3]


@functools.cache
def _rigid_vertices() -> np.ndarray:
    """(V,) which vertices of the open head are of the part of the skull that nothing moves."""
    model = open_head_model()
    return (
        (np.abs(model.expression_dirs).max(axis=(1, 2)) < 1e-7)
        & (model.lbs_weights[:, 1] > 0.9999)
        & (model.v_template[:, 1] > 0.03)
    )


def lip_gaps_mm(mesh_object: bpy.types.Object, frame: int | None = None) -> np.ndarray:
    """(9,) gaps between the lips from the right to the left of the mouth, mm on a head of the open head's size.

    Each is the height of the upper lip's lowest point above the lower lip's highest one, in one column of the lips;
    negative where the lips overlap. The open head at rest has -0.3 in the middle.
    """
    numbers, points = _on_open_head(mesh_object, frame)
    heights = np.full(open_head_model().num_vertices, np.nan)
    heights[numbers] = points[:, 1]
    return _gaps(heights)


def lip_gap_mm(mesh_object: bpy.types.Object, frame: int | None = None) -> float:
    """The gap in the middle of the mouth; see `lip_gaps_mm`."""
    return float(lip_gaps_mm(mesh_object, frame)[len(_LIP_COLUMNS_MM) // 2])


def open_head_gaps_mm(expression: np.ndarray, jaw: np.ndarray) -> np.ndarray:
    """(T, 9) the same gaps of the open head itself in a motion of its components (T, E) and jaw (T, 3)."""
    model = open_head_model()
    poses = [model.vertices(weights, turn) for weights, turn in zip(expression, jaw, strict=True)]
    return np.stack([_gaps(pose[:, 1]) for pose in poses])


def closed_frames(expression: np.ndarray, jaw: np.ndarray, gap_mm: float = 0.5) -> np.ndarray:
    """(N,) the frames in which the open head's own lips are closed in the middle of the mouth."""
    gaps = open_head_gaps_mm(expression, jaw)
    return np.flatnonzero(gaps[:, len(_LIP_COLUMNS_MM) // 2] <= gap_mm)


def _gaps(heights: np.ndarray) -> np.ndarray:
    """(9,) gaps in mm from the heights (V,) of the open head's vertices in metres; NaN for those that are not there."""
    return np.array([1000 * (heights[upper].min() - heights[lower].max()) for upper, lower in _lip_columns()])


@functools.cache
def _lip_columns() -> list[tuple[np.ndarray, np.ndarray]]:
    """The vertices of the upper and of the lower lip in each column, from the right to the left of the mouth."""
    model = open_head_model()
    columns = []
    for column in _LIP_COLUMNS_MM:
        near = np.abs(1000 * model.v_template[:, 0] - column) < _COLUMN_HALF_WIDTH_MM
        upper, lower = (np.flatnonzero(near & (model.regions[f"lips_{name}"] > 0.5)) for name in ("upper", "lower"))
        columns.append((upper, lower))
    return columns
