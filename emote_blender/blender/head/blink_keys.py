"""Shape keys that close the lids of a head without a blink of its own, such as FLAME's.

Each eye has the key that is animated, `EMOTE Blink L` or `R`, and a key with a driver, `EMOTE Blink L Arc`, that keeps
the lid on the eyeball half way (`flame.lids`). The driver is a simple expression, which works where scripts are
disabled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import bpy
import numpy as np

from ...errors import InputError
from ...flame.lids import close_lids
from ..narrow import expect, mesh_of, present, shape_keys_of
from .head_rig import HeadRig
from .joints import identity_points
from .rig import BLINK_KEYS, mesh_to_armature

EYE_GROUPS = ("left_eye", "right_eye")
_ARC = " Arc"
# The digest of the blink keys as they were written, on the mesh: keys that an artist has sculpted differ.
_WRITTEN_PROPERTY = "emote_blink_keys"


def names_blinks(expression_names: Sequence[str] | None) -> bool:
    """Whether some of a head's own components close its lids."""
    return expression_names is not None and any("blink" in name.lower() for name in expression_names)


def write_blink_keys(head: bpy.types.Object, axes: np.ndarray, identity_keys: Sequence[str] = ()) -> None:
    """Add the blink keys to a head, or fit those that it has to its identity as it is set now.

    Args:
        head: a mesh object with shape keys and the vertex groups of the eyes.
        axes: (3, 3) the face model's axes, as columns, in the mesh's space.
        identity_keys: names of the identity's shape keys.

    Raises:
        InputError: if the geometry has no eyeballs or no lids, or the blink keys were sculpted by hand.
    """
    mesh, keys = mesh_of(head), shape_keys_of(head)
    if _sculpted(mesh):
        raise InputError(
            f"the keys {' and '.join(BLINK_KEYS)} of head {head.name!r} were made or changed by hand and stay as they "
            "are; delete them to have new ones"
        )
    points = identity_points(mesh, identity_keys)
    closings = close_lids(points @ axes, _triangles(mesh), _eye_weights(head))
    basis = identity_points(mesh, ())
    active = head.active_shape_key_index
    for name, closing in zip(BLINK_KEYS, closings, strict=True):
        for key_name, displacement in ((name, closing.closed), (name + _ARC, closing.arc)):
            key = keys.key_blocks.get(key_name)
            if key is None:
                key = head.shape_key_add(name=key_name, from_mix=False)
                key.value = 0.0  # a new key is fully on from 5.0 on
            key.points.foreach_set("co", np.ascontiguousarray(basis + displacement @ axes.T, np.float32).ravel())
        _drive(keys, name)
    head.active_shape_key_index = active
    mesh[_WRITTEN_PROPERTY] = _digest(mesh)
    mesh.update()


def axes_in_mesh(rig: HeadRig) -> np.ndarray:
    """(3, 3) the face model's axes, as columns, in the space of a head's mesh."""
    to_mesh = mesh_to_armature(rig.mesh, rig.space).inverted_safe()
    axes = np.array(to_mesh.to_3x3()) @ rig.axes
    return axes / np.linalg.norm(axes, axis=0)


def _drive(keys: bpy.types.Key, name: str) -> None:
    """Give a blink key its range, and its arc a driver."""
    blink, arc = keys.key_blocks[name], keys.key_blocks[name + _ARC]
    blink.slider_min, blink.slider_max = -0.5, 1.0  # below zero the eye is wider open
    arc.slider_min, arc.slider_max = -4.0, 1.0
    arc.driver_remove("value")
    driver = present(expect(arc.driver_add("value"), bpy.types.FCurve).driver)
    driver.type = "SCRIPTED"
    variable = driver.variables.new()
    variable.name = "t"
    variable.type = "SINGLE_PROP"
    target = variable.targets[0]
    target.id_type = "KEY"
    target.id = keys
    target.data_path = f'key_blocks["{name}"].value'
    driver.expression = "4*t*(1-t)"


def _triangles(mesh: bpy.types.Mesh) -> np.ndarray:
    mesh.calc_loop_triangles()
    corners = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", corners)
    return corners.reshape(-1, 3)


def _eye_weights(head: bpy.types.Object) -> np.ndarray:
    """(V, 2) weights of the vertex groups of both eyes; zero where there is no such group."""
    mesh = mesh_of(head)
    column = {group.index: EYE_GROUPS.index(group.name) for group in head.vertex_groups if group.name in EYE_GROUPS}
    weights = np.zeros((len(mesh.vertices), 2), np.float32)
    for vertex in mesh.vertices if column else ():
        for element in vertex.groups:
            if element.group in column:
                weights[vertex.index, column[element.group]] = element.weight
    return weights


def _sculpted(mesh: bpy.types.Mesh) -> bool:
    """Whether a mesh has blink keys that are not as this add-on wrote them."""
    return _digest(mesh) not in ("", mesh.get(_WRITTEN_PROPERTY))


def _digest(mesh: bpy.types.Mesh) -> str:
    """A digest of the blink keys' points; empty if one is missing."""
    blocks = present(mesh.shape_keys).key_blocks
    digest = hashlib.sha256()
    for name in BLINK_KEYS:
        if name not in blocks:
            return ""
        points = np.empty(3 * len(mesh.vertices), np.float32)
        blocks[name].points.foreach_get("co", points)
        digest.update(points.tobytes())
    return digest.hexdigest()
