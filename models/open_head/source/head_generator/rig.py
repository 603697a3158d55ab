"""Joints and skinning weights in FLAME's order: root, neck, jaw, left eye, right eye."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg as sparse_linalg

from .interpolation import MIRROR, smoothstep
from .mouth import LIP_POSITION, LIP_SIDE
from .placement import adjacency
from .surface import EYE_CENTRE

JOINT_NAMES = ("root", "neck", "jaw", "left_eye", "right_eye")
PARENTS = np.array([-1, 0, 1, 1, 1])
NECK, JAW, LEFT_EYE, RIGHT_EYE = 1, 2, 3, 4
JOINT_PLACES = np.array([[0, -0.165, -0.036], [0, -0.085, -0.034], [0.0, 0.0, 0.0020], EYE_CENTRE, EYE_CENTRE * MIRROR])

INNER_MOUTH_SHARE = {10: 0.96, 11: 0.85, 12: 0.6, 13: 0.3}
"""Fraction of the lips' jaw weight for rings inside the mouth."""
MOUTH_BACK_WEIGHT = 0.15
STIFFNESS = 0.02
EDGE_SMOOTHING_PASSES = 4


@dataclass(frozen=True)
class Rig:
    """Skinning weights and joints.

    Attributes:
        weights: (V, 5) skinning weights; rows sum to 1.
        J_regressor: (5, V) joint regressor.
        joints: (5, 3) joints of the neutral head, metres.
    """

    weights: np.ndarray
    J_regressor: np.ndarray
    joints: np.ndarray


def build_rig(mesh):
    """The rig of a HeadMesh."""
    regressor = joint_regressor(mesh)
    return Rig(skinning_weights(mesh), regressor, regressor @ mesh.vertices)


def skinning_weights(mesh):
    """(V, 5) weights; rows sum to 1."""
    neck = np.ones(mesh.num_vertices)
    for vertex, key in enumerate(mesh.skin.keys):
        if key[0] == "g":
            neck[vertex] = smoothstep((key[1] - 2.5) / 7.0)
    jaw = np.zeros(mesh.num_vertices)
    jaw[mesh.ranges["skin"]] = _jaw_weights(mesh.skin)
    jaw[mesh.ranges["teeth_lower"]] = 1
    tongue = mesh.ranges["tongue"]
    jaw[tongue] = 0.82 + 0.18 * smoothstep((mesh.vertices[tongue, 2] - 0.018) / 0.03)

    weights = np.zeros((mesh.num_vertices, len(JOINT_NAMES)))
    weights[mesh.ranges["eye_left"], LEFT_EYE] = 1
    weights[mesh.ranges["eye_right"], RIGHT_EYE] = 1
    body = weights[:, LEFT_EYE] + weights[:, RIGHT_EYE] == 0
    weights[body, JAW] = jaw[body]
    weights[body, NECK] = neck[body] * (1 - jaw[body])
    weights[body, 0] = 1 - weights[body, NECK] - weights[body, JAW]
    weights[np.abs(weights) < 1e-4] = 0
    return weights / weights.sum(1, keepdims=True)


def _lip_weights():
    """Jaw weight along the lips: 1 on the lower lip, 0 on the upper, meeting at the corners."""
    towards_corner = smoothstep((np.abs(LIP_POSITION) - 0.30) / 0.70)
    upper = np.where(LIP_SIDE > 0, 0.48 * towards_corner**1.3, 0.48)
    return np.where(LIP_SIDE < 0, 1 - 0.52 * towards_corner, upper)


def _fixed_jaw_weight(key, lip_weights):
    """The jaw weight of a vertex that anatomy prescribes; None if it is solved for."""
    kind = key[0]
    if kind == "mouth":
        ring, k = key[1], key[2]
        return lip_weights[k] * INNER_MOUTH_SHARE.get(ring, 1) if ring >= 4 else None
    if kind == "mouthcap":
        return MOUTH_BACK_WEIGHT
    if kind != "g":  # eyes, nostrils, ears, crown
        return 0
    row, column = key[1], abs(key[2])
    still = row <= 9 or row >= 29 or column >= 18 or (row >= 22 and column <= 4) or (row >= 26 and column >= 11)
    if still:
        return 0
    chin = (row in (12, 13, 14, 15) and column <= 9) or (row == 16 and column <= 6)
    return 1 if chin else None


def _jaw_weights(skin):
    """(V,) jaw weights of the skin: a biharmonic blend between lips, chin and skull, with smoothed edges."""
    lip_weights = _lip_weights()
    given = [_fixed_jaw_weight(key, lip_weights) for key in skin.keys]
    fixed = np.array([weight is not None for weight in given])
    weights = np.array([0.0 if weight is None else weight for weight in given])
    matrix, degree = adjacency(len(skin.keys), skin.quads)
    laplacian = sparse.diags(1 / degree) @ (sparse.diags(degree) - matrix)
    energy = (laplacian.T @ laplacian + STIFFNESS * laplacian).tocsr()
    free = np.where(~fixed)[0]
    pull = -(energy[free][:, fixed] @ weights[fixed])
    weights[free] = sparse_linalg.spsolve(energy[free][:, free].tocsc(), pull)
    weights = np.clip(weights, 0, 1)
    soft = np.array([key[0] == "g" or (key[0] == "mouth" and key[1] <= 3) for key in skin.keys])
    for _ in range(EDGE_SMOOTHING_PASSES):
        mean = (matrix @ weights) / degree
        weights[soft] = 0.5 * weights[soft] + 0.5 * mean[soft]
    return 0.5 * (weights + weights[skin.mirror])


def joint_regressor(mesh):
    """(5, V) joint regressor: smooth averages of nearby vertices that give the template's joints exactly."""
    grid = [(vertex, key[1], abs(key[2])) for vertex, key in enumerate(mesh.skin.keys) if key[0] == "g"]
    supports = (
        [vertex for vertex, row, _ in grid if row in (3, 4, 5)],
        [vertex for vertex, row, _ in grid if row in (9, 10, 11)],
        [vertex for vertex, row, column in grid if 18 <= row <= 31 and 12 <= column <= 21],
        np.arange(mesh.num_vertices)[mesh.ranges["eye_left"]],
        np.arange(mesh.num_vertices)[mesh.ranges["eye_right"]],
    )
    regressor = np.zeros((len(JOINT_NAMES), mesh.num_vertices))
    for joint, support in enumerate(supports):
        support = np.array(support)
        constraints = np.vstack([mesh.vertices[support].T, np.ones(len(support))])
        even = np.full(len(support), 1 / len(support))
        missing = np.r_[JOINT_PLACES[joint], 1] - constraints @ even
        regressor[joint, support] = even + constraints.T @ np.linalg.solve(constraints @ constraints.T, missing)
    return regressor
