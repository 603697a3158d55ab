"""Which objects are one character: meshes that one armature moves, or that lie in each other without one.

Names of shape keys decide nothing here, as two characters of a scene often have the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import bpy
import numpy as np

from ...errors import InputError
from ...retarget.bone_names import bones_by_role
from ..head.shape_keys import key_names
from ..narrow import armature_of

_ROOM = 0.02  # by which a box is larger than what it holds, as a share of its diagonal


@dataclass(frozen=True, eq=False)
class Family:
    """The objects of a character.

    Attributes:
        meshes: its mesh objects, the given one first.
        armature: the armature object that moves them, or None.
    """

    meshes: tuple[bpy.types.Object, ...]
    armature: bpy.types.Object | None


def family_of(item: bpy.types.Object, scene: bpy.types.Scene, armature: bpy.types.Object | None = None) -> Family:
    """The objects that belong together with an object: a mesh, an armature, or what they are parented to.

    Args:
        item: any of them.
        scene: whose other objects may belong to it.
        armature: the armature that counts, instead of the one that is found.

    Raises:
        InputError: if there is no mesh.
    """
    objects = list(scene.objects)
    shown = item.instance_collection
    if shown is not None and shown.library is not None:
        objects = list(shown.all_objects)
    elif item not in objects:
        objects = list({*objects, *(other for place in item.users_scene for other in place.objects), item})
    start = _start(item, objects)
    armature = armature or (item if item.type == "ARMATURE" else moving_armature(start))
    if armature is not None:
        rigs = {armature, *_armatures(start)}
        moved = [mesh for mesh in _meshes(objects) if mesh != start and rigs.intersection(_armatures(mesh))]
    else:
        moved = _lying_in(start, objects)
    return Family((start, *moved), armature)


def moving_armature(mesh: bpy.types.Object) -> bpy.types.Object | None:
    """The armature that moves an object; of several, the first with a bone that is named like a jaw."""
    found = _armatures(mesh)
    with_jaw = (item for item in found if "jaw" in bones_by_role(bone.name for bone in armature_of(item).bones))
    return found[0] if len(found) == 1 else next(with_jaw, found[0] if found else None)


def _armatures(mesh: bpy.types.Object) -> list[bpy.types.Object]:
    """The armatures that move an object: by modifiers, else as a parent, at whatever distance."""
    found = [
        modifier.object
        for modifier in mesh.modifiers
        if isinstance(modifier, bpy.types.ArmatureModifier) and modifier.object is not None
    ]
    if found:
        return found
    parent = mesh.parent
    while parent is not None and parent.type != "ARMATURE":
        if parent.type == "MESH":
            return _armatures(parent)
        parent = parent.parent
    return [] if parent is None else [parent]


def _start(item: bpy.types.Object, objects: list[bpy.types.Object]) -> bpy.types.Object:
    """The mesh from which a family is found: the item, or one that belongs to it."""
    if item.type == "MESH":
        return item
    if item.type == "ARMATURE":
        meshes = [mesh for mesh in _meshes(objects) if item in _armatures(mesh)]
    else:
        meshes = [child for child in item.children_recursive if child.type == "MESH"]
        if item.instance_collection is not None and item.instance_collection.library is not None:
            meshes = _meshes(objects)
    if not meshes:
        if item.instance_collection is not None:
            raise InputError(
                f"{item.name!r} shows the collection {item.instance_collection.name!r} as an instance, which cannot be "
                "animated itself; select an object of that collection, or make the instance real (Object > Apply > "
                "Make Instances Real)"
            )
        what = "moves no mesh" if item.type == "ARMATURE" else "has no mesh"
        raise InputError(f"{item.type.lower()} {item.name!r} {what}; select the mesh of the character's face")
    return max(meshes, key=lambda mesh: len(key_names(mesh)))


def _meshes(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    return [item for item in objects if item.type == "MESH"]


def _lying_in(start: bpy.types.Object, objects: list[bpy.types.Object]) -> list[bpy.types.Object]:
    """Further meshes of a character without an armature: parented to the same object, or in the same collection.

    Each has shape keys and lies within the first one, or the first one in it: characters beside it have the same names.
    """
    root = _root(start)
    low, high = _box(start)
    room = _ROOM * float(np.linalg.norm(high - low))
    found = []
    for mesh in _meshes(objects):
        if mesh == start or moving_armature(mesh) is not None or not key_names(mesh):
            continue
        near = _root(mesh) == root or (
            mesh.parent is None
            and start.parent is None
            and any(collection in start.users_collection for collection in mesh.users_collection)
        )
        if not near:
            continue
        other_low, other_high = _box(mesh)
        within = (other_low >= low - room).all() and (other_high <= high + room).all()
        around = (low >= other_low - room).all() and (high <= other_high + room).all()
        middle = (other_low + other_high) / 2
        if within or around or ((middle >= low - room).all() and (middle <= high + room).all()):
            found.append(mesh)
    return found


def _root(item: bpy.types.Object) -> bpy.types.Object:
    while item.parent is not None:
        item = item.parent
    return item


def _box(mesh: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """(3,) least and greatest coordinates of a mesh object in the world."""
    corners = np.array(mesh.bound_box, np.float64)
    world = np.array(mesh.matrix_world)
    placed = corners @ world[:3, :3].T + world[:3, 3]
    return placed.min(axis=0), placed.max(axis=0)
