"""Positions of the skin's vertices: pins, a harmonic fill smoothed on the sculpt, then lids, lips, nostrils, ears."""

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg as sparse_linalg

from .ear import ear_points
from .eyelids import eyelid_rings
from .interpolation import MIRROR, lerp
from .mouth import UPPER_MIDLINE_INDEX, mouth_back, mouth_rings
from .pins import all_pins
from .surface import normals, project
from .topology import (
    COLUMNS,
    ear_border,
    eye_border,
    mirror_key,
    mouth_border,
    nostril_border,
)

FREE_PASSES, SETTLING_PASSES = 50, 45
NOSTRIL_CENTRE = ("g", 24, 2)
"""A pin inside the nostril's hole, where the grid has no vertex."""
NOSTRIL_DIRECTION = np.array([-0.05, 0.8, -0.35])
NOSTRIL_RINGS = {1: (0.72, 0.0001), 2: (0.58, 0.0026), 3: (0.52, 0.0058)}
"""Ring -> size relative to the hole, depth in metres."""
WING_CREASE_DEPTH = {24: 0.0007, 25: 0.0011, 26: 0.0011, 27: 0.0007}
WING_CREASE_COLUMNS = {4: -1.0, 3: 0.35, 5: -0.25}


class Places:
    """The positions of the skin's vertices that are known so far, always together with their mirror images."""

    def __init__(self, skin):
        self.skin = skin
        self.positions = np.zeros((len(skin.keys), 3))
        self.known = np.zeros(len(skin.keys), bool)

    def put(self, key, position):
        """Set the position of a vertex and of its mirror image."""
        for each, point in ((key, position), (mirror_key(key), position * MIRROR)):
            vertex = self.skin.index[each]
            self.positions[vertex] = point
            self.known[vertex] = True

    def at(self, keys):
        """(N, 3) positions of keys."""
        return np.array([self.positions[self.skin.index[key]] for key in keys])

    def symmetrise(self, chosen=slice(None)):
        """Make the chosen vertices exact mirror images of each other."""
        mirrored = 0.5 * (self.positions + self.positions[self.skin.mirror] * MIRROR)
        self.positions[chosen] = mirrored[chosen]


def place_skin(skin):
    """(V, 3) positions of the skin's vertices, exactly symmetric.

    Args:
        skin: the SkinTopology.
    """
    places = Places(skin)
    pins = all_pins()
    nostril_centre = pins.pop(NOSTRIL_CENTRE)
    for key, point in pins.items():
        point = np.array(point, float)
        if key[0] == "g" and key[2] in (0, COLUMNS):
            point[0] = 0
        places.put(key, point)
    _fill_grid(places)
    _crease_wings(places)
    for ring, points in eyelid_rings(places.at(eye_border())).items():
        for k, point in enumerate(points):
            places.put(("eye", 1, ring, k), point)
    _put_mouth(places)
    _put_nostril(places, nostril_centre)
    for key, point in ear_points(places.at(ear_border())).items():
        places.put(key, point)
    places.symmetrise()
    return places.positions


def adjacency(num_vertices, quads):
    """The (V, V) sparse adjacency matrix of a quad mesh and each vertex's number of neighbours."""
    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    edges = np.unique(np.sort(edges, 1), axis=0)
    ends = (np.r_[edges[:, 0], edges[:, 1]], np.r_[edges[:, 1], edges[:, 0]])
    matrix = sparse.coo_matrix((np.ones(2 * len(edges)), ends), (num_vertices, num_vertices)).tocsr()
    return matrix, np.asarray(matrix.sum(1)).ravel()


def _harmonic_fill(matrix, degree, fixed, positions):
    """(V, 3) positions with each free vertex at the mean of its neighbours."""
    free = np.where(~fixed)[0]
    laplacian = sparse.diags(degree) - matrix
    pull = -(laplacian[free][:, fixed] @ positions[fixed])
    filled = positions.copy()
    filled[free] = sparse_linalg.splu(laplacian[free][:, free].tocsc()).solve(pull)
    return filled


def _fill_grid(places):
    """Fill the grid between the pins and smooth it on the sculpt; later passes smooth most pins too."""
    skin = places.skin
    in_grid = np.array([key[0] in ("g", "cap") for key in skin.keys])
    vertices = np.where(in_grid)[0]
    compact = -np.ones(len(skin.keys), int)
    compact[vertices] = np.arange(len(vertices))
    quads = compact[skin.quads[np.all(in_grid[skin.quads], 1)]]
    matrix, degree = adjacency(len(vertices), quads)
    pinned = places.known[vertices]
    positions = _harmonic_fill(matrix, degree, pinned, places.positions[vertices])
    firm_keys = _firm_keys()
    firm = np.array([skin.keys[vertex] in firm_keys for vertex in vertices])
    bust = np.array([skin.keys[vertex][0] == "g" and skin.keys[vertex][1] <= 1 for vertex in vertices])
    for smoothing_pass in range(FREE_PASSES + SETTLING_PASSES):
        mean = (matrix @ positions) / degree[:, None]
        if smoothing_pass < FREE_PASSES:
            positions[~pinned] = lerp(positions[~pinned], mean[~pinned], 0.6)
        else:
            positions[~firm] = lerp(positions[~firm], mean[~firm], 0.45)
        positions[~bust] = project(positions[~bust], steps=2)
    positions[~bust] = project(positions[~bust], steps=5)
    places.positions[vertices] = positions
    places.symmetrise(in_grid)


def _firm_keys():
    """The pins that are never smoothed: the bust's edge, the nose, the borders of mouth and ears."""
    firm = {("g", row, column) for row in range(4) for column in range(-COLUMNS + 1, COLUMNS + 1)}
    firm |= {("g", row, column) for row in range(23, 28) for column in range(-4, 5)}
    firm |= set(mouth_border())
    for key in ear_border():
        firm |= {key, mirror_key(key)}
    return firm


def _crease_wings(places):
    """Add the crease behind the wings of the nose."""
    skin, positions = places.skin, places.positions
    for row, depth in WING_CREASE_DEPTH.items():
        for column, share in WING_CREASE_COLUMNS.items():
            for side in (1, -1):
                vertex = skin.index["g", row, side * column]
                positions[vertex] = positions[vertex] + normals(positions[vertex : vertex + 1])[0] * depth * share
    places.symmetrise(np.array([key[0] in ("g", "cap") for key in skin.keys]))


def _put_mouth(places):
    for ring, points in mouth_rings(places.at(mouth_border())).items():
        for k in range(UPPER_MIDLINE_INDEX + 1):
            point = points[k].copy()
            if k in (0, UPPER_MIDLINE_INDEX):
                point[0] = 0
            places.put(("mouth", ring, k), point)
    for i in range(1, 16):
        for j in range(1, 6):
            places.put(("mouthcap", i, j), mouth_back(i, j))


def _put_nostril(places, centre):
    border = places.at(nostril_border())
    inwards = NOSTRIL_DIRECTION / np.linalg.norm(NOSTRIL_DIRECTION)
    for ring, (scale, depth) in NOSTRIL_RINGS.items():
        for k in range(len(border)):
            roundness = 0.82 if k % 2 == 0 else 1.04
            point = centre + (border[k] - centre) * scale * roundness
            if ring == 1:
                point = project(point[None])[0]
            places.put(("nos", 1, ring, k), point + inwards * depth)
    places.put(("noscap", 1, 1, 1), centre + inwards * 0.0075)
