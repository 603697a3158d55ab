"""Finding the lips of any mesh."""

import numpy as np
import pytest
from character_lips import EYE_DISTANCE, head_edges, jaw_turn, quad_edges
from character_shapes import open_head_model, posed
from counted_steps import counted_steps

from emote_blender.motion_tools.rotation import axis_angle_to_matrix
from emote_blender.retarget.mouth import find_mouth

pytestmark = pytest.mark.once  # on 5.2, test_character_lips finds mouths

HEAD = open_head_model()
REST = HEAD.v_template.astype(np.float64)
OPENING = jaw_turn(0.2)
UPPER, LOWER = (np.flatnonzero(HEAD.regions[f"lips_{name}"] > 0.5) for name in ("upper", "lower"))
TEETH = np.flatnonzero(np.max([HEAD.regions[name] for name in ("teeth_upper", "teeth_lower", "tongue")], axis=0) > 0.5)
LIP_REACH = 0.006  # the inside of the lips, beyond their red, is found too


def distance_to(vertices: np.ndarray, lips: np.ndarray) -> float:
    """The greatest distance of vertices from the lips, metres."""
    return float(np.sqrt(((vertices[:, None] - lips) ** 2).sum(-1)).min(1).max())


def assert_lips(mouth, points: np.ndarray, head: np.ndarray = REST) -> None:
    """Whether a mouth lies on the lips of the head in `head`, whose vertices `points` are the same places."""
    assert mouth is not None
    assert distance_to(points[np.unique(mouth.upper)], head[UPPER]) < LIP_REACH
    assert distance_to(points[np.unique(mouth.lower)], head[LOWER]) < LIP_REACH
    corners = points[mouth.corners].mean(1)[:, 0]
    assert 0.040 < corners[1] - corners[0] < 0.058  # the lips are 0.058 wide


def subdivided(points: np.ndarray, displacements: np.ndarray, quads: np.ndarray, times: int):
    """Points, displacements and quads with every quad cut into four, so many times."""
    for _ in range(times):
        ends = np.sort(np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2), 1)
        edges, inverse = np.unique(ends, axis=0, return_inverse=True)
        middles = len(points) + inverse.reshape(-1, 4)
        centres = len(points) + len(edges) + np.arange(len(quads))
        points, displacements = (
            np.concatenate([values, values[edges].mean(1), values[quads].mean(1)]) for values in (points, displacements)
        )
        quads = np.concatenate(
            [np.stack([quads[:, i], middles[:, i], centres, middles[:, i - 1]], axis=1) for i in range(4)]
        )
    return points, displacements, quads


def smooth_face(side: int, transition: float):
    """A face without a mouth: a bent sheet that stretches below the nose. Points, displacements, edges."""
    across, up = np.meshgrid(*[np.linspace(-1.3, 1.3, side)] * 2)
    points = [0.075 * np.sin(across) * np.cos(0.7 * up), 0.11 * np.sin(up), 0.09 * np.cos(across) * np.cos(up)]
    points = np.stack(points, -1).reshape(-1, 3)
    displacements = np.zeros_like(points)
    displacements[:, 1] = -0.02 / (1 + np.exp((points[:, 1] + 0.04) / (transition / 4)))
    corner = np.arange(side * side).reshape(side, side)
    quads = np.stack([corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]], -1).reshape(-1, 4)
    return points, displacements, quad_edges(quads)


@pytest.mark.parametrize("eye_distance", [EYE_DISTANCE, None], ids=["eyes", "no_eyes"])
@pytest.mark.parametrize("amount", [1.0, 0.001], ids=["far", "little"])
def test_the_lips_are_found_by_the_jaw(eye_distance, amount):
    mouth = find_mouth(REST, amount * OPENING, head_edges(), eye_distance)
    assert_lips(mouth, REST)
    assert mouth.millimetre == pytest.approx(0.00106, rel=0.06)
    assert mouth.contact == pytest.approx(np.full(9, -0.25), abs=0.1)  # the open head's lips overlap by 0.3 mm


@pytest.mark.parametrize(
    "pose",
    [
        {"mouthFunnel": 1.0},
        {"mouthLowerDown": 1.0},
        {"mouthStretch": 0.3, "mouthLowerDown": 0.4, "mouthUpperUp": 0.25, "jaw": 0.07},
    ],
    ids=["funnel", "lower_down", "vowel"],
)
def test_the_lips_are_found_by_any_shape_that_opens_them(pose):
    assert_lips(find_mouth(REST, posed(pose).astype(np.float64), head_edges(), EYE_DISTANCE), REST)


@pytest.mark.parametrize("scale", [100.0, 0.01])
def test_the_unit_of_length_makes_no_difference(scale):
    mouth = find_mouth(scale * REST, scale * OPENING, head_edges())
    assert_lips(mouth, REST)
    assert mouth.millimetre == pytest.approx(0.00109 * scale, rel=0.05)


def test_a_mirrored_head_has_its_corners_in_order():
    mirror = np.array([-1.0, 1.0, 1.0])
    mouth = find_mouth(REST * mirror, OPENING * mirror, head_edges())
    assert_lips(mouth, REST * mirror, REST * mirror)


@pytest.mark.parametrize("axis", range(3))
def test_a_head_that_is_turned_by_20_degrees_still_has_its_lips(axis):
    turn = axis_angle_to_matrix(np.radians(20.0) * np.eye(3)[axis])
    assert_lips(find_mouth(REST @ turn.T, OPENING @ turn.T, head_edges()), REST)


def test_triangles_serve_as_well_as_quads():
    assert_lips(find_mouth(REST, OPENING, quad_edges(HEAD.faces)), REST)


def test_vertices_that_are_split_at_every_face_are_one_surface():
    corners = HEAD.quads.ravel()
    edges = quad_edges(np.arange(len(corners)).reshape(-1, 4))
    assert_lips(find_mouth(REST[corners], OPENING[corners], edges), REST[corners])


@pytest.mark.parametrize("angle", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("teeth", ["open", "closed"])
def test_a_mouth_that_is_open_at_rest_is_not_taken_for_its_teeth(angle, teeth):
    rest = REST + jaw_turn(angle)
    opening = REST + jaw_turn(angle + 0.2) - rest
    if teeth == "closed":
        lower = HEAD.regions["teeth_lower"] > 0.5
        rest[lower] = REST[lower]
    mouth = find_mouth(rest, opening, head_edges(), EYE_DISTANCE)
    assert_lips(mouth, rest, rest)
    assert not np.isin(TEETH, mouth.vertices).any()
    at_rest = (rest[mouth.upper, 1].min(1) - rest[mouth.lower, 1].max(1)) / mouth.millimetre
    assert (at_rest[3:6] > 0.8 * 75 * angle).all()  # the jaw parts the lips by 75 mm per radian
    assert mouth.contact[4] == 0.0


def test_a_beard_in_front_of_the_lips_is_not_taken_for_them():
    """Shells of hair above and below the mouth, which the jaw parts too."""
    lips = np.concatenate([UPPER, LOWER])
    hair = REST[lips] + [0.0, 0.0, 0.008] + np.where(np.isin(lips, UPPER), 0.004, -0.004)[:, None] * [0.0, 1.0, 0.0]
    number = np.full(len(REST), -1)
    number[lips] = len(REST) + np.arange(len(lips))
    hair_edges = number[head_edges()]
    hair_edges = hair_edges[(hair_edges >= 0).all(1)]
    mouth = find_mouth(
        np.concatenate([REST, hair]),
        np.concatenate([OPENING, OPENING[lips]]),
        np.concatenate([head_edges(), hair_edges]),
        EYE_DISTANCE,
    )
    assert mouth.vertices.max() < len(REST)
    assert_lips(mouth, REST)


def test_a_mouth_without_a_cavity_is_found():
    skin = (HEAD.regions["skin"] > 0.5) & ~((HEAD.regions["mouth_inside"] > 0.5) & (HEAD.regions["lips"] <= 0.5))
    kept = np.flatnonzero(skin)
    edges = head_edges()[skin[head_edges()].all(1)]
    mouth = find_mouth(REST[kept], OPENING[kept], np.searchsorted(kept, edges), EYE_DISTANCE)
    assert_lips(mouth, REST[kept])


def test_an_asymmetric_mesh_keeps_its_lips():
    rest = REST.copy()
    rest[:, 0] += 0.15 * rest[:, 1] + 0.002 * np.sin(80 * rest[:, 0])
    mouth = find_mouth(rest, OPENING, head_edges(), EYE_DISTANCE)
    assert distance_to(rest[np.unique(mouth.upper)], rest[UPPER]) < LIP_REACH
    assert distance_to(rest[np.unique(mouth.lower)], rest[LOWER]) < LIP_REACH


@pytest.mark.parametrize("side", [20, 60, 150])
@pytest.mark.parametrize("transition", [0.06, 0.03, 0.015])
def test_a_face_that_only_stretches_has_no_mouth(side, transition):
    assert find_mouth(*smooth_face(side, transition)) is None


@pytest.mark.parametrize(
    "points, opening",
    [
        (REST, 0.0 * OPENING),
        (REST, -np.abs(OPENING) * [0.0, -1.0, 0.0]),
        (REST, np.full_like(OPENING, np.nan)),
        (np.zeros((0, 3)), np.zeros((0, 3))),
    ],
    ids=["still", "upwards", "not_numbers", "empty"],
)
def test_what_opens_nothing_gives_no_mouth(points, opening):
    edges = head_edges() if len(points) else np.zeros((0, 2), np.int64)
    assert find_mouth(points, opening, edges) is None


def test_the_cost_grows_slower_than_the_square_of_the_vertices():
    costs = []
    for times in (1, 2):
        points, displacements, quads = subdivided(REST, OPENING, HEAD.quads, times)
        edges = quad_edges(quads)
        assert_lips(find_mouth(points, displacements, edges, EYE_DISTANCE), points)
        costs.append(counted_steps(find_mouth, points, displacements, edges, EYE_DISTANCE))
    assert len(points) > 120_000
    assert costs[1] < 12 * costs[0]  # four times as many; a quadratic cost would be 16 times as large
