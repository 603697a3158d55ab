"""Recorded poses of a face with FLAME's layout, and heads to test with; `conftest.py` makes these fixtures known."""

import numpy as np
import pytest

from emote_blender.files.paths import find_head
from emote_blender.files.safetensors_file import read_tensors
from emote_blender.flame.model import FaceModel


@pytest.fixture(scope="session")
def recorded_poses(reference) -> dict[str, np.ndarray]:
    """Coefficients and rotations of 6 poses, and the vertices that were recorded for them."""
    return read_tensors(reference / "flame/poses.safetensors")


@pytest.fixture(scope="session")
def open_head() -> FaceModel:
    """The head that ships."""
    return FaceModel.load(find_head("open_head"))


@pytest.fixture
def small_head() -> FaceModel:
    """Two triangles on a chain of five joints, with everything that a head folder can hold."""
    random = np.random.default_rng(0)
    num_vertices = 6
    return FaceModel(
        v_template=random.standard_normal((num_vertices, 3)).astype(np.float32),
        faces=np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        shapedirs=random.standard_normal((num_vertices, 3, 5)).astype(np.float32),
        posedirs=random.standard_normal((36, num_vertices * 3)).astype(np.float32),
        J_regressor=random.random((5, num_vertices)).astype(np.float32),
        lbs_weights=random.dirichlet(np.ones(5), num_vertices).astype(np.float32),
        parents=np.array([-1, 0, 1, 1, 1], np.int32),
        num_shape=2,
        num_expression=3,
        basis="small",
        licence="CC0-1.0",
        expression_names=("smile", "frown", "wink"),
        shape_names=("wide", "tall"),
        quads=np.array([[0, 1, 2, 3]], np.int32),
        quad_material=np.array([1], np.int32),
        material_names=("skin", "lips"),
        vertex_colors=random.random((num_vertices, 3)).astype(np.float32),
        uv=random.random((1, 4, 2)).astype(np.float32),
        regions={"lips_upper": np.array([1, 0.5, 0, 0, 0, 0], np.float32)},
        landmark_faces=np.array([1, 0], np.int32),
        landmark_barycentrics=np.array([[1, 0, 0], [0.25, 0.25, 0.5]], np.float32),
        mirror=np.array([1, 0, 3, 2, 5, 4], np.int32),
        mouth_close_angle=0.25,
        vertex_color_gamma=1.8,
    )
