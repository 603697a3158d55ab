"""Exact types for Blender data whose declared types are wider than what this add-on meets.

Blender's API declares links that may be None (`Context.scene`) and base classes (`Object.data` is any data-block).
These functions state what a caller knows; a wrong statement is a bug and fails as an AssertionError.
"""

from __future__ import annotations

from typing import TypeVar

import bpy

T = TypeVar("T")


def present(link: T | None) -> T:
    """Return a link that is set wherever this add-on reads it, such as a context's view layer."""
    assert link is not None
    return link


def expect(value: object, kind: type[T]) -> T:
    """Return a value as an instance of the class that it is known to have."""
    assert isinstance(value, kind), f"{value!r} is no {kind.__name__}"
    return value


def mesh_of(mesh_object: bpy.types.Object) -> bpy.types.Mesh:
    """Return the mesh of a mesh object."""
    return expect(mesh_object.data, bpy.types.Mesh)


def shape_keys_of(mesh_object: bpy.types.Object) -> bpy.types.Key:
    """Return the shape keys of a mesh object that has some."""
    return present(mesh_of(mesh_object).shape_keys)


def armature_of(armature_object: bpy.types.Object) -> bpy.types.Armature:
    """Return the armature of an armature object."""
    return expect(armature_object.data, bpy.types.Armature)


def pose_bones(armature_object: bpy.types.Object) -> bpy.types.bpy_prop_collection[bpy.types.PoseBone]:
    """Return the pose bones of an armature object."""
    return present(armature_object.pose).bones


def window_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """Return the scene that the context's window shows."""
    return present(context.scene)


def set_choice(owner: bpy.types.bpy_struct, name: str, choice: str) -> None:
    """Set an enumeration whose items exist only at run time: render engines, colour transforms and looks."""
    setattr(owner, name, choice)


def set_input(node: bpy.types.Node, name: str, value: float | tuple[float, ...]) -> None:
    """Set the value that a shader node's input has while nothing is linked to it."""
    node.inputs[name].default_value = value  # type: ignore[attr-defined] # the classes of real sockets have it
