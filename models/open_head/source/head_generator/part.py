"""A part of the head that is not skin, and the lattices that parts are made of."""

from dataclasses import dataclass

import numpy as np

from .interpolation import MIRROR
from .topology import grid_border

MATERIAL_NAMES = (
    "skin",
    "lips",
    "mouth",
    "sclera",
    "iris",
    "pupil",
    "teeth",
    "gums",
    "tongue",
    "brow",
    "lash",
    "hair",
)
MATERIAL = {name: index for index, name in enumerate(MATERIAL_NAMES)}


@dataclass(frozen=True)
class Part:
    """One separate piece of mesh.

    Attributes:
        vertices: (V, 3) metres.
        quads: (Q, 4) counter-clockwise seen from outside.
        materials: (Q,) index into MATERIAL_NAMES.
        colors: (V, 3) linear RGB.
    """

    vertices: np.ndarray
    quads: np.ndarray
    materials: np.ndarray
    colors: np.ndarray

    def mirrored(self):
        """The part of the other side; vertices keep their order, quads keep facing outwards."""
        return Part(self.vertices * MIRROR, self.quads[:, ::-1], self.materials, self.colors)


def plain_part(vertices, quads, material, color):
    """A part of one material and one colour."""
    quads = np.array(quads)
    materials = np.full(len(quads), MATERIAL[material])
    return Part(vertices, quads, materials, np.tile(color, (len(vertices), 1)))


def lattice(rows, columns, closed=False):
    """The quads of a rows x columns grid of vertices in row order; `closed` joins the last and the first column."""
    quads = []
    for row in range(rows - 1):
        for column in range(columns if closed else columns - 1):
            after = (column + 1) % columns
            here, above = row * columns, (row + 1) * columns
            quads.append((here + column, here + after, above + after, above + column))
    return quads


def facing_back(quads):
    """The quads of a lattice with the opposite winding."""
    return [(b, a, d, c) for a, b, c, d in quads]


def disc_grid(loop, first_new, cells):
    """A grid that fills a loop of 4 * cells vertices.

    Args:
        loop: vertices of the loop.
        first_new: number of the first new vertex.
        cells: cells along a side of the grid.

    Returns:
        The quads, and (N, 2) positions of the new vertices in the square from -1 to 1.
    """
    grid = dict(zip(grid_border(cells, cells), loop))
    places = []
    for j in range(1, cells):
        for i in range(1, cells):
            grid[i, j] = first_new + len(places)
            places.append((i / cells * 2 - 1, j / cells * 2 - 1))
    quads = [
        (grid[i, j], grid[i + 1, j], grid[i + 1, j + 1], grid[i, j + 1]) for i in range(cells) for j in range(cells)
    ]
    return quads, np.array(places)


def square_to_disc(places):
    """(N, 2) points of the unit disc for points of the square from -1 to 1, by the elliptical grid mapping."""
    u, v = places[:, 0], places[:, 1]
    return np.stack([u * np.sqrt(1 - v * v / 2), v * np.sqrt(1 - u * u / 2)], 1)
