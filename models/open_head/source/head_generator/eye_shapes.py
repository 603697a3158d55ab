"""Expression directions of the left eye: the lids rotate about the eyeball, and gaze rotates the eyeball itself."""

import numpy as np

from .brows_and_lashes import LASH_LOOP_INDEX
from .eyelids import LID_POSITION, LID_SIDE, closed_margin, lower_margin, upper_margin
from .face_coordinates import MM
from .interpolation import bell
from .surface import EYE_CENTRE

# how far each ring of a lid follows the margin
_POCKET = {8: 0.9, 7: 1.0, 6: 1.0, 5: 1.0}
CLOSING_UPPER = {**_POCKET, 4: 0.64, 3: 0.27, 2: 0.07, 1: 0.0}
CLOSING_LOWER = {**_POCKET, 4: 0.72, 3: 0.40, 2: 0.14, 1: 0.02}
OPENING_UPPER = {**_POCKET, 4: 0.92, 3: 0.72, 2: 0.30, 1: 0.08}
# the pocket follows less, so that a blink added to a lowered gaze does not push it through the lid
LOWERING_UPPER = {**CLOSING_UPPER, 8: 0.35, 7: 0.75}

LID_LIFT = 0.9 * MM / 40
"""Metres per degree by which a closing lid rises from the eyeball, so that it does not cut the eyeball half way."""


def _none(position):
    return 0 * position


def arch(position, power=0.8):
    """A function that is 0 at the corners of the eye and 1 in the middle of the lid."""
    return bell(position) ** power


def move_lids(face, upper, lower=_none, upper_follow=CLOSING_UPPER, towards_temple=0.0):
    """The displacement of the left lids and lashes.

    Args:
        face: FaceCoordinates.
        upper: degrees of elevation of the upper margin as a function of the position along the lid, 0 inner to 1 outer.
        lower: the same of the lower margin.
        upper_follow: {ring: share} for the upper lid.
        towards_temple: degrees of azimuth in the middle of the lids.
    """
    displacement = face.zeros()
    lids = np.where((face.eye_side > 0) & (face.eye_ring > 0))[0]
    position, side = LID_POSITION[face.eye_index[lids]], LID_SIDE[face.eye_index[lids]]
    upper_share = np.array([upper_follow[ring] for ring in face.eye_ring[lids]])
    lower_share = np.array([CLOSING_LOWER[ring] for ring in face.eye_ring[lids]])
    elevation = np.where(side > 0, upper(position) * upper_share, np.where(side < 0, lower(position) * lower_share, 0))
    share = np.where(side != 0, np.where(side > 0, upper_share, lower_share), 0.5)
    displacement[lids] = _turn(face.positions[lids], elevation, towards_temple * share * bell(position))
    lashes = face.mesh.ranges["lash_left"]
    position = LID_POSITION[LASH_LOOP_INDEX]
    displacement[lashes] = _turn(face.positions[lashes], upper(position), towards_temple * bell(position))
    return displacement


def _turn(points, elevation, azimuth):
    """(N, 3) displacement of points rotated about the left eye's centre by elevation and azimuth, degrees."""
    offset = points - EYE_CENTRE
    radius = np.linalg.norm(offset, axis=1)
    new_elevation = np.arcsin(np.clip(offset[:, 1] / radius, -1, 1)) + np.radians(elevation)
    new_azimuth = np.arctan2(offset[:, 0], offset[:, 2]) + np.radians(azimuth)
    radius = radius + LID_LIFT * np.abs(elevation)
    horizontal = np.cos(new_elevation)
    ray = np.stack([horizontal * np.sin(new_azimuth), np.sin(new_elevation), horizontal * np.cos(new_azimuth)], 1)
    return radius[:, None] * ray - offset


def turn_eye(face, yaw=0.0, pitch=0.0):
    """The displacement of the left eyeball turned to the character's left by yaw, up by pitch (degrees)."""
    displacement = face.zeros()
    eye = face.mesh.ranges["eye_left"]
    offset = face.positions[eye] - EYE_CENTRE
    yaw, pitch = np.radians(yaw), np.radians(-pitch)
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    displacement[eye] = offset @ (about_y @ about_x).T - offset
    return displacement


def eye_blink(face):
    """The eye closed: both margins meet on the closed line."""
    lids = move_lids(
        face,
        lambda t: closed_margin(t) - upper_margin(t) - 0.3,
        lambda t: closed_margin(t) - lower_margin(t) + 0.3,
    )
    brow = face.bump((0.036, 0.040, 0.070), (20 * MM, 6 * MM, 20 * MM)) * (face.eye_ring < 3)
    return lids + face.slide(face.along(brow, (0, -1.2, 0)))


def eye_look_down(face):
    """Gaze 24 degrees down."""
    lids = move_lids(face, lambda t: -14 * arch(t), lambda t: -6.5 * arch(t), LOWERING_UPPER)
    return turn_eye(face, pitch=-24) + lids


def eye_look_up(face):
    """Gaze 22 degrees up."""
    return turn_eye(face, pitch=22) + move_lids(face, lambda t: 9.5 * arch(t), lambda t: 3.5 * arch(t), OPENING_UPPER)


def eye_look_in(face):
    """Gaze 28 degrees towards the nose."""
    lids = move_lids(face, lambda t: 1.5 * arch(t) * (0.5 - t) * 2, towards_temple=-2.5)
    return turn_eye(face, yaw=-28) + lids


def eye_look_out(face):
    """Gaze 28 degrees towards the temple."""
    lids = move_lids(face, lambda t: 1.5 * arch(t) * (t - 0.5) * 2, towards_temple=2.5)
    return turn_eye(face, yaw=28) + lids


def eye_squint(face):
    """Lids narrowed; the cheek rises and the outer corner tightens."""
    lids = move_lids(face, lambda t: -6.5 * arch(t), lambda t: 8.5 * arch(t))
    outside_lids = face.eye_ring < 3
    below = face.bump((0.036, -0.001, 0.068), (17 * MM, 7 * MM, 18 * MM)) * outside_lids
    corner = face.bump((0.062, 0.017, 0.050), (7 * MM, 10 * MM, 12 * MM)) * outside_lids
    slid = face.slide(face.along(below, (0, 2.6, 0)) + face.along(corner, (-1.6, 0, 0)))
    return lids + slid + face.outwards(below * 0.9)


def eye_wide(face):
    """Lids wide open."""
    lids = move_lids(face, lambda t: 9.5 * arch(t), lambda t: -3.0 * arch(t), OPENING_UPPER)
    brow = face.bump((0.036, 0.046, 0.070), (18 * MM, 8 * MM, 20 * MM)) * (face.eye_ring < 3)
    return lids + face.slide(face.along(brow, (0, 1.5, 0)))


def cheek_squint(face):
    """The cheek pushed up under the eye."""
    cheek = face.bump((0.038, -0.004, 0.066), (17 * MM, 11 * MM, 18 * MM)) * np.where(face.eye_ring >= 3, 0.5, 1)
    lids = move_lids(face, lambda t: -1.5 * arch(t), lambda t: 5.5 * arch(t))
    return face.slide(face.along(cheek, (0.4, 4.6, 0))) + face.outwards(cheek * 1.8) + lids
