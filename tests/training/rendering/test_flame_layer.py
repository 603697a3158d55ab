"""The FLAME layer against recordings of smplx and of the authors' code, and against its numpy counterpart."""

import numpy as np
import pytest
import torch

from emote_blender.training.rendering.flame_layer import FLAMELayer, axis_angle_to_matrix

# float32 sums over 400 components and 36 correctives of a model whose coordinates are about 1
TOLERANCE = 1e-5


def full_pose(recorded: dict[str, np.ndarray], with_neck: bool) -> torch.Tensor:
    """(6, 5, 3) pose in FLAME's order."""
    neck = recorded["neck"] if with_neck else np.zeros_like(recorded["neck"])
    parts = [recorded["global_pose"], neck, recorded["jaw"], recorded["eye"][:, :3], recorded["eye"][:, 3:]]
    return torch.from_numpy(np.stack(parts, 1))


def run_layer(flame_model, recorded, pose) -> tuple[np.ndarray, np.ndarray]:
    layer = FLAMELayer(flame_model)
    vertices, joints = layer(torch.from_numpy(recorded["shape"]), torch.from_numpy(recorded["exp"]), pose)
    return vertices.numpy(), joints.numpy()


def test_vertices_equal_smplx_with_a_turned_neck(flame_model, recorded_poses):
    vertices, _ = run_layer(flame_model, recorded_poses, full_pose(recorded_poses, with_neck=True))
    np.testing.assert_allclose(vertices, recorded_poses["verts_smplx_neck"], atol=TOLERANCE, rtol=0)


def test_joints_equal_smplx_with_a_turned_neck(flame_model, recorded_poses):
    _, joints = run_layer(flame_model, recorded_poses, full_pose(recorded_poses, with_neck=True))
    np.testing.assert_allclose(joints, recorded_poses["joints_smplx_neck"], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("recording", ["verts_smplx_neck0", "verts_inferno_neck0"])
def test_vertices_equal_both_recordings_with_a_straight_neck(flame_model, recorded_poses, recording):
    vertices, _ = run_layer(flame_model, recorded_poses, full_pose(recorded_poses, with_neck=False))
    np.testing.assert_allclose(vertices, recorded_poses[recording], atol=TOLERANCE, rtol=0)


def test_numpy_vertices_equal_the_layers(flame_model, recorded_poses):
    recorded = recorded_poses
    vertices, _ = run_layer(flame_model, recorded, full_pose(recorded, with_neck=True))
    in_numpy = flame_model.vertices(
        recorded["exp"],
        recorded["jaw"],
        shape=recorded["shape"],
        eyes=recorded["eye"],
        neck=recorded["neck"],
        root=recorded["global_pose"],
    )
    np.testing.assert_allclose(in_numpy, vertices, atol=TOLERANCE, rtol=0)


def test_numpy_vertices_equal_the_layers_on_the_open_head(open_head):
    random = np.random.default_rng(1)
    expression = random.random((4, open_head.num_expression)).astype(np.float32)
    jaw = (random.random((4, 3)) * 0.3).astype(np.float32)
    pose = torch.zeros(4, 5, 3)
    pose[:, 2] = torch.from_numpy(jaw)
    vertices, _ = FLAMELayer(open_head)(None, torch.from_numpy(expression), pose)
    # metres: a head of 0.3 m in float32
    np.testing.assert_allclose(vertices.numpy(), open_head.vertices(expression, jaw), atol=1e-6, rtol=0)


def test_a_resting_pose_has_a_finite_gradient(open_head):
    expression = torch.zeros(1, open_head.num_expression, requires_grad=True)
    pose = torch.zeros(1, 5, 3, requires_grad=True)
    vertices, _ = FLAMELayer(open_head)(None, expression, pose)
    vertices.square().sum().backward()
    assert torch.isfinite(torch.cat([expression.grad.flatten(), pose.grad.flatten()])).all()


def test_the_gradient_of_the_jaw_is_that_of_finite_differences(flame_model):
    layer = FLAMELayer(flame_model).double()
    expression = torch.zeros(1, 100, dtype=torch.float64)

    def mean_square(pose: torch.Tensor) -> torch.Tensor:
        return layer(None, expression, pose)[0].square().mean()

    pose = torch.full((1, 5, 3), 0.1, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(mean_square, pose)


def test_a_state_dict_holds_none_of_the_face(open_head):
    assert not FLAMELayer(open_head).state_dict()


def test_a_wrong_number_of_coefficients_is_told(open_head):
    with pytest.raises(ValueError, match=r"expression \(1, 50\).*found .* and \(1, 49\)"):
        FLAMELayer(open_head)(None, torch.zeros(1, 49), torch.zeros(1, 5, 3))


def test_rotations_are_those_of_the_matrix_exponential():
    for vector in ([0.3, -0.2, 0.1], [1e-6, 0, 0], [0, 0, 0]):
        x, y, z = vector
        cross = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)
        found = axis_angle_to_matrix(torch.tensor(vector, dtype=torch.float64))
        torch.testing.assert_close(found, torch.matrix_exp(cross), atol=1e-9, rtol=0)
