"""The FLAME layer in torch: coefficients and joint rotations to vertices, differentiable.

`flame/skinning.py` and `motion_tools/rotation.py` have the same formulas in numpy, with their sources; a test compares
the two.
"""

import torch
from torch import Tensor, nn

from ...flame.model import FaceModel


class FLAMELayer(nn.Module):
    """A face model as a module; its buffers come from the head folder and are not part of the state dict."""

    v_template: Tensor
    directions: Tensor
    posedirs: Tensor | None
    J_regressor: Tensor
    lbs_weights: Tensor

    def __init__(self, face_model: FaceModel):
        super().__init__()
        self.num_shape, self.num_expression = face_model.num_shape, face_model.num_expression
        self.parents = [int(parent) for parent in face_model.parents]
        arrays = {
            "v_template": face_model.v_template,
            "directions": face_model.shapedirs.reshape(face_model.num_vertices * 3, -1).T,  # (S + E, V * 3)
            "posedirs": face_model.posedirs,
            "J_regressor": face_model.J_regressor,
            "lbs_weights": face_model.lbs_weights,
        }
        for name, array in arrays.items():
            tensor = None if array is None else torch.tensor(array, dtype=torch.float32)
            self.register_buffer(name, tensor, persistent=False)

    def forward(self, shape: Tensor | None, expression: Tensor, pose: Tensor) -> tuple[Tensor, Tensor]:
        """(B, V, 3) vertices and (B, J, 3) posed joints, metres.

        Args:
            shape: (B, S) identity coefficients; None for zeros.
            expression: (B, E) coefficients.
            pose: (B, J, 3) or (B, J * 3) axis-angle of each joint relative to its parent, radians, in the order of the
                face model's joint_names (FLAME: root, neck, jaw, left eye, right eye).

        Raises:
            ValueError: the number of coefficients is not the head's.
        """
        batch = len(expression)
        if shape is None:
            shape = expression.new_zeros(batch, self.num_shape)
        if shape.shape != (batch, self.num_shape) or expression.shape != (batch, self.num_expression):
            raise ValueError(
                f"expected shape ({batch}, {self.num_shape}) and expression ({batch}, {self.num_expression}), "
                f"found {tuple(shape.shape)} and {tuple(expression.shape)}"
            )
        displaced = torch.cat([shape, expression], 1) @ self.directions
        shaped = self.v_template + displaced.view(batch, -1, 3)
        joints = self.J_regressor @ shaped
        rotations = axis_angle_to_matrix(pose.reshape(batch, len(self.parents), 3))
        if self.posedirs is not None:
            features = (rotations[:, 1:] - torch.eye(3, device=pose.device)).reshape(batch, -1)
            shaped = shaped + (features @ self.posedirs).view(batch, -1, 3)
        rotation, position = self._chain(rotations, joints)
        translation = position - (rotation @ joints[..., None])[..., 0]
        transforms = torch.cat([rotation, translation[..., None]], -1)  # (B, J, 3, 4)
        per_vertex = torch.einsum("vj,bjik->bvik", self.lbs_weights, transforms)
        vertices = (per_vertex[..., :3] @ shaped[..., None])[..., 0] + per_vertex[..., 3]
        return vertices, position

    def _chain(self, rotations: Tensor, joints: Tensor) -> tuple[Tensor, Tensor]:
        """(B, J, 3, 3) rotations and (B, J, 3) positions of the joints in the head's space."""
        world_rotations, world_positions = [], []
        for joint, parent in enumerate(self.parents):
            if parent < 0:
                world_rotations.append(rotations[:, joint])
                world_positions.append(joints[:, joint])
                continue
            offset = (joints[:, joint] - joints[:, parent])[..., None]
            world_positions.append(world_positions[parent] + (world_rotations[parent] @ offset)[..., 0])
            world_rotations.append(world_rotations[parent] @ rotations[:, joint])
        return torch.stack(world_rotations, 1), torch.stack(world_positions, 1)


def axis_angle_to_matrix(axis_angle: Tensor) -> Tensor:
    """(..., 3, 3) rotations of axis-angle (..., 3), radians, by Rodrigues' formula; the gradient is finite at zero."""
    squared = (axis_angle**2).sum(-1)[..., None, None]
    small = squared < 1e-8
    angle = torch.where(small, 1.0, squared).sqrt()
    sine = torch.where(small, 1 - squared / 6, torch.sin(angle) / angle)
    cosine = torch.where(small, 0.5 - squared / 24, (1 - torch.cos(angle)) / angle**2)
    x, y, z = axis_angle.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    identity = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return identity + sine * cross + cosine * (cross @ cross)
