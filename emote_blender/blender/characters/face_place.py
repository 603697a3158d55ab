"""Where a character's face lies, and what its shape keys move there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ...retarget.face_axes import CENTRES_MM, FacePlace, centre_of, direction_into_head, fit_face_of_pairs, halves_of
from ...retarget.mapping import KEY, MappingRow
from ..head.shape_keys import key_points
from ..narrow import mesh_of, shape_keys_of
from .rig import whole_value

_FEWEST, _MOST = 6, 14  # shape keys that are read: of a large mesh each one takes 20 ms
_LARGE = 100_000  # vertices
_STILL = 1e-3  # of a shape key's greatest displacement: vertices that move less do not count
# In the order in which they are read: places all over the face, symmetric pairs first.
_READ = (
    "eyeBlinkLeft eyeBlinkRight mouthSmileLeft mouthSmileRight browOuterUpLeft browOuterUpRight viseme_aa jawOpen "
    "noseSneerLeft noseSneerRight mouthPucker viseme_ou browDownLeft browDownRight eyeWideLeft eyeWideRight "
    "mouthFunnel viseme_oh mouthFrownLeft mouthFrownRight cheekSquintLeft cheekSquintRight browInnerUp"
).split()


@dataclass(frozen=True, eq=False)
class Moved:
    """What a shape key moves of a mesh, in one space.

    Attributes:
        vertices: (N,) numbers of the vertices that it moves.
        points: (N, 3) where they are without it, float32.
        moves: (N, 3) what it adds to them when it is whole, float32.
    """

    vertices: np.ndarray
    points: np.ndarray
    moves: np.ndarray

    @property
    def reach(self) -> float:
        """The greatest distance that it moves a vertex."""
        return float(np.sqrt(np.einsum("vc,vc->v", self.moves, self.moves).max())) if len(self.moves) else 0.0


class KeyReader:
    """Displacements of shape keys in one space, each read once.

    Args:
        meshes: the mesh objects of a character, the face first.
        space: object in whose space the displacements are.
    """

    def __init__(self, meshes: Sequence[bpy.types.Object], space: bpy.types.Object) -> None:
        self._meshes = list(meshes)
        to_space = np.array(space.matrix_world.inverted_safe())
        self._places = [(to_space @ np.array(mesh.matrix_world)).astype(np.float32) for mesh in self._meshes]
        self._rests: dict[tuple[int, str], np.ndarray] = {}
        self._moved: dict[tuple[int, str], Moved] = {}

    def having(self, key_name: str) -> list[int]:
        """Indices of the meshes that have a shape key of this name."""
        blocks = [mesh_of(mesh).shape_keys for mesh in self._meshes]
        return [index for index, keys in enumerate(blocks) if keys is not None and key_name in keys.key_blocks]

    def moved(self, index: int, key_name: str) -> Moved:
        """What a shape key moves of a mesh."""
        if (index, key_name) not in self._moved:
            key = shape_keys_of(self._meshes[index]).key_blocks[key_name]
            rest = self._rest(index, key.relative_key)
            moves = key_points(key) - rest
            largest = max(float(moves.max(initial=0.0)), -float(moves.min(initial=0.0)))
            chosen = np.flatnonzero((np.abs(moves) > _STILL * largest).any(axis=1)) if largest > 0 else np.zeros(0, int)
            place = self._places[index]
            points = rest[chosen] @ place[:3, :3].T + place[:3, 3]
            self._moved[index, key_name] = Moved(chosen, points, whole_value(key) * moves[chosen] @ place[:3, :3].T)
        return self._moved[index, key_name]

    def points(self, index: int) -> np.ndarray:
        """(V, 3) vertices of a mesh at rest, float32."""
        keys = mesh_of(self._meshes[index]).shape_keys
        if keys is None:
            return np.zeros((0, 3), np.float32)
        place = self._places[index]
        return self._rest(index, keys.reference_key) @ place[:3, :3].T + place[:3, 3]

    def _rest(self, index: int, key: bpy.types.ShapeKey) -> np.ndarray:
        """(V, 3) points of the shape key that another one is relative to, in the mesh's own space."""
        if (index, key.name) not in self._rests:
            self._rests[index, key.name] = key_points(key)
        return self._rests[index, key.name]


def find_face(
    reader: KeyReader, rows: Iterable[MappingRow], joints: Mapping[str, np.ndarray], num_vertices: int
) -> FacePlace | None:
    """Where the face lies in the reader's space; None if its shape keys and joints do not say it.

    Args:
        reader: the character's shape keys.
        rows: which signal moves which shape key, most certain first.
        joints: (3,) places of joints by role, in the same space. They count if the shape keys are not enough.
        num_vertices: of the largest mesh.
    """
    keys: dict[str, str] = {}
    for row in rows:
        if row.channel == KEY and row.source in CENTRES_MM:
            keys.setdefault(row.source, row.target)
    centres: dict[str, np.ndarray] = {}
    pairs: dict[str, np.ndarray] = {}
    for source in _READ:
        if len(centres) + 2 * len(pairs) >= (_FEWEST if num_vertices > _LARGE else _MOST):
            break
        stem = source.removesuffix("Left").removesuffix("Right")
        if source not in keys or stem in pairs:
            continue
        parts = [reader.moved(index, keys[source]) for index in reader.having(keys[source])]
        points = np.concatenate([part.points for part in parts])
        moves = np.concatenate([part.moves for part in parts])
        if stem != source and keys.get(f"{stem}Left") == keys.get(f"{stem}Right"):
            halves = halves_of(points, moves)
            if halves is not None:
                pairs[stem] = halves
        else:
            centre = centre_of(points, moves)
            if centre is not None:
                centres[source] = centre
    found = [*centres.values(), *(half for pair in pairs.values() for half in pair)]
    behind = direction_into_head(reader.points(0), np.array(found)) if len(found) > 1 else None
    place = fit_face_of_pairs(centres, pairs, behind=behind)
    return place or fit_face_of_pairs(centres, pairs, joints, behind)
