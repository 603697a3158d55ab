"""What a head's shape keys do, computed from its mesh and kept until the mesh is another one."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import bpy
import numpy as np

from ...files.paths import find_head
from ...flame.model import FaceModel
from ...flame.refinement_maps import refinement_maps
from ...motion_tools.gaze import HUMAN
from ...motion_tools.refine import RefinementMaps
from ...retarget.mapping import KEY, FaceMapping, MappingRow
from ...retarget.signals import OPEN_BASIS
from ..head.head_rig import HeadRig
from ..head.joints import joint_displacements
from ..head.rig import mesh_to_armature
from ..head.shape_keys import key_points
from ..narrow import armature_of, mesh_of, present, shape_keys_of

_CLOSEST_EYES = 0.3  # of a human's distance: eyes that are nearer to each other are one key's for both
_KEPT = 64  # results; the maps of FLAME's 100 components, or of a character's lips, take 80 kB

_known: OrderedDict[Hashable, Any] = OrderedDict()
Result = TypeVar("Result")


def face_maps(rig: HeadRig, key_names: Sequence[str]) -> RefinementMaps:
    """The maps of a head's shape keys for refinement; the first time takes about a tenth of a second.

    A motion is refined before it is put on a character, hence with the maps of the open head.

    Args:
        rig: the head.
        key_names: the shape key of each component; for a character, the name of each (see `channels.keys_of`).
    """
    if rig.target is not None:
        return _open_maps(tuple(key_names))
    return kept_for_head("maps", rig, key_names, lambda basis: _computed(rig, basis, key_names))


def joint_motions(rig: HeadRig, key_names: Sequence[str]) -> dict[str, np.ndarray]:
    """What `head.joints.joint_displacements` gives for a head."""
    return kept_for_head("joints", rig, key_names, lambda basis: joint_displacements(mesh_of(rig.mesh), key_names))


def forget_maps() -> None:
    """Drop everything that is kept."""
    _known.clear()
    _open_maps.cache_clear()


@lru_cache(maxsize=4)
def _open_maps(names: tuple[str, ...]) -> RefinementMaps:
    """The maps of these components of the open head.

    Raises:
        ModelError: if the open head is not installed.
    """
    model = FaceModel.load(find_head(OPEN_BASIS))
    columns = [present(model.expression_names).index(name) for name in names]
    return refinement_maps(
        model.v_template,
        model.expression_dirs[:, :, columns],
        model.lbs_weights[:, model.joint_names.index("jaw")],
        dict(zip(model.joint_names, model.joints(), strict=True)),
        named=True,
    )


def eyes_of_keys(rig: HeadRig, mapping: FaceMapping) -> np.ndarray:
    """(2, 3) the left and the right eye of a character whose gaze shape keys show.

    They are where the keys of each eye's gaze and blink move the meshes; in the face's axes and the unit of its space.
    """
    keys = {
        side: tuple(row.target for row in mapping.rows if row.channel == KEY and row.enabled and _is_of_eye(row, side))
        for side in ("Left", "Right")
    }
    blocks = [shape_keys_of(mesh) for mesh in rig.meshes if mesh_of(mesh).shape_keys is not None]
    axes = rig.axes.tobytes()
    identity = ("eyes", rig.space.session_uid, *(owner.session_uid for owner in blocks), *keys.values(), axes)
    return kept(identity, lambda: _moved_eyes(rig, keys))


def _is_of_eye(row: MappingRow, side: str) -> bool:
    return row.source.startswith(("eyeLook", "eyeBlink")) and row.source.endswith(side)


def _moved_eyes(rig: HeadRig, keys: dict[str, tuple[str, ...]]) -> np.ndarray:
    """(2, 3) the mean place of what the keys of each eye move; a human's eyes apart where both share their keys."""
    places = []
    for names in keys.values():
        sums = np.zeros(4)
        for mesh in rig.meshes:
            to_space = mesh_to_armature(mesh, rig.space)
            keys_of_mesh = mesh_of(mesh).shape_keys
            for key in [] if keys_of_mesh is None else [key for key in keys_of_mesh.key_blocks if key.name in names]:
                rest = key_points(key.relative_key)
                moved = np.linalg.norm(key_points(key) - rest, axis=1)
                place = np.array(to_space.to_3x3()) @ (moved @ rest) + moved.sum() * np.array(to_space.to_translation())
                sums += (*place, moved.sum())
        places.append(sums[:3] / sums[3] @ rig.axes if sums[3] else np.full(3, np.nan))
    eyes = np.array(places)
    apart = HUMAN.eyes * rig.scale
    if np.isnan(eyes).all():
        return apart
    if not np.linalg.norm(eyes[0] - eyes[1]) > _CLOSEST_EYES * np.linalg.norm(apart[0] - apart[1]):
        return np.nanmean(eyes, axis=0) + apart
    return eyes


def kept(identity: Hashable, compute: Callable[[], Result]) -> Result:
    """What `compute` gives, computed once for as long as it is asked for with the same identity."""
    if identity not in _known:
        _known[identity] = compute()
        if len(_known) > _KEPT:
            _known.popitem(last=False)
    _known.move_to_end(identity)
    return _known[identity]


def kept_for_head(kind: str, rig: HeadRig, key_names: Sequence[str], compute: Callable[[np.ndarray], Any]) -> Any:
    """A result for a head, computed again if its basis, its place in the rig or the names are others."""
    keys = shape_keys_of(rig.mesh)
    basis = key_points(keys.reference_key)
    place = np.array(mesh_to_armature(rig.mesh, rig.space)).tobytes() + rig.axes.tobytes()
    identity = (kind, keys.session_uid, *key_names, zlib.crc32(basis.tobytes()), place)
    return kept(identity, lambda: compute(basis))


def _computed(rig: HeadRig, basis: np.ndarray, key_names: Sequence[str]) -> RefinementMaps:
    keys = shape_keys_of(rig.mesh).key_blocks
    armature = present(rig.armature)
    to_armature = mesh_to_armature(rig.mesh, armature)
    turn = rig.axes.T @ np.array(to_armature.to_3x3())  # from the mesh's axes to the face model's
    place = rig.axes.T @ np.array(to_armature.to_translation())
    directions = np.empty((len(basis), 3, len(key_names)), np.float32)
    for component, name in enumerate(key_names):
        key = keys[name]
        directions[:, :, component] = (key_points(key) - key_points(key.relative_key)) @ turn.T
    joints = {bone.name: rig.axes.T @ np.array(bone.head_local) for bone in armature_of(armature).bones}
    return refinement_maps(
        basis @ turn.T + place,
        directions,
        group_weights(rig.mesh, "jaw"),
        joints,
        named=rig.expression_names is not None,
    )


def group_weights(mesh_object: bpy.types.Object, group_name: str) -> np.ndarray:
    """(V,) weights of a vertex group; zero where there is none."""
    return weights_of_groups(mesh_object, [[group_name]])[0]


def weights_of_groups(
    mesh_object: bpy.types.Object, groups: Sequence[Sequence[str]], chosen: np.ndarray | None = None
) -> np.ndarray:
    """(G, N) sum of the weights of several vertex groups, for each list of their names; zero where there is none.

    Args:
        mesh_object: the mesh.
        groups: names of the groups in each list.
        chosen: (N,) numbers of the vertices; None for all.
    """
    mesh = mesh_of(mesh_object)
    numbers = range(len(mesh.vertices)) if chosen is None else chosen.tolist()
    weights = np.zeros((len(groups), len(numbers)), np.float32)
    rows: dict[int, list[int]] = {}
    for row, names in enumerate(groups):
        for name in names:
            if name in mesh_object.vertex_groups:
                rows.setdefault(mesh_object.vertex_groups[name].index, []).append(row)
    for column, number in enumerate(numbers if rows else ()):
        for entry in mesh.vertices[number].groups:
            for row in rows.get(entry.group, ()):
                weights[row, column] += entry.weight
    return weights


def vertex_points(mesh: bpy.types.Mesh) -> np.ndarray:
    """(V, 3) the vertices of a mesh."""
    values = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", values)
    return values.reshape(-1, 3)
