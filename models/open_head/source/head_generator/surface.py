"""The sculpt: a signed distance field of the bare head, without ears, lips and lid edges."""

import numpy as np

from .interpolation import MIRROR

EYE_CENTRE = np.array([0.0348, 0.0190, 0.0495])
"""Centre of the left eyeball."""
EYE_RADIUS = 0.0206

GRADIENT_STEP = 2e-4
RAY_SAMPLES = 160


def smooth_union(first, second, blend):
    """The distance to the union of two shapes, with the seam rounded over a width `blend`.

    Polynomial smooth minimum after I. Quilez, https://iquilezles.org/articles/smin/.
    """
    share = np.clip(0.5 + 0.5 * (second - first) / blend, 0, 1)
    return second + (first - second) * share - blend * share * (1 - share)


def smooth_intersection(first, second, blend):
    """The distance to the intersection of two shapes with a rounded seam."""
    return -smooth_union(-first, -second, blend)


def ellipsoid(points, centre, radii):
    """The approximate distance of (N, 3) points to an ellipsoid."""
    offset = points - np.asarray(centre)
    radii = np.asarray(radii, float)
    scaled = np.linalg.norm(offset / radii, axis=1)
    steepness = np.linalg.norm(offset / radii**2, axis=1) + 1e-12
    return scaled * (scaled - 1) / steepness


def cone(points, start, end, start_radius, end_radius):
    """The approximate distance of (N, 3) points to a capsule whose radius changes along its axis."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    axis = end - start
    t = np.clip((points - start) @ axis / (axis @ axis), 0, 1)
    return np.linalg.norm(points - start - t[:, None] * axis, axis=1) - (start_radius + (end_radius - start_radius) * t)


def both_sides(shape, points, blend=0.004):
    """The distance to a shape of the left side united with its mirror image."""
    return smooth_union(shape(points), shape(points * MIRROR), blend)


def head_distance(points):
    """The signed distance in metres of (N, 3) points to the head, negative inside."""
    distance = _skull_and_face(points)
    distance = _eye_sockets(points, distance)
    distance = _nose(points * np.array([1.10, 1, 1]), distance)  # a little narrower than modelled
    neck = cone(points, (0, -0.005, -0.028), (0, -0.165, -0.044), 0.0430, 0.0455)
    shoulders = ellipsoid(points, (0, -0.218, -0.040), (0.145, 0.058, 0.066))
    return smooth_union(distance, smooth_union(neck, shoulders, 0.060), 0.026)


def _skull_and_face(points):
    cranium = ellipsoid(points, (0, 0.052, -0.017), (0.0725, 0.084, 0.0885))
    forehead = ellipsoid(points, (0, 0.058, 0.018), (0.058, 0.054, 0.0590))
    face = ellipsoid(points, (0, -0.002, 0.012), (0.0625, 0.080, 0.0630))
    chin = ellipsoid(points, (0, -0.0730, 0.0660), (0.0165, 0.0145, 0.0165))
    muzzle = ellipsoid(points, (0, -0.041, 0.052), (0.033, 0.030, 0.0325))

    def jawbone(p):
        return cone(p, (0.010, -0.0690, 0.0540), (0.0395, -0.0385, 0.008), 0.0150, 0.0145)

    def cheek(p):
        return ellipsoid(p, (0.0375, -0.009, 0.0480), (0.0235, 0.0225, 0.0215))

    def brow(p):
        return cone(p, (0.010, 0.0440, 0.0680), (0.0440, 0.0470, 0.0490), 0.0120, 0.0115)

    distance = smooth_union(cranium, forehead, 0.030)
    distance = smooth_union(distance, face, 0.024)
    distance = smooth_union(distance, both_sides(jawbone, points), 0.034)
    distance = smooth_union(distance, chin, 0.028)
    distance = smooth_union(distance, muzzle, 0.020)
    distance = smooth_union(distance, both_sides(cheek, points), 0.030)
    return smooth_union(distance, both_sides(brow, points), 0.020)


def _eye_sockets(points, distance):
    """The distance with sockets cut into the head and the volume of the lids added over the eyeballs."""

    def socket(p):
        return ellipsoid(p, EYE_CENTRE + (0, 0.0050, 0.0305), (0.0225, 0.0150, 0.0160))

    def lids(p):
        return np.linalg.norm(p - EYE_CENTRE, axis=1) - (EYE_RADIUS + 0.0016)

    distance = smooth_intersection(distance, -both_sides(socket, points), 0.018)
    return smooth_union(distance, both_sides(lids, points), 0.0105)


def _nose(points, distance):
    pyramid = cone(points, (0, 0.026, 0.0660), (0, -0.0085, 0.0805), 0.0060, 0.0098)
    bridge = cone(points, (0, 0.030, 0.0730), (0, -0.0080, 0.0940), 0.0060, 0.0074)
    tip = ellipsoid(points, (0, -0.0100, 0.0965), (0.0094, 0.0082, 0.0084))
    columella = cone(points, (0, -0.0150, 0.0930), (0, -0.0165, 0.0830), 0.0034, 0.0034)

    def wing(p):
        return ellipsoid(p, (0.0098, -0.0136, 0.0862), (0.0062, 0.0064, 0.0090))

    distance = smooth_union(distance, pyramid, 0.016)
    distance = smooth_union(distance, bridge, 0.020)
    distance = smooth_union(distance, tip, 0.010)
    distance = smooth_union(distance, both_sides(wing, points), 0.0050)
    return smooth_union(distance, columella, 0.005)


def normals(points):
    """(N, 3) unit gradients of the distance field: outward normals on the surface."""
    gradient = np.zeros_like(points)
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = GRADIENT_STEP
        gradient[:, axis] = head_distance(points + step) - head_distance(points - step)
    return gradient / (np.linalg.norm(gradient, axis=1, keepdims=True) + 1e-15)


def project(points, steps=6):
    """(N, 3) points, moved along the gradient onto the surface."""
    for _ in range(steps):
        points = points - head_distance(points)[:, None] * normals(points)
    return points


def cast_rays(origins, directions, reach=0.25):
    """(N, 3) points where rays from inside the head leave it for the last time, within `reach` metres."""
    t = np.linspace(0, reach, RAY_SAMPLES)
    samples = origins[:, None] + t[None, :, None] * directions[:, None]
    distance = head_distance(samples.reshape(-1, 3)).reshape(len(origins), RAY_SAMPLES)
    inside = distance < 0
    last = RAY_SAMPLES - 1 - np.argmax(inside[:, ::-1], 1)
    last = np.where(inside.any(1), np.minimum(last, RAY_SAMPLES - 2), 0)
    rays = np.arange(len(origins))
    before, after = distance[rays, last], distance[rays, last + 1]
    fraction = np.clip(before / (before - after + 1e-15), 0, 1)
    return origins + (t[last] + fraction * (t[1] - t[0]))[:, None] * directions


def front_surface(x, y):
    """(N, 3) surface points in front of (x, y), along rays that lean outwards towards the temples."""
    x, y = np.broadcast_arrays(np.atleast_1d(np.asarray(x, float)), np.asarray(y, float))
    origins = np.stack([0.45 * x, y, np.full_like(x, 0.0)], 1)
    directions = np.stack([x, y, np.full_like(x, 0.06)], 1) - origins
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return cast_rays(origins, directions, reach=0.16)
