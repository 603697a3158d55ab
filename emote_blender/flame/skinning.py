"""Linear blend skinning as FLAME and SMPL do it, in numpy.

Formulas: M. Loper et al., SMPL: A Skinned Multi-Person Linear Model, 2015, equations 2 to 10; conventions of smplx.
"""

import numpy as np


def pose_features(rotations: np.ndarray) -> np.ndarray:
    """Return (B, 9 (J - 1)) entries of R - I for every joint but the root, from (B, J, 3, 3) rotations."""
    return (rotations[:, 1:] - np.eye(3, dtype=rotations.dtype)).reshape(len(rotations), -1)


def joint_transforms(rotations: np.ndarray, joints: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Return (B, J, 3, 4) transforms that take rest positions to posed positions.

    Args:
        rotations: (B, J, 3, 3) rotation of each joint relative to its parent.
        joints: (B, J, 3) rest positions in metres.
        parents: (J,) index of each joint's parent, which comes before it; -1 for the root.
    """
    world_rotations, world_positions = [], []
    for joint, parent in enumerate(parents):
        if parent < 0:
            world_rotations.append(rotations[:, joint])
            world_positions.append(joints[:, joint])
            continue
        offset = joints[:, joint] - joints[:, parent]
        world_rotations.append(world_rotations[parent] @ rotations[:, joint])
        world_positions.append(world_positions[parent] + np.einsum("bik,bk->bi", world_rotations[parent], offset))
    rotation = np.stack(world_rotations, 1)  # (B, J, 3, 3)
    translation = np.stack(world_positions, 1) - np.einsum("bjik,bjk->bji", rotation, joints)
    return np.concatenate([rotation, translation[..., None]], -1)


def blend_skin(vertices: np.ndarray, transforms: np.ndarray, lbs_weights: np.ndarray) -> np.ndarray:
    """Return (B, V, 3) vertices moved by the weighted mean of (B, J, 3, 4) transforms; lbs_weights is (V, J)."""
    per_vertex = np.tensordot(transforms, lbs_weights, axes=(1, 1))  # (B, 3, 4, V)
    moved = per_vertex[:, :, 3].transpose(0, 2, 1).copy()
    for axis in range(3):
        moved += per_vertex[:, :, axis].transpose(0, 2, 1) * vertices[:, :, axis, None]
    return moved
