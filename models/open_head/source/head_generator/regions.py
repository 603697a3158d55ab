"""Named regions of vertices: each part, and areas of the skin."""

import numpy as np


def vertex_regions(mesh, face):
    """{name: (V,) bool} regions of a HeadMesh with its FaceCoordinates, sorted by name."""
    regions = {name: mesh.in_part(name) for name in mesh.ranges}
    regions |= _mouth_regions(face) | _midline_regions(mesh, face)
    for side, name in ((1, "left"), (-1, "right")):
        regions |= _side_regions(mesh, face, side, name)
    return {name: regions[name] for name in sorted(regions)}


def _mouth_regions(face):
    lips = (face.mouth_ring >= 4) & (face.mouth_ring <= 8)
    return {
        "lips": lips,
        "lips_upper": lips & (face.lip_side >= 0),
        "lips_lower": lips & (face.lip_side <= 0),
        "mouth_area": (face.mouth_ring >= 0) & (face.mouth_ring <= 8),
        "mouth_inside": face.mouth_ring >= 9,
    }


def _side_regions(mesh, face, side, name):
    x, y, z = face.positions.T
    x = x * side
    brow_area = (x > 0.004) & (x < 0.062) & (y > 0.040) & (y < 0.060) & (z > 0.02) & (face.eye_ring < 3)
    cheek = (x > 0.018) & (y < 0.0) & (y > -0.055) & (z > 0.02) & (face.mouth_ring < 2) & (face.eye_ring < 2)
    return {
        f"lids_{name}": (face.eye_ring >= 3) & (face.eye_side == side),
        f"eye_area_{name}": (face.eye_ring >= 1) & (face.eye_side == side),
        f"brow_area_{name}": face.is_skin & brow_area,
        f"cheek_{name}": face.is_skin & cheek,
        f"ear_{name}": _skin_keys(mesh, lambda key: key[0] in ("ear", "earcap") and key[1] == side),
    }


def _midline_regions(mesh, face):
    _, y, z = face.positions.T

    def on_nose(key):
        if key[0] in ("nos", "noscap"):
            return True
        return key[0] == "g" and 22 < key[1] < 33 and abs(key[2]) <= (4 if key[1] < 29 else 2)

    return {
        "nose": _skin_keys(mesh, on_nose),
        "forehead": face.is_skin & (y > 0.055) & (y < 0.095) & (z > 0.02),
        "chin": face.is_skin & (y < -0.066) & (z > 0.045) & (face.row > 10),
        "neck": (face.row >= 0) & (face.row <= 10),
    }


def _skin_keys(mesh, chosen):
    mask = np.zeros(mesh.num_vertices, bool)
    mask[: len(mesh.skin.keys)] = [chosen(key) for key in mesh.skin.keys]
    return mask
