"""Expression directions that belong to the jaw joint: jawForward, mouthClose and the tongue."""

import numpy as np

from emote_blender.flame.skinning import joint_transforms
from emote_blender.motion_tools.rotation import axis_angle_to_matrix

from .face_coordinates import MM, NO_RING
from .mouth import LIP_POSITION, LIP_SIDE, UPPER_MIDLINE_INDEX
from .rig import JAW, JOINT_NAMES, PARENTS
from .topology import MOUTH_LOOP, mouth_border

MOUTH_CLOSE_ANGLE = 0.25
"""Jaw opening, radians, at which mouthClose = 1 closes the lips exactly."""
CLOSING_FOLLOW = {0: 0.10, 1: 0.30, 2: 0.62, 3: 0.85, 4: 0.95, 5: 1, 6: 1, 7: 1, 8: 1, 9: 0.6, 10: 0.15}
"""How far each ring about the mouth follows the line of contact."""


def jaw_forward(face):
    """Lower jaw pushed forwards."""
    return face.along(face.rig.weights[:, JAW], (0, -0.4, 6.5))


def mouth_close(face):
    """The lips meet exactly along their line of contact while the jaw is open by MOUTH_CLOSE_ANGLE.

    The displacement is solved for through the skinning: a displacement d before skinning becomes R d after it.
    """
    transforms = _open_jaw_transforms(face)
    rotations = transforms[:, :, :3]
    opened = np.einsum("vab,vb->va", rotations, face.positions) + transforms[:, :, 3]
    shift = _closing_shift(face, opened)
    displacement = face.zeros()
    index = face.mesh.skin.index
    rings = {ring: [index["mouth", ring, k] for k in range(MOUTH_LOOP)] for ring in CLOSING_FOLLOW if ring}
    rings[0] = [index[key] for key in mouth_border()]
    for ring, vertices in rings.items():
        smooth = shift.copy()
        for _ in range(max(0, 4 - ring) * 2):
            smooth = 0.5 * smooth + 0.25 * (np.roll(smooth, 1, 0) + np.roll(smooth, -1, 0))
        displacement[vertices] = smooth * CLOSING_FOLLOW[ring]
    offset = (face.positions - (0, -0.076, 0.080)) / (0.022, 0.007, 0.02)
    chin = np.exp(-0.5 * (offset**2).sum(1)) * face.is_skin * (face.mouth_ring == NO_RING)
    displacement[:, 1] += np.where(displacement[:, 1] == 0, chin * 1.0 * MM, 0)
    return np.einsum("vab,vb->va", np.linalg.inv(rotations), displacement)


def _open_jaw_transforms(face):
    """(V, 3, 4) skinning transform of each vertex with the jaw open by MOUTH_CLOSE_ANGLE."""
    pose = np.zeros((1, len(JOINT_NAMES), 3))
    pose[0, JAW, 0] = MOUTH_CLOSE_ANGLE
    joints = joint_transforms(axis_angle_to_matrix(pose), face.rig.joints[None], PARENTS)[0]
    return np.einsum("vj,jab->vab", face.rig.weights, joints)


def _closing_shift(face, opened):
    """(MOUTH_LOOP, 3) shift from the opened line of contact to where the lips meet, nearer to the upper lip."""
    contact = [face.mesh.skin.index["mouth", 7, k] for k in range(MOUTH_LOOP)]
    shift = np.zeros((MOUTH_LOOP, 3))
    for k in range(MOUTH_LOOP):
        if LIP_SIDE[k] == 0:
            continue
        across = (UPPER_MIDLINE_INDEX - k) % MOUTH_LOOP
        upper, lower = (contact[k], contact[across]) if LIP_SIDE[k] > 0 else (contact[across], contact[k])
        meeting = 0.66 * opened[upper] + 0.34 * opened[lower]
        bow = 0.0010 * (1 - abs(LIP_POSITION[k]) ** 2)
        meeting[2] = 0.93 * opened[upper][2] + 0.07 * opened[lower][2] + bow
        rest = face.positions[upper] - face.positions[lower]  # keep the contact of the neutral face
        shift[k] = meeting + 0.5 * LIP_SIDE[k] * rest - opened[contact[k]]
    return shift


def tongue_out(face):
    """Tongue put out; the jaw must be opened separately."""
    displacement = face.zeros()
    tongue = face.mesh.ranges["tongue"]
    t = np.clip((face.positions[tongue, 2] - 0.016) / 0.050, 0, 1)
    displacement[tongue, 0] = -0.34 * face.positions[tongue, 0] * t
    displacement[tongue, 2] = 34 * MM * t**1.3
    displacement[tongue, 1] = (4.5 * np.sin(np.pi * t) - 2.0 * t**3) * MM + 3.2 * MM * t
    return displacement


def tongue_up(face):
    """Tip of the tongue at the upper teeth, as in L."""
    displacement = face.zeros()
    tongue = face.mesh.ranges["tongue"]
    t = np.clip((face.positions[tongue, 2] - 0.030) / 0.036, 0, 1)
    displacement[tongue, 1] = 11.0 * MM * t**1.6
    displacement[tongue, 2] = 1.5 * MM * t**2
    return displacement
