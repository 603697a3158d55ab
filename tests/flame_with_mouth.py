"""A face model of FLAME's size and layout that can speak: made of the open head, so that nothing in it is licensed.

As FLAME it has 5023 vertices (skin and eyeballs, no teeth, tongue, brows or hair), five joints, triangles, components
without names that each move the whole face, eyes that turn by their joints alone, and lids that no component closes.
It is another person: identity, size and origin differ from the open head's.
"""

from functools import cache

import numpy as np

from emote_blender.files.paths import find_head
from emote_blender.flame.model import FaceModel
from emote_blender.flame.regions import connected_pieces

NUM_VERTICES = 5023
IDENTITY = {
    "faceWidth": 0.5,
    "jawWidth": -0.6,
    "chinLength": 0.6,
    "noseLength": 0.5,
    "lipFullness": 0.5,
    "eyeSize": -0.4,
    "cheekbones": 0.5,
    "masculine": 0.4,
}
SCALE, ORIGIN = 1.05, np.array([0.0, -0.02, -0.03])
# What the open head does by components and FLAME by joints or not at all.
_LEFT_OUT = ("eyeBlink", "eyeLook", "tongue")
_NUM_SAMPLES, _NUM_DETAILS = 600, 62
_POSE_METRES = 0.002  # largest of a pose corrective


@cache
def make_flame_with_mouth(
    num_expression: int = 100, seed: int = 7, landmarks: bool = False, face_width: float = IDENTITY["faceWidth"]
) -> FaceModel:
    """The look-alike; 100 components, as EMOTE's, are the principal ones of random faces.

    Args:
        num_expression: number of components.
        seed: of the random faces, hence of the components; another seed is another version of FLAME.
        landmarks: whether it has the 68 landmarks.
        face_width: the identity's; at 0 the opening between the lids is found, at 0.5 it is not (`flame/eye_opening`).
    """
    head = FaceModel.load(find_head("open_head"))
    keep = kept_vertices(head)
    place = np.full(head.num_vertices, -1)
    place[keep] = np.arange(NUM_VERTICES)
    faces = place[head.faces]
    inside = (faces >= 0).all(1)
    identity = {**IDENTITY, "faceWidth": face_width}
    shape = np.array([identity.get(name, 0.0) for name in head.shape_names], np.float32)
    template = (head.v_template + head.identity_dirs @ shape)[keep] * SCALE + ORIGIN
    eyeballs = head.lbs_weights[keep, 3:].sum(1) > 0.5
    random = np.random.default_rng(seed)
    landmark_faces = None
    if landmarks:
        number = np.cumsum(inside) - 1
        assert inside[head.landmark_faces].all()
        landmark_faces = number[head.landmark_faces].astype(np.int32)
    return FaceModel(
        v_template=template.astype(np.float32),
        faces=faces[inside].astype(np.int32),
        shapedirs=_principal_directions(head, keep, eyeballs, num_expression, random),
        posedirs=_pose_correctives(template, eyeballs, random),
        J_regressor=_regressor(template, head.joints(shape) * SCALE + ORIGIN),
        lbs_weights=head.lbs_weights[keep],
        parents=head.parents,
        num_shape=0,
        num_expression=num_expression,
        basis="flame2020",
        licence="CC0-1.0",
        landmark_faces=landmark_faces,
        landmark_barycentrics=head.landmark_barycentrics if landmarks else None,
    )


def kept_vertices(head: FaceModel) -> np.ndarray:
    """(5023,) the open head's vertices that the look-alike has: eyeballs, and skin but for the lowest of the neck."""
    pieces = connected_pieces(head.faces, head.num_vertices)
    skin = np.flatnonzero(pieces == pieces[np.argmax(head.regions["lips"])])
    eyeballs = np.flatnonzero((head.regions["eye_left"] > 0.5) | (head.regions["eye_right"] > 0.5))
    eyeballs = eyeballs[head.lbs_weights[eyeballs, 3:].sum(1) > 0.5]
    lowest = skin[np.argsort(head.v_template[skin, 1], kind="stable")]
    return np.sort(np.concatenate([lowest[len(skin) + len(eyeballs) - NUM_VERTICES :], eyeballs]))


def _principal_directions(head, keep, eyeballs, count, random) -> np.ndarray:
    """(5023, 3, E) principal components of random faces, each at one standard deviation."""
    named = [index for index, name in enumerate(head.expression_names) if not name.startswith(_LEFT_OUT)]
    directions = head.expression_dirs[keep][:, :, named] * SCALE
    details = _details(head.v_template[keep], random)  # what the open head has no component for
    directions = np.concatenate([directions, details], axis=2)
    directions[eyeballs] = 0.0
    flat = directions.reshape(-1, directions.shape[2]).astype(np.float64)
    faces = random.exponential(0.25, (_NUM_SAMPLES, flat.shape[1])) * (
        random.random((_NUM_SAMPLES, flat.shape[1])) < 0.3
    )
    covariance = np.cov(faces.T)
    root = np.linalg.cholesky(covariance + 1e-12 * np.eye(len(covariance)))
    _, variance, mixture = np.linalg.svd(np.linalg.cholesky(flat.T @ flat + 1e-12 * np.eye(len(root))).T @ root)
    components = flat @ root @ mixture.T
    signs = random.choice([-1.0, 1.0], components.shape[1])
    components = (components * signs)[:, :count]
    assert (np.diff(variance) <= 0).all()
    padding = np.zeros((len(components), max(0, count - components.shape[1])))
    return np.concatenate([components, padding], axis=1).reshape(NUM_VERTICES, 3, count).astype(np.float32)


def _details(points, random) -> np.ndarray:
    """(V, 3, D) small smooth random displacements, each about one place of the face."""
    front = np.flatnonzero(points[:, 2] > 0.05)
    places = points[random.choice(front, _NUM_DETAILS)]
    near = np.exp(-((points[:, None] - places) ** 2).sum(2) / 0.02**2)
    return near[:, None, :] * random.normal(0, 0.0015, (1, 3, _NUM_DETAILS))


def _pose_correctives(template, eyeballs, random) -> np.ndarray:
    """(36, 5023 * 3) small smooth correctives that follow the jaw."""
    waves = random.normal(0, 15, (3, 9))
    correctives = np.zeros((36, NUM_VERTICES, 3))
    low = np.clip((0.0 - template[:, 1]) / 0.05, 0, 1) * ~eyeballs
    correctives[9:18] = (
        _POSE_METRES * (np.sin(template @ waves) * low[:, None]).T[:, :, None] * random.normal(0, 0.5, (9, 1, 3))
    )
    return correctives.reshape(36, -1).astype(np.float32)


def _regressor(template, joints) -> np.ndarray:
    """(5, 5023) the smallest weights whose sums are the joints."""
    points = np.concatenate([template.T, np.ones((1, len(template)))])
    wanted = np.concatenate([joints.T, np.ones((1, len(joints)))])
    return (np.linalg.pinv(points) @ wanted).T.astype(np.float32)
