"""What refinement needs to know of a head, found from its geometry alone: vertices, joints and the jaw's weights.

No names, masks or landmarks are needed, so it works for the open head, for FLAME of any version and for FLAME heads of
other add-ons. Components without names are principal components, each of which moves the whole face: a region's part
of them is a projection through the vertices. A component with a name is a whole expression: it is scaled as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..motion_tools.refine import LipMaps, RefinementMaps
from .model import FaceModel

_EYE_DISTANCE = 0.066  # metres between the eyes' joints of a head of usual size
_NOSE_BASE = 0.33  # height of the nose's base, as a part of the way from the lips to the eyes
_NOSE_BASE_OVER_NECK = 0.67  # the same on the way from the neck's joint to the eyes, where no lips are found
_BORDER_MM = 8.0  # over which the upper face becomes the lower one, and left becomes right
_RIDGE = 1e-6  # of the mean squared size of a component; against components that move nothing, or the same
_LIP_RIDGE = 1e-3
_CONTACT_MM = 4.0  # lips of a closed mouth are no further apart
_JAW_STEP = 0.3  # by which the jaw's weight is greater on the lower lip than on the upper one
_LIP_MM = 6.0  # from the line of contact at which a lip's weight has fallen to a half
_SMALLEST_SHARE = 0.2  # of the largest: named components that add less to a movement of the lips are left out
_POINTS_PER_LIP = 4
_MOST_SWEEPS, _SETTLED = 100, 1e-3


def maps_of_model(model: FaceModel) -> RefinementMaps:
    """The maps of a head folder's expression components."""
    return refinement_maps(
        model.v_template,
        model.expression_dirs,
        model.lbs_weights[:, model.joint_names.index("jaw")],
        dict(zip(model.joint_names, model.joints(), strict=True)),
        named=model.expression_names is not None,
    )


def refinement_maps(
    vertices: np.ndarray,
    directions: np.ndarray,
    jaw_weights: np.ndarray,
    joints: Mapping[str, np.ndarray],
    named: bool,
) -> RefinementMaps:
    """The maps of a head's expression components.

    Args:
        vertices: (V, 3) neutral face, in the face model's axes (x to the character's left, y up, z forward), any unit.
        directions: (V, 3, E) displacement by each component at 1.
        jaw_weights: (V,) skinning weight of the jaw.
        joints: (3,) rest position by name; neck, jaw and both eyes are used.
        named: whether each component is an expression of its own.
    """
    vertices = np.asarray(vertices, np.float32)
    millimetre = millimetre_of(vertices, joints)
    contact = lip_contact(vertices, jaw_weights, joints, millimetre)
    upper = _smooth_step(vertices[:, 1] - _nose_base(vertices, joints, contact), _BORDER_MM * millimetre)
    left = 2.0 * _smooth_step(vertices[:, 0] - np.median(vertices[:, 0]), _BORDER_MM * millimetre) - 1.0
    basis = np.ascontiguousarray(directions, np.float32).reshape(len(vertices) * 3, -1)
    gram = _products(basis, basis)
    maps = [_projection(basis, np.repeat(weights, 3), gram, named) for weights in (upper, left)]
    lips = None if contact is None else _lips(vertices, basis, jaw_weights, joints, contact, millimetre, gram, named)
    return RefinementMaps(maps[0], maps[1], lips)


def _projection(basis: np.ndarray, weights: np.ndarray, gram: np.ndarray, named: bool) -> np.ndarray:
    """The (E, E) or, for named components, diagonal (E,) map nearest to a weighting of the vertices (least squares).

    Args:
        basis: (3 V, E) displacements.
        weights: (3 V,) weight of each coordinate.
        gram: (E, E) products of the components.
        named: whether components are scaled as they are.
    """
    size = np.diagonal(gram)
    if named:
        return (np.einsum("ve,ve,v->e", basis, basis, weights) / np.maximum(size, np.finfo(np.float32).tiny)).astype(
            np.float32
        )
    weighted = _products(basis, weights[:, None].astype(np.float32) * basis)
    return np.linalg.solve(_with_ridge(gram, _RIDGE), weighted.astype(np.float64)).astype(np.float32)


def _products(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(E, E) one.T @ other; fast also where numpy has no BLAS, as in official builds of Blender."""
    return np.einsum("ve,vf->ef", one, other)


def _with_ridge(gram: np.ndarray, part: float) -> np.ndarray:
    ridge = part * max(float(np.diagonal(gram).mean()), float(np.finfo(np.float32).tiny))
    return gram.astype(np.float64) + ridge * np.eye(len(gram))


def millimetre_of(vertices: np.ndarray, joints: Mapping[str, np.ndarray]) -> float:
    """A millimetre of a head of usual size, in the head's unit."""
    if {"left_eye", "right_eye"} <= set(joints):
        distance = float(np.linalg.norm(np.asarray(joints["left_eye"]) - joints["right_eye"]))
        if distance > 0:
            return distance / _EYE_DISTANCE * 1e-3
    return float(np.ptp(vertices[:, 0])) / 0.17 * 1e-3  # FLAME's head is 0.17 m wide


def _nose_base(vertices: np.ndarray, joints: Mapping[str, np.ndarray], contact: np.ndarray | None) -> float:
    """Height at which the lower face ends."""
    if {"left_eye", "right_eye"} <= set(joints):
        eyes = (joints["left_eye"][1] + joints["right_eye"][1]) / 2
    else:
        eyes = float(vertices[:, 1].min() + 0.66 * np.ptp(vertices[:, 1]))
    if contact is not None:
        lips = float(contact[:, 1].mean())
        return float(lips + _NOSE_BASE * (eyes - lips))
    neck = joints["neck"][1] if "neck" in joints else vertices[:, 1].min()
    return float(neck + _NOSE_BASE_OVER_NECK * (eyes - neck))


def lip_contact(
    vertices: np.ndarray, jaw_weights: np.ndarray, joints: Mapping[str, np.ndarray], millimetre: float
) -> np.ndarray | None:
    """(P, 3) points between the lips of the closed mouth, or None if the face has no mouth that the jaw opens.

    Where lips meet, the jaw's weight jumps from the upper lip to the lower one. It does so between the teeth too, but
    the lips lie in front.
    """
    jaw = np.asarray(joints["jaw"])
    centre = float(np.median(vertices[:, 0]))
    near = (vertices[:, 2] > jaw[2] + 30 * millimetre) & (np.abs(vertices[:, 0] - centre) < 30 * millimetre)
    if {"left_eye", "right_eye"} <= set(joints):
        near &= vertices[:, 1] < min(joints["left_eye"][1], joints["right_eye"][1]) - 20 * millimetre
    upper, lower = np.flatnonzero(near & (jaw_weights < 0.5)), np.flatnonzero(near & (jaw_weights >= 0.5))
    distance = ((vertices[upper][:, None] - vertices[lower]) ** 2).sum(-1)
    step = jaw_weights[lower] - jaw_weights[upper][:, None]
    above, below = np.nonzero((distance < (_CONTACT_MM * millimetre) ** 2) & (step > _JAW_STEP))
    points = (vertices[upper[above]] + vertices[lower[below]]) / 2
    if not len(points):
        return None
    band = np.round(np.abs(points[:, 0] - centre) / (4 * millimetre)).astype(int)
    front = np.full(band.max() + 1, -np.inf)
    np.maximum.at(front, band, points[:, 2])
    points = points[
        (points[:, 2] > front[band] - 3 * millimetre) & (points[:, 2] > points[:, 2].max() - 18 * millimetre)
    ]
    return points if (np.abs(points[:, 0] - centre) < 2 * millimetre).any() else None


def _lips(
    vertices: np.ndarray,
    basis: np.ndarray,
    jaw_weights: np.ndarray,
    joints: Mapping[str, np.ndarray],
    contact: np.ndarray,
    millimetre: float,
    gram: np.ndarray,
    named: bool,
) -> LipMaps | None:
    """The lips around their line of contact; None if no component moves them."""
    distance = np.full(len(vertices), np.inf)
    reach = 2 * _LIP_MM * millimetre
    box = ((vertices > contact.min(0) - reach) & (vertices < contact.max(0) + reach)).all(1)
    distance[box] = np.sqrt(((vertices[box][:, None] - contact) ** 2).sum(-1).min(1))
    weights = 1.0 - _smooth_step(distance - reach / 2, reach)
    is_lower = jaw_weights >= 0.5

    centre = contact[np.abs(contact[:, 0] - np.median(vertices[:, 0])) < 2 * millimetre].mean(0)
    from_centre = np.linalg.norm((vertices - centre) * [3.0, 1.0, 1.0], axis=1)  # the midline first
    order = np.argsort(from_centre)
    lip_points = [order[side[order]][:_POINTS_PER_LIP] for side in (~is_lower, is_lower)]
    points = np.concatenate(lip_points)
    displacements = basis.reshape(len(vertices), 3, -1)[points]  # (P, 3, E)

    system = _with_ridge(gram, _LIP_RIDGE)
    sideways, vertical = np.abs(displacements[:, :2]).max(0)
    upright = vertical >= sideways  # mouthLeft with as much mouthRight would do, but nobody poses a mouth so

    def move(upper: float, lower: float) -> np.ndarray | None:
        """The coefficients that move the lips up by these shares of a millimetre, or None if none do."""
        field = np.zeros(vertices.shape, np.float32)
        field[:, 1] = weights * np.where(is_lower, lower, upper) * millimetre
        wanted = np.einsum("ve,v->e", basis, field.ravel()).astype(np.float64)
        coefficients = _positive_solution(system, wanted, upright) if named else np.linalg.solve(system, wanted)
        height = (displacements[:, 1] @ coefficients) / millimetre
        moved = height[_POINTS_PER_LIP:].mean() * np.sign(lower) + height[:_POINTS_PER_LIP].mean() * np.sign(upper)
        return (coefficients / moved).astype(np.float32) if moved > 0.05 else None

    closing, opening, lower_up, lower_down = move(-0.5, 0.5), move(0.5, -0.5), move(0.0, 1.0), move(0.0, -1.0)
    if closing is None or opening is None or lower_up is None or lower_down is None:
        return None
    return LipMaps(
        vertices[points],
        _POINTS_PER_LIP,
        np.ascontiguousarray(displacements, np.float32),
        np.asarray(jaw_weights, np.float32)[points],
        np.asarray(joints["jaw"], np.float32),
        closing,
        opening,
        lower_up,
        lower_down,
        millimetre,
    )


def _positive_solution(system: np.ndarray, wanted: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """The least-squares solution without negative coefficients and without many small ones.

    A named component below 0 is no expression. Coordinate descent; the problem has one minimum.

    Args:
        system: (E, E) products of the components.
        wanted: (E,) products of the components with the target.
        allowed: (E,) bool, the components that may be used.
    """
    solution = np.zeros(len(wanted))
    allowed = allowed & (wanted > 0)  # any other component leads away from the target by itself
    for _ in range(2):  # the second time with the few components that matter
        chosen = np.flatnonzero(allowed)
        part, part_wanted = system[np.ix_(chosen, chosen)], wanted[chosen]
        values = np.zeros(len(chosen))
        for _ in range(_MOST_SWEEPS):
            before = values.copy()
            for index in range(len(chosen)):
                residual = part_wanted[index] - part[index] @ values
                values[index] = max(0.0, values[index] + residual / part[index, index])
            if np.abs(values - before).max(initial=0.0) <= _SETTLED * values.max(initial=0.0):
                break
        solution[:] = 0.0
        solution[chosen] = values
        allowed = solution > _SMALLEST_SHARE * solution.max()
        if not allowed.any():
            break
    return solution


def _smooth_step(distance: np.ndarray, width: float) -> np.ndarray:
    """Smooth weights from 0 to 1 over `width`, a half at distance 0."""
    part = np.clip(distance / width + 0.5, 0.0, 1.0)
    return part * part * (3.0 - 2.0 * part)
