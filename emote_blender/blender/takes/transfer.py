"""Motions of another basis on a head in the scene: converted once, when a take is made."""

from __future__ import annotations

import numpy as np

from ...motion import FaceMotion
from ...motion_tools.raw_take import RawTake
from ...retarget.compatibility import UNKNOWN_FLAME, is_flame
from ...retarget.conversion import in_open_basis, known_shape, raw_for_head, transfer_for
from ...retarget.face_shape import FaceShape
from ...retarget.flame_transfer import Transfer
from ...speech_model.config import EMOTEConfig
from ..head.head_rig import HeadRig
from ..head.rig import mesh_to_armature
from ..head.shape_keys import key_points
from ..narrow import armature_of, mesh_of, present, shape_keys_of
from .face_maps import group_weights, kept_for_head

_JAW_CORRECTIVES = tuple(f"Pose{number:03d}" for number in range(9, 18))  # of our FLAME heads; the jaw is joint 2
_EYES = ("left_eye", "right_eye")


def for_head(rig: HeadRig, raw: RawTake) -> RawTake:
    """A take's motions in the basis of a head: the same if they need no conversion.

    Raises:
        ModelError: if the geometry of the motion's basis is not there, or a face has no mouth.
    """
    return raw_for_head(raw, rig, lambda: shape_of_rig(rig))


def transfer_of_model(rig: HeadRig, config: EMOTEConfig) -> Transfer | None:
    """The transfer from a model's coefficients to a head's; None if they need no conversion.

    Raises:
        ModelError: if the geometry of the model's basis is not there, or a face has no mouth.
    """
    source = f"the model {config.name}"
    names = config.expression_names
    return transfer_for(source, config.face, config.num_expression, names, rig, lambda: shape_of_rig(rig))


def for_capture(rig: HeadRig, motion: FaceMotion) -> FaceMotion:
    """A motion of a head as captures hold it, with named components: FLAME's is converted to the open basis.

    Raises:
        ModelError: if the head has no mouth that its jaw opens.
    """
    return in_open_basis(motion, lambda: shape_of_rig(rig)) if is_flame(rig.basis) else motion


def shape_of_rig(rig: HeadRig) -> FaceShape:
    """The geometry of a head: of its head folder if that is there, else of its mesh."""
    known = None if rig.basis == UNKNOWN_FLAME else known_shape(rig.basis, rig.num_expression)
    return known or kept_for_head("shape", rig, rig.expression_keys, lambda basis: _shape_of_mesh(rig, basis))


def _shape_of_mesh(rig: HeadRig, basis: np.ndarray) -> FaceShape:
    """The geometry of a head's mesh.

    Args:
        rig: the head.
        basis: (V, 3) points of its reference key.
    """
    mesh, keys = mesh_of(rig.mesh), shape_keys_of(rig.mesh).key_blocks
    to_armature = mesh_to_armature(rig.mesh, rig.space)
    turn = rig.axes.T @ np.array(to_armature.to_3x3())  # from the mesh's axes to the face model's
    place = rig.axes.T @ np.array(to_armature.to_translation())

    def displacement(name: str) -> np.ndarray:
        return (key_points(keys[name]) - key_points(keys[name].relative_key)) @ turn.T.astype(np.float32)

    mesh.calc_loop_triangles()
    corners = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", corners)
    correctives = None
    if rig.basis != UNKNOWN_FLAME and any(name in keys for name in _JAW_CORRECTIVES):
        still = np.zeros_like(basis)
        correctives = np.stack([displacement(name) if name in keys else still for name in _JAW_CORRECTIVES])
    vertices = basis @ turn.T + place
    eyes = {name: group_weights(rig.mesh, name) for name in _EYES}
    bones = armature_of(present(rig.armature)).bones
    joints = {name: weights @ vertices / weights.sum() for name, weights in eyes.items() if weights.any()}
    joints |= {bone.name: rig.axes.T @ np.array(bone.head_local) for bone in bones}
    return FaceShape(
        rig.basis,
        vertices,
        np.stack([displacement(name) for name in rig.expression_keys], axis=2),
        corners.reshape(-1, 3),
        group_weights(rig.mesh, "jaw"),
        sum(eyes.values(), np.zeros(len(vertices), np.float32)),
        joints,
        rig.expression_names,
        correctives,
    )
