"""Remove what was made by work that fails half-way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import bpy


@contextmanager
def nothing_left_on_failure() -> Iterator[None]:
    """Remove the objects, meshes, armatures and materials that the body made if it raises an error."""
    collections: tuple[Iterable[bpy.types.ID], ...] = (
        bpy.data.objects,
        bpy.data.meshes,
        bpy.data.armatures,
        bpy.data.materials,
    )
    before = [set(collection) for collection in collections]
    try:
        yield
    except BaseException:
        bpy.data.batch_remove(
            [item for collection, kept in zip(collections, before, strict=True) for item in set(collection) - kept]
        )
        raise
