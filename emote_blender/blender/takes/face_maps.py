"""What a head's shape keys do, computed from its mesh and kept until the mesh is another one."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import bpy
import numpy as np

from ...flame.refinement_maps import refinement_maps
from ...motion_tools.refine import RefinementMaps
from ..head.joints import joint_displacements
from ..head.rig import HeadRig, mesh_to_armature
from ..narrow import armature_of, mesh_of, shape_keys_of

_KEPT = 16  # results; the maps of FLAME's 100 components take 80 kB

_known: OrderedDict[tuple, Any] = OrderedDict()


def face_maps(rig: HeadRig, key_names: Sequence[str]) -> RefinementMaps:
    """The maps of a head's shape keys for refinement; the first time takes about a tenth of a second.

    Args:
        rig: the head.
        key_names: the shape key of each component.
    """
    return _kept("maps", rig, key_names, lambda basis: _computed(rig, basis, key_names))


def joint_motions(rig: HeadRig, key_names: Sequence[str]) -> dict[str, np.ndarray]:
    """What `head.joints.joint_displacements` gives for a head."""
    return _kept("joints", rig, key_names, lambda basis: joint_displacements(mesh_of(rig.mesh), key_names))


def forget_maps() -> None:
    """Drop everything that is kept."""
    _known.clear()


def _kept(kind: str, rig: HeadRig, key_names: Sequence[str], compute: Callable[[np.ndarray], Any]) -> Any:
    """The result for a head, computed again if its basis or the names are others."""
    keys = shape_keys_of(rig.mesh)
    basis = key_points(keys.reference_key)
    place = np.array(mesh_to_armature(rig.mesh, rig.armature)).tobytes() + rig.axes.tobytes()
    identity = (kind, keys.session_uid, *key_names, zlib.crc32(basis.tobytes()), place)
    if identity not in _known:
        _known[identity] = compute(basis)
        if len(_known) > _KEPT:
            _known.popitem(last=False)
    _known.move_to_end(identity)
    return _known[identity]


def _computed(rig: HeadRig, basis: np.ndarray, key_names: Sequence[str]) -> RefinementMaps:
    keys = shape_keys_of(rig.mesh).key_blocks
    to_armature = mesh_to_armature(rig.mesh, rig.armature)
    turn = rig.axes.T @ np.array(to_armature.to_3x3())  # from the mesh's axes to the face model's
    place = rig.axes.T @ np.array(to_armature.to_translation())
    directions = np.empty((len(basis), 3, len(key_names)), np.float32)
    for component, name in enumerate(key_names):
        key = keys[name]
        directions[:, :, component] = (key_points(key) - key_points(key.relative_key)) @ turn.T
    joints = {bone.name: rig.axes.T @ np.array(bone.head_local) for bone in armature_of(rig.armature).bones}
    return refinement_maps(
        basis @ turn.T + place,
        directions,
        group_weights(rig.mesh, "jaw"),
        joints,
        named=rig.expression_names is not None,
    )


def group_weights(mesh_object: bpy.types.Object, group_name: str) -> np.ndarray:
    """(V,) weights of a vertex group; zero where there is none."""
    mesh = mesh_of(mesh_object)
    weights = np.zeros(len(mesh.vertices), np.float32)
    group = mesh_object.vertex_groups.get(group_name)
    if group is not None:
        index = group.index
        for vertex in mesh.vertices:
            for entry in vertex.groups:
                if entry.group == index:
                    weights[vertex.index] = entry.weight
    return weights


def key_points(key: bpy.types.ShapeKey) -> np.ndarray:
    """(V, 3) the points of a shape key."""
    values = np.empty(len(key.data) * 3, np.float32)
    key.points.foreach_get("co", values)
    return values.reshape(-1, 3)
