"""Skin and parts as one mesh with exact mirror symmetry."""

import numpy as np
from scipy.spatial import cKDTree

from .brows_and_lashes import left_brow, left_lashes
from .eyeball import left_eyeball
from .hair import hair
from .interpolation import MIRROR
from .part import Part
from .placement import place_skin
from .skin_colors import skin_colors, skin_materials
from .teeth import lower_teeth, upper_teeth
from .tongue import tongue
from .topology import SkinTopology


class HeadMesh:
    """The neutral head.

    Attributes:
        skin: SkinTopology; the skin's vertices come first.
        ranges: slice of the vertices of each part by name; the first is "skin".
        vertices: (V, 3) metres.
        quads: (Q, 4) vertices.
        faces: (2 Q, 3) triangles; 2 i and 2 i + 1 are those of quad i.
        materials: (Q,) index into MATERIAL_NAMES.
        colors: (V, 3) linear RGB.
        mirror: (V,) mirror image of each vertex.
    """

    def __init__(self):
        self.skin = SkinTopology()
        positions = place_skin(self.skin)
        skin_part = Part(positions, self.skin.quads, skin_materials(self.skin), skin_colors(self.skin, positions))
        parts = {"skin": skin_part, **_other_parts()}
        self.ranges, start = {}, 0
        for name, part in parts.items():
            self.ranges[name] = slice(start, start + len(part.vertices))
            start += len(part.vertices)
        vertices = np.concatenate([part.vertices for part in parts.values()])
        colors = np.concatenate([part.colors for part in parts.values()])
        self.quads = np.concatenate([part.quads + self.ranges[name].start for name, part in parts.items()])
        self.materials = np.concatenate([part.materials for part in parts.values()])
        self.mirror = self._opposite_vertices(vertices)
        self.vertices = 0.5 * (vertices + vertices[self.mirror] * MIRROR)
        self.colors = 0.5 * (colors + colors[self.mirror])
        self.faces = self._triangles()

    @property
    def num_vertices(self):
        """The number of vertices, V."""
        return len(self.vertices)

    def in_part(self, name):
        """(V,) bool: True at the vertices of a part."""
        mask = np.zeros(self.num_vertices, bool)
        mask[self.ranges[name]] = True
        return mask

    def _opposite_vertices(self, vertices):
        mirror = np.arange(len(vertices))
        mirror[self.ranges["skin"]] = self.skin.mirror
        for name, own in self.ranges.items():
            if name == "skin":
                continue
            other = self.ranges[opposite_name(name)]
            distance, nearest = cKDTree(vertices[other]).query(vertices[own] * MIRROR)
            assert distance.max() < 1e-4, f"{name} is not symmetric: {distance.max()} m"
            mirror[own] = other.start + nearest
        assert (mirror[mirror] == np.arange(len(mirror))).all()
        return mirror

    def _triangles(self):
        """(2 Q, 3) triangles: each quad is split along its shorter diagonal, which keeps the symmetry."""
        quads, corners = self.quads, self.vertices[self.quads]
        diagonals = [np.linalg.norm(corners[:, i] - corners[:, i + 2], axis=1) for i in (0, 1)]
        first_is_shorter = np.round(diagonals[0], 7) <= np.round(diagonals[1], 7)
        along_first = np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], 1)
        along_second = np.stack([quads[:, [1, 2, 3]], quads[:, [1, 3, 0]]], 1)
        return np.where(first_is_shorter[:, None, None], along_first, along_second).reshape(-1, 3)


def opposite_name(name):
    """The name with left and right exchanged: eye_left -> eye_right, mouthSmileLeft -> mouthSmileRight."""
    for left, right in (("left", "right"), ("Left", "Right")):
        if name.endswith(left):
            return name.removesuffix(left) + right
        if name.endswith(right):
            return name.removesuffix(right) + left
    return name


def _other_parts():
    eye, brow, lashes = left_eyeball(), left_brow(), left_lashes()
    return {
        "eye_left": eye,
        "eye_right": eye.mirrored(),
        "teeth_upper": upper_teeth(),
        "teeth_lower": lower_teeth(),
        "tongue": tongue(),
        "brow_left": brow,
        "brow_right": brow.mirrored(),
        "lash_left": lashes,
        "lash_right": lashes.mirrored(),
        "hair": hair(),
    }
