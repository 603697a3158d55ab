"""Judges of closed lids that share no code with what closes them: rays and distances on the triangles themselves."""

import numpy as np
from scipy import ndimage


def sphere_of(points):
    """Centre and radius of an eyeball: the middle of its box and the mean distance."""
    centre = (points.min(0) + points.max(0)) / 2
    return centre, float(np.linalg.norm(points - centre, axis=1).mean())


def ray_distances(origin, directions, corners):
    """(N,) distance along each ray to the first of (F, 3, 3) triangles in front of the origin; inf if there is none."""
    first = corners[:, 0]
    one, two = corners[:, 1] - first, corners[:, 2] - first
    nearest = np.full(len(directions), np.inf)
    t = origin - first
    q = np.cross(t, one)
    # Triple products: the ray against each triangle's normal, and against its sides.
    normal, side, end = np.cross(two, one), np.cross(two, t), (q * two).sum(1)
    for start in range(0, len(directions), 256):
        d = directions[start : start + 256]
        determinant = d @ normal.T
        with np.errstate(divide="ignore", invalid="ignore"):
            u = d @ side.T / determinant
            v = d @ q.T / determinant
            distance = end / determinant
        hit = (np.abs(determinant) > 1e-15) & (u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9) & (distance > 1e-6)
        nearest[start : start + 256] = np.where(hit, distance, np.inf).min(1)
    return nearest


def lid_faces(points, skin, eyeball, moved):
    """The triangles of the lids: near the open eye's eyeball (further away lies the nose), or moved by a blink."""
    centre, radius = sphere_of(points[eyeball])
    near = np.linalg.norm(points - centre, axis=1) < 1.15 * radius
    return skin[near[skin].all(1) | moved[skin].any(1)]


def uncovered(points, lids, eyeball):
    """Squares of 0.05 mm that no lid covers as the eyeball's centre sees it, and their size in metres.

    The lids are drawn onto a plane in front of the eyeball.
    """
    centre, radius = sphere_of(points[eyeball])
    step = 0.00005 / radius
    local = points - centre
    faces = lids[(local[lids, 2] > 0.02 * radius).all(1)]
    flat = local[faces, :2] / local[faces, 2:]
    low, size = np.array([-2.5, -1.5]), np.array([5.0, 3.0])
    covered = np.zeros(np.ceil(size / step).astype(int), bool)
    for triangle in flat:
        first = np.maximum(np.floor((triangle.min(0) - low) / step).astype(int), 0)
        last = np.minimum(np.ceil((triangle.max(0) - low) / step).astype(int) + 1, covered.shape)
        if (last <= first).any():
            continue
        x = low[0] + step * np.arange(first[0], last[0])[:, None]
        y = low[1] + step * np.arange(first[1], last[1])[None]
        turns = [
            (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) for a, b in zip(triangle, np.roll(triangle, -1, 0))
        ]
        least, most = np.minimum(np.minimum(*turns[:2]), turns[2]), np.maximum(np.maximum(*turns[:2]), turns[2])
        inside = (least >= -1e-12) | (most <= 1e-12)
        covered[first[0] : last[0], first[1] : last[1]] |= inside
    return ~covered, step * radius


def opening_mask(points, lids, eyeball):
    """The squares of the open eye: those connected with the one straight ahead."""
    free, _ = uncovered(points, lids, eyeball)
    label = ndimage.label(free)[0]
    middle = label[tuple(np.array(free.shape) // 2)]
    assert middle, "the eye is not open straight ahead"
    return label == middle


def gap_height(points, lids, eyeball, opening):
    """Greatest height, metres, of what is uncovered within the open eye's outline."""
    free, size = uncovered(points, lids, eyeball)
    longest = 0
    for column in free & opening:
        edges = np.flatnonzero(np.diff(np.concatenate([[0], column.astype(int), [0]])))
        longest = max(longest, *(edges[1::2] - edges[::2]), 0)
    return longest * size


def least_clearance(points, skin, eyeball, eyeball_faces, moved):
    """Least distance, metres, of moved skin triangles from the eyeball's surface along rays from its centre.

    Negative where they cut it. Points on the triangles stand at quarters of their edges.
    """
    centre, radius = sphere_of(points[eyeball])
    faces = skin[moved[skin].any(1)]
    parts = np.array([(i, j, 4 - i - j) for i in range(5) for j in range(5 - i)]) / 4
    samples = np.einsum("sc,fcd->fsd", parts, points[faces]).reshape(-1, 3) - centre
    length = np.linalg.norm(samples, axis=1)
    keep = (samples[:, 2] > 0.15 * length) & (length < 1.5 * radius)
    front = eyeball_faces[points[eyeball_faces, 2].max(1) > centre[2]]
    surface = ray_distances(centre, samples[keep] / length[keep, None], points[front])
    return float((length[keep] - surface).min())
