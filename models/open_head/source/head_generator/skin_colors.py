"""The materials of the skin's quads and the colours of its vertices."""

import numpy as np

from .part import MATERIAL

SKIN_COLOR = np.array([0.83, 0.575, 0.445])
LIP_COLOR, INNER_LIP_COLOR = np.array([0.66, 0.30, 0.275]), np.array([0.64, 0.27, 0.26])
INNER_LIP_SHADES = (1.0, 0.95, 0.85, 0.65, 0.45)
"""For mouth rings 9 to 13."""
MOUTH_BACK_COLOR, LID_EDGE_COLOR, NOSTRIL_COLOR = (0.20, 0.07, 0.07), (0.66, 0.40, 0.36), (0.32, 0.14, 0.12)
# centre and radii in metres (both sides), colour, strength
TINTS = (
    ((0.040, -0.012, 0.060), (0.016, 0.012, 0.03), (0.80, 0.42, 0.36), 0.45),  # cheeks
    ((0, -0.012, 0.104), (0.010, 0.008, 0.012), (0.80, 0.44, 0.37), 0.40),  # tip of the nose
    ((0.072, 0.0125, -0.006), (0.020, 0.030, 0.016), (0.80, 0.44, 0.37), 0.45),  # ears
    ((0, -0.083, 0.076), (0.014, 0.010, 0.02), (0.80, 0.46, 0.38), 0.25),  # chin
    ((0.0348, 0.034, 0.066), (0.016, 0.007, 0.02), (0.66, 0.42, 0.36), 0.38),  # upper lids
)


def skin_materials(skin):
    """(Q,) material of each quad of the skin."""
    materials = np.full(len(skin.quads), MATERIAL["skin"])
    for quad, tag in enumerate(skin.tags):
        if tag in ("mouth5", "mouth6", "mouth7", "mouth8"):
            materials[quad] = MATERIAL["lips"]
        elif tag.startswith("mouth"):
            inside = tag == "mouthcap" or int(tag.removeprefix("mouth")) > 8
            materials[quad] = MATERIAL["mouth"] if inside else MATERIAL["skin"]
    return materials


def skin_colors(skin, positions):
    """(V, 3) linear RGB of the skin's vertices."""
    colors = np.tile(SKIN_COLOR, (len(positions), 1))
    mirrored = np.abs(positions[:, :1]), positions[:, 1:]
    for centre, radii, tint, strength in TINTS:
        offset = np.concatenate(mirrored, 1) - centre
        squared = sum(offset[:, axis] ** 2 / radii[axis] ** 2 for axis in range(3))
        share = (strength * np.exp(-0.5 * squared))[:, None]
        colors = colors * (1 - share) + np.array(tint) * share
    for vertex, key in enumerate(skin.keys):
        painted = _painted(key, colors[vertex])
        if painted is not None:
            colors[vertex] = painted
    return colors


def _painted(key, color):
    """The colour of a vertex of lips, mouth, lid edges or nostrils; None for other skin."""
    kind = key[0]
    if kind == "mouth":
        return _mouth_color(key[1], color)
    if kind == "mouthcap":
        return MOUTH_BACK_COLOR
    if kind == "eye" and key[2] >= 5:
        return LID_EDGE_COLOR
    if kind == "noscap" or (kind == "nos" and key[2] >= 2):
        return NOSTRIL_COLOR
    return None


def _mouth_color(ring, color):
    if ring < 4:
        return None
    if ring == 4:
        return 0.35 * color + 0.65 * LIP_COLOR
    if ring <= 8:
        return LIP_COLOR * (0.92 if ring >= 7 else 1)
    return INNER_LIP_COLOR * INNER_LIP_SHADES[ring - 9]
