"""The 12 identity directions: smooth, symmetric fields whose coefficient 1 is a moderate change."""

import numpy as np

from .face_coordinates import MM
from .interpolation import gaussian, smooth_ramp
from .surface import EYE_CENTRE

IDENTITY_NAMES = (
    "faceWidth",
    "jawWidth",
    "chinLength",
    "noseLength",
    "noseWidth",
    "eyeSize",
    "browRidge",
    "cheekbones",
    "lipFullness",
    "headHeight",
    "earSize",
    "masculine",
)
EAR_CENTRE = np.array([0.0690, 0.0125, -0.001])
NECK_AXIS = np.array([0, 0, -0.036])
# ring about the mouth -> millimetres from the line of contact outwards, millimetres forwards
FULL_LIP_RINGS = {2: (0.4, 0.2), 3: (1.0, 0.7), 4: (1.5, 1.2), 5: (1.1, 1.9), 6: (0.4, 1.9), 7: (0.0, 1.0)}
MASCULINE_BLEND = {
    "jawWidth": 1.0,
    "browRidge": 0.9,
    "chinLength": 0.6,
    "lipFullness": -0.5,
    "eyeSize": -0.35,
    "noseLength": 0.5,
    "noseWidth": 0.4,
}


def identity_directions(face):
    """(V, 3, 12) displacements in metres, in the order of IDENTITY_NAMES.

    Args:
        face: FaceCoordinates of the neutral head.
    """
    fields = {
        "faceWidth": _face_width(face),
        "jawWidth": _jaw_width(face),
        "chinLength": _chin_length(face),
        "noseLength": face.along(_both(face, (0, -0.013, 0.098), (0.014, 0.014, 0.020)) * face.is_skin, (0, -2.2, 4.0)),
        "noseWidth": _nose_width(face),
        "eyeSize": _eye_size(face),
        "browRidge": _brow_ridge(face),
        "cheekbones": _cheekbones(face),
        "lipFullness": _lip_fullness(face),
        "headHeight": face.along(smooth_ramp(0.055, 0.14, face.positions[:, 1]), (0, 9.0, -1.0)),
        "earSize": _ear_size(face),
    }
    fields["masculine"] = sum(share * fields[name] for name, share in MASCULINE_BLEND.items()) + _thick_neck(face)
    symmetric = [0.5 * (fields[name] + face.mirrored(fields[name])) for name in IDENTITY_NAMES]
    return np.stack([face.carry_brows(field) for field in symmetric], -1)


def _both(face, centre, radii):
    """(V,) a Gaussian bump on both sides, or a single one on the midline."""
    weight = 0
    for side in (1, -1) if abs(centre[0]) > 1e-6 else (1,):
        offset = face.positions - np.array([side * centre[0], centre[1], centre[2]])
        weight = weight + np.exp(-0.5 * ((offset / np.array(radii)) ** 2).sum(1))
    return weight


def _sideways(face, weight, distance_mm):
    """(V, 3) displacement away from the midline."""
    return face.along(weight, (1, 0, 0)) * np.sign(face.positions[:, :1]) * distance_mm


def _face_width(face):
    """A wider face; it moves all parts, so that teeth, eyes and hair follow."""
    share = smooth_ramp(-0.13, -0.06, face.positions[:, 1])
    return (face.positions * np.array([1.0, 0, 0])) * (0.055 * share)[:, None]


def _jaw_width(face):
    x, y, z = face.positions.T
    weight = gaussian(y + 0.055, 0.022) * smooth_ramp(-0.05, 0.01, z) * face.is_skin
    return _sideways(face, weight * smooth_ramp(0.02, 0.05, np.abs(x)), 5.0)


def _chin_length(face):
    _, y, z = face.positions.T
    weight = gaussian(np.minimum(y + 0.090, 0), 0.02) * smooth_ramp(-0.052, -0.078, y)
    return face.along(weight * smooth_ramp(-0.03, 0.05, z) * face.is_skin, (0, -5.0, 1.0))


def _nose_width(face):
    return _sideways(face, _both(face, (0.013, -0.013, 0.086), (0.008, 0.010, 0.014)) * face.is_skin, 2.6)


def _eye_size(face):
    """Eyeballs, lids and lashes scaled about the eyes' centres."""
    displacement = face.zeros()
    for side in (1, -1):
        offset = face.positions - EYE_CENTRE * [side, 1, 1]
        share = 1 - smooth_ramp(0.0225, 0.042, np.linalg.norm(offset, axis=1))
        displacement += offset * (0.075 * share)[:, None]
    displacement[face.mesh.ranges["hair"]] = 0
    return displacement


def _brow_ridge(face):
    weight = _both(face, (0.026, 0.045, 0.080), (0.024, 0.007, 0.030)) * (face.eye_ring < 4) * face.is_skin
    return face.outwards(weight * 2.4) + face.along(weight, (0, -0.8, 0))


def _cheekbones(face):
    weight = _both(face, (0.044, -0.006, 0.058), (0.014, 0.010, 0.022))
    return face.outwards(weight * face.is_skin * (face.eye_ring < 3) * 3.6)


def _lip_fullness(face):
    displacement = face.zeros()
    fade = 1 - np.abs(np.clip(face.lip_position, -1, 1)) ** 2.4
    for ring, (height_mm, depth_mm) in FULL_LIP_RINGS.items():
        lip = face.mouth_ring == ring
        displacement[lip, 1] = face.lip_side[lip] * height_mm * fade[lip] * MM
        displacement[lip, 2] = depth_mm * fade[lip] * MM
    return displacement


def _ear_size(face):
    displacement = face.zeros()
    for vertex, key in enumerate(face.mesh.skin.keys):
        if key[0] in ("ear", "earcap"):
            ring = key[2] if key[0] == "ear" else 9
            side = 1 if face.positions[vertex, 0] > 0 else -1
            offset = face.positions[vertex] - EAR_CENTRE * [side, 1, 1]
            displacement[vertex] = offset * (0.13 * np.clip(ring / 3, 0, 1))
    return displacement


def _thick_neck(face):
    _, y, z = face.positions.T
    weight = gaussian(y + 0.118, 0.028) * face.is_skin * smooth_ramp(0.030, 0.005, z + 0.35 * (y + 0.1))
    return (face.positions - NECK_AXIS) * np.array([1, 0, 1]) * (0.07 * weight)[:, None]
