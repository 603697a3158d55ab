"""A face model of FLAME's size and layout with made-up content: nothing in it is licensed.

5023 vertices: a smooth closed head and two eyeballs of 546 vertices; joints where a head has them; random but smooth
directions of a few millimetres.
"""

import numpy as np
from scipy.spatial import ConvexHull

from emote_blender.flame.model import FaceModel

NUM_VERTICES, NUM_EYEBALL_VERTICES = 5023, 546
JOINTS = np.array([[0, -0.15, -0.01], [0, -0.05, -0.01], [0, 0.0, -0.02], [0.032, 0.03, 0.06], [-0.032, 0.03, 0.06]])
EYEBALL_RADIUS = 0.014
SKIN_RADII, SKIN_CENTRE = np.array([0.075, 0.13, 0.1]), np.array([0, -0.02, 0])
# Rings of a lid from its pocket to the cheek: degrees outside the margin, metres above the eyeball.
LID_RINGS = ((14, 0.0004), (0, 0.0005), (1.5, 0.0016), (8, 0.0018), (16, 0.0026), (26, 0.0045))
LID_COLUMNS = 32
_POSE_SCALE, _SHAPE_SCALE, _EXPRESSION_SCALE = 0.004, 0.004, 0.002  # metres


def make_flame(num_shape: int = 20, num_expression: int = 100, seed: int = 3, lids: bool = False) -> FaceModel:
    """A synthetic FLAME; the real one has 300 shape components, which take Blender a minute to make.

    With lids, the skin has an opening in front of each eye, with a rim and a pocket behind the lids as FLAME has.
    """
    random = np.random.default_rng(seed)
    num_skin = NUM_VERTICES - 2 * NUM_EYEBALL_VERTICES
    skin, skin_faces = _skin_with_lids(num_skin) if lids else _ball(num_skin)
    skin = skin if lids else skin * SKIN_RADII + SKIN_CENTRE
    eyeball, eyeball_faces = _ball(NUM_EYEBALL_VERTICES)
    left, right = (eyeball * EYEBALL_RADIUS + JOINTS[joint] for joint in (3, 4))
    v_template = np.concatenate([skin, left, right])
    starts = [0, len(skin), len(skin) + len(left)]
    faces = np.concatenate([part + start for part, start in zip([skin_faces, eyeball_faces, eyeball_faces], starts)])
    skinning = _weights(v_template, starts)
    directions = np.concatenate(
        [
            _smooth(random, v_template, num_shape, _SHAPE_SCALE),
            _smooth(random, v_template, num_expression, _EXPRESSION_SCALE),
        ],
        axis=2,
    )
    return FaceModel(
        v_template=v_template.astype(np.float32),
        faces=faces.astype(np.int32),
        shapedirs=directions.astype(np.float32),
        posedirs=_smooth(random, v_template, 36, _POSE_SCALE).reshape(-1, 36).T.astype(np.float32),
        J_regressor=_regressor(v_template, starts).astype(np.float32),
        lbs_weights=skinning.astype(np.float32),
        parents=np.array([-1, 0, 1, 1, 1], np.int32),
        num_shape=num_shape,
        num_expression=num_expression,
        basis="flame2020",
        licence="CC0-1.0",
    )


def random_coefficients(model: FaceModel, count: int, seed: int = 5) -> dict[str, np.ndarray]:
    """Arguments of `FaceModel.vertices` for `count` frames: everything moves, the identity stays; angles up to 0.4."""
    random = np.random.default_rng(seed)
    return {
        "shape": random.normal(0, 1, model.num_shape).astype(np.float32),
        "expression": random.normal(0, 1, (count, model.num_expression)).astype(np.float32),
        "jaw": (random.uniform(-0.1, 0.1, (count, 3)) + [0.25, 0, 0]).astype(np.float32),
        "neck": random.uniform(-0.4, 0.4, (count, 3)).astype(np.float32),
        "eyes": random.uniform(-0.3, 0.3, (count, 6)).astype(np.float32),
    }


def _ball(num_vertices: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) points on the unit sphere and (2 N - 4, 3) triangles that face outwards."""
    points = _points_on_ball(num_vertices)
    return points, _hull(points)


def _points_on_ball(num_vertices: int) -> np.ndarray:
    index = np.arange(num_vertices) + 0.5
    height = 1 - 2 * index / num_vertices
    angle = np.pi * (1 + 5**0.5) * index
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(angle), height, ring * np.sin(angle)], axis=1)


def _hull(points: np.ndarray) -> np.ndarray:
    """Triangles that face outwards of points on the unit sphere."""
    faces = ConvexHull(points).simplices
    corners = points[faces]
    inwards = (
        np.einsum("fi,fi->f", np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), corners[:, 0]) < 0
    )
    faces[inwards] = faces[inwards][:, ::-1]
    return faces


def _skin_with_lids(num_vertices: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) points of the skin, metres, and its triangles, with an open eye in front of each eyeball."""
    turn = 2 * np.pi * np.arange(LID_COLUMNS) / LID_COLUMNS
    rings, places = [], []
    for joint in (3, 4):
        for number, (degrees, height) in enumerate(LID_RINGS):
            # Where the ring lies on the ball that is triangulated: ellipses of growing size.
            across, up = (number + 1) / 6.5 * np.array([0.021 * np.cos(turn), 0.017 * np.sin(turn)])
            flat = (JOINTS[joint, :2] + np.stack([across, up], 1) - SKIN_CENTRE[:2]) / SKIN_RADII[:2]
            rings.append(np.concatenate([flat, np.sqrt(1 - (flat**2).sum(1))[:, None]], 1))
            # Where it lies in the face: an almond about the eyeball.
            azimuth = np.radians(50 + degrees) * np.cos(turn)
            elevation = np.radians(np.where(turn < np.pi, 22 + degrees, 16 + degrees)) * np.sin(turn)
            ray = np.stack(
                [np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)]
            )
            places.append(JOINTS[joint] + (EYEBALL_RADIUS + height) * ray.T)
    rings, places = np.concatenate(rings), np.concatenate(places)
    num_plain = num_vertices - len(rings)
    plain = np.zeros((0, 3))
    for count in range(num_plain, 2 * num_plain):
        ball = _points_on_ball(count)
        offset = np.abs((ball * SKIN_RADII + SKIN_CENTRE)[:, None, :2] - JOINTS[3:, :2]) / [0.024, 0.02]
        plain = ball[(ball[:, 2] < 0) | ((offset**2).sum(-1) > 1).all(1)]
        if len(plain) >= num_plain:
            break
    points = np.concatenate([plain[:num_plain], rings])
    faces = _hull(points)
    inner = num_plain + np.concatenate([np.arange(LID_COLUMNS) + eye * len(rings) // 2 for eye in range(2)])
    faces = faces[~np.isin(faces, inner).all(1)]
    return np.concatenate([plain[:num_plain] * SKIN_RADII + SKIN_CENTRE, places]), faces


def _smooth(random: np.random.Generator, points: np.ndarray, count: int, scale: float) -> np.ndarray:
    """(V, 3, count) displacements that vary over some centimetres; every component differs."""
    wave = random.normal(0, 25, (count, 3, 3))
    phase = random.uniform(0, 2 * np.pi, (count, 3))
    size = scale * random.uniform(0.2, 1, (count, 3))
    return (size * np.sin(np.einsum("vi,cki->vck", points, wave) + phase)).transpose(0, 2, 1)


def _weights(points: np.ndarray, starts: list[int]) -> np.ndarray:
    """(V, 5) smooth skinning weights: chest, neck, jaw; an eyeball follows its joint alone."""
    up = 1 / (1 + np.exp(-(points[:, 1] + 0.09) / 0.015))
    jaw = up / (1 + np.exp((points[:, 1] + 0.03) / 0.01)) / (1 + np.exp(-points[:, 2] / 0.01))
    weights = np.stack([1 - up, up - jaw, jaw, np.zeros_like(up), np.zeros_like(up)], axis=1)
    for eye, start in enumerate(starts[1:]):
        weights[start : start + NUM_EYEBALL_VERTICES] = np.eye(5)[3 + eye]
    return weights


def _regressor(points: np.ndarray, starts: list[int]) -> np.ndarray:
    """(5, V) each joint as a weighted sum of some twenty vertices, exactly at its place; as sparse as FLAME's."""
    regressor = np.zeros((5, len(points)))
    for joint, place in enumerate(JOINTS):
        choice = np.arange(starts[1]) if joint < 3 else starts[joint - 2] + np.arange(NUM_EYEBALL_VERTICES)
        nearest = choice[np.argsort(np.linalg.norm(points[choice] - place, axis=1))[:: 1 if joint < 3 else 27][:40]]
        equations = np.vstack([points[nearest].T, np.ones(len(nearest))])
        regressor[joint, nearest] = np.linalg.lstsq(equations, [*place, 1], rcond=None)[0]
    return regressor
