"""FLAME's J_regressor, stored on a head's mesh: where the joints are, from the vertices alone."""

from __future__ import annotations

import zlib
from collections import OrderedDict

import bpy
import numpy as np

from ...flame.model import FaceModel
from ..narrow import expect
from .shape_keys import key_points

# Point attributes of the mesh: they are copied, appended and saved with it. Blender hides names that begin with a dot.
_ATTRIBUTE_PREFIX = ".J_regressor_"
_KEPT = 16
_known: OrderedDict[tuple, dict[str, np.ndarray]] = OrderedDict()


def keep_regressor(mesh: bpy.types.Mesh, model: FaceModel) -> None:
    """Store the weights (V,) of every joint on the mesh."""
    for joint_name, weights in zip(model.joint_names, model.J_regressor, strict=True):
        attribute = mesh.attributes.new(_ATTRIBUTE_PREFIX + joint_name, "FLOAT", "POINT")
        expect(attribute, bpy.types.FloatAttribute).data.foreach_set("value", np.ascontiguousarray(weights, np.float32))


def kept_regressor(mesh: bpy.types.Mesh) -> dict[str, np.ndarray]:
    """The (V,) weights of each joint by its name, as `keep_regressor` stored them; empty for other meshes."""
    weights = {}
    for attribute in mesh.attributes:
        if not isinstance(attribute, bpy.types.FloatAttribute):
            continue
        if attribute.name.startswith(_ATTRIBUTE_PREFIX) and len(attribute.data) == len(mesh.vertices):
            values = np.empty(len(mesh.vertices), np.float32)
            attribute.data.foreach_get("value", values)
            weights[attribute.name.removeprefix(_ATTRIBUTE_PREFIX)] = values
    return weights


def joints_of_mesh(mesh: bpy.types.Mesh) -> dict[str, np.ndarray]:
    """The (3,) position of each joint of the neutral face by its name, in the mesh's space; empty for other meshes.

    Remembered for as long as the points of the reference key stay the same.
    """
    if mesh.shape_keys is None:
        return {}
    key = mesh.shape_keys.reference_key
    points = key_points(key)
    identity = mesh.session_uid, zlib.crc32(points.tobytes())
    if identity not in _known:
        weights = kept_regressor(mesh) if len(points) == len(mesh.vertices) else {}
        _known[identity] = {name: values @ points for name, values in weights.items()}
        if len(_known) > _KEPT:
            _known.popitem(last=False)
    _known.move_to_end(identity)
    return _known[identity]
