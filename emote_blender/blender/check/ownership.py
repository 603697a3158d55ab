"""Whose a head's data are: linked from another file, or shared with another head."""

from __future__ import annotations

import bpy

from ..head.rig import is_head
from ..narrow import mesh_of
from .problem import Fix, Problem, listed
from .subject import Subject


def shared_keys(subject: Subject) -> Problem | None:
    """Another head with the same shape keys, as a linked duplicate has."""
    sharing = _sharing(subject.head)
    if not sharing:
        return None
    others = listed(repr(item.name) for item in sharing)
    return Problem(
        "WARNING",
        f"the shape keys of {subject.head.name!r} are those of {others} too (a linked duplicate, made with Alt+D), so "
        "its takes move both faces: press Make Single User (Object > Relations > Make Single User > Object & Data)",
        "SHARED_KEYS",
    )


def _sharing(head: bpy.types.Object) -> list[bpy.types.Object]:
    """The other heads that have the mesh of a head."""
    mesh = mesh_of(head)
    if mesh.users < 2:
        return []
    return [item for item in bpy.data.objects if item.data == mesh and item != head and is_head(item)]


def _make_single_user(subject: Subject) -> None:
    """Give the meshes of a head that another one shares to this head alone, as copies."""
    for item in subject.rig.meshes:
        if mesh_of(item).users > 1:
            item.data = mesh_of(item).copy()


CHECKS = (shared_keys,)
FIXES = {
    "MAKE_ANIMATABLE": Fix(
        "Make Animatable",
        "Make the library overrides that a linked character needs to speak here",
        lambda subject: None,  # a linked head is no subject; see `find.apply_fix`
    ),
    "SHARED_KEYS": Fix(
        "Make Single User", "Copy the mesh with its shape keys, so that no other head shares them", _make_single_user
    ),
}
