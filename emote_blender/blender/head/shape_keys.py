"""The shape keys of a mesh object: their names, points, data paths and drivers."""

from __future__ import annotations

import re
from collections.abc import Iterable

import bpy
import numpy as np

from ..narrow import mesh_of

SLIDER_LIMIT = 10.0
"""The greatest value that Blender allows for a shape key."""


def moving_keys(mesh_object: bpy.types.Object) -> list[bpy.types.ShapeKey]:
    """The shape keys of a mesh object that move it: all but the one that is its rest."""
    keys = mesh_of(mesh_object).shape_keys
    return [] if keys is None else [key for key in keys.key_blocks if key != keys.reference_key]


def key_names(mesh_object: bpy.types.Object) -> list[str]:
    """Names of the shape keys of a mesh object that move it."""
    return [key.name for key in moving_keys(mesh_object)]


def driven_keys(mesh_object: bpy.types.Object) -> set[str]:
    """Names of the shape keys of a mesh object whose values a driver sets."""
    keys = mesh_of(mesh_object).shape_keys
    if keys is None or keys.animation_data is None:
        return set()
    paths = {curve.data_path for curve in keys.animation_data.drivers}
    return {key.name for key in keys.key_blocks if key_path(key.name) in paths}


def driving_bones(mesh_object: bpy.types.Object, keys: Iterable[str]) -> set[str]:
    """Names of the bones that the drivers of some shape keys of a mesh object read."""
    owner = mesh_of(mesh_object).shape_keys
    if owner is None or owner.animation_data is None:
        return set()
    paths = {key_path(key) for key in keys}
    found = set()
    for curve in owner.animation_data.drivers:
        if curve.data_path not in paths or curve.driver is None:
            continue
        for target in (target for variable in curve.driver.variables for target in variable.targets):
            named = re.match(r'pose\.bones\["((?:[^"\\]|\\.)*)"\]', target.data_path or "")
            found.add(bpy.utils.unescape_identifier(named[1]) if named else target.bone_target)
    return found - {""}


def key_path(key_name: str) -> str:
    """The data path of a shape key's value."""
    return f'key_blocks["{bpy.utils.escape_identifier(key_name)}"].value'


def key_points(key: bpy.types.ShapeKey) -> np.ndarray:
    """(V, 3) the points of a shape key, float32, in the mesh's space."""
    values = np.empty(len(key.data) * 3, np.float32)
    key.points.foreach_get("co", values)
    return values.reshape(-1, 3)
