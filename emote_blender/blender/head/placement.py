"""Where a new head goes: a name, a collection, and a place that is free."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...errors import InputError
from ..narrow import present, window_scene

_GAP = 0.15  # of the new head's width, between it and what it stands beside
_ENVIRONMENT = 10  # times the head's size: a ground, a room or a sky of this size is no obstacle
_SOLID = {"MESH", "CURVE", "CURVES", "SURFACE", "META", "FONT", "VOLUME", "POINTCLOUD", "GREASEPENCIL"}


@dataclass(frozen=True, eq=False)
class Box:
    """A box along the scene's axes.

    Attributes:
        low: (3,) least coordinates, metres.
        high: (3,) greatest coordinates, metres.
    """

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def around(cls, points: np.ndarray) -> Box:
        """The least box that holds (N, 3) points."""
        return cls(points.min(axis=0), points.max(axis=0))

    def moved(self, offset: np.ndarray) -> Box:
        """This box at another place."""
        return Box(self.low + offset, self.high + offset)

    def meets(self, other: Box) -> bool:
        """Whether two boxes have space in common."""
        return bool((self.low < other.high).all() and (other.low < self.high).all())


def free_name(name: str, suffix: str) -> str:
    """The first of `Head`, `Head 2`, `Head 3`, ... that no object has, neither alone nor with the suffix."""
    number, candidate = 1, name
    while any(text in bpy.data.objects for text in (candidate, candidate + suffix)):
        number += 1
        candidate = f"{name} {number}"
    return candidate


def collection_for(context: bpy.types.Context) -> bpy.types.Collection:
    """The active collection if objects may be put into it, else the scene's own.

    Raises:
        InputError: if the scene itself is linked from another file.
    """
    scene = window_scene(context)
    active = present(context.collection)
    if active == scene.collection or _takes_objects(active):
        if scene.library is None:
            return active
    elif scene.library is None:
        return scene.collection
    raise InputError(f"scene {scene.name!r} is linked from another file; add the head to a scene of this file")


def _takes_objects(collection: bpy.types.Collection) -> bool:
    return collection.library is None and collection.override_library is None


def box_of(objects: Iterable[bpy.types.Object]) -> Box | None:
    """The box around some objects in the scene; None if they have no extent."""
    corners = [_corners(item) for item in objects if item.type in _SOLID]
    return Box.around(np.concatenate(corners)) if corners else None


def place_beside(context: bpy.types.Context, head: Box, anchor: Vector) -> Vector:
    """A location for a new head: the anchor, or the nearest free place to the right of what is there.

    Right is the scene's +x: it is on the right in Blender's front view, in which a new head faces the viewer.

    Args:
        context: objects that its view layer hides are not in the way.
        head: box of the head with its origin at zero.
        anchor: where the head's origin should be.
    """
    view_layer = present(context.view_layer)
    view_layer.update()  # objects that a script has just added or moved have old matrices
    others = [Box.around(_corners(item)) for item in view_layer.objects if item.type in _SOLID and item.visible_get()]
    size = head.high - head.low
    others = [other for other in others if (other.high - other.low).max() < _ENVIRONMENT * size.max()]
    gap = _GAP * float(size[0])
    place = np.array(anchor, dtype=float)
    while True:
        in_the_way = [other for other in others if head.moved(place).meets(other)]
        if not in_the_way:
            return Vector(place.tolist())
        # Each step passes at least one box for good, so that this ends.
        place[0] = max(float(other.high[0]) for other in in_the_way) + gap - float(head.low[0])


def _corners(item: bpy.types.Object) -> np.ndarray:
    """(8, 3) corners of an object's bounding box in the scene."""
    matrix: Matrix = item.matrix_world
    return np.array([matrix @ Vector(corner) for corner in item.bound_box])
