"""Where the lips of any mesh are, found from the displacement that opens its mouth.

No names, masks or landmarks are needed. Lips are two surfaces that lie at one place and part when the mouth opens;
teeth do so too, but behind the lips and on shells of their own. Where the surface only stretches, as on a face with a
painted mouth, there is no mouth.

Coordinates are in the face's axes (left, up, front), in any unit. Millimetres are those of a head of usual size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EYE_DISTANCE_MM = 66.0
"""Distance between the centres of the eyes of a head of usual size."""
MOUTH_WIDTH_MM = 44.0
"""Width of the mouth of a head of usual size."""
COLUMNS = np.linspace(-0.8, 0.8, 9)
"""Where the lips are measured: from the right corner of the mouth (-1) to the left one (1)."""
POINTS_PER_LIP = 6

_STEP = 0.1  # difference of the opening across the lips, relative to the greatest opening
_REACH_MM = 16.0  # lips of a mouth that is open at rest are no further apart
_SIDEWAYS_MM = 6.0
_STRETCH_MM = 15.0  # over which a surface without a cut goes from closed to open at the most
_TOUCHING_MM = 0.5
_DEPTH_MM = 4.0  # of the line of contact behind its front
_CURVE_MM = 40.0  # of the corners behind the middle of the mouth
_GAP_MM = 14.0  # between neighbouring contacts of one mouth
_NARROWEST_MM = 9.0
_SEAM_MM = 0.2
_SETTLED = 0.1  # of the logarithm of the size
_MOST_PLACES = 6000
_AROUND_MM = 10.0
_OPEN_MM = 1.0  # lips further apart than this at rest are open
_LIP_MM = 5.0
_OVERLAP_MM = 1.5  # of lips at rest, at the most
_LARGE_SHELL = 0.75  # of the extent of the largest; teeth and beards are smaller than the skin


@dataclass(frozen=True, eq=False)
class Mouth:
    """The lips of a mesh, by its vertices.

    Attributes:
        upper: (K, N) vertices of the upper lip in each of `COLUMNS`; a vertex may be repeated.
        lower: (K, N) vertices of the lower lip.
        corners: (2, N) vertices at the right and at the left corner.
        contact: (K,) gap between the vertices of lips that touch, mm: about 0, or a little less.
        millimetre: length of a millimetre on a head of usual size, in the mesh's unit.
    """

    upper: np.ndarray
    lower: np.ndarray
    corners: np.ndarray
    contact: np.ndarray
    millimetre: float

    @property
    def vertices(self) -> np.ndarray:
        """(P,) all of its vertices, ascending."""
        return np.unique(np.concatenate([self.upper.ravel(), self.lower.ravel(), self.corners.ravel()]))

    def at(self, vertices: np.ndarray) -> Mouth:
        """The same lips, whose numbers are places in `vertices`, which are ascending and hold them all."""
        upper, lower, corners = (np.searchsorted(vertices, part) for part in (self.upper, self.lower, self.corners))
        return Mouth(upper, lower, corners, self.contact, self.millimetre)


@dataclass(frozen=True, eq=False)
class _Line:
    """The line on which the lips meet, sorted from right to left.

    Attributes:
        upper: (L,) vertices of the upper lip.
        lower: (L,) the vertex of the lower lip that faces each.
        shell: (V,) bool, the vertices that lips may consist of.
    """

    upper: np.ndarray
    lower: np.ndarray
    shell: np.ndarray


def find_mouth(
    vertices: np.ndarray, opening: np.ndarray, edges: np.ndarray, eye_distance: float | None = None
) -> Mouth | None:
    """The lips of a mesh, or None if nothing parts when its mouth opens.

    Args:
        vertices: (V, 3) the face at rest.
        opening: (V, 3) displacement that opens the mouth, of any size.
        edges: (E, 2) vertices of each edge, by which teeth differ from lips.
        eye_distance: distance between the centres of the eyes, if it is known.
    """
    points = np.asarray(vertices, np.float32)
    drop = -np.asarray(opening, np.float32)[:, 1]
    if not len(points) or not (np.isfinite(points).all() and np.isfinite(drop).all()):
        return None
    greatest = float(drop.max())
    if greatest <= 1e-6 * float(np.ptp(points, axis=0).max()):
        return None
    drop = drop / float(np.percentile(drop[drop > 0.1 * greatest], 95))
    if eye_distance:
        millimetre = eye_distance / EYE_DISTANCE_MM
        line = _contact_line(points, drop, edges, millimetre)
    else:
        millimetre, line = _with_usual_width(points, drop, edges)
    return None if line is None else _measured(points, drop, line, millimetre)


def _with_usual_width(points: np.ndarray, drop: np.ndarray, edges: np.ndarray) -> tuple[float, _Line | None]:
    """The size of a millimetre at which the mouth is found with its usual width, and where its lips meet."""
    moved = max(float(np.ptp(points[drop > 0.5, 0])), 1e-9)  # width of jaw and chin, or of the mouth alone
    best, best_size, least = None, 0.0, np.inf
    for size in (moved / 90.0, moved / 55.0, moved / 140.0):
        for _ in range(3):
            line = _contact_line(points, drop, edges, size)
            if line is None:
                break
            width = float(np.ptp(points[line.upper, 0])) / MOUTH_WIDTH_MM
            misfit = abs(np.log(width / size))
            if misfit < least:
                best, best_size, least = line, width, misfit
            if misfit < _SETTLED:
                return best_size, best
            size = width
    return best_size, best


def _contact_line(points: np.ndarray, drop: np.ndarray, edges: np.ndarray, millimetre: float) -> _Line | None:
    """Where the lips meet, or None."""
    inside = np.flatnonzero(_within(points, points[drop > _STEP], _REACH_MM * millimetre))
    places, falls = points[inside] / millimetre, drop[inside]
    first, cell = _cells(places, falls, _SEAM_MM)  # vertices that are split at a seam become one
    number = np.full(len(points), -1)
    number[inside] = cell
    places, falls = places[first], falls[first]
    ends = _joined_cells(number[edges])
    shell = _shells(ends, len(first))
    is_large = _is_large(places, shell)
    for chosen in (np.flatnonzero(is_large), np.arange(len(first))):
        line = _line_among(places, falls, ends, shell, chosen)
        if line is not None and len(chosen) > _MOST_PLACES:  # once more, with more vertices where the lips are
            near = _within(places[chosen], places[np.concatenate(line)], _AROUND_MM)
            line = _line_among(places, falls, ends, shell, chosen[near]) or line
        if line is not None:
            used = np.isin(shell, shell[np.concatenate(line)])
            lips = np.zeros(len(points), bool)
            lips[inside] = used[cell]
            return _Line(inside[first[line[0]]], inside[first[line[1]]], lips)
    return None


def _line_among(
    places: np.ndarray, falls: np.ndarray, ends: np.ndarray, shell: np.ndarray, chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """The pairs of places on the line where the lips meet, among those that are chosen; None if they do not meet."""
    number = np.full(len(places), -1)
    kept, size = chosen, 0.0
    if len(kept) > _MOST_PLACES:  # on a dense mesh, one for each cell of space
        size = 1.0
        while len(kept) > _MOST_PLACES:
            first, cell = _cells(places[chosen], falls[chosen], size, shell[chosen])
            kept = chosen[first]
            number[chosen] = cell
            size *= max(1.2, float(np.sqrt(len(kept) / _MOST_PLACES)))
        ends = _joined_cells(number[ends])
    else:
        number[chosen] = np.arange(len(chosen))
        ends = _joined_cells(number[ends])
    upper, lower = _facing_pairs(places[kept], falls[kept])
    joined = _are_joined(places[kept], ends, upper, lower, 1.5 * size)
    line = _front_line(places[kept], upper[~joined], lower[~joined])
    return None if line is None else (kept[line[0]], kept[line[1]])


def _joined_cells(ends: np.ndarray) -> np.ndarray:
    """(E, 2) pairs of different cells that an edge joins, each once; -1 is no cell."""
    ends = ends[(ends[:, 0] >= 0) & (ends[:, 1] >= 0) & (ends[:, 0] != ends[:, 1])]
    if not len(ends):
        return ends
    count = int(ends.max()) + 1
    key = np.unique(ends.min(1) * count + ends.max(1))
    return np.stack([key // count, key % count], axis=1)


def _within(points: np.ndarray, box: np.ndarray, margin: float) -> np.ndarray:
    """(N,) bool: which points lie in the bounding box of others, or no further from it than the margin."""
    inside = np.ones(len(points), bool)
    for axis in range(3):
        inside &= points[:, axis] > box[:, axis].min() - margin
        inside &= points[:, axis] < box[:, axis].max() + margin
    return inside


def _cells(
    places: np.ndarray, falls: np.ndarray, size: float, shell: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """One vertex (C,) of each cell of space, degree of opening and shell; and the cell (N,) of each vertex."""
    cells = np.floor(places / size).astype(np.int64)
    level = np.floor(falls / _STEP).astype(np.int64)
    key = np.zeros(len(places), np.int64)
    for part in (cells[:, 0], cells[:, 1], cells[:, 2], level, *([] if shell is None else [shell])):
        key = key * (int(np.ptp(part)) + 1) + (part - part.min())
    first, cell = np.unique(key, return_index=True, return_inverse=True)[1:]
    return first, cell.ravel()


def _facing_pairs(places: np.ndarray, falls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places (L,) and the nearest (L,) that part from them, each the other's nearest."""
    order = np.argsort(places[:, 0], kind="stable")
    places, falls = places[order], falls[order]
    lowers = np.flatnonzero(falls > _STEP)
    if not len(lowers):
        return lowers, lowers
    best_upper, best_lower = (np.full(len(places), -1) for _ in range(2))
    nearest_lower = np.full(len(places), np.inf)
    for chunk in np.array_split(lowers, len(lowers) // 100 + 1):
        start = np.searchsorted(places[:, 0], places[chunk[0], 0] - _SIDEWAYS_MM)
        stop = np.searchsorted(places[:, 0], places[chunk[-1], 0] + _SIDEWAYS_MM, side="right")
        across, rise, ahead = (places[start:stop, axis] - places[chunk, axis][:, None] for axis in range(3))
        squared = 1.5 * across * across + rise * rise + ahead * ahead
        step = falls[chunk][:, None] - falls[start:stop]
        parts = (step > _STEP) & (rise > -3.0) & (squared < np.minimum(_STRETCH_MM * step, _REACH_MM) ** 2)
        squared[~parts] = np.inf
        nearest = squared.argmin(1)
        found = np.isfinite(squared[np.arange(len(chunk)), nearest])
        best_upper[chunk[found]] = start + nearest[found]
        row = squared.argmin(0)
        least = squared[row, np.arange(stop - start)]
        nearer = least < nearest_lower[start:stop]
        nearest_lower[start:stop][nearer] = least[nearer]
        best_lower[start:stop][nearer] = chunk[row[nearer]]
    lower = np.flatnonzero(best_upper >= 0)
    lower = lower[best_lower[best_upper[lower]] == lower]
    return order[best_upper[lower]], order[lower]


def _are_joined(
    places: np.ndarray, ends: np.ndarray, upper: np.ndarray, lower: np.ndarray, tolerance: float
) -> np.ndarray:
    """(L,) bool: whether the surface joins the two places of a pair near by, so that it only stretches between them."""
    neighbours: dict[int, list[int]] = {}
    for one, other in ends.tolist():
        neighbours.setdefault(one, []).append(other)
        neighbours.setdefault(other, []).append(one)
    joined = np.zeros(len(upper), bool)
    apart = np.linalg.norm(places[upper] - places[lower], axis=1)
    for pair in np.flatnonzero(apart > _TOUCHING_MM):
        start, goal = int(upper[pair]), int(lower[pair])
        middle = (places[start] + places[goal]) / 2
        reached, ways = {start}, [start]
        while ways and goal not in reached:
            fresh = [near for place in ways for near in neighbours.get(place, ()) if near not in reached]
            inside = ((places[fresh] - middle) ** 2).sum(1) < (0.8 * apart[pair] + tolerance) ** 2
            ways = [place for place, is_near in zip(fresh, inside) if is_near]
            reached.update(ways)
        joined[pair] = goal in reached
    return joined


def _shells(ends: np.ndarray, count: int) -> np.ndarray:
    """(C,) number of the shell of each of `count` cells, from the (E, 2) cells that edges join."""
    parent = np.arange(count)
    while len(ends):
        roots = parent[ends]
        np.minimum.at(parent, roots.max(1), roots.min(1))
        while (parent != parent[parent]).any():
            parent = parent[parent]
        ends = ends[parent[ends[:, 0]] != parent[ends[:, 1]]]
    return parent


def _is_large(places: np.ndarray, shell: np.ndarray) -> np.ndarray:
    """(C,) bool: whether a cell belongs to one of the shells that reach furthest."""
    least = np.full((len(places), 3), np.inf, np.float32)
    most = -least
    np.minimum.at(least, shell, places)
    np.maximum.at(most, shell, places)
    extent = np.linalg.norm(np.maximum(most - least, 0.0), axis=1)
    return (extent > _LARGE_SHELL * extent.max())[shell]


def _front_line(places: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The foremost pairs, which form one line from corner to corner, sorted; None if there is no such line."""
    if not len(upper):
        return None
    contacts = (places[upper] + places[lower]) / 2
    band = np.floor((contacts[:, 0] - contacts[:, 0].min()) / 4.0).astype(int)
    front = np.full(band.max() + 1, -np.inf)
    np.maximum.at(front, band, contacts[:, 2])
    depth = front[band] - contacts[:, 2]
    kept = np.flatnonzero((depth < _DEPTH_MM) & (contacts[:, 2] > contacts[:, 2].max() - _CURVE_MM))
    kept = kept[np.argsort(contacts[kept, 0], kind="stable")]
    apart = np.linalg.norm(np.diff(contacts[kept], axis=0), axis=1)
    pieces = np.split(kept, np.flatnonzero(apart > _GAP_MM) + 1)
    longest = max(pieces, key=lambda piece: float(np.ptp(contacts[piece, 0])))
    if len(longest) < 3 or np.ptp(contacts[longest, 0]) < _NARROWEST_MM:
        return None
    return upper[longest], lower[longest]


def _measured(points: np.ndarray, drop: np.ndarray, line: _Line, millimetre: float) -> Mouth:
    """The lips around their line of contact."""
    contacts = (points[line.upper] + points[line.lower]) / 2
    apart = np.linalg.norm(points[line.upper] - points[line.lower], axis=1)
    levels = (drop[line.upper] + drop[line.lower]) / 2
    right, left = contacts[0, 0], contacts[-1, 0]
    places = (left + right) / 2 + COLUMNS * (left - right) / 2
    centres = np.stack([np.interp(places, contacts[:, 0], contacts[:, axis]) for axis in range(3)], axis=1)
    halves = np.interp(places, contacts[:, 0], apart) / 2
    reach = _LIP_MM * millimetre + halves.max()
    near = np.flatnonzero(_within(points, contacts, reach) & line.shell)
    upper, lower = (np.empty((len(COLUMNS), POINTS_PER_LIP), np.int64) for _ in range(2))
    for column, level in enumerate(np.interp(places, contacts[:, 0], levels)):
        is_lower = drop[near] >= level
        above = points[near, 1] - centres[column, 1]
        beside = halves[column] + _OVERLAP_MM * millimetre
        reach = halves[column] + _LIP_MM * millimetre
        upper[column] = _around(points, near[~is_lower & (above > -beside)], centres[column], reach, 1.0)
        lower[column] = _around(points, near[is_lower & (above < beside)], centres[column], reach, -1.0)
    corners = [_around(points, near, contacts[end], _LIP_MM * millimetre / 2, 1.0) for end in (0, -1)]
    at_rest = (points[upper, 1].min(1) - points[lower, 1].max(1)) / millimetre
    contact = np.where(at_rest > _OPEN_MM, 0.0, np.maximum(at_rest, -_OPEN_MM))
    return Mouth(upper, lower, np.stack(corners), contact, millimetre)


def _around(points: np.ndarray, choice: np.ndarray, centre: np.ndarray, reach: float, upwards: float) -> np.ndarray:
    """(N,) vertices of one column of a lip, evenly from the lip's edge on.

    Args:
        points: (V, 3) vertices.
        choice: those of the lip.
        centre: (3,) place between the lips.
        reach: how far the lip goes from there.
        upwards: 1 for the upper lip, whose edge is its lowest point; -1 for the lower one.
    """
    distance = np.linalg.norm((points[choice] - centre) * np.array([3.0, 1.0, 1.0], np.float32), axis=1)
    column = choice[distance < max(reach, np.partition(distance, min(1, len(choice) - 1))[:2].max() * 1.001)]
    column = column[np.argsort(upwards * points[column, 1], kind="stable")]
    return column[np.linspace(0, len(column) - 1, POINTS_PER_LIP).round().astype(int)]
