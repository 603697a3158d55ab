"""Upper and lower teeth: one strip per arch with grooves between the teeth, and gums."""

import numpy as np

from .part import MATERIAL, Part, lattice

GUM_COLOR, TOOTH_COLOR = (0.62, 0.28, 0.27), (0.90, 0.88, 0.83)

# height above the biting edge (1 is the gum line), metres outwards, material
PROFILE = [
    (1.50, -0.0048, "gums"),
    (1.22, -0.0010, "gums"),
    (0.98, 0.0006, "gums"),
    (0.93, 0.0004, "teeth"),
    (0.60, 0.0012, "teeth"),
    (0.22, 0.0008, "teeth"),
    (0.03, 0.0000, "teeth"),
    (0.0, -0.0012, "teeth"),
    (0.20, -0.0030, "teeth"),
    (0.80, -0.0052, "teeth"),
    (1.4, -0.0062, "gums"),
]
GUM_LINE_ROW = 2
# position of each column within a tooth (0 to 1), and depth of the groove there (0 to 1)
TOOTH_COLUMNS = ((0, 1), (0.22, 0.25), (0.5, 0.0), (0.78, 0.25))

UPPER_WIDTHS, LOWER_WIDTHS = (8.4, 6.6, 7.2, 6.6, 6.6), (5.6, 6.0, 6.8, 6.6, 7.0)
UPPER_LENGTHS, LOWER_LENGTHS = (9.8, 8.8, 9.6, 8.2, 7.2), (7.6, 7.8, 8.8, 7.8, 7.0)
UPPER_TIPS, LOWER_TIPS = (0, 0.5, 0.0, 0.7, 1.1), (0, 0.1, -0.2, 0.4, 0.7)
"""Millimetres, from the midline outwards; a tip is the distance of a tooth's edge from the biting line."""


def upper_teeth():
    """The upper arch as a part."""
    columns = _columns(UPPER_WIDTHS)
    part = _arch_part(columns, (0.0272, 0.041, 0.0824), -0.0462, 1.0, UPPER_LENGTHS, UPPER_TIPS)
    return Part(part.vertices, part.quads[:, ::-1], part.materials, part.colors)


def lower_teeth():
    """The lower arch as a part."""
    columns = _columns(LOWER_WIDTHS)
    return _arch_part(columns, (0.0254, 0.0390, 0.0800), -0.0452, -1.0, LOWER_LENGTHS, LOWER_TIPS)


def _columns(widths):
    """Signed arc length, groove depth (0 to 1) and tooth number of each column, from right to left."""
    edges = np.r_[0, np.cumsum(widths)] / 1000
    arc_length, groove, tooth = [], [], []
    for i in range(len(widths)):
        for share, depth in TOOTH_COLUMNS:
            arc_length.append(edges[i] + share * (edges[i + 1] - edges[i]))
            groove.append(depth)
            tooth.append(i)
    arc_length.append(edges[-1])
    groove.append(1)
    tooth.append(len(widths) - 1)
    arc_length, groove, tooth = np.array(arc_length), np.array(groove), np.array(tooth)
    return np.r_[-arc_length[:0:-1], arc_length], np.r_[groove[:0:-1], groove], np.r_[tooth[:0:-1], tooth]


def _arch(arc_length, half_width, depth, front):
    """Points (x, z) of the elliptical arch at signed arc lengths, and its outward normals (x, z)."""
    angle = np.linspace(0, np.pi / 2 * 0.98, 400)
    x, z = half_width * np.sin(angle), front - depth * (1 - np.cos(angle))
    length = np.r_[0, np.cumsum(np.hypot(np.diff(x), np.diff(z)))]
    t, side = np.interp(np.abs(arc_length), length, angle), np.sign(arc_length)
    point_x, point_z = side * half_width * np.sin(t), front - depth * (1 - np.cos(t))
    normal_x, normal_z = side * depth * np.sin(t), half_width * np.cos(t)
    norm = np.hypot(normal_x, normal_z)
    return point_x, point_z, normal_x / norm, normal_z / norm


def _arch_part(columns, arch, edge_height, up, lengths, tips):
    """One arch as a part; `up` is +1 if the gums are above the teeth, -1 if below."""
    arc_length, groove, tooth = columns
    point_x, point_z, normal_x, normal_z = _arch(arc_length, *arch)
    length = np.array(lengths)[tooth] / 1000
    tip = np.array(tips)[tooth] / 1000 + 0.0007 * groove
    rows = []
    for height, offset, _ in PROFILE:
        gum_dip = 0.0010 * groove * (height > 0.9) * (height < 1.3)  # the gum line dips between the teeth
        y = edge_height + up * (tip * (1 - np.clip(height, 0, 1)) + height * length - gum_dip)
        on_tooth = 0.02 < height < 0.97
        outwards = offset - (0.0009 * groove if on_tooth else 0.0002 * groove)
        outwards = outwards + (0.0004 * (1 - groove) if height > 0.97 and offset > 0 else 0)
        rows.append(np.stack([point_x + normal_x * outwards, y, point_z + normal_z * outwards], 1))
    num_columns = len(arc_length)
    names = [name for _, _, name in PROFILE]
    materials, colors = [], np.tile(TOOTH_COLOR, (len(PROFILE) * num_columns, 1))
    for row in range(len(PROFILE) - 1):
        in_gums = (names[row], names[row + 1]) == ("gums", "gums") or row == GUM_LINE_ROW
        materials += [MATERIAL["gums" if in_gums else "teeth"]] * (num_columns - 1)
    for row, name in enumerate(names):
        if name == "gums":
            colors[row * num_columns : (row + 1) * num_columns] = GUM_COLOR
    quads = np.array(lattice(len(PROFILE), num_columns))
    return Part(np.concatenate(rows), quads, np.array(materials), colors)
