"""The opening between the lids of a face mesh, found from its geometry alone.

A point around an eye is described as the eyeball's centre sees it: `across`, the sine of its direction along the line
through the corners of the eye; `angle`, its turn about that line, 0 at the corners and positive upwards; and `radius`,
its distance. A lid that turns about the line through the corners changes its angle only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_NUM_COLUMNS = 381
_WIDEST = 0.95  # |across| of the outermost column
# Radii of the eyeball within which skin counts as lid: the first that closes a ring about an opening. Further skin,
# such as the bridge of the nose, may hide a corner from the eyeball's centre.
_REACHES = (1.15, 1.2, 1.25, 1.3, 1.4, 1.5, 1.6)
_FRONT = np.radians(100)  # |angle| of the skin that is looked at
_STEEPEST = np.radians(60)  # |angle| of an opening's bounds
_LEAST_WIDTH = 0.3  # of `across`: a shorter hole is no eye


@dataclass(frozen=True, eq=False)
class EyeFrame:
    """Coordinates about an eyeball.

    Attributes:
        centre: (3,) centre of the sphere that fits the eyeball, metres.
        radius: its radius, metres.
        axes: (3, 3) columns: along the corners towards the character's left, up, and to the front.
    """

    centre: np.ndarray
    radius: float
    axes: np.ndarray

    def coordinates(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(...) across, (...) angle in radians and (...) radius in metres of (..., 3) points."""
        local = (points - self.centre) @ self.axes
        radius = np.maximum(np.linalg.norm(local, axis=-1), 1e-12)
        return local[..., 0] / radius, np.arctan2(local[..., 1], local[..., 2]), radius

    def points(self, across: np.ndarray, angle: np.ndarray, radius: np.ndarray) -> np.ndarray:
        """(..., 3) points of these coordinates, metres."""
        return self.centre + radius[..., None] * self.directions(across, angle)

    def directions(self, across: np.ndarray, angle: np.ndarray) -> np.ndarray:
        """(..., 3) unit vectors from the centre."""
        beside = np.sqrt(np.maximum(1 - across**2, 0))
        return np.stack([across, beside * np.sin(angle), beside * np.cos(angle)], axis=-1) @ self.axes.T


@dataclass(frozen=True, eq=False)
class EyeOpening:
    """An eye's opening, bounded by the margins of its lids.

    Attributes:
        frame: the coordinates that the others are in.
        across: (K,) columns from corner to corner, ascending.
        upper: (K,) angle of the upper margin, radians; equal to `lower` in the first and last column.
        lower: (K,) angle of the lower margin, radians.
        upper_radius: (K,) distance of the upper margin from the eyeball's centre, metres.
        lower_radius: (K,) the same of the lower margin.
    """

    frame: EyeFrame
    across: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    upper_radius: np.ndarray
    lower_radius: np.ndarray

    @property
    def height(self) -> float:
        """The opening's greatest height along the eyeball, metres."""
        return float((self.upper - self.lower).max()) * self.frame.radius


def find_opening(vertices: np.ndarray, faces: np.ndarray, eyeball: np.ndarray) -> EyeOpening | None:
    """The opening in front of an eyeball, or None if the skin is closed there.

    Args:
        vertices: (V, 3) metres, y up, the face towards +z.
        faces: (F, 3) triangles of the skin, without eyeballs, lashes and brows.
        eyeball: (V,) bool.
    """
    centre, radius = fit_sphere(vertices[eyeball])
    faces = faces[(np.linalg.norm(vertices - centre, axis=1) < _REACHES[-1] * radius)[faces].all(axis=1)]
    for reach in _REACHES:
        # First along the face's axes, then along the line through the corners that were found.
        opening = _opening_in(EyeFrame(centre, radius, np.eye(3)), vertices, faces, reach)
        if opening is not None:
            frame = EyeFrame(centre, radius, _axes_through_corners(opening))
            opening = _opening_in(frame, vertices, faces, reach)
        if opening is not None:
            return opening
    return None


def fit_sphere(points: np.ndarray) -> tuple[np.ndarray, float]:
    """The (3,) centre and the radius of the sphere nearest (N, 3) points, in least squares of the squared distance."""
    middle = points.mean(axis=0)
    local = np.asarray(points - middle, np.float64)
    equations = np.concatenate([2 * local, np.ones((len(local), 1))], axis=1)
    solution = np.linalg.lstsq(equations, (local**2).sum(axis=1), rcond=None)[0]
    return middle + solution[:3], float(np.sqrt(solution[3] + solution[:3] @ solution[:3]))


def _opening_in(frame: EyeFrame, vertices: np.ndarray, faces: np.ndarray, reach: float) -> EyeOpening | None:
    """The opening among the skin within `reach` radii of the eyeball, along the axes of a frame."""
    across, angle, radius = frame.coordinates(vertices)
    near = (radius < reach * frame.radius) & (np.abs(angle) < _FRONT) & (np.abs(across) < 0.98)
    faces = faces[near[faces].all(axis=1)]
    if not len(faces):
        return None
    edges = np.unique(np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1), axis=0)
    columns = np.linspace(-_WIDEST, _WIDEST, _NUM_COLUMNS)
    start, step = across[edges[:, 0]], across[edges[:, 1]] - across[edges[:, 0]]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = (columns[:, None] - start) / step  # (K, edges)
        crossing = angle[edges[:, 0]] + part * (angle[edges[:, 1]] - angle[edges[:, 0]])
        distance = radius[edges[:, 0]] + part * (radius[edges[:, 1]] - radius[edges[:, 0]])
    crossing[~((part >= 0) & (part <= 1))] = np.nan
    corners = np.stack([across, angle], axis=1)[faces]  # (F, 3, 2)
    begin = _widest_gap(columns, crossing, corners)
    if begin is None:
        return None
    first, seed = begin
    found: dict[int, tuple[int, int]] = {}
    for direction in (1, -1):
        column, middle = first, seed
        while 0 <= column < len(columns) and not _covered(np.array([columns[column], middle]), corners):
            above = np.where(crossing[column] > middle, crossing[column], np.inf)
            below = np.where(crossing[column] < middle, crossing[column], -np.inf)
            bounds = int(above.argmin()), int(below.argmax())
            if not (above[bounds[0]] < _STEEPEST and below[bounds[1]] > -_STEEPEST):
                return None
            found[column] = bounds
            middle = (above[bounds[0]] + below[bounds[1]]) / 2
            column += direction
    order = sorted(found)
    if columns[order[-1]] - columns[order[0]] < _LEAST_WIDTH or order[0] == 0 or order[-1] == len(columns) - 1:
        return None
    rows = np.array(order)
    high, low = np.array([found[column] for column in order]).T
    ends = np.array([2 * columns[order[0]] - columns[order[0] + 1], 2 * columns[order[-1]] - columns[order[-1] - 1]])
    upper, lower = _to_corners(crossing[rows, high], crossing[rows, low])
    upper_radius, lower_radius = _to_corners(distance[rows, high], distance[rows, low])
    return EyeOpening(
        frame, np.concatenate([ends[:1], columns[rows], ends[1:]]), upper, lower, upper_radius, lower_radius
    )


def _to_corners(upper: np.ndarray, lower: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two margins' values, extended by one column at both ends, where they meet half way."""
    meeting = (upper + lower)[[0, -1]] / 2
    return np.concatenate([meeting[:1], upper, meeting[1:]]), np.concatenate([meeting[:1], lower, meeting[1:]])


def _widest_gap(columns: np.ndarray, crossing: np.ndarray, corners: np.ndarray) -> tuple[int, float] | None:
    """The column and the angle in the middle of the widest gap that no triangle covers."""
    candidates = []
    for column in range(len(columns) // 4, len(columns) - len(columns) // 4, 5):
        angles = np.sort(crossing[column][np.abs(crossing[column]) < _STEEPEST])
        widths = np.diff(angles)
        for gap in np.argsort(-widths)[:5]:
            candidates.append((float(widths[gap]), column, float(angles[gap] + widths[gap] / 2)))
    for _, column, middle in sorted(candidates, reverse=True):
        if not _covered(np.array([columns[column], middle]), corners):
            return column, middle
    return None


def _covered(point: np.ndarray, corners: np.ndarray) -> bool:
    """Whether a (2,) point lies in one of (F, 3, 2) triangles."""
    to_corner = corners - point
    following = np.roll(to_corner, -1, axis=1)
    turn = to_corner[..., 0] * following[..., 1] - to_corner[..., 1] * following[..., 0]
    return bool(((turn >= 0).all(axis=1) | (turn <= 0).all(axis=1)).any())


def _axes_through_corners(opening: EyeOpening) -> np.ndarray:
    """(3, 3) axes whose first is parallel to the line through the corners and whose last points between them."""
    first, last = opening.frame.directions(opening.across[[0, -1]], opening.upper[[0, -1]])
    side = (last - first) / np.linalg.norm(last - first)
    middle = first + last
    front = middle - (middle @ side) * side
    front /= np.linalg.norm(front)
    return np.stack([side, np.cross(front, side), front], axis=1)
