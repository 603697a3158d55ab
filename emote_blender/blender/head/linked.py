"""Why a head that comes from another file cannot be animated as it is, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ..narrow import mesh_of

_MAKE = "press Make Animatable (emote.make_animatable): it makes the library overrides that takes need"


def linked_sentence(item: bpy.types.Object, library: bpy.types.Library) -> str:
    """Why an object with data from another file cannot be changed, and what to press."""
    return f"{item.name!r} is linked from {library.filepath} and cannot be changed here; {_MAKE}"


def why_not_editable(meshes: Sequence[bpy.types.Object], armature: bpy.types.Object | None) -> str:
    """Why a head's meshes, their shape keys or its armature cannot be keyed; empty if they can.

    Args:
        meshes: the mesh objects whose shape keys are animated, the head first.
        armature: the armature object that moves it, if there is one.
    """
    for data in (*meshes, *map(mesh_of, meshes), armature):
        if data is not None and (lost := _missing_library(data)):
            return (
                f"the file {lost} that {data.name!r} comes from is missing; put it back, or choose where it is now "
                "(Outliner > Blender File > the library > Relocate), and open this file again"
            )
    for item in meshes:
        mesh = mesh_of(item)
        if item.override_library is not None and item.library is None and mesh.library is not None:
            return (
                f"{item.name!r} has a library override, but its mesh {mesh.name!r}, which holds the shape keys, has "
                f"none; {_MAKE}"
            )
        for data in (item, mesh):
            if data.library is not None:
                return linked_sentence(item, data.library)
    if armature is not None and armature.library is not None:
        return linked_sentence(armature, armature.library)
    return ""


def missing_files() -> list[str]:
    """Paths of the libraries that this file links and that were not found."""
    return [library.filepath for library in bpy.data.libraries if library.is_missing]


def _missing_library(data: bpy.types.ID) -> str:
    """Path of the file that a data-block is linked from, or overrides, if Blender did not find it; else empty."""
    source = data if data.library is not None else data.override_library and data.override_library.reference
    if source is None or source.library is None or not source.is_missing:
        return ""
    return source.library.filepath
