"""The quad layout of the skin: its vertices and quads, without positions.

A grid of columns (around the head) and rows (neck to crown) has rectangular holes for eyes, mouth, nostrils and ears.
Each hole is filled with concentric loops. Each vertex has a key, by which other modules address and mirror it exactly:

    ("g", row, column)              column 0 front midline, COLUMNS back midline, negative the character's right
    ("eye" | "nos" | "ear", side, ring, index)      side +1 left, -1 right; rings count inwards
    ("mouth", ring, index)          index 0 lower midline, 11 left corner, 22 upper midline, 33 right corner
    ("cap" | "mouthcap", i, j), ("noscap" | "earcap", side, i, j)       grids that close a loop

The order of the vertices depends on the constants of this module only. Trained models and saved scenes refer to it, so
do not change it.
"""

import numpy as np

COLUMNS = 28
"""Columns of one half of the head."""
FIRST_ROW, JAW_ROW, MOUTH_ROWS, EYE_ROWS, TOP_ROW = 0, 13, (16, 22), (30, 36), 45
EYE_COLUMNS, MOUTH_COLUMN = (2, 10), 8
EAR_COLUMNS, EAR_ROWS = (15, 19), (21, 30)
NOSTRIL_COLUMNS, NOSTRIL_ROWS = (1, 3), (23, 25)
EYE_RINGS, MOUTH_RINGS, EAR_RINGS, NOSTRIL_RINGS = 8, 13, 9, 3
EYE_LOOP, MOUTH_LOOP = 28, 44
"""Vertices of one loop."""


def wrap_column(column):
    """The column wrapped to -COLUMNS + 1 .. COLUMNS."""
    column = (column + COLUMNS) % (2 * COLUMNS) - COLUMNS
    return COLUMNS if column == -COLUMNS else column


def mirror_key(key):
    """The key of the mirror image of a vertex."""
    kind = key[0]
    if kind == "g":
        return ("g", key[1], wrap_column(-key[2]))
    if kind == "mouth":
        return ("mouth", key[1], (MOUTH_LOOP - key[2]) % MOUTH_LOOP)
    if kind == "mouthcap":
        return ("mouthcap", 2 * MOUTH_COLUMN - key[1], key[2])
    if kind == "cap":
        return ("cap", COLUMNS // 2 - key[1], key[2])
    return (kind, -key[1], *key[2:])


def rectangle(columns, rows):
    """The grid keys around a block of cells, counter-clockwise as seen from outside, from the lower left corner."""
    (left, right), (bottom, top) = columns, rows
    corners = [(bottom, c) for c in range(left, right)] + [(r, right) for r in range(bottom, top)]
    corners += [(top, c) for c in range(right, left, -1)] + [(r, left) for r in range(top, bottom, -1)]
    return [("g", row, wrap_column(column)) for row, column in corners]


def grid_border(width, height):
    """The border vertices (i, j) of a grid of width x height cells, in the order of `rectangle`."""
    border = [(i, 0) for i in range(width)] + [(width, j) for j in range(height)]
    return border + [(i, height) for i in range(width, 0, -1)] + [(0, j) for j in range(height, 0, -1)]


def eye_border():
    """The keys round the left eye's hole: 4 lower middle, 11 outer corner, 18 upper middle, 25 inner corner."""
    return rectangle(EYE_COLUMNS, EYE_ROWS)


def ear_border():
    """The keys round the left ear's hole."""
    return rectangle(EAR_COLUMNS, EAR_ROWS)


def nostril_border():
    """The keys round the left nostril's hole."""
    return rectangle(NOSTRIL_COLUMNS, NOSTRIL_ROWS)


def mouth_border():
    """The keys round the mouth's hole, from the lower midline."""
    loop = rectangle((-MOUTH_COLUMN, MOUTH_COLUMN), MOUTH_ROWS)
    return loop[MOUTH_COLUMN:] + loop[:MOUTH_COLUMN]


class SkinTopology:
    """Vertices and quads of the skin.

    Attributes:
        keys: key of each vertex.
        index: vertex of each key.
        quads: (Q, 4) vertices, counter-clockwise seen from outside.
        tags: (Q,) the part of the layout that a quad belongs to: "grid", "cap", "mouth5", ...
        mirror: (V,) mirror image of each vertex.
    """

    def __init__(self):
        self.keys, self.index = [], {}
        self._quads, self._tags = [], []
        self._add_grid()
        self._add_crown()
        self._add_mouth()
        for side in (1, -1):
            self._add_eye_nostril_and_ear(side)
        self.quads, self.tags = np.array(self._quads), np.array(self._tags)
        self.mirror = np.array([self.index[mirror_key(key)] for key in self.keys])

    def _vertex(self, key):
        if key not in self.index:
            self.index[key] = len(self.keys)
            self.keys.append(key)
        return self.index[key]

    def _add_quad(self, keys, tag, flipped=False):
        quad = [self._vertex(key) for key in keys]
        self._quads.append(quad[::-1] if flipped else quad)
        self._tags.append(tag)

    def _add_rings(self, loop, name, count, side=None):
        """Add rings inwards from a loop of keys and return the innermost loop."""
        length = len(loop)
        for ring in range(1, count + 1):
            inner = [((name, ring, k) if side is None else (name, side, ring, k)) for k in range(length)]
            for k in range(length):
                after = (k + 1) % length
                self._add_quad((loop[k], loop[after], inner[after], inner[k]), f"{name}{ring}", side == -1)
            loop = inner
        return loop

    def _add_lid(self, loop, width, height, name, side=None):
        """Close a loop of 2 (width + height) keys, which starts at the lower left corner, with a grid."""
        grid = dict(zip(grid_border(width, height), loop))
        for i in range(width + 1):
            for j in range(height + 1):
                grid.setdefault((i, j), (name, i, j) if side is None else (name, side, i, j))
        for i in range(width):
            for j in range(height):
                corners = (grid[i, j], grid[i + 1, j], grid[i + 1, j + 1], grid[i, j + 1])
                self._add_quad(corners, name, side == -1)

    def _add_grid(self):
        holes = {(row, column) for row in range(*MOUTH_ROWS) for column in range(-MOUTH_COLUMN, MOUTH_COLUMN)}
        for columns, rows in ((EYE_COLUMNS, EYE_ROWS), (EAR_COLUMNS, EAR_ROWS), (NOSTRIL_COLUMNS, NOSTRIL_ROWS)):
            for row in range(*rows):
                holes |= {(row, column) for column in range(*columns)}
                holes |= {(row, -column - 1) for column in range(*columns)}
        for row in range(FIRST_ROW, TOP_ROW):
            for column in range(-COLUMNS, COLUMNS):
                if (row, column) not in holes:
                    after = wrap_column(column + 1)
                    before = wrap_column(column)
                    corners = [("g", row, before), ("g", row, after), ("g", row + 1, after), ("g", row + 1, before)]
                    self._add_quad(corners, "grid")

    def _add_crown(self):
        """Add a square grid on the crown: i along x from the character's right to left, j along z from the back."""
        quarter, cells = COLUMNS // 4, COLUMNS // 2
        grid = {}
        for i in range(cells + 1):
            for j in range(cells + 1):
                if i == 0:
                    grid[i, j] = ("g", TOP_ROW, wrap_column(-3 * quarter + j))
                elif i == cells:
                    grid[i, j] = ("g", TOP_ROW, wrap_column(3 * quarter - j))
                elif j == cells:
                    grid[i, j] = ("g", TOP_ROW, wrap_column(-quarter + i))
                elif j == 0:
                    grid[i, j] = ("g", TOP_ROW, wrap_column(-3 * quarter - i))
                else:
                    grid[i, j] = ("cap", i, j)
        for i in range(cells):
            for j in range(cells):
                self._add_quad((grid[i, j], grid[i, j + 1], grid[i + 1, j + 1], grid[i + 1, j]), "cap")

    def _add_mouth(self):
        inner = self._add_rings(mouth_border(), "mouth", MOUTH_RINGS)
        inner = inner[-MOUTH_COLUMN:] + inner[:-MOUTH_COLUMN]
        self._add_lid(inner, 2 * MOUTH_COLUMN, MOUTH_ROWS[1] - MOUTH_ROWS[0], "mouthcap")

    def _add_eye_nostril_and_ear(self, side):
        def on_side(keys):
            return keys if side == 1 else [mirror_key(key) for key in keys]

        self._add_rings(on_side(eye_border()), "eye", EYE_RINGS, side)
        loop = self._add_rings(on_side(nostril_border()), "nos", NOSTRIL_RINGS, side)
        self._add_lid(loop, 2, 2, "noscap", side)
        loop = self._add_rings(on_side(ear_border()), "ear", EAR_RINGS, side)
        self._add_lid(loop, 4, 9, "earcap", side)
