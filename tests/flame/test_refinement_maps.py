"""The maps that refinement needs, found from a head's geometry."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_flame import make_flame

from emote_blender.flame.measure import landmarks
from emote_blender.flame.refinement_maps import maps_of_model, refinement_maps


@pytest.fixture(scope="module")
def flame():
    """A FLAME head with smooth principal components and, as its jaw's weights are smooth, without lips."""
    return make_flame(num_shape=2, num_expression=40)


def test_the_upper_map_is_the_least_squares_projection(flame):
    weights = np.clip(np.random.default_rng(0).normal(0.5, 0.5, 40), 0, 1)
    maps = maps_of_model(flame)
    coefficients = np.random.default_rng(2).normal(size=40)
    # What the map makes of some coefficients is as near as any to the weighted displacement: nothing is left of the
    # difference in the basis.
    basis = flame.expression_dirs.reshape(-1, 40).astype(np.float64)
    height = flame.v_template[:, 1]
    split = _split_of(flame)
    part = np.clip((height - split) / (0.008 * _scale(flame)) + 0.5, 0, 1)
    weights = np.repeat(part**2 * (3 - 2 * part), 3)
    wanted = weights * (basis @ coefficients)
    best = np.linalg.lstsq(basis, wanted, rcond=None)[0]
    np.testing.assert_allclose(maps.upper @ coefficients, best, atol=2e-3)


def _scale(model) -> float:
    joints = model.joints()
    return float(np.linalg.norm(joints[3] - joints[4])) / 0.066


def _split_of(model) -> float:
    joints = model.joints()
    return float(joints[1, 1] + 0.67 * ((joints[3, 1] + joints[4, 1]) / 2 - joints[1, 1]))


def test_a_face_whose_jaw_opens_no_mouth_has_no_lips(flame):
    assert maps_of_model(flame).lips is None


def test_named_components_have_a_diagonal_map_that_knows_their_regions(open_head):
    maps = maps_of_model(open_head)
    assert maps.upper.shape == maps.left.shape == (50,)
    upper = dict(zip(open_head.expression_names, maps.upper))
    left = dict(zip(open_head.expression_names, maps.left))
    for name in ("eyeBlinkLeft", "browDownRight", "browInnerUp", "eyeWideLeft"):
        assert upper[name] > 0.99
    for name in ("mouthClose", "mouthFrownLeft", "jawForward", "mouthRollLower", "tongueOut"):
        assert upper[name] < 0.01
    for name in ("browDown", "mouthSmile", "mouthLowerDown", "eyeBlink"):
        assert left[name + "Left"] > 0.9
        assert left[name + "Right"] < -0.9
    assert abs(left["jawForward"]) < 0.01


def test_principal_components_of_disjoint_regions_have_a_map_near_a_diagonal(open_head):
    names = ["eyeBlinkLeft", "browInnerUp", "mouthClose", "mouthFrownRight", "tongueUp"]
    columns = [open_head.expression_names.index(name) for name in names]
    head = replace(
        open_head,
        shapedirs=open_head.expression_dirs[:, :, columns],
        num_shape=0,
        num_expression=5,
        expression_names=None,
        shape_names=None,
    )
    np.testing.assert_allclose(maps_of_model(head).upper, np.diag([1, 1, 0, 0, 0]), atol=0.01)


def test_components_that_move_nothing_or_the_same_are_left_alone(flame):
    directions = flame.expression_dirs.copy()
    directions[:, :, 3] = 0.0
    directions[:, :, 5] = directions[:, :, 4]
    maps = maps_of_model(replace(flame, shapedirs=np.concatenate([flame.identity_dirs, directions], 2)))
    assert np.isfinite(maps.upper).all()
    np.testing.assert_allclose(maps.upper[3], 0, atol=1e-6)
    assert np.abs(maps.upper).max() < 10


def test_the_lips_lie_at_the_inner_lip_landmarks(open_head):
    lips = maps_of_model(open_head).lips
    upper, lower = landmarks(open_head, open_head.v_template, [62, 66])
    assert lips.points[: lips.num_upper, 1].min() == pytest.approx(upper[1], abs=5e-4)
    assert lips.points[lips.num_upper :, 1].max() == pytest.approx(lower[1], abs=5e-4)


def test_only_whole_expressions_move_the_lips_of_a_named_head(open_head):
    lips = maps_of_model(open_head).lips
    for coefficients in (lips.closing, lips.opening, lips.lower_up, lips.lower_down):
        assert (coefficients >= 0).all()
    names = np.array(open_head.expression_names)
    assert "mouthClose" in names[lips.closing > 0]
    assert {"mouthLowerDownLeft", "mouthUpperUpRight"} <= set(names[lips.opening > 0])
    np.testing.assert_allclose(
        lips.opening[names == "mouthLowerDownLeft"], lips.opening[names == "mouthLowerDownRight"], rtol=0.01
    )


def test_the_maps_do_not_depend_on_the_unit_of_length(open_head):
    arguments = (
        open_head.lbs_weights[:, 2],
        dict(zip(open_head.joint_names, open_head.joints())),
    )
    metres = maps_of_model(open_head)
    centimetres = refinement_maps(
        100 * open_head.v_template,
        100 * open_head.expression_dirs,
        arguments[0],
        {name: 100 * place for name, place in arguments[1].items()},
        named=True,
    )
    np.testing.assert_allclose(centimetres.upper, metres.upper, atol=1e-5)
    np.testing.assert_allclose(centimetres.lips.closing, metres.lips.closing, atol=1e-4)
    pose = np.random.default_rng(0).uniform(0, 0.3, (4, 50)), np.array([[0.2, 0, 0]] * 4)
    np.testing.assert_allclose(centimetres.lips.gap(*pose), metres.lips.gap(*pose), atol=1e-3)
