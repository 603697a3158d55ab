"""Expression directions of lips and cheeks; those with a side are defined for the left."""

import numpy as np

from .brow_shapes import nasolabial_fold
from .eye_shapes import arch, move_lids
from .face_coordinates import MM
from .interpolation import gaussian, smooth_ramp

# ring about the mouth -> millimetres towards the line of contact, millimetres forwards
ROLL_RINGS = {
    1: (0.6, -0.3),
    2: (1.6, -0.9),
    3: (3.0, -1.7),
    4: (4.6, -3.0),
    5: (3.6, -5.2),
    6: (1.6, -6.2),
    7: (-0.3, -6.0),
    8: (-0.8, -3.4),
    9: (-0.6, -0.6),
}
LOWER_ROLL, UPPER_ROLL = (1.0, 0.54, 0.54), (0.72, 0.36, 0.18)
"""Fractions of ROLL_RINGS in height, in depth, and in depth behind the lips, where the teeth are."""
PRESS_RINGS = {
    1: (0.3, 0),
    2: (0.9, -0.1),
    3: (1.9, -0.3),
    4: (2.9, -0.9),
    5: (2.0, -1.9),
    6: (0.7, -2.2),
    7: (0.0, -2.0),
    8: (0, -1.0),
}
INNER_LIP_RINGS = (5, 6, 7, 8)


def mouth_smile(face):
    """Corner drawn up and out, with a full cheek and a deep fold beside the nose."""
    corner = face.near_corner(13.5)
    cheek = face.bump((0.041, -0.014, 0.062), (14 * MM, 13 * MM, 18 * MM))
    left = face.left_half()
    lips = face.near_lips(6 * MM) * left
    drawn = face.along(corner, (10.0, 10.8, 0)) + face.along(cheek, (1.0, 4.5, 0))
    drawn = drawn + face.along(lips * (1 - face.upper_share) * (1 - corner), (0, -0.4, 0))
    fold = face.bump((0.030, -0.030, 0.072), (5 * MM, 9 * MM, 12 * MM))
    displacement = face.slide(drawn) + face.outwards(cheek * 3.4 - fold * 0.8 - corner * 0.8)
    displacement = displacement + nasolabial_fold(face, 2.8, 2.2)
    thinned = lips * (np.abs(face.mouth_x) < 1.3) * np.isin(face.mouth_ring, (4, 5, 6))
    displacement = displacement + face.along(thinned * gaussian(face.mouth_x - 0.2, 0.55), (0, 0, -0.9))
    return displacement + move_lids(face, lambda t: -0.8 * arch(t), lambda t: 2.5 * arch(t))


def mouth_frown(face):
    """Corner drawn down."""
    corner = face.near_corner(11.5)
    lips = face.near_lips(8 * MM) * face.left_half() * gaussian(face.mouth_x - 0.55, 0.35)
    chin = face.bump((0.014, -0.066, 0.076), (11 * MM, 8 * MM, 14 * MM))
    drawn = face.along(corner, (1.5, -8.0, 0)) + face.along(lips, (0, -1.6, 0)) + face.along(chin, (0, 1.2, 0))
    return face.slide(drawn) + face.outwards(chin * 1.2 - corner * 0.5)


def mouth_dimple(face):
    """Corner drawn back and in."""
    drawn = face.slide(face.along(face.near_corner(14), (6.0, 1.4, 0)))
    return drawn + face.outwards(-3.4 * face.near_corner(8.5))


def mouth_stretch(face):
    """Corner drawn straight out, with a tense neck."""
    corner = face.near_corner(14.0, 1.4)
    lower_lip = face.near_lips(10 * MM) * (1 - face.upper_share) * face.left_half() * gaussian(face.mouth_x - 0.7, 0.4)
    neck = face.bump((0.030, -0.085, 0.035), (18 * MM, 16 * MM, 22 * MM))
    drawn = face.along(corner, (9.0, -2.2, 0)) + face.along(lower_lip, (0, -0.5, 0)) + face.along(neck, (1.2, -2.0, 0))
    return face.slide(drawn) + face.outwards(-0.8 * corner)


def mouth_left(face):
    """The whole mouth moved to the character's left."""
    moved = face.slide(face.along(face.near_lips(17 * MM), (12.0, 0, 0)))
    return moved + face.slide(face.along(face.near_corner(12), (0, 1.6, 0)))


def _purse(face, narrowing, forward_mm, reach):
    """Lips drawn towards the middle and pushed forwards."""
    weight = face.near_lips(reach)
    x = face.positions[:, 0]
    displacement = face.zeros()
    displacement[:, 0] = -x * narrowing * weight
    displacement = face.slide(displacement, 0.75)
    pushed = weight * gaussian(x, 0.026) * (0.35 + 0.65 * gaussian(face.lip_distance, 0.6 * reach))
    displacement[:, 2] += forward_mm * MM * pushed
    return displacement


def mouth_pucker(face):
    """Lips drawn together and forwards, as for a kiss."""
    displacement = _purse(face, 0.42, 8.5, 14 * MM)
    lips = np.isin(face.mouth_ring, (3, 4, 5, 6)) * gaussian(face.mouth_x, 0.7)
    fullness = np.where(face.mouth_ring == 4, 1.2, 0.6)
    displacement[:, 1] += np.where(face.lip_side > 0, 1, -1) * lips * fullness * MM
    radii = (10 * MM, 14 * MM, 16 * MM)
    hollow = face.bump((0.040, -0.040, 0.055), radii) + face.bump((-0.040, -0.040, 0.055), radii)
    return displacement - face.outwards(hollow * 1.3)


def mouth_funnel(face):
    """Lips parted, rounded and pushed forwards."""
    displacement = _purse(face, 0.27, 6.5, 14 * MM)
    upper = face.upper_share > 0.5
    parted = gaussian(face.mouth_x, np.where(upper, 0.58, 0.75)) * face.near_lips(11 * MM)
    displacement[:, 1] += np.where(upper, 4.6, -5.4) * np.abs(2 * face.upper_share - 1) * parted * MM
    flared = np.isin(face.mouth_ring, (5, 6, 7)) * gaussian(face.mouth_x, 0.6)
    displacement[:, 2] += flared * 1.4 * MM
    return displacement


def _roll(face, side, shares):
    """A lip rolled inwards over the teeth; side +1 upper, -1 lower."""
    height_share, depth_share, hidden_share = shares
    displacement = face.zeros()
    fade = 1 - np.abs(np.clip(face.lip_position, -1, 1)) ** 3
    for ring, (height_mm, depth_mm) in ROLL_RINGS.items():
        lip = (face.mouth_ring == ring) & (face.lip_side == side)
        displacement[lip, 1] = -side * height_share * height_mm * MM * fade[lip]
        share = depth_share if ring < 8 else hidden_share
        displacement[lip, 2] = share * depth_mm * MM * fade[lip]
    own_side = face.upper_share if side > 0 else 1 - face.upper_share
    around = face.near_lips(7 * MM) * own_side * gaussian(face.mouth_x, 0.8) * (face.mouth_ring <= 0) * face.is_skin
    displacement[:, 1] -= side * around * 2.2 * MM
    return displacement


def mouth_roll_lower(face):
    """Lower lip rolled in."""
    return _roll(face, -1, LOWER_ROLL)


def mouth_roll_upper(face):
    """Upper lip rolled in."""
    return _roll(face, 1, UPPER_ROLL)


def mouth_shrug_lower(face):
    """Chin and lower lip pushed up, the upper lip carried along."""
    middle = gaussian(face.mouth_x, 0.75)
    chin = face.bump((0, -0.068, 0.080), (17 * MM, 11 * MM, 16 * MM))
    lower = face.near_lips(10 * MM) * (1 - face.upper_share) * middle
    upper = face.near_lips(5.5 * MM) * face.upper_share * middle
    displacement = face.slide(face.along(chin, (0, 5.0, 0)) + face.along(lower, (0, 4.0, 0)), 0.8)
    displacement = displacement + face.along(upper, (0, 3.9, 0.8)) + face.along(lower, (0, 0, 2.8))
    return displacement + face.outwards(chin * 1.8)


def mouth_shrug_upper(face):
    """Upper lip pushed up and out, the lower lip carried along."""
    middle = gaussian(face.mouth_x, 0.7)
    upper = face.near_lips(9 * MM) * face.upper_share * middle
    lower = face.near_lips(4 * MM) * (1 - face.upper_share) * middle
    return face.along(upper, (0, 4.2, 3.2)) + face.along(lower, (0, 3.6, 1.6))


def mouth_press(face):
    """Lips pressed together on the left."""
    share = face.left_half(0.5) * gaussian((np.abs(face.mouth_x) - 0.3).clip(0), 0.6)
    displacement = face.zeros()
    for ring, (height_mm, depth_mm) in PRESS_RINGS.items():
        lip = face.mouth_ring == ring
        displacement[lip, 1] = -face.lip_side[lip] * height_mm * MM * share[lip]
        displacement[lip, 2] = depth_mm * MM * share[lip]
    corner = face.near_corner(9)
    return displacement + face.slide(face.along(corner, (1.2, 0.6, 0))) - face.outwards(corner * 1.2)


def _half_of_lip(face, corner_share):
    """(V,) field that is 1 on the left half of the mouth and falls by `corner_share` towards the corner."""
    return face.left_half() * (1 - smooth_ramp(0.55, 1.0, np.abs(face.mouth_x)) * corner_share)


def mouth_lower_down(face):
    """Lower lip drawn down: the lower teeth show."""
    share = _half_of_lip(face, 0.85)
    lip = face.near_lips(12 * MM) * (1 - face.upper_share) * share
    inner = np.isin(face.mouth_ring, INNER_LIP_RINGS) * (face.lip_side < 0) * share
    return face.slide(face.along(lip, (0.6, -8.0, 0)), 0.7) + face.along(inner, (0, 0, 0.8))


def mouth_upper_up(face):
    """Upper lip drawn up: the upper teeth show."""
    share = _half_of_lip(face, 0.8)
    lip = face.near_lips(10.5 * MM) * face.upper_share * share
    cheek = face.bump((0.026, -0.020, 0.075), (9 * MM, 9 * MM, 12 * MM))
    wing = face.bump((0.0150, -0.014, 0.083), (5 * MM, 5 * MM, 8 * MM))
    drawn = face.along(lip, (0.4, 7.0, 0)) + face.along(cheek, (0.5, 2.6, 0)) + face.along(wing, (0.5, 1.2, 0))
    inner = np.isin(face.mouth_ring, INNER_LIP_RINGS) * (face.lip_side > 0) * share
    displacement = face.slide(drawn, 0.8) + face.along(inner, (0, 0, 0.7)) + face.outwards(cheek * 0.8)
    return displacement + nasolabial_fold(face, 1.7, 1.5)


def cheek_puff(face):
    """Cheeks and lips blown up."""
    displacement = face.zeros()
    outside_lips = face.mouth_ring < 5
    for side in (1, -1):
        cheek = face.bump((side * 0.043, -0.040, 0.050), (16 * MM, 18 * MM, 20 * MM))
        above = face.bump((side * 0.016, -0.030, 0.082), (12 * MM, 6 * MM, 12 * MM)) * (face.upper_share > 0.5)
        displacement = displacement + face.outwards(cheek * 9.5) + face.outwards(above * 2.0 * outside_lips)
    below = face.bump((0, -0.060, 0.080), (20 * MM, 7 * MM, 12 * MM)) * (face.upper_share < 0.5)
    displacement = displacement + face.outwards(below * 1.6 * outside_lips)
    displacement[:, 0] += -face.positions[:, 0] * 0.10 * face.near_lips(9 * MM)
    return displacement
